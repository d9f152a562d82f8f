/* Legal holds, also from another process while a run is on. */
#include "support.h"

static void test_a_hold_is_added_renewed_and_removed(void **state)
{
  struct world *world = *state;
  struct fr_uuid ids[] = { id_of(1), id_of(2), id_of(3) };
  char reason[16];
  size_t index = 99;

  world->ledger = open_as(world, FR_LEDGER_HOLD);
  assert_int_equal(fr_hold_find(world->ledger, ids, reason, sizeof(reason)),
                   FR_ENOT_FOUND);
  assert_int_equal(fr_hold_add(world->ledger, ids, 2, "case 7"), FR_OK);
  assert_int_equal(fr_hold_add(world->ledger, ids, 1, "case 8"), FR_OK);
  assert_int_equal(fr_hold_find(world->ledger, ids, reason, sizeof(reason)),
                   FR_OK);
  assert_string_equal(reason, "case 8");
  assert_int_equal(fr_hold_find(world->ledger, ids, reason, 4), FR_OK);
  assert_string_equal(reason, "cas");
  assert_int_equal(fr_hold_remove(world->ledger, ids, 3, &index),
                   FR_ENOT_FOUND);
  assert_int_equal(index, 2);
  assert_int_equal(fr_hold_find(world->ledger, ids, reason, sizeof(reason)),
                   FR_OK);                      /* all, or none */
  assert_int_equal(fr_hold_remove(world->ledger, ids, 2, &index), FR_OK);
  assert_int_equal(fr_hold_find(world->ledger, ids, reason, sizeof(reason)),
                   FR_ENOT_FOUND);
}

static int collect(void *arg, const struct fr_hold *hold)
{
  char *text = arg;

  snprintf(text + strlen(text), 100 - strlen(text), "%d:%s@%d ",
           hold->id.bytes[15], hold->reason, (int)(hold->at_ms - AT0));
  return hold->id.bytes[15] == 9;
}

static void test_holds_are_listed_oldest_first(void **state)
{
  struct world *world = *state;
  struct fr_uuid a = id_of(2), b = id_of(1), c = id_of(9);
  char text[100] = "";

  world->ledger = open_as(world, FR_LEDGER_HOLD);
  assert_int_equal(fr_hold_add(world->ledger, &a, 1, "x"), FR_OK);
  fr_clock_advance(&world->clock, 1);
  assert_int_equal(fr_hold_add(world->ledger, &b, 1, NULL), FR_OK);
  assert_int_equal(fr_hold_add(world->ledger, &c, 1, "z"), FR_OK);
  assert_int_equal(fr_hold_each(world->ledger, collect, text), FR_OK);
  assert_string_equal(text, "2:x@0 1:@1 9:z@1 ");
}

static void test_may_write_holds_and_nothing_else(void **state)
{
  struct world *world = *state;
  struct fr_run_spec spec = { .command = "run" };
  int64_t run;

  world->ledger = open_as(world, FR_LEDGER_HOLD);
  assert_int_equal(fr_ledger_begin(world->ledger), FR_EINVALID);
  assert_int_equal(fr_ledger_run_begin(world->ledger, &spec, &run),
                   FR_EINVALID);
}

/* In a process of its own, as `falrun hold add` is. */
static void hold_elsewhere(struct world *world, unsigned number)
{
  pid_t child = fork();

  if (child == 0) {
    struct fr_uuid id = id_of(number);
    struct fr_ledger *ledger = NULL;

    _exit(try_open(world, world->path, FR_LEDGER_HOLD, ORIGIN, &ledger) ||
          fr_hold_add(ledger, &id, 1, "case 7"));
  }
  assert_int_equal(wait_for(child), 0);
}

static void test_a_hold_between_groups_is_seen(void **state)
{
  struct world *world = *state;
  struct fr_uuid id = id_of(7);
  int64_t before, after;
  struct fr_chain chain;
  char reason[16];

  open_run(world);
  begin_run(world);
  begin(world);
  assert_int_equal(intend(world, 1), FR_OK);
  commit(world);
  assert_int_equal(fr_ledger_version(world->ledger, &before), FR_OK);
  begin(world);
  assert_int_equal(intend(world, 2), FR_OK);
  commit(world);
  assert_int_equal(fr_ledger_version(world->ledger, &after), FR_OK);
  assert_int_equal(before, after);              /* our own do not count */
  hold_elsewhere(world, 7);
  begin(world);
  assert_int_equal(fr_ledger_version(world->ledger, &after), FR_OK);
  assert_int_not_equal(before, after);
  assert_int_equal(fr_hold_find(world->ledger, &id, reason, sizeof(reason)),
                   FR_OK);
  assert_string_equal(reason, "case 7");
  assert_int_equal(intend(world, 3), FR_OK);    /* the chain goes on */
  commit(world);
  assert_int_equal(fr_history_verify(world->ledger, &chain), FR_OK);
  assert_int_equal(chain.events, 6);
  assert_int_equal(number_of(world->ledger, "SELECT run FROM events"
                             " WHERE kind = 'hold_add'"), 0);
}

/* A second connection of this very process: its close must not drop the
 * locks of the first (POSIX locks belong to the process). */
static void test_a_second_connection_leaves_the_group_alone(void **state)
{
  struct world *world = *state;
  struct fr_ledger *other;
  pid_t child;

  open_run(world);
  begin(world);
  assert_int_equal(intend(world, 1), FR_OK);
  other = open_as(world, FR_LEDGER_HOLD);
  fr_ledger_close(other);
  child = fork();
  if (child == 0) {
    sqlite3 *db = NULL;

    sqlite3_open(world->path, &db);
    _exit(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) !=
          SQLITE_BUSY);
  }
  assert_int_equal(wait_for(child), 0);
  commit(world);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    TEST(test_a_hold_is_added_renewed_and_removed),
    TEST(test_holds_are_listed_oldest_first),
    TEST(test_may_write_holds_and_nothing_else),
    TEST(test_a_hold_between_groups_is_seen),
    TEST(test_a_second_connection_leaves_the_group_alone)
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
