/* The n-th allocation fails, for every n: SQLite's or the ledger's own (which
 * the linker sends here: --wrap), once or from then on. Each call succeeds or
 * says that memory is out, never that the ledger is damaged, and the ledger
 * is whole afterwards.
 */
#include "support.h"

static sqlite3_mem_methods real;
static bool own, lasting;               /* whose allocations, and for how long */
static long countdown = -1;             /* < 0: no fault */
static bool fired;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *data, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *data, size_t size);

static bool fails(bool its_own)
{
  if (its_own != own || countdown < 0 || countdown-- > 0)
    return false;
  countdown = lasting ? 0 : -1;
  return fired = true;
}

static void *faulty_malloc(int size)
{
  return fails(false) ? NULL : real.xMalloc(size);
}

static void *faulty_realloc(void *data, int size)
{
  return fails(false) ? NULL : real.xRealloc(data, size);
}

void *__wrap_malloc(size_t size)
{
  return fails(true) ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
  return fails(true) ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *data, size_t size)
{
  return fails(true) ? NULL : __real_realloc(data, size);
}

static int seen(void *arg, const struct fr_open_intent *open)
{
  (void)open;
  ++*(int *)arg;
  return 0;
}

static enum fr_err write_some(struct world *world, unsigned number)
{
  struct fr_file_result file = { "https://f/a", "busy" };
  struct fr_outcome outcome = {
    .id = id_of(number), .state = FR_STATE_PARTIAL, .files = &file,
    .nfiles = 1
  };
  struct fr_run_spec spec = { .command = "run", .options = "{\"a\":1}" };
  enum fr_state state;
  int64_t run;
  enum fr_err err = fr_ledger_run_begin(world->ledger, &spec, &run);

  if (!err)
    err = fr_ledger_begin(world->ledger);
  if (!err)
    err = intend(world, number);
  if (!err)
    err = fr_ledger_outcome(world->ledger, &outcome, &state);
  if (!err)
    err = intend(world, number);
  if (!err)
    err = fr_ledger_commit(world->ledger);
  else
    fr_ledger_rollback(world->ledger);
  if (!err)
    err = fr_hold_add(world->ledger, &outcome.id, 1, "case 7");
  return err;
}

static enum fr_err read_some(struct world *world, unsigned number)
{
  struct fr_uuid id = id_of(number);
  struct fr_record record;
  struct fr_chain chain;
  char reason[16];
  int count = 0;
  enum fr_err err = fr_ledger_find(world->ledger, &id, &record);

  if (!err)
    err = fr_hold_find(world->ledger, &id, reason, sizeof(reason));
  if (!err)
    err = fr_ledger_each_open(world->ledger, seen, &count);
  if (!err)
    err = fr_history_verify(world->ledger, &chain);
  if (!err)
    err = fr_ledger_run_end(world->ledger, 0, "{}");
  return err;
}

static enum fr_err live(struct world *world, unsigned number)
{
  enum fr_err err = try_open(world, world->path, FR_LEDGER_RUN, ORIGIN,
                             &world->ledger);

  if (!err) {
    world->ledger->index.least = 1;     /* so that rounds are begun */
    err = write_some(world, number);
  }
  if (!err)
    err = read_some(world, number);
  if (err && world->ledger)
    fr_buf_say(&world->why, "%s", fr_ledger_detail(world->ledger));
  fr_ledger_close(world->ledger);
  world->ledger = NULL;
  return err;
}

static void look_at_what_is_left(struct world *world)
{
  struct fr_chain chain;

  world->ledger = open_as(world, FR_LEDGER_READ);
  assert_int_equal(fr_history_verify(world->ledger, &chain), FR_OK);
  fr_ledger_close(world->ledger);
  world->ledger = NULL;
}

/* Returns how many allocations were made to fail, one a life. */
static unsigned try_each(struct world *world, unsigned number)
{
  enum fr_err err;
  unsigned n, tries = 0;

  for (n = 0; n < 100000; n += 1 + n / 16) {
    fired = false;
    countdown = (long)n;
    err = live(world, number + n);
    countdown = -1;
    if (err != FR_OK && (err != FR_ENOMEM || !fired))
      fail_msg("allocation %u: %s: %s", n, fr_err_name(err),
               fr_buf_text(&world->why));
    if (!fired)
      return tries;
    tries++;
    look_at_what_is_left(world);
  }
  fail_msg("it came to no end");
  return 0;
}

/* An index that is not yet long: its rounds are due at once. */
static void start_anew(const struct world *world)
{
  static const char *const ends[] = { "", "-wal", "-shm" };
  char path[160];

  for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
    snprintf(path, sizeof(path), "%s%s", world->path, ends[i]);
    unlink(path);
  }
}

static void test_no_allocation_is_trusted(void **state)
{
  struct world *world = *state;

  for (unsigned form = 0; form < 4; form++) {
    start_anew(world);
    own = form & 1;
    lasting = form & 2;
    assert_true(try_each(world, form * 1000000) > (own ? 8 : 80));
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = { TEST(test_no_allocation_is_trusted) };
  sqlite3_mem_methods faulty;

  sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real);
  faulty = real;
  faulty.xMalloc = faulty_malloc;
  faulty.xRealloc = faulty_realloc;
  sqlite3_config(SQLITE_CONFIG_MALLOC, &faulty);
  return cmocka_run_group_tests(tests, NULL, NULL);
}
