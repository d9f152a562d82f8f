/* One request's story: intents, outcomes, residue, keys, open work. */
#include "support.h"

static int setup_run(void **state)
{
  setup(state);
  open_run(*state);
  begin_run(*state);
  begin(*state);
  return 0;
}

static void test_an_intent_is_open_until_its_outcome(void **state)
{
  struct world *world = *state;
  struct fr_uuid id = id_of(1);
  struct fr_record record;

  assert_int_equal(fr_ledger_find(world->ledger, &id, &record),
                   FR_ENOT_FOUND);
  assert_int_equal(intend(world, 1), FR_OK);
  assert_int_equal(fr_ledger_find(world->ledger, &id, &record), FR_OK);
  assert_int_equal(record.state, FR_STATE_OPEN);
  assert_int_equal(record.run, 1);
  assert_int_equal(record.intent_at_ms, AT0);
  assert_int_equal(record.key_at_ms, AT0);
  assert_int_equal(record.outcome_at_ms, 0);
  assert_int_equal(record.generation, 1);
  assert_int_equal(record.ended_at_ms, 1690000000000);
  assert_false(record.user_key);
  assert_false(record.unanswered);
  assert_string_equal(record.key, "falrun-key");
  fr_clock_advance(&world->clock, 5000);
  assert_int_equal(settle(world, 1, FR_STATE_DELETED, NULL, NULL),
                   FR_STATE_DELETED);
  assert_int_equal(fr_ledger_find(world->ledger, &id, &record), FR_OK);
  assert_int_equal(record.state, FR_STATE_DELETED);
  assert_int_equal(record.outcome_at_ms, AT0 + 5000);
}

static void test_generations_and_lost_answers(void **state)
{
  struct world *world = *state;
  struct fr_uuid id = id_of(1);
  struct fr_record record;

  assert_int_equal(fr_ledger_generation(world->ledger, &id, 2), FR_EINVALID);
  assert_int_equal(intend(world, 1), FR_OK);
  assert_int_equal(fr_ledger_unanswered(world->ledger, &id, "timeout", 2),
                   FR_OK);
  fr_clock_advance(&world->clock, 540000);
  assert_int_equal(fr_ledger_generation(world->ledger, &id, 2), FR_OK);
  assert_int_equal(fr_ledger_find(world->ledger, &id, &record), FR_OK);
  assert_int_equal(record.state, FR_STATE_OPEN);
  assert_int_equal(record.generation, 2);
  assert_int_equal(record.key_at_ms, AT0 + 540000);
  assert_int_equal(record.intent_at_ms, AT0);
  assert_true(record.unanswered);
  settle(world, 1, FR_STATE_FAILED, NULL, NULL);
  assert_int_equal(intend(world, 1), FR_OK);      /* all starts again */
  assert_int_equal(fr_ledger_find(world->ledger, &id, &record), FR_OK);
  assert_int_equal(record.generation, 1);
  assert_int_equal(record.key_at_ms, AT0 + 540000);
  assert_int_equal(record.outcome_at_ms, 0);
  assert_false(record.unanswered);
}

static void test_misuse_is_refused_and_leaves_the_group(void **state)
{
  struct world *world = *state;
  struct fr_outcome outcome = { .id = id_of(1), .state = FR_STATE_OPEN };
  struct fr_uuid id = id_of(1);
  enum fr_state recorded;

  assert_int_equal(fr_ledger_outcome(world->ledger, &outcome, &recorded),
                   FR_EINVALID);
  assert_int_equal(intend(world, 1), FR_OK);
  assert_int_equal(intend(world, 1), FR_EINVALID);
  assert_int_equal(fr_ledger_outcome(world->ledger, &outcome, &recorded),
                   FR_EINVALID);
  assert_int_equal(fr_ledger_skip(world->ledger, "lost", &id, NULL, NULL),
                   FR_EINVALID);
  assert_int_equal(fr_ledger_begin(world->ledger), FR_EINVALID);
  commit(world);
  assert_int_equal(state_of(world->ledger, 1), FR_STATE_OPEN);
  assert_int_equal(intend(world, 2), FR_EINVALID);      /* no group */
  assert_int_equal(fr_ledger_commit(world->ledger), FR_EINVALID);
}

static void test_a_rollback_leaves_nothing(void **state)
{
  struct world *world = *state;
  struct fr_chain chain;

  assert_int_equal(intend(world, 1), FR_OK);
  fr_ledger_rollback(world->ledger);
  assert_int_equal(state_of(world->ledger, 1), FR_STATE_NONE);
  begin(world);
  assert_int_equal(intend(world, 2), FR_OK);
  commit(world);
  assert_int_equal(fr_history_verify(world->ledger, &chain), FR_OK);
  assert_int_equal(chain.events, 3);
}

static enum fr_err intend_key(struct world *world, unsigned number,
                              const char *key, bool user_key)
{
  struct fr_intent intent = {
    .id = id_of(number), .key = key, .ended_at_ms = -1, .user_key = user_key
  };

  return fr_ledger_intend(world->ledger, &intent);
}

static void test_a_user_key_belongs_to_one_id(void **state)
{
  struct world *world = *state;
  struct fr_uuid owner, first = id_of(1);
  struct fr_record record;

  assert_int_equal(fr_ledger_key_owner(world->ledger, "mine", &owner),
                   FR_ENOT_FOUND);
  assert_int_equal(intend_key(world, 1, "mine", true), FR_OK);
  assert_int_equal(intend_key(world, 2, "mine", true), FR_EINVALID);
  assert_int_equal(intend_key(world, 2, "shared", false), FR_OK);
  assert_int_equal(intend_key(world, 3, "shared", false), FR_OK);
  settle(world, 1, FR_STATE_FAILED, NULL, NULL);
  assert_int_equal(intend_key(world, 1, "mine", true), FR_OK);
  commit(world);
  reopen(world);
  assert_int_equal(fr_ledger_key_owner(world->ledger, "mine", &owner),
                   FR_OK);
  assert_int_equal(fr_uuid_compare(&owner, &first), 0);
  assert_int_equal(fr_ledger_key_owner(world->ledger, "shared", &owner),
                   FR_ENOT_FOUND);
  assert_int_equal(fr_ledger_find(world->ledger, &first, &record), FR_OK);
  assert_true(record.user_key);
  assert_int_equal(record.ended_at_ms, -1);
  begin(world);
  assert_int_equal(intend_key(world, 4, "mine", true), FR_EINVALID);
}

static void test_keys_are_short_visible_text(void **state)
{
  struct world *world = *state;
  char key[FR_KEY_TEXT + 1];
  struct fr_uuid id = id_of(1);
  struct fr_record record;

  memset(key, 'k', sizeof(key));
  key[FR_KEY_TEXT] = '\0';
  assert_int_equal(intend_key(world, 1, key, false), FR_EINVALID);
  assert_int_equal(intend_key(world, 1, "", false), FR_EINVALID);
  assert_int_equal(intend_key(world, 1, NULL, false), FR_EINVALID);
  assert_int_equal(intend_key(world, 1, "caf\xc3\xa9", true), FR_EINVALID);
  assert_int_equal(intend_key(world, 1, "a\nb", true), FR_EINVALID);
  key[FR_KEY_TEXT - 1] = '\0';
  key[0] = '"';
  key[1] = '\\';
  assert_int_equal(intend_key(world, 1, key, true), FR_OK);
  assert_int_equal(fr_ledger_find(world->ledger, &id, &record), FR_OK);
  assert_string_equal(record.key, key);
}

/* ---- residue ------------------------------------------------------------- */

static int64_t residue(struct world *world)
{
  return number_of(world->ledger, "SELECT count(*) FROM residue");
}

static void test_residue_outlives_clean_answers(void **state)
{
  struct world *world = *state;

  intend(world, 1);
  assert_int_equal(settle(world, 1, FR_STATE_PARTIAL, "https://f/a", "busy"),
                   FR_STATE_PARTIAL);
  assert_int_equal(number_of(world->ledger, "SELECT link = 'https://f/a' AND"
                             " exception = 'busy' FROM residue"), 1);
  intend(world, 1);
  assert_int_equal(settle(world, 1, FR_STATE_DELETED, NULL, NULL),
                   FR_STATE_PARTIAL);
  intend(world, 1);
  assert_int_equal(settle(world, 1, FR_STATE_GONE, NULL, NULL),
                   FR_STATE_PARTIAL);
  intend(world, 1);
  assert_int_equal(settle(world, 1, FR_STATE_DELETED, "https://f/b", NULL),
                   FR_STATE_PARTIAL);
  intend(world, 1);
  assert_int_equal(settle(world, 1, FR_STATE_FAILED, NULL, NULL),
                   FR_STATE_FAILED);
  assert_int_equal(residue(world), 1);
  intend(world, 1);
  assert_int_equal(settle(world, 1, FR_STATE_DELETED, "https://f/a", NULL),
                   FR_STATE_DELETED);
  assert_int_equal(residue(world), 0);
  assert_int_equal(state_of(world->ledger, 1), FR_STATE_DELETED);
  intend(world, 2);                             /* of another request */
  assert_int_equal(settle(world, 2, FR_STATE_DELETED, NULL, NULL),
                   FR_STATE_DELETED);
}

static void test_a_recorded_partial_keeps_the_answer(void **state)
{
  struct world *world = *state;

  intend(world, 1);
  settle(world, 1, FR_STATE_PARTIAL, "https://f/a", "busy");
  intend(world, 1);
  settle(world, 1, FR_STATE_GONE, NULL, NULL);
  assert_int_equal(number_of(world->ledger, "SELECT count(*) FROM events"
                             " WHERE kind = 'outcome'"
                             " AND data->>'state' = 'partial'"
                             " AND data->>'answer' = 'gone'"), 1);
}

static void test_an_exception_is_never_deleted(void **state)
{
  struct world *world = *state;

  intend(world, 1);
  assert_int_equal(settle(world, 1, FR_STATE_DELETED, "https://f/a", ""),
                   FR_STATE_PARTIAL);
  assert_int_equal(residue(world), 1);
}

static void test_one_answer_that_says_both_keeps_the_file(void **state)
{
  struct world *world = *state;
  struct fr_file_result files[] = {
    { "https://f/a", NULL }, { "https://f/a", "busy" },
    { "https://f/a", NULL }
  };
  struct fr_outcome outcome = {
    .id = id_of(1), .state = FR_STATE_PARTIAL, .files = files, .nfiles = 3
  };
  enum fr_state recorded;

  intend(world, 1);
  assert_int_equal(fr_ledger_outcome(world->ledger, &outcome, &recorded),
                   FR_OK);
  assert_int_equal(residue(world), 1);
}

static int one_residue(void *arg, const struct fr_residue_row *row)
{
  struct fr_residue_row *kept = arg;

  kept->id = row->id;
  kept->link = strdup(row->link);
  kept->exception = strdup(row->exception);
  return 1;
}

static void test_long_links_stay_two(void **state)
{
  struct world *world = *state;
  struct fr_residue_row row = { .link = NULL };
  char a[5001], b[5001], exception[4001];
  struct fr_uuid id = id_of(1);

  memset(a, 'a', 5000);
  memset(exception, 'e', 4000);
  a[5000] = exception[4000] = '\0';
  memcpy(b, a, sizeof(b));
  b[4999] = 'b';
  intend(world, 1);
  settle(world, 1, FR_STATE_PARTIAL, a, exception);
  intend(world, 1);
  assert_int_equal(settle(world, 1, FR_STATE_DELETED, b, NULL),
                   FR_STATE_PARTIAL);
  assert_int_equal(fr_history_residue(world->ledger, &id, one_residue, &row),
                   FR_OK);
  assert_int_equal(strlen(row.link), 2048);
  assert_int_equal(strlen(row.exception), 2048);
  assert_int_equal(fr_uuid_compare(&row.id, &id), 0);
  free((char *)(uintptr_t)row.link);
  free((char *)(uintptr_t)row.exception);
  intend(world, 1);
  assert_int_equal(settle(world, 1, FR_STATE_DELETED, a, NULL),
                   FR_STATE_DELETED);
}

static void test_too_many_files_are_counted(void **state)
{
  struct world *world = *state;
  static struct fr_file_result files[2500];
  static char links[2500][16];
  struct fr_outcome outcome = {
    .id = id_of(1), .state = FR_STATE_PARTIAL, .files = files,
    .nfiles = 2500
  };
  enum fr_state recorded;
  size_t i;

  for (i = 0; i < 2500; i++) {
    snprintf(links[i], sizeof(links[i]), "https://f/%zu", i);
    files[i].link = links[i];
    files[i].exception = i % 2 ? "busy" : NULL;
  }
  intend(world, 1);
  assert_int_equal(fr_ledger_outcome(world->ledger, &outcome, &recorded),
                   FR_OK);
  assert_int_equal(residue(world), 1001);
  assert_int_equal(number_of(world->ledger, "SELECT data->>'files_left_out'"
                             " FROM events WHERE kind = 'outcome'"), 1500);
  for (i = 1; i < 2000; i += 2) {       /* all that were named go away */
    intend(world, 1);
    settle(world, 1, FR_STATE_DELETED, links[i], NULL);
  }
  intend(world, 1);                     /* but there were more */
  assert_int_equal(residue(world), 1);
  assert_int_equal(settle(world, 1, FR_STATE_DELETED, NULL, NULL),
                   FR_STATE_PARTIAL);
}

/* ---- open work, skips ---------------------------------------------------- */

struct walk {
  unsigned count, stop;
  struct fr_open_intent last;
  unsigned char order[8];
};

static int note(void *arg, const struct fr_open_intent *open)
{
  struct walk *walk = arg;

  walk->order[walk->count++ % 8] = open->id.bytes[15];
  walk->last = *open;
  return walk->count == walk->stop;
}

static void test_open_intents_come_oldest_first(void **state)
{
  struct world *world = *state;
  struct walk walk = { 0 }, first = { .stop = 1 };

  intend(world, 9);
  intend(world, 3);
  intend(world, 7);
  intend(world, 5);
  settle(world, 9, FR_STATE_FAILED, NULL, NULL);
  settle(world, 3, FR_STATE_UNSENT, NULL, NULL);
  intend(world, 9);
  commit(world);
  assert_int_equal(fr_ledger_each_open(world->ledger, note, &walk), FR_OK);
  assert_int_equal(walk.count, 3);
  assert_memory_equal(walk.order, "\7\5\11", 3);
  assert_string_equal(walk.last.reason, "30 day rule");
  assert_string_equal(walk.last.record.key, "falrun-key");
  assert_int_equal(walk.last.record.state, FR_STATE_OPEN);
  assert_int_equal(fr_ledger_each_open(world->ledger, note, &first), FR_OK);
  assert_int_equal(first.count, 1);
}

static void test_a_reason_is_cut_between_letters(void **state)
{
  struct world *world = *state;
  struct fr_intent intent = { .id = id_of(1), .key = "k" };
  char reason[2002];
  struct walk walk = { 0 };
  size_t i;

  reason[0] = 'x';
  for (i = 1; i < 2001; i += 2)
    memcpy(reason + i, "\xc3\xa9", 2);
  reason[2001] = '\0';
  intent.reason = reason;
  assert_int_equal(fr_ledger_intend(world->ledger, &intent), FR_OK);
  assert_int_equal(fr_ledger_each_open(world->ledger, note, &walk), FR_OK);
  assert_int_equal(strlen(walk.last.reason), 999);
  assert_memory_equal(walk.last.reason, reason, 999);
}

static void test_a_skip_changes_no_state(void **state)
{
  struct world *world = *state;
  struct fr_uuid id = id_of(1), other = id_of(2);

  intend(world, 1);
  assert_int_equal(fr_ledger_skip(world->ledger, "held", &id, "held",
                                  "case 7"), FR_OK);
  assert_int_equal(fr_ledger_skip(world->ledger, "refused", &other, "limit",
                                  NULL), FR_OK);
  assert_int_equal(state_of(world->ledger, 1), FR_STATE_OPEN);
  assert_int_equal(state_of(world->ledger, 2), FR_STATE_NONE);
  assert_int_equal(number_of(world->ledger, "SELECT count(*) FROM events"
                             " WHERE kind = 'held'"
                             " AND data->>'reason' = 'case 7'"), 1);
}

static void test_states_have_names(void **state)
{
  enum fr_state i;

  (void)state;
  assert_string_equal(fr_state_name(FR_STATE_DELETED), "deleted");
  assert_string_equal(fr_state_name((enum fr_state)99), "none");
  for (i = FR_STATE_NONE; i <= FR_STATE_UNSENT; i++)
    assert_int_equal(fr_state_parse(fr_state_name(i)), i);
}

#define RUN(name) cmocka_unit_test_setup_teardown(name, setup_run, teardown)

int main(void)
{
  const struct CMUnitTest tests[] = {
    RUN(test_an_intent_is_open_until_its_outcome),
    RUN(test_generations_and_lost_answers),
    RUN(test_misuse_is_refused_and_leaves_the_group),
    RUN(test_a_rollback_leaves_nothing),
    RUN(test_a_user_key_belongs_to_one_id),
    RUN(test_keys_are_short_visible_text),
    RUN(test_residue_outlives_clean_answers),
    RUN(test_a_recorded_partial_keeps_the_answer),
    RUN(test_an_exception_is_never_deleted),
    RUN(test_one_answer_that_says_both_keeps_the_file),
    RUN(test_long_links_stay_two), RUN(test_too_many_files_are_counted),
    RUN(test_open_intents_come_oldest_first),
    RUN(test_a_reason_is_cut_between_letters),
    RUN(test_a_skip_changes_no_state), RUN(test_states_have_names)
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
