/* A disk that fills up, a file that may not grow, a ledger in the way. */
#include <sys/resource.h>

#include "support.h"

/* Writes groups until one fails; the number of groups that were told to be
 * durable. */
static unsigned write_until_it_fails(struct world *world, enum fr_err *ret_err)
{
  unsigned groups = 0, i;
  enum fr_err err = FR_OK;

  while (!err && groups < 1000) {
    err = fr_ledger_begin(world->ledger);
    for (i = 0; !err && i < 50; i++)
      err = intend(world, groups * 50 + i);
    if (fr_ledger_commit(world->ledger) == FR_OK)
      groups++;
    else if (!err)
      err = FR_EIO;
  }
  *ret_err = err;
  return groups;
}

static void test_a_full_disk_undoes_the_group(void **state)
{
  struct world *world = *state;
  struct fr_chain chain;
  enum fr_err err;
  unsigned groups;

  open_run(world);
  begin_run(world);
  assert_int_equal(fr_sql_exec(world->ledger, "PRAGMA max_page_count = 60"),
                   FR_OK);
  groups = write_until_it_fails(world, &err);
  assert_int_equal(err, FR_EIO);
  assert_non_null(strstr(fr_ledger_detail(world->ledger), "full"));
  assert_in_range(groups, 1, 999);
  assert_int_equal(state_of(world->ledger, groups * 50 - 1), FR_STATE_OPEN);
  assert_int_equal(state_of(world->ledger, groups * 50), FR_STATE_NONE);
  assert_int_equal(fr_ledger_begin(world->ledger), FR_OK);
  fr_ledger_rollback(world->ledger);
  assert_int_equal(fr_sql_exec(world->ledger,
                               "PRAGMA max_page_count = 100000"), FR_OK);
  begin(world);                 /* room again: it works again */
  assert_int_equal(intend(world, groups * 50), FR_OK);
  commit(world);
  assert_int_equal(fr_history_verify(world->ledger, &chain), FR_OK);
  assert_int_equal(chain.events, 3 + groups * 50);
}

/* What was written after the failure must not slip in by itself. */
static void test_a_broken_group_cannot_be_committed(void **state)
{
  struct world *world = *state;
  struct fr_uuid id = id_of(1);
  unsigned i = 0;

  open_run(world);
  begin_run(world);
  assert_int_equal(fr_sql_exec(world->ledger, "PRAGMA max_page_count = 40"),
                   FR_OK);
  begin(world);
  while (i < 10000 && intend(world, i) == FR_OK)
    i++;
  assert_in_range(i, 1, 9999);
  assert_int_equal(fr_ledger_skip(world->ledger, "held", &id, NULL, NULL),
                   FR_EIO);
  assert_int_equal(intend(world, 20000), FR_EIO);
  assert_int_equal(fr_ledger_commit(world->ledger), FR_EIO);
  assert_int_equal(state_of(world->ledger, 0), FR_STATE_NONE);
  assert_int_equal(number_of(world->ledger, "SELECT count(*) FROM events"),
                   2);
}

/* The kernel refuses to write past a size, as a quota does. */
static void test_a_file_size_limit_undoes_the_group(void **state)
{
  struct world *world = *state;
  struct fr_chain chain;
  int told[2];
  unsigned groups = 0;
  pid_t child;

  assert_int_equal(pipe(told), 0);
  child = fork();
  if (child == 0) {
    struct rlimit limit = { 400 << 10, 400 << 10 };
    enum fr_err err;

    signal(SIGXFSZ, SIG_IGN);
    open_run(world);
    begin_run(world);
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
      _exit(2);
    groups = write_until_it_fails(world, &err);
    (void)!write(told[1], &groups, sizeof(groups));
    _exit(err == FR_EIO ? 0 : 1);
  }
  assert_int_equal(wait_for(child), 0);
  assert_int_equal(read(told[0], &groups, sizeof(groups)), sizeof(groups));
  close(told[0]);
  close(told[1]);
  assert_in_range(groups, 1, 999);
  open_run(world);
  assert_int_equal(state_of(world->ledger, groups * 50 - 1), FR_STATE_OPEN);
  assert_int_equal(state_of(world->ledger, groups * 50), FR_STATE_NONE);
  assert_int_equal(fr_history_verify(world->ledger, &chain), FR_OK);
}

/* Damage below the cache, found while running: corrupt, not I/O. */
static void test_damage_is_not_an_io_error(void **state)
{
  struct world *world = *state;

  open_run(world);
  fr_ledger_close(world->ledger);
  world->ledger = NULL;
  tamper(world->path, "DROP TABLE holds");
  open_run(world);
  assert_int_equal(fr_hold_add(world->ledger, &(struct fr_uuid) { { 1 } }, 1,
                               "x"), FR_ECORRUPT);
  assert_non_null(strstr(fr_ledger_detail(world->ledger), "damaged"));
}

/* A writer that stays for longer than anybody waits. */
static void test_a_busy_ledger_is_an_io_error(void **state)
{
  struct world *world = *state;
  sqlite3 *db = NULL;

  open_run(world);
  sqlite3_busy_timeout(world->ledger->db, 20);
  assert_int_equal(sqlite3_open(world->path, &db), SQLITE_OK);
  assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL),
                   SQLITE_OK);
  assert_int_equal(fr_ledger_begin(world->ledger), FR_EIO);
  assert_non_null(strstr(fr_ledger_detail(world->ledger), "try again"));
  sqlite3_close(db);
  begin(world);
  commit(world);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    TEST(test_a_full_disk_undoes_the_group),
    TEST(test_a_broken_group_cannot_be_committed),
    TEST(test_a_file_size_limit_undoes_the_group),
    TEST(test_damage_is_not_an_io_error),
    TEST(test_a_busy_ledger_is_an_io_error)
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
