/* What is seen of files, and what follows for residue and state. */
#include "ledger/facts.h"

#include "support.h"

#define A "https://v3.fal.media/a.png"
#define B "https://v3.fal.media/b.png"

static void see(struct world *world, unsigned number, const char *link,
                const char *seen, bool input)
{
  struct fr_probe_note note = {
    .id = id_of(number), .link = link, .seen = seen, .http_status = 206,
    .age_s = -1, .input = input
  };

  assert_int_equal(fr_ledger_probe(world->ledger, &note), FR_OK);
}

static int count(void *arg, const struct fr_residue_row *row)
{
  (void)row;
  ++*(int *)arg;
  return 0;
}

/* The state and the number of files left, as asked now and after a replay. */
static void check(struct world *world, unsigned number, enum fr_state state,
                  int left)
{
  struct fr_uuid id = id_of(number);
  struct fr_chain chain = { 0 };
  struct fr_record record;
  int found = 0;

  assert_int_equal(fr_ledger_find(world->ledger, &id, &record), FR_OK);
  assert_string_equal(fr_state_name(record.state), fr_state_name(state));
  assert_int_equal(fr_history_residue(world->ledger, &id, count, &found),
                   FR_OK);
  assert_int_equal(found, left);
  assert_int_equal(fr_history_verify(world->ledger, &chain), FR_OK);
}

static void tell(struct world *world, unsigned number, enum fr_state state,
                 const char *link, const char *exception)
{
  begin(world);
  intend(world, number);
  commit(world);
  begin(world);
  settle(world, number, state, link, exception);
  commit(world);
}

static void test_the_last_file_gone_makes_it_deleted(void **state)
{
  struct world *world = *state;

  open_run(world);
  begin_run(world);
  tell(world, 1, FR_STATE_PARTIAL, A, "busy");
  check(world, 1, FR_STATE_PARTIAL, 1);
  see(world, 1, A, "cached", false);
  see(world, 1, A, "unknown", false);
  see(world, 1, B, "gone", false);
  check(world, 1, FR_STATE_PARTIAL, 1);
  see(world, 1, A, "gone", false);
  check(world, 1, FR_STATE_DELETED, 0);
}

static void test_a_file_that_is_there_makes_it_partial(void **state)
{
  struct world *world = *state;

  open_run(world);
  world->ledger->index.least = 1;       /* ids move to the index at once */
  begin_run(world);
  tell(world, 1, FR_STATE_DELETED, A, NULL);
  tell(world, 2, FR_STATE_GONE, NULL, NULL);
  see(world, 1, A, "there", false);
  see(world, 2, B, "there", false);
  check(world, 1, FR_STATE_PARTIAL, 1);
  check(world, 2, FR_STATE_PARTIAL, 1);
  reopen(world);
  begin_run(world);
  see(world, 1, A, "there", false);     /* twice is no more than once */
  check(world, 1, FR_STATE_PARTIAL, 1);
  see(world, 1, A, "gone", false);
  check(world, 1, FR_STATE_DELETED, 0);
  check(world, 2, FR_STATE_PARTIAL, 1);
}

static void test_input_files_change_nothing(void **state)
{
  struct world *world = *state;

  open_run(world);
  begin_run(world);
  tell(world, 1, FR_STATE_DELETED, A, NULL);
  see(world, 1, B, "there", true);
  check(world, 1, FR_STATE_DELETED, 0);
}

/* Neither what is open nor what failed is settled by a look. */
static void test_other_states_stay(void **state)
{
  struct world *world = *state;

  open_run(world);
  begin_run(world);
  begin(world);
  intend(world, 1);
  commit(world);
  tell(world, 2, FR_STATE_FAILED, NULL, NULL);
  see(world, 1, A, "there", false);
  see(world, 2, A, "gone", false);
  see(world, 3, A, "there", false);     /* of no deletion at all */
  check(world, 1, FR_STATE_OPEN, 1);
  check(world, 2, FR_STATE_FAILED, 0);
  see(world, 1, A, "gone", false);
  check(world, 1, FR_STATE_OPEN, 0);
}

/* What an answer did not even name cannot be seen as gone. */
static void test_files_without_a_name_stay(void **state)
{
  struct world *world = *state;
  struct fr_file_result files[FR_LEDGER_FILES + 1];
  struct fr_outcome outcome = {
    .id = id_of(1), .state = FR_STATE_PARTIAL, .http_status = 200,
    .attempts = 1, .files = files, .nfiles = FR_LEDGER_FILES + 1
  };
  char links[FR_LEDGER_FILES + 1][32];
  enum fr_state became;

  open_run(world);
  begin_run(world);
  for (int i = 0; i <= FR_LEDGER_FILES; i++) {
    snprintf(links[i], sizeof(links[i]), "https://fal.media/%d", i);
    files[i] = (struct fr_file_result){ links[i], "busy" };
  }
  begin(world);
  intend(world, 1);
  commit(world);
  begin(world);
  assert_int_equal(fr_ledger_outcome(world->ledger, &outcome, &became),
                   FR_OK);
  for (int i = 0; i < FR_LEDGER_FILES; i++)
    see(world, 1, links[i], "gone", false);
  commit(world);
  check(world, 1, FR_STATE_PARTIAL, 1);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(test_the_last_file_gone_makes_it_deleted,
                                    setup, teardown),
    cmocka_unit_test_setup_teardown(
      test_a_file_that_is_there_makes_it_partial, setup, teardown),
    cmocka_unit_test_setup_teardown(test_input_files_change_nothing, setup,
                                    teardown),
    cmocka_unit_test_setup_teardown(test_other_states_stay, setup, teardown),
    cmocka_unit_test_setup_teardown(test_files_without_a_name_stay, setup,
                                    teardown),
  };

  return cmocka_run_group_tests_name("ledger/probes", tests, NULL, NULL);
}
