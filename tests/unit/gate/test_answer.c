/* Step 9: what each answer means, for the ledger and for the caller. */
#include "world.h"

static void note_listed(struct world *w, struct fr_uuid id, bool by_key)
{
  struct fr_sighting seen = { .ended_at_ms = NOON - 9 * DAY_MS,
                              .by_deleting_key = by_key };

  assert_int_equal(fr_seen_note(fr_fal_seen(w->fal), &id, &seen, NOON),
                   FR_OK);
}

static void files_are_handed_out(void **state)
{
  struct world *w = *state;
  struct fr_deletion *d;

  world_begin(w);
  world_answer(w, 200, ONE_OK);
  d = start(w, id_of(1));
  settle_down(w);
  expect(d, FR_FATE_DELETED, FR_OK);
  assert_int_equal(fr_deletion_result(d)->nfiles, 1);
  assert_string_equal(fr_deletion_result(d)->files[0].link, "https://f/a");
  assert_null(fr_deletion_result(d)->files[0].exception);
  assert_string_equal(fr_deletion_result(d)->evidence, "answered");
  assert_int_equal(fr_deletion_result(d)->http_status, 200);
  assert_int_equal(fr_deletion_result(d)->attempts, 1);
  assert_string_equal(fr_deletion_result(d)->idempotency_key, w->key[0]);
  fr_deletion_free(d);
}

static void partial_and_its_residue(void **state)
{
  struct world *w = *state;
  struct fr_deletion *d;

  world_begin(w);
  world_answer(w, 200, ONE_BAD);
  d = start(w, id_of(1));
  settle_down(w);
  expect(d, FR_FATE_PARTIAL, FR_EPARTIAL);
  assert_int_equal(fr_deletion_result(d)->nfiles, 2);
  assert_string_equal(fr_deletion_result(d)->files[1].exception, "boom");
  fr_deletion_free(d);
  assert_int_equal(fr_verdict_exit_code(&w->verdict), 3);
  run_one(w, id_of(1), FR_FATE_PARTIAL, FR_EPARTIAL);
  assert_int_equal(w->deletes, 1);      /* not again in this run */
  world_again(w);                       /* again in the next: empty 200 */
  run_one(w, id_of(1), FR_FATE_PARTIAL, FR_EPARTIAL);
  assert_int_equal(w->deletes, 1);
  assert_int_equal(state_of(w, id_of(1)), FR_STATE_PARTIAL);
  world_again(w);                       /* and a 404 does not clear it */
  world_answer(w, 404, "");
  run_one(w, id_of(1), FR_FATE_PARTIAL, FR_EPARTIAL);
  assert_int_equal(state_of(w, id_of(1)), FR_STATE_PARTIAL);
}

static void unknown_404_is_a_failure(void **state)
{
  struct world *w = *state;

  world_begin(w);
  world_answer(w, 404, "");
  run_one(w, id_of(1), FR_FATE_FAILED, FR_ENOT_FOUND);
  assert_int_equal(state_of(w, id_of(1)), FR_STATE_FAILED);
  note_listed(w, id_of(2), false);
  world_answer(w, 404, "");
  run_one(w, id_of(2), FR_FATE_FAILED, FR_ENOT_FOUND);
  world_again(w);       /* a 404 earns no trust for the next 404 */
  world_answer(w, 404, "");
  run_one(w, id_of(1), FR_FATE_FAILED, FR_ENOT_FOUND);
  assert_int_equal(fr_verdict_exit_code(&w->verdict), 3);
}

static void listed_404_is_gone(void **state)
{
  struct world *w = *state;

  world_begin(w);
  note_listed(w, id_of(1), true);
  world_answer(w, 404, "");
  assert_string_equal(run_one(w, id_of(1), FR_FATE_ALREADY_DELETED,
                              FR_OK).evidence, "inferred");
  assert_int_equal(state_of(w, id_of(1)), FR_STATE_GONE);
  assert_int_equal(fr_verdict_exit_code(&w->verdict), 0);
}

static void tried_404_is_gone(void **state)
{
  struct world *w = *state;

  world_begin(w);
  for (int i = 0; i < 5; i++)
    world_answer(w, 500 + i % 2, "");
  run_one(w, id_of(1), FR_FATE_FAILED, FR_ESERVER);
  assert_int_equal(state_of(w, id_of(1)), FR_STATE_OPEN);
  world_again(w);       /* one of those 500s may have deleted it */
  world_answer(w, 404, "");
  fr_gate_settle(w->gate);
  settle_down(w);
  run_one(w, id_of(1), FR_FATE_ALREADY_DELETED, FR_OK);
  assert_int_equal(state_of(w, id_of(1)), FR_STATE_GONE);
  assert_int_equal(w->deletes, 1);
}

static void lost_then_404_is_gone(void **state)
{
  struct world *w = *state;

  world_begin(w);
  world_lose(w, FR_EDROPPED, true);
  world_answer(w, 404, "");
  run_one(w, id_of(1), FR_FATE_ALREADY_DELETED, FR_OK);
  assert_int_equal(w->deletes, 2);
  assert_string_equal(w->key[0], w->key[1]);
}

static void lost_then_answered_is_replayed(void **state)
{
  struct world *w = *state;
  struct fr_deletion_result result;

  world_begin(w);
  world_lose(w, FR_ETIMEOUT, true);
  result = run_one(w, id_of(1), FR_FATE_DELETED, FR_OK);
  assert_string_equal(result.evidence, "replayed");
  assert_int_equal(result.attempts, 2);
}

static void lost_for_good_stays_open(void **state)
{
  struct world *w = *state;
  struct fr_counts counts;

  world_begin(w);
  for (int i = 0; i < 5; i++)
    world_lose(w, FR_ETIMEOUT, true);
  run_one(w, id_of(1), FR_FATE_FAILED, FR_ETIMEOUT);
  assert_int_equal(w->deletes, 5);
  assert_int_equal(state_of(w, id_of(1)), FR_STATE_OPEN);
  fr_gate_counts(w->gate, &counts);
  assert_int_equal(counts.open, 1);
  assert_int_equal(counts.failed, 1);
  run_one(w, id_of(1), FR_FATE_FAILED, FR_ETIMEOUT);
  assert_int_equal(w->deletes, 5);      /* the next run settles it */
}

static void never_left_is_unsent(void **state)
{
  struct world *w = *state;

  world_begin(w);
  for (int i = 0; i < 5; i++)
    world_lose(w, FR_ECONNECT, false);
  run_one(w, id_of(1), FR_FATE_FAILED, FR_ECONNECT);
  assert_int_equal(state_of(w, id_of(1)), FR_STATE_UNSENT);
  run_one(w, id_of(1), FR_FATE_DELETED, FR_OK);
}

static void same_5xx_twice_renews_the_key(void **state)
{
  struct world *w = *state;
  struct fr_deletion_result result;
  char second[FR_KEY_TEXT + 4];

  world_begin(w);
  world_answer(w, 500, "");
  world_answer(w, 500, "");
  result = run_one(w, id_of(1), FR_FATE_DELETED, FR_OK);
  assert_int_equal(result.attempts, 3);
  assert_string_equal(result.evidence, "answered");
  (void)snprintf(second, sizeof(second), "%s.2", w->key[0]);
  assert_string_equal(w->key[0], w->key[1]);
  assert_string_equal(w->key[2], second);
  assert_int_equal(events(w, "generation"), 1);
}

static void attempts_are_counted_over_generations(void **state)
{
  struct world *w = *state;

  world_begin(w);
  for (int i = 0; i < 20; i++)
    world_answer(w, 500, "");
  run_one(w, id_of(1), FR_FATE_FAILED, FR_ESERVER);
  assert_int_equal(w->deletes, 5);
  assert_int_equal(state_of(w, id_of(1)), FR_STATE_OPEN);
}

/* A gateway says 504 when its upstream was slow, done or not; 501 and 503 say
 * that nothing was done. */
static void a_5xx_for_good_stays_open_if_it_may_be_done(void **state)
{
  static const struct { int status; enum fr_state state; } table[] = {
    { 500, FR_STATE_OPEN }, { 502, FR_STATE_OPEN }, { 504, FR_STATE_OPEN },
    { 520, FR_STATE_OPEN }, { 501, FR_STATE_FAILED },
    { 503, FR_STATE_FAILED }
  };
  struct world *w = *state;

  world_begin(w);
  for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
    struct fr_deletion_spec spec = { .id = id_of(i), .retries = 0 };
    struct fr_deletion *d;

    world_answer(w, table[i].status, "");
    d = start_spec(w, &spec);
    settle_down(w);
    expect(d, FR_FATE_FAILED, FR_ESERVER);
    assert_int_equal(state_of(w, id_of(i)), table[i].state);
    fr_deletion_free(d);
    run_one(w, id_of(100 + i), FR_FATE_DELETED, FR_OK);
  }
  assert_int_equal(events(w, "unanswered"), 4);
}

static void a_doubt_outlives_its_generation(void **state)
{
  struct world *w = *state;

  world_begin(w);
  world_answer(w, 500, "");
  world_answer(w, 500, "");
  world_answer(w, 400, "");
  run_one(w, id_of(1), FR_FATE_FAILED, FR_EBAD_REQUEST);
  assert_int_equal(state_of(w, id_of(1)), FR_STATE_OPEN);
}

static void lost_generation_is_inferred(void **state)
{
  struct world *w = *state;

  world_begin(w);
  world_lose(w, FR_ETIMEOUT, true);
  world_answer(w, 500, "");
  world_answer(w, 500, "");             /* then a new key and an empty 200 */
  assert_string_equal(run_one(w, id_of(1), FR_FATE_DELETED, FR_OK).evidence,
                      "inferred");
  assert_int_equal(events(w, "unanswered"), 1);
}

static void long_wait_renews_the_key(void **state)
{
  struct world *w = *state;

  world_begin(w);
  w->answers[w->nanswers++] =
    (struct answer){ .status = 429, .body = "", .retry_after = "590" };
  run_one(w, id_of(1), FR_FATE_DELETED, FR_OK);
  assert_int_equal(w->deletes, 2);
  assert_string_not_equal(w->key[0], w->key[1]);
}

static void refused_key_ends_the_run(void **state)
{
  struct world *w = *state;

  w->concurrency = 1;
  world_begin(w);
  run_one(w, id_of(1), FR_FATE_DELETED, FR_OK);
  world_answer(w, 403, "{\"error\":{\"message\":\"no\"}}");
  run_one(w, id_of(2), FR_FATE_FAILED, FR_EAUTH);
  assert_int_equal(state_of(w, id_of(2)), FR_STATE_REFUSED);
  assert_int_equal(fr_gate_stopped(w->gate), FR_EAUTH);
  run_one(w, id_of(3), FR_FATE_REFUSED, FR_ESTOPPED);
  assert_int_equal(fr_verdict_exit_code(&w->verdict), 5);
}

static void odd_answers_are_no_success(void **state)
{
  struct world *w = *state;

  world_begin(w);
  world_answer(w, 400, "{}");
  run_one(w, id_of(1), FR_FATE_FAILED, FR_EBAD_REQUEST);
  world_answer(w, 301, "");
  run_one(w, id_of(2), FR_FATE_FAILED, FR_EREDIRECT);
  for (int i = 0; i < 5; i++)
    world_answer(w, 200, "<html>fine</html>");
  run_one(w, id_of(3), FR_FATE_FAILED, FR_EPROTOCOL);
  assert_int_equal(state_of(w, id_of(1)), FR_STATE_FAILED);
  assert_int_equal(state_of(w, id_of(3)), FR_STATE_OPEN);
}

static void retries_are_the_callers(void **state)
{
  struct world *w = *state;
  struct fr_deletion_spec spec = { .id = id_of(1), .retries = 0 };
  struct fr_deletion *d;

  world_begin(w);
  world_answer(w, 500, "");
  d = start_spec(w, &spec);
  settle_down(w);
  expect(d, FR_FATE_FAILED, FR_ESERVER);
  assert_int_equal(w->deletes, 1);
  fr_deletion_free(d);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    WORLD_TEST(files_are_handed_out),
    WORLD_TEST(partial_and_its_residue),
    WORLD_TEST(unknown_404_is_a_failure),
    WORLD_TEST(listed_404_is_gone),
    WORLD_TEST(tried_404_is_gone),
    WORLD_TEST(lost_then_404_is_gone),
    WORLD_TEST(lost_then_answered_is_replayed),
    WORLD_TEST(lost_for_good_stays_open),
    WORLD_TEST(never_left_is_unsent),
    WORLD_TEST(same_5xx_twice_renews_the_key),
    WORLD_TEST(attempts_are_counted_over_generations),
    WORLD_TEST(a_5xx_for_good_stays_open_if_it_may_be_done),
    WORLD_TEST(a_doubt_outlives_its_generation),
    WORLD_TEST(lost_generation_is_inferred),
    WORLD_TEST(long_wait_renews_the_key),
    WORLD_TEST(refused_key_ends_the_run),
    WORLD_TEST(odd_answers_are_no_success),
    WORLD_TEST(retries_are_the_callers),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
