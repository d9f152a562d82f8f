/* tests/unit/ledger/test_tally.c - how all deletions stand: one pass, which
 * is held against an oracle in plain arithmetic. */
#include "support.h"

#include "ledger/holds.h"
#include "ledger/tally.h"

#define DAY_MS 86400000LL

static void plan(struct world *world, unsigned number, const char *policy,
                 int64_t ended_at_ms)
{
  char key[40];
  struct fr_intent intent = { .id = id_of(number), .policy = policy,
                              .key = key, .ended_at_ms = ended_at_ms };

  snprintf(key, sizeof(key), "key-%u", number);
  assert_int_equal(fr_ledger_begin(world->ledger), FR_OK);
  assert_int_equal(fr_ledger_intend(world->ledger, &intent), FR_OK);
  assert_int_equal(fr_ledger_commit(world->ledger), FR_OK);
  fr_clock_advance(&world->clock, 1000);
}

static void finish(struct world *world, unsigned number, enum fr_state state)
{
  struct fr_outcome outcome = { .id = id_of(number), .state = state,
                                .evidence = "answered", .attempts = 1 };
  enum fr_state told;

  assert_int_equal(fr_ledger_begin(world->ledger), FR_OK);
  assert_int_equal(fr_ledger_outcome(world->ledger, &outcome, &told), FR_OK);
  assert_int_equal(fr_ledger_commit(world->ledger), FR_OK);
}

static int tell(void *arg, const struct fr_tally_row *row)
{
  char *text = arg;

  snprintf(text + strlen(text), 4000 - strlen(text), "%s%s%s %d %lld %lld\n",
           row->state, row->declared ? " declared" : "",
           row->held ? " held" : "", (int)row->count,
           row->oldest_ms < 0 ? -1LL : (long long)row->oldest_ms / DAY_MS,
           row->since_ms < 0 ? -1LL : (long long)(row->since_ms - AT0)
                                      / 1000);
  return 0;
}

static const char *all(struct world *world)
{
  static char text[4000];

  text[0] = '\0';
  assert_int_equal(fr_ledger_tally(world->ledger, tell, text), FR_OK);
  return text;
}

static void start(struct world *world)
{
  struct fr_run_spec spec = { .command = "run", .options = "{}" };
  int64_t run;

  world->ledger = open_as(world, FR_LEDGER_RUN);
  assert_int_equal(fr_ledger_run_begin(world->ledger, &spec, &run), FR_OK);
}

static void test_all_kinds_apart(void **state)
{
  struct world *world = *state;
  struct fr_uuid held = id_of(6);

  start(world);
  assert_string_equal(all(world), "");
  plan(world, 1, "p", 100 * DAY_MS);
  plan(world, 2, "p", 90 * DAY_MS);
  plan(world, 3, "p", 80 * DAY_MS);
  plan(world, 4, NULL, 70 * DAY_MS);
  plan(world, 5, NULL, -1);           /* nobody knows when it ended */
  plan(world, 6, "p", 50 * DAY_MS);
  plan(world, 7, "p", 40 * DAY_MS);
  finish(world, 1, FR_STATE_DELETED);
  finish(world, 2, FR_STATE_GONE);
  finish(world, 3, FR_STATE_FAILED);
  finish(world, 4, FR_STATE_UNSENT);
  finish(world, 6, FR_STATE_FAILED);
  finish(world, 7, FR_STATE_FAILED);
  assert_int_equal(fr_hold_add(world->ledger, &held, 1, "case"), FR_OK);
  assert_string_equal(all(world),
    "failed declared 2 40 2\n"
    "failed declared held 1 50 5\n"
    "open 1 -1 4\n"
    "unsent 1 70 3\n"
    "deleted 1 -1 -1\n"                 /* of no interest any more */
    "gone 1 -1 -1\n");
}

static void test_a_deletion_announced_again_counts_once(void **state)
{
  struct world *world = *state;

  start(world);
  plan(world, 1, "p", 100 * DAY_MS);
  finish(world, 1, FR_STATE_FAILED);
  plan(world, 1, "p", 100 * DAY_MS);
  assert_string_equal(all(world), "open declared 1 100 1\n");
  finish(world, 1, FR_STATE_DELETED);
  assert_string_equal(all(world), "deleted 1 -1 -1\n");
}

static int stop(void *arg, const struct fr_tally_row *row)
{
  (void)row;
  ++*(int *)arg;
  return 1;
}

static void test_the_walk_can_be_ended(void **state)
{
  struct world *world = *state;
  int64_t bytes = 0;
  int count = 0;

  start(world);
  plan(world, 1, "p", 100 * DAY_MS);
  plan(world, 2, "p", 100 * DAY_MS);
  finish(world, 1, FR_STATE_FAILED);
  assert_int_equal(fr_ledger_tally(world->ledger, stop, &count), FR_OK);
  assert_int_equal(count, 1);
  assert_int_equal(fr_ledger_tally(world->ledger, stop, &count), FR_OK);
  assert_int_equal(fr_ledger_size(world->ledger, &bytes), FR_OK);
  assert_true(bytes >= 4096 && bytes % 4096 == 0);
}

static void test_a_ledger_that_is_not_there(void **state)
{
  struct world *world = *state;
  int64_t bytes = -1;

  world->ledger = open_as(world, FR_LEDGER_READ);
  assert_string_equal(all(world), "");
  assert_int_equal(fr_ledger_size(world->ledger, &bytes), FR_OK);
  assert_true(bytes >= 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
  const struct CMUnitTest tests[] = {
    CASE(test_all_kinds_apart),
    CASE(test_a_deletion_announced_again_counts_once),
    CASE(test_the_walk_can_be_ended),
    CASE(test_a_ledger_that_is_not_there),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
