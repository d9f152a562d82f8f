/* Steps 2 to 5: holds, the ledger's word, limits, the clock, the mode. */
#include "world.h"

static void deleted_once(void **state)
{
  struct world *w = *state;
  struct fr_counts counts;

  world_begin(w);
  run_one(w, id_of(1), FR_FATE_DELETED, FR_OK);
  assert_int_equal(w->deletes, 1);
  assert_int_equal(w->metas, 1);
  assert_int_equal(state_of(w, id_of(1)), FR_STATE_DELETED);
  run_one(w, id_of(1), FR_FATE_ALREADY_DELETED, FR_OK);
  assert_int_equal(w->deletes, 1);
  world_again(w);
  run_one(w, id_of(1), FR_FATE_ALREADY_DELETED, FR_OK);
  assert_int_equal(w->deletes, 0);
  fr_gate_counts(w->gate, &counts);
  assert_int_equal(counts.already_deleted, 1);
  assert_int_equal(fr_verdict_exit_code(&w->verdict), 0);
}

static void held_is_not_sent(void **state)
{
  struct world *w = *state;
  char why[64];
  enum fr_err err;

  world_begin(w);
  add_hold(w, id_of(1));
  assert_int_equal(fr_gate_preview(w->gate, &(struct fr_uuid){ { 0 } }, &err,
                                   why, sizeof(why)), FR_FATE_PLANNED);
  assert_string_equal(why, "");
  run_one(w, id_of(1), FR_FATE_HELD, FR_EHELD);
  assert_int_equal(w->deletes, 0);
  assert_int_equal(events(w, "held"), 1);
  assert_int_equal(fr_verdict_exit_code(&w->verdict), 0);
}

static void number_limit_is_exact(void **state)
{
  struct world *w = *state;
  struct fr_deletion *d[5];

  w->limits.max_deletes = 3;
  world_begin(w);
  assert_int_equal(fr_gate_room(w->gate), 3);
  for (unsigned i = 0; i < 5; i++)
    d[i] = start(w, id_of(i));
  settle_down(w);
  /* The clock is asked first, so nothing had left when the limit came. */
  for (unsigned i = 0; i < 5; i++)
    expect(d[i], FR_FATE_REFUSED, i == 3 ? FR_ELIMIT : FR_ESTOPPED);
  assert_int_equal(w->deletes, 0);
  assert_int_equal(fr_gate_stopped(w->gate), FR_ELIMIT);
  assert_int_equal(fr_verdict_exit_code(&w->verdict), 4);
  assert_non_null(strstr(w->verdict.why, "--max-deletes"));
  assert_int_equal(events(w, "refused"), 5);
  for (unsigned i = 0; i < 5; i++)
    fr_deletion_free(d[i]);
}

static void exactly_the_limit_goes(void **state)
{
  struct world *w = *state;

  w->limits.max_deletes = 3;
  world_begin(w);
  for (unsigned i = 0; i < 3; i++)
    run_one(w, id_of(i), FR_FATE_DELETED, FR_OK);
  assert_int_equal(fr_gate_stopped(w->gate), FR_OK);
  assert_int_equal(fr_gate_room(w->gate), 0);
  run_one(w, id_of(3), FR_FATE_REFUSED, FR_ELIMIT);
  run_one(w, id_of(4), FR_FATE_REFUSED, FR_ESTOPPED);
  run_one(w, id_of(1), FR_FATE_ALREADY_DELETED, FR_OK);
  assert_int_equal(w->deletes, 3);
}

static void tighten_only_tightens(void **state)
{
  struct world *w = *state;

  w->limits.max_deletes = 3;
  world_begin(w);
  fr_gate_tighten(w->gate, &(struct fr_limits){ 9, 0, 0 });
  assert_int_equal(fr_gate_room(w->gate), 3);
  fr_gate_tighten(w->gate, &(struct fr_limits){ 1, 30 * DAY_MS, 0 });
  assert_int_equal(fr_gate_room(w->gate), 1);
  run_one(w, id_at(NOON - 29 * DAY_MS), FR_FATE_REFUSED, FR_ETOO_YOUNG);
}

static void note(struct world *w, struct fr_uuid id, int64_t ended_at_ms)
{
  struct fr_sighting seen = { .ended_at_ms = ended_at_ms };

  assert_int_equal(fr_seen_note(fr_fal_seen(w->fal), &id, &seen,
                                fr_clock_at(&w->clock)), FR_OK);
}

static void age_by_id(void **state)
{
  struct world *w = *state;
  struct fr_deletion_result result;

  world_begin(w);
  result = run_one(w, id_at(NOON - DAY_MS - 60000), FR_FATE_DELETED, FR_OK);
  assert_true(result.age_known && result.age_ms >= DAY_MS);
  run_one(w, id_at(NOON - DAY_MS + 3600000), FR_FATE_REFUSED, FR_ETOO_YOUNG);
  assert_int_equal(w->deletes, 1);
  assert_int_equal(fr_verdict_exit_code(&w->verdict), 4);
  assert_non_null(strstr(w->verdict.why, "--min-age"));
}

static void age_by_listing(void **state)
{
  struct world *w = *state;
  struct fr_record record;
  struct fr_uuid id = id_of(2);

  world_begin(w);
  note(w, id_of(1), NOON - DAY_MS - 1);
  note(w, id_of(2), NOON - DAY_MS);
  run_one(w, id_of(1), FR_FATE_DELETED, FR_OK);
  run_one(w, id, FR_FATE_DELETED, FR_OK);
  assert_int_equal(fr_ledger_find(w->peer, &id, &record), FR_OK);
  assert_int_equal(record.ended_at_ms, NOON - DAY_MS);
  note(w, id_of(3), NOON);
  run_one(w, id_of(3), FR_FATE_REFUSED, FR_ETOO_YOUNG);
}

static void younger_of_both_counts(void **state)
{
  struct world *w = *state;

  world_begin(w);
  note(w, id_at(NOON - 40 * DAY_MS), NOON - 1000);
  run_one(w, id_at(NOON - 40 * DAY_MS), FR_FATE_REFUSED, FR_ETOO_YOUNG);
  assert_int_equal(w->deletes, 0);
}

static void the_future_is_too_young(void **state)
{
  struct world *w = *state;
  char why[64];
  enum fr_err err;
  struct fr_uuid id = id_at(NOON + DAY_MS);

  w->limits.min_age_ms = 0;
  world_begin(w);
  assert_int_equal(fr_gate_preview(w->gate, &id, &err, why, sizeof(why)),
                   FR_FATE_REFUSED);
  assert_int_equal(err, FR_ETOO_YOUNG);
  assert_int_equal(fr_gate_stopped(w->gate), FR_OK);
  run_one(w, id, FR_FATE_REFUSED, FR_ETOO_YOUNG);
}

static void unknown_age_passes(void **state)
{
  struct world *w = *state;
  struct fr_uuid id = id_of(1);
  struct fr_counts counts;
  struct fr_record record;

  world_begin(w);
  run_one(w, id, FR_FATE_DELETED, FR_OK);
  fr_gate_counts(w->gate, &counts);
  assert_int_equal(counts.age_unknown, 1);
  assert_int_equal(fr_ledger_find(w->peer, &id, &record), FR_OK);
  assert_int_equal(record.ended_at_ms, -1);
}

static void wrong_clock_stops(void **state)
{
  struct world *w = *state;

  w->skew_ms = -FR_CLOCK_SKEW_MAX_MS - 2000;
  world_begin(w);
  run_one(w, id_of(1), FR_FATE_REFUSED, FR_ESTOPPED);
  assert_int_equal(fr_gate_stopped(w->gate), FR_ECLOCK);
  assert_non_null(strstr(w->verdict.why, "behind"));
  assert_int_equal(fr_verdict_exit_code(&w->verdict), 4);
  assert_int_equal(w->deletes, 0);
  w->skew_ms = FR_CLOCK_SKEW_MAX_MS - 2000;
  world_again(w);
  run_one(w, id_of(1), FR_FATE_DELETED, FR_OK);
}

static void any_answer_tells_the_time(void **state)
{
  struct world *w = *state;

  w->meta = (struct answer){ .status = 404, .body = "" };
  world_begin(w);
  run_one(w, id_of(1), FR_FATE_DELETED, FR_OK);
  w->no_date = true;
  world_again(w);
  run_one(w, id_of(2), FR_FATE_DELETED, FR_OK);
}

static void no_time_no_deletion(void **state)
{
  struct world *w = *state;

  w->meta = (struct answer){ .err = FR_ECONNECT };
  world_begin(w);
  run_one(w, id_of(1), FR_FATE_REFUSED, FR_ESTOPPED);
  assert_int_equal(fr_verdict_exit_code(&w->verdict), 7);
  assert_int_equal(fr_gate_stopped(w->gate), FR_EUNAVAILABLE);
  assert_int_equal(w->deletes, 0);
}

static void plan_sends_nothing(void **state)
{
  struct world *w = *state;
  struct fr_counts counts;

  w->mode = FR_MODE_PLAN;
  w->limits.max_deletes = 2;
  world_begin(w);
  run_one(w, id_of(1), FR_FATE_PLANNED, FR_OK);
  run_one(w, id_of(2), FR_FATE_PLANNED, FR_OK);
  assert_int_equal(fr_verdict_exit_code(&w->verdict), 0);
  run_one(w, id_of(3), FR_FATE_REFUSED, FR_ELIMIT);
  assert_int_equal(fr_verdict_exit_code(&w->verdict), 4);
  assert_int_equal(w->deletes, 0);
  assert_int_equal(events(w, "intent") + events(w, "refused"), 0);
  fr_gate_counts(w->gate, &counts);
  assert_int_equal(counts.planned, 2);
  assert_int_equal(counts.refused, 1);
}

static void dry_run_of_one(void **state)
{
  struct world *w = *state;
  struct fr_deletion_spec spec = { .id = id_of(1), .dry_run = true };
  struct fr_deletion *dry, *wet;

  world_begin(w);
  dry = start_spec(w, &spec);
  wet = start(w, id_of(1));     /* must not share the plan's result */
  settle_down(w);
  expect(dry, FR_FATE_PLANNED, FR_OK);
  expect(wet, FR_FATE_DELETED, FR_OK);
  assert_int_equal(w->deletes, 1);
  fr_deletion_free(dry);
  fr_deletion_free(wet);
}

/* ---- user keys ----------------------------------------------------------- */

static enum fr_err try_key(struct world *w, struct fr_uuid id,
                           const char *key, struct fr_deletion **ret)
{
  struct fr_deletion_spec spec = { .id = id, .idempotency_key = key };
  struct fr_buf why;
  enum fr_err err;

  fr_buf_init(&why, 512);
  err = fr_deletion_new(w->gate, &spec, &why, ret);
  if (err)
    assert_true(strlen(fr_buf_text(&why)) > 10);
  fr_buf_done(&why);
  return err;
}

/* A made key names its request: it cannot be passed on to another one. */
static void made_keys(void **state)
{
  struct world *w = *state;
  struct fr_deletion *d, *other;
  char key[FR_KEY_TEXT];

  world_begin(w);
  d = start(w, id_of(1));
  settle_down(w);
  snprintf(key, sizeof(key), "%s", fr_deletion_result(d)->idempotency_key);
  assert_int_equal(strncmp(key, "falrun-", 7), 0);
  assert_int_equal(try_key(w, id_of(2), key, &other), FR_EINVALID);
  assert_int_equal(try_key(w, id_of(1), key, &other), FR_OK);
  fr_deletion_free(other);
  fr_deletion_free(d);
}

static void user_keys(void **state)
{
  struct world *w = *state;
  struct fr_deletion *d, *other;
  char longest[202];

  memset(longest, 'k', 201);
  longest[201] = '\0';
  world_begin(w);
  assert_int_equal(try_key(w, id_of(1), "", &d), FR_EINVALID);
  assert_int_equal(try_key(w, id_of(1), "a b", &d), FR_EINVALID);
  assert_int_equal(try_key(w, id_of(1), "\xc3\xa4", &d), FR_EINVALID);
  assert_int_equal(try_key(w, id_of(1), longest, &d), FR_EINVALID);
  assert_int_equal(try_key(w, id_of(1), longest + 1, &d), FR_OK);
  fr_deletion_free(d);
  assert_int_equal(try_key(w, id_of(1), "mine", &d), FR_OK);
  assert_int_equal(try_key(w, id_of(2), "mine", &other), FR_EINVALID);
  assert_int_equal(try_key(w, id_of(2), "mine.2", &other), FR_EINVALID);
  assert_int_equal(try_key(w, id_of(1), "mine", &other), FR_OK);
  fr_deletion_free(other);
  fr_deletion_start(d);
  settle_down(w);
  expect(d, FR_FATE_DELETED, FR_OK);
  assert_string_equal(w->key[0], "mine");
  assert_string_equal(fr_deletion_result(d)->idempotency_key, "mine");
  fr_deletion_free(d);
  assert_int_equal(try_key(w, id_of(2), "mine", &other), FR_EINVALID);
  assert_int_equal(try_key(w, id_of(2), "mine.3", &other), FR_EINVALID);
  assert_int_equal(try_key(w, id_of(1), "mine", &other), FR_OK);
  fr_deletion_free(other);
}

static void preview_changes_nothing(void **state)
{
  struct world *w = *state;
  struct fr_uuid young = id_at(NOON - 1000), held = id_of(1), gone = id_of(2);
  char why[64];
  enum fr_err err;

  world_begin(w);
  run_one(w, gone, FR_FATE_DELETED, FR_OK);
  add_hold(w, held);
  assert_int_equal(fr_gate_preview(w->gate, &held, &err, why, sizeof(why)),
                   FR_FATE_HELD);
  assert_string_equal(why, "case 7");
  assert_int_equal(fr_gate_preview(w->gate, &gone, &err, why, sizeof(why)),
                   FR_FATE_ALREADY_DELETED);
  assert_int_equal(fr_gate_preview(w->gate, &young, &err, why, sizeof(why)),
                   FR_FATE_REFUSED);
  assert_int_equal(err, FR_ETOO_YOUNG);
  assert_int_equal(fr_gate_stopped(w->gate), FR_OK);
  assert_false(fr_gate_busy(w->gate));
  fr_gate_stop(w->gate, FR_EINTERRUPTED, "stop");
  assert_int_equal(fr_gate_preview(w->gate, &young, &err, why, sizeof(why)),
                   FR_FATE_REFUSED);
  assert_int_equal(err, FR_ESTOPPED);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    WORLD_TEST(deleted_once),
    WORLD_TEST(held_is_not_sent),
    WORLD_TEST(number_limit_is_exact),
    WORLD_TEST(exactly_the_limit_goes),
    WORLD_TEST(tighten_only_tightens),
    WORLD_TEST(age_by_id),
    WORLD_TEST(age_by_listing),
    WORLD_TEST(younger_of_both_counts),
    WORLD_TEST(the_future_is_too_young),
    WORLD_TEST(unknown_age_passes),
    WORLD_TEST(wrong_clock_stops),
    WORLD_TEST(any_answer_tells_the_time),
    WORLD_TEST(no_time_no_deletion),
    WORLD_TEST(plan_sends_nothing),
    WORLD_TEST(dry_run_of_one),
    WORLD_TEST(user_keys),
    WORLD_TEST(made_keys),
    WORLD_TEST(preview_changes_nothing),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
