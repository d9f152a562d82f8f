/* Changes that are no deletion: announced, closed, found open again. */
#include "support.h"

#include "ledger/acts.h"
#include "ledger/facts.h"

static int64_t act(struct world *world, const char *operation,
                   const struct fr_uuid *id)
{
  struct fr_act_note note = {
    .operation = operation, .method = "POST", .path = "/compute/instances",
    .target = "instance i-1", .key = "falrun-1", .reason = "why", .id = id,
    .irreversible = true
  };
  int64_t seq = 0;

  assert_int_equal(fr_ledger_act(world->ledger, &note, &seq), FR_OK);
  assert_true(seq > 0);
  return seq;
}

static enum fr_err close_act(struct world *world, int64_t seq,
                             enum fr_act_state state,
                             const struct fr_uuid *id)
{
  struct fr_act_end end = {
    .seq = seq, .state = state, .id = id, .kind = NULL, .attempts = 1,
    .evidence = "answered", .http_status = 200
  };

  return fr_ledger_act_end(world->ledger, &end);
}

static int tell(void *arg, const struct fr_fact_row *fact)
{
  char *text = arg;

  snprintf(text + strlen(text), 2000 - strlen(text), "%d %s %s%s%s\n",
           (int)fact->run, fact->name, fact->data, fact->end ? " " : "",
           fact->end ? fact->end : "");
  return 0;
}

static const char *all(struct world *world, enum fr_facts which, int64_t run)
{
  static char text[2000];
  struct fr_fact_filter filter = { .run = run };

  text[0] = '\0';
  assert_int_equal(fr_facts_each(world->ledger, which, &filter, tell, text),
                   FR_OK);
  return text;
}

static void test_a_change_is_open_until_it_is_closed(void **state)
{
  struct world *world = *state;
  struct fr_chain chain;
  struct fr_uuid id = id_of(5);
  int64_t one, two;

  open_run(world);
  begin_run(world);
  begin(world);
  one = act(world, "compute.create", NULL);
  two = act(world, "assets.tag", &id);
  commit(world);
  assert_int_not_equal(one, two);
  assert_non_null(strstr(all(world, FR_FACTS_LEFT, 0), "assets.tag"));
  assert_string_equal(all(world, FR_FACTS_CHANGES, 2), "");
  begin(world);
  assert_int_equal(close_act(world, one, FR_ACT_DONE, NULL), FR_OK);
  assert_int_equal(close_act(world, one, FR_ACT_DONE, NULL), FR_EINVALID);
  assert_int_equal(close_act(world, 1, FR_ACT_DONE, NULL), FR_EINVALID);
  commit(world);
  assert_null(strstr(all(world, FR_FACTS_LEFT, 0), "compute.create"));
  assert_non_null(strstr(all(world, FR_FACTS_LEFT, 0), "assets.tag"));
  assert_string_equal(all(world, FR_FACTS_CHANGES, 1),
    "1 done {\"operation\":\"compute.create\",\"method\":\"POST\","
    "\"path\":\"/compute/instances\",\"target\":\"instance i-1\","
    "\"key\":\"falrun-1\",\"reason\":\"why\",\"irreversible\":true} "
    "{\"change\":3,\"state\":\"done\",\"kind\":null,\"http_status\":200,"
    "\"attempts\":1,\"evidence\":\"answered\"}\n"
    "1 open {\"operation\":\"assets.tag\",\"method\":\"POST\","
    "\"path\":\"/compute/instances\",\"target\":\"instance i-1\","
    "\"key\":\"falrun-1\",\"reason\":\"why\",\"irreversible\":true}\n");
  begin(world);
  assert_int_equal(close_act(world, two, FR_ACT_UNKNOWN, &id), FR_OK);
  commit(world);
  assert_string_equal(all(world, FR_FACTS_LEFT, 0), "");
  assert_int_equal(fr_history_verify(world->ledger, &chain), FR_OK);
}

static int count_event(void *arg, const struct fr_event_row *row)
{
  (void)row;
  ++*(int *)arg;
  return 0;
}

static void test_the_story_of_its_request_has_it(void **state)
{
  struct world *world = *state;
  struct fr_uuid id = id_of(5);
  struct fr_event_filter filter = { .id = &id };
  int64_t seq;
  int count = 0;

  open_run(world);
  begin_run(world);
  begin(world);
  seq = act(world, "assets.tag", &id);
  assert_int_equal(close_act(world, seq, FR_ACT_DONE, &id), FR_OK);
  intend(world, 5);
  settle(world, 5, FR_STATE_DELETED, NULL, NULL);
  commit(world);
  assert_int_equal(fr_history_events(world->ledger, &filter, count_event,
                                     &count), FR_OK);
  assert_int_equal(count, 4);
}

static void test_only_within_a_group_of_a_run(void **state)
{
  struct world *world = *state;
  struct fr_act_note note = { .operation = "x", .method = "POST",
                              .path = "/x" };
  struct fr_uuid id = id_of(1);
  int64_t seq = 0;

  open_run(world);
  assert_int_equal(fr_ledger_act(world->ledger, &note, &seq), FR_EINVALID);
  assert_int_equal(close_act(world, 1, FR_ACT_DONE, NULL), FR_EINVALID);
  fr_ledger_close(world->ledger);
  world->ledger = open_as(world, FR_LEDGER_HOLD);
  assert_int_equal(fr_ledger_release(world->ledger, &id, "x"), FR_EINVALID);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    TEST(test_a_change_is_open_until_it_is_closed),
    TEST(test_the_story_of_its_request_has_it),
    TEST(test_only_within_a_group_of_a_run)
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
