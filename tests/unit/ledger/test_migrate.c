/* A ledger of format 1 or 2 becomes one of format 3: nothing of the record
 * changes, and what follows from it is as a new ledger would have it.
 */
#include "format1.h"
#include "support.h"

/* A format 1 ledger of what the present one holds, in its place. */
static void turn_back(struct world *world)
{
  char old[256], sql[6000];

  fr_ledger_close(world->ledger);
  world->ledger = NULL;
  snprintf(old, sizeof(old), "%s/old.db", world->folder);
  snprintf(sql, sizeof(sql), FORMAT_1_FROM, world->path);
  tamper(old, sql);
  assert_int_equal(rename(old, world->path), 0);
}

static void turn_back_to_2(struct world *world)
{
  fr_ledger_close(world->ledger);
  world->ledger = NULL;
  tamper(world->path, FORMAT_2_FROM_3);
}

static void fill(struct world *world)
{
  struct fr_uuid id = id_of(3), other = id_of(700);
  unsigned i;

  open_run(world);
  world->ledger->index.least = 20;
  begin_run(world);
  begin(world);
  for (i = 0; i < 100; i++)
    assert_int_equal(intend(world, i), FR_OK);
  for (i = 5; i < 95; i++)
    settle(world, i, i % 2 ? FR_STATE_DELETED : FR_STATE_PARTIAL,
           "https://f/a", i % 2 ? NULL : "busy");
  assert_int_equal(fr_ledger_unanswered(world->ledger, &id, "timeout", 1),
                   FR_OK);
  assert_int_equal(fr_ledger_generation(world->ledger, &id, 2), FR_OK);
  assert_int_equal(fr_ledger_skip(world->ledger, "held", &other, "held",
                                  "x"), FR_OK);
  commit(world);
  begin(world);
  for (i = 6; i < 20; i += 2)
    assert_int_equal(intend(world, i), FR_OK);
  commit(world);
  assert_int_equal(fr_hold_add(world->ledger, &other, 1, "case 7"), FR_OK);
}

static int count_event(void *arg, const struct fr_event_row *row)
{
  (void)row;
  ++*(int *)arg;
  return 0;
}

static int events_of(struct world *world, unsigned number)
{
  struct fr_uuid id = id_of(number);
  struct fr_event_filter filter = { .id = &id };
  int count = 0;

  assert_int_equal(fr_history_events(world->ledger, &filter, count_event,
                                     &count), FR_OK);
  return count;
}

static int count_open(void *arg, const struct fr_open_intent *open)
{
  (void)open;
  ++*(int *)arg;
  return 0;
}

static void expect_all(struct world *world)
{
  struct fr_chain chain;
  int open = 0;

  assert_int_equal(fr_history_verify(world->ledger, &chain), FR_OK);
  assert_int_equal(state_of(world->ledger, 3), FR_STATE_OPEN);
  assert_int_equal(state_of(world->ledger, 6), FR_STATE_OPEN);
  assert_int_equal(state_of(world->ledger, 7), FR_STATE_DELETED);
  assert_int_equal(state_of(world->ledger, 40), FR_STATE_PARTIAL);
  assert_int_equal(state_of(world->ledger, 100), FR_STATE_NONE);
  assert_int_equal(events_of(world, 3), 3);
  assert_int_equal(events_of(world, 6), 3);
  assert_int_equal(events_of(world, 7), 2);
  assert_int_equal(events_of(world, 700), 2);
  assert_int_equal(fr_ledger_each_open(world->ledger, count_open, &open),
                   FR_OK);
  assert_int_equal(open, 17);
}

static void test_a_run_brings_it_up_to_date(void **state)
{
  struct world *world = *state;
  struct fr_chain before, after;

  fill(world);
  expect_all(world);
  assert_int_equal(fr_history_verify(world->ledger, &before), FR_OK);
  turn_back(world);
  open_run(world);
  expect_all(world);
  assert_int_equal(fr_history_verify(world->ledger, &after), FR_OK);
  assert_int_equal(after.events, before.events);
  assert_memory_equal(after.head, before.head, sizeof(after.head));
  begin(world);
  settle(world, 3, FR_STATE_FAILED, NULL, NULL);
  assert_int_equal(intend(world, 3), FR_OK);
  assert_int_equal(intend(world, 7), FR_OK);
  assert_int_equal(intend(world, 6), FR_EINVALID);
  assert_int_equal(intend(world, 200), FR_OK);
  commit(world);
  assert_int_equal(events_of(world, 3), 5);
  assert_int_equal(fr_history_verify(world->ledger, &after), FR_OK);
  assert_int_equal(number_of(world->ledger, "SELECT count(*) FROM"
                             " sqlite_schema WHERE name = 'deletions_1'"
                             " OR name = 'events_by_id'"), 0);
}

static void test_from_format_2(void **state)
{
  struct world *world = *state;
  struct fr_chain before, after;

  fill(world);
  assert_int_equal(fr_history_verify(world->ledger, &before), FR_OK);
  turn_back_to_2(world);
  assert_int_equal(try_open(world, world->path, FR_LEDGER_READ, ORIGIN,
                            &world->ledger), FR_EIO);
  open_run(world);
  assert_int_equal(number_of(world->ledger, "PRAGMA user_version"), 3);
  expect_all(world);
  assert_int_equal(fr_history_verify(world->ledger, &after), FR_OK);
  assert_int_equal(after.events, before.events);
  assert_memory_equal(after.head, before.head, sizeof(after.head));
  assert_int_equal(number_of(world->ledger, "SELECT count(*) FROM changes"),
                   0);
}

/* Cut short anywhere, the migration leaves the old format whole. */
static void test_a_migration_that_fails_changes_nothing(void **state)
{
  struct world *world = *state;

  fill(world);
  turn_back_to_2(world);
  tamper(world->path, "CREATE TABLE input_files(x)");
  assert_int_not_equal(try_open(world, world->path, FR_LEDGER_RUN, ORIGIN,
                                &world->ledger), FR_OK);
  tamper(world->path, "DROP TABLE input_files");
  open_run(world);
  expect_all(world);
}

static void test_a_hold_does_so_too(void **state)
{
  struct world *world = *state;

  fill(world);
  turn_back(world);
  world->ledger = open_as(world, FR_LEDGER_HOLD);
  assert_int_equal(number_of(world->ledger, "PRAGMA user_version"), 3);
  expect_all(world);
}

static void test_reading_leaves_it_alone(void **state)
{
  struct world *world = *state;

  fill(world);
  turn_back(world);
  assert_int_equal(try_open(world, world->path, FR_LEDGER_READ, ORIGIN,
                            &world->ledger), FR_EIO);
  assert_non_null(strstr(fr_buf_text(&world->why), "older format"));
  open_run(world);
  expect_all(world);
}

static void test_an_empty_one(void **state)
{
  struct world *world = *state;
  struct fr_chain chain;

  open_run(world);
  turn_back(world);
  open_run(world);
  assert_int_equal(state_of(world->ledger, 1), FR_STATE_NONE);
  begin(world);
  assert_int_equal(intend(world, 1), FR_OK);
  commit(world);
  assert_int_equal(fr_history_verify(world->ledger, &chain), FR_OK);
}

/* A record that was forged before is not made right by the migration. */
static void test_a_forged_one_stays_forged(void **state)
{
  struct world *world = *state;
  struct fr_chain chain;

  fill(world);
  turn_back(world);
  tamper(world->path, "UPDATE deletions SET state = 'deleted'"
         " WHERE state = 'open'");
  open_run(world);
  assert_int_equal(fr_history_verify(world->ledger, &chain), FR_ECORRUPT);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    TEST(test_a_run_brings_it_up_to_date), TEST(test_from_format_2),
    TEST(test_a_migration_that_fails_changes_nothing),
    TEST(test_a_hold_does_so_too),
    TEST(test_reading_leaves_it_alone), TEST(test_an_empty_one),
    TEST(test_a_forged_one_stays_forged)
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
