/* SQLite's n-th allocation fails, for every n: each call succeeds or says
 * that memory is out, never that the ledger is damaged, and the ledger is
 * whole afterwards.
 */
#include "support.h"

static sqlite3_mem_methods real;
static long countdown = -1;             /* < 0: no fault */
static bool fired;

static bool fails(void)
{
  if (countdown < 0 || countdown-- > 0)
    return false;
  countdown = 0;                        /* and from then on, all fail */
  return fired = true;
}

static void *faulty_malloc(int size)
{
  return fails() ? NULL : real.xMalloc(size);
}

static void *faulty_realloc(void *data, int size)
{
  return fails() ? NULL : real.xRealloc(data, size);
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

static void test_no_allocation_is_trusted(void **state)
{
  struct world *world = *state;
  struct fr_chain chain;
  enum fr_err err = FR_OK;
  unsigned n;

  for (n = 0; n < 100000; n += 1 + n / 50) {
    fired = false;
    countdown = (long)n;
    err = live(world, n);
    countdown = -1;
    if (err != (fired ? FR_ENOMEM : FR_OK))
      print_error("allocation %u: %s: %s\n", n, fr_err_name(err),
                  fr_buf_text(&world->why));
    assert_true(err == FR_ENOMEM || err == FR_OK);
    if (!fired)
      break;
    world->ledger = open_as(world, FR_LEDGER_READ);
    assert_int_equal(fr_history_verify(world->ledger, &chain), FR_OK);
    fr_ledger_close(world->ledger);
    world->ledger = NULL;
  }
  assert_false(fired);                  /* it came to an end */
  assert_true(n > 100);
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
