/* tests/unit/fal/test_client.c - what all calls share: stop, breaker, clock,
 * figures, and the throttle between them. */
#include "tests/unit/fal/support.h"

#include "fal/change.h"
#include "fal/read.h"

static struct fr_change *start_change(struct rig *rig, int number)
{
  struct fr_change_spec spec = {
    .idempotency_key = "key", .key_at_ms = AT0, .attempts = 1,
  };
  struct fr_change *change = NULL;

  spec.id.bytes[15] = (uint8_t)number;
  if (number >= 100)
    spec.attempts = 5;
  assert_int_equal(fr_change_new(rig->fal, &spec, &change), FR_OK);
  fr_change_start(change);
  return change;
}

static enum fr_err end_change(struct rig *rig, struct fr_change *change)
{
  enum fr_err err;

  run_op(rig, fr_change_op(change));
  err = fr_change_answer(change)->err;
  fr_change_free(change);
  return err;
}

static struct fr_read *start_read(struct rig *rig)
{
  struct fr_read_spec spec = {
    .method = "GET", .path = "/models", .key = FR_KEY_API,
  };
  struct fr_read *read = NULL;

  assert_int_equal(fr_read_new(rig->fal, &spec, &read), FR_OK);
  fr_read_start(read);
  return read;
}

static enum fr_err end_read(struct rig *rig, struct fr_read *read)
{
  enum fr_err err;

  run_op(rig, fr_read_op(read));
  err = fr_read_op(read)->err;
  fr_read_free(read);
  return err;
}

static void a_stop_ends_what_waits(void **state)
{
  struct rig *rig = rig_new(API_KEY, NULL);
  struct fr_change *flying, *queued[5], *late;
  struct fr_read *read;
  int i;

  (void)state;
  rig->hold = true;
  SCRIPT(rig, { .status = 200, .body = GOOD });
  flying = start_change(rig, 100);
  turns(rig, 3);
  for (i = 0; i < 5; i++)
    queued[i] = start_change(rig, i);
  read = start_read(rig);
  fr_fal_stop(rig->fal, FR_EINTERRUPTED, "a signal came");
  fr_fal_stop(rig->fal, FR_EAUTH, "the second one");
  assert_int_equal(fr_fal_stopped(rig->fal), FR_EINTERRUPTED);
  assert_string_equal(fr_fal_stop_sentence(rig->fal), "a signal came");
  late = start_change(rig, 9);
  for (i = 0; i < 5; i++) {
    run_op(rig, fr_change_op(queued[i]));
    assert_int_equal(fr_change_answer(queued[i])->err, FR_ESTOPPED);
    assert_string_equal(fr_change_answer(queued[i])->message,
                        "a signal came");
    assert_int_equal(fr_change_answer(queued[i])->attempts, 0);
    fr_change_free(queued[i]);
  }
  assert_int_equal(end_read(rig, read), FR_ESTOPPED);
  assert_int_equal(end_change(rig, late), FR_ESTOPPED);
  assert_int_equal(rig->narrivals, 1);
  /* the one in flight goes on to its answer */
  release_calls(rig, &(struct reply){ .status = 200, .body = GOOD });
  assert_int_equal(end_change(rig, flying), FR_OK);
  rig_free(rig);
}

static void no_repeat_after_a_stop(void **state)
{
  struct rig *rig = rig_new(API_KEY, NULL);
  struct fr_change *change;

  (void)state;
  rig->hold = true;
  SCRIPT(rig, { .status = 500 });
  change = start_change(rig, 100);
  turns(rig, 3);
  fr_fal_stop(rig->fal, FR_ELIMIT, "enough");
  release_calls(rig, &(struct reply){ .status = 500 });
  run_op(rig, fr_change_op(change));
  assert_int_equal(fr_change_answer(change)->err, FR_ESERVER);
  assert_false(fr_change_answer(change)->again);
  assert_int_equal(rig->narrivals, 1);
  fr_change_free(change);
  rig_free(rig);
}

static void a_stop_ends_a_pause_before_a_repeat(void **state)
{
  struct rig *rig = rig_new(API_KEY, NULL);
  const struct fr_change_answer *answer;
  struct fr_change *change;
  uint64_t start = fr_loop_now(rig->loop);

  (void)state;
  rig->hold = true;
  SCRIPT(rig, { .status = 500 });
  change = start_change(rig, 100);
  turns(rig, 3);
  release_calls(rig, &(struct reply){ .status = 500, .body = "words" });
  while (rig->fal->throttle.in_flight)
    turns(rig, 1);
  fr_fal_stop(rig->fal, FR_ELIMIT, "enough");
  run_op(rig, fr_change_op(change));
  answer = fr_change_answer(change);
  assert_int_equal(answer->err, FR_ESTOPPED);
  assert_int_equal(answer->attempts, 1);
  assert_int_equal(answer->http_status, 500);
  assert_string_equal(answer->message, "fal answered 500: words");
  assert_true(fr_loop_now(rig->loop) - start < 100);
  fr_change_free(change);
  rig_free(rig);
}

static void a_refused_key_ends_the_others(void **state)
{
  struct rig *rig = rig_new(API_KEY, NULL);
  struct fr_change *change[12];
  int i, refused = 0, stopped = 0;

  (void)state;
  SCRIPT(rig, { .status = 401 });
  for (i = 0; i < 12; i++)
    change[i] = start_change(rig, i);
  for (i = 0; i < 12; i++) {
    enum fr_err err = end_change(rig, change[i]);

    refused += err == FR_EAUTH;
    stopped += err == FR_ESTOPPED;
  }
  assert_in_range(refused, 1, 4);       /* those that were in flight */
  assert_int_equal(refused + stopped, 12);
  assert_int_equal(rig->narrivals, refused);
  rig_free(rig);
}

static void five_failures_in_a_row_open_the_breaker(void **state)
{
  static const struct reply failures[] = {
    { .status = 500 }, { .status = 429 }, { .err = FR_ETIMEOUT },
    { .err = FR_ECONNECT, .unsent = true }, { .status = 200, .body = "{" },
    { .err = FR_ETLS, .unsent = true },
  };
  size_t kind;
  int i;

  (void)state;
  for (kind = 0; kind < sizeof(failures) / sizeof(failures[0]); kind++) {
    struct rig *rig = rig_new(API_KEY, NULL);

    rig_script(rig, &failures[kind], 1);
    for (i = 0; i < 4; i++)
      end_change(rig, start_change(rig, i));
    assert_int_equal(fr_fal_stopped(rig->fal), FR_OK);
    assert_false(rig->verdict.unavailable);
    end_change(rig, start_change(rig, 4));
    assert_int_equal(fr_fal_stopped(rig->fal), FR_EUNAVAILABLE);
    assert_true(rig->verdict.unavailable);
    assert_non_null(strstr(fr_fal_stop_sentence(rig->fal),
                           "the API is unavailable: "));
    rig_free(rig);
  }
}

/* 60 in flight when the API dies: the first of each moment counts, soon only
 * few are sent, and nobody makes five attempts. */
static void a_dead_api_ends_a_wide_run_soon(void **state)
{
  static const enum fr_err kinds[] = { FR_EDROPPED, FR_ETIMEOUT };
  size_t kind;

  (void)state;
  for (kind = 0; kind < 2; kind++) {
    struct rig *rig = rig_new(API_KEY, NULL);
    struct reply dead = { .err = kinds[kind] };
    struct fr_change *change[200];
    int i, ended = 0;

    rig_script(rig, &dead, 1);
    rig->hold = true;
    fr_width_set(&rig->fal->throttle.width, 60);
    for (i = 0; i < 200; i++)
      change[i] = start_change(rig, 100 + i);
    turns(rig, 3);
    assert_int_equal(rig->narrivals, 60);
    rig->fal->budget.halves = 100;
    rig->hold = false;
    release_calls(rig, &dead);
    for (i = 0; i < 200; i++) {
      enum fr_err err = end_change(rig, change[i]);

      ended += err == kinds[kind] || err == FR_ESTOPPED;
    }
    assert_int_equal(ended, 200);
    assert_int_equal(fr_fal_stopped(rig->fal), FR_EUNAVAILABLE);
    assert_true(rig->verdict.unavailable);
    assert_in_range(rig->narrivals, 60, 100);
    assert_true(rig->fal->retries <= 10);
    rig_free(rig);
  }
}

/* All connections of a moment break, and the API is well again. */
static void one_bad_moment_opens_no_breaker(void **state)
{
  struct rig *rig = rig_new(API_KEY, NULL);
  struct fr_change *change[60];
  int i, cut = 0, good = 0;

  (void)state;
  SCRIPT(rig, { .status = 200, .body = GOOD });
  rig->hold = true;
  fr_width_set(&rig->fal->throttle.width, 60);
  for (i = 0; i < 60; i++)
    change[i] = start_change(rig, 100 + i);
  turns(rig, 3);
  rig->fal->budget.halves = 100;
  rig->hold = false;
  release_calls(rig, &(struct reply){ .err = FR_EDROPPED });
  for (i = 0; i < 60; i++) {
    const struct fr_change_answer *answer = fr_change_answer(change[i]);

    run_op(rig, fr_change_op(change[i]));
    answer = fr_change_answer(change[i]);
    good += answer->err == FR_OK;
    if (answer->err == FR_EDROPPED) {
      cut++;
      assert_true(answer->retryable && answer->unanswered);
      assert_non_null(strstr(answer->message, "not repeated, for too many "));
    }
    fr_change_free(change[i]);
  }
  assert_int_equal(good, 10);
  assert_int_equal(cut, 50);
  assert_int_equal(fr_fal_stopped(rig->fal), FR_OK);
  rig_free(rig);
}

/* Half of all answers are a 500: at most 100 retries, and a tenth. */
static void retries_are_a_tenth_of_first_attempts(void **state)
{
  struct rig *rig = rig_new(API_KEY, NULL);
  static const struct reply bad = { .status = 500 };
  static const struct reply good = { .status = 200, .body = GOOD };
  int i, firsts = 2000;

  (void)state;
  for (i = 0; i < firsts; i++) {
    struct fr_change *change;

    rig_script(rig, i % 2 ? &bad : &good, 1);
    change = start_change(rig, i % 100 + 100);
    while (!rig->narrivals)
      turns(rig, 1);
    rig_script(rig, &good, 1);
    end_change(rig, change);
  }
  assert_true(rig->fal->retries >= 100);
  assert_true(rig->fal->retries <= 100 + (uint64_t)firsts / 10);
  assert_int_equal(fr_fal_stopped(rig->fal), FR_OK);
  rig_free(rig);
}

static void any_sign_of_life_closes_it_again(void **state)
{
  static const struct reply alive[] = {
    { .status = 200, .body = GOOD }, { .status = 400 }, { .status = 404 },
    { .status = 204 },
  };
  static const struct reply dead = { .status = 500 };
  size_t kind;
  int i, round;

  (void)state;
  for (kind = 0; kind < sizeof(alive) / sizeof(alive[0]); kind++) {
    struct rig *rig = rig_new(API_KEY, NULL);

    for (round = 0; round < 3; round++) {
      rig_script(rig, &dead, 1);
      for (i = 0; i < 4; i++)
        end_change(rig, start_change(rig, i));
      rig_script(rig, &alive[kind], 1);
      end_change(rig, start_change(rig, i));
    }
    assert_int_equal(fr_fal_stopped(rig->fal), FR_OK);
    rig_free(rig);
  }
}

static void a_wait_for_one_is_a_wait_for_all(void **state)
{
  struct rig *rig = rig_new(API_KEY, NULL);
  struct fr_change *change;
  struct fr_read *read;
  struct fr_fal_figures figures;

  (void)state;
  SCRIPT(rig, { .status = 429, .name = "Retry-After", .value = "30" },
         { .status = 200, .body = "{}" }, { .status = 200, .body = GOOD });
  change = start_change(rig, 100);
  while (!rig->narrivals)
    turns(rig, 1);
  turns(rig, 1);
  read = start_read(rig);
  fr_fal_figures(rig->fal, &figures);
  assert_int_equal(end_read(rig, read), FR_OK);
  assert_int_equal(end_change(rig, change), FR_OK);
  assert_int_equal(rig->arrivals[1].now - rig->arrivals[0].now, 30000);
  fr_fal_figures(rig->fal, &figures);
  assert_int_equal(figures.requests, 3);
  assert_int_equal(figures.retries, 1);
  assert_int_equal(figures.limited, 1);
  assert_int_equal(figures.in_flight, 0);
  assert_int_equal(figures.waiting, 0);
  assert_true(figures.rate > 0 && figures.rate < 2);    /* it was alone */
  assert_int_equal(figures.paused_ms, 0);
  rig_free(rig);
}

static void the_first_date_tells_the_skew(void **state)
{
  static const struct {
    int status;
    const char *name, *value;
    enum fr_err err;
    int64_t ms;
  } table[] = {
    { 200, "Date", "Tue, 14 Nov 2023 22:13:20 GMT", FR_OK, 0 },
    { 404, "date", "Tue, 14 Nov 2023 22:03:20 GMT", FR_OK, 600000 },
    { 400, "DATE", "Tue, 14 Nov 2023 22:13:50 GMT", FR_OK, -30000 },
    { 200, "Date", "soon", FR_EPROTOCOL, 0 },
    { 200, "X", "Tue, 14 Nov 2023 22:13:20 GMT", FR_EPROTOCOL, 0 },
  };
  size_t i;

  (void)state;
  for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
    struct rig *rig = rig_new(API_KEY, NULL);
    int64_t ms = 4711;

    assert_int_equal(fr_fal_clock_skew(rig->fal, &ms), FR_ENOT_FOUND);
    SCRIPT(rig, { .err = FR_EDROPPED },
           { .status = table[i].status, .body = GOOD,
             .name = table[i].name, .value = table[i].value },
           { .status = 200, .body = GOOD, .name = "Date",
             .value = "Tue, 14 Nov 2023 10:00:00 GMT" });
    end_change(rig, start_change(rig, 1));
    assert_int_equal(fr_fal_clock_skew(rig->fal, &ms), FR_ENOT_FOUND);
    assert_int_equal(ms, 4711);
    end_change(rig, start_change(rig, 2));
    end_change(rig, start_change(rig, 3));
    assert_int_equal(fr_fal_clock_skew(rig->fal, &ms), table[i].err);
    assert_int_equal(ms, table[i].err ? 4711 : table[i].ms);
    rig_free(rig);
  }
}

static void four_fly_at_first_and_reads_go_first(void **state)
{
  struct rig *rig = rig_new(API_KEY, NULL);
  struct fr_change *change[8];
  struct fr_read *read;
  int i;

  (void)state;
  rig->hold = true;
  SCRIPT(rig, { .status = 200, .body = GOOD });
  for (i = 0; i < 8; i++)
    change[i] = start_change(rig, i);
  turns(rig, 5);
  assert_int_equal(rig->narrivals, 4);
  read = start_read(rig);
  release_calls(rig, &(struct reply){ .status = 200, .body = GOOD });
  while (rig->narrivals < 5)
    turns(rig, 1);
  assert_string_equal(rig->arrivals[4].method, "GET");
  while (rig->narrivals < 9) {
    turns(rig, 1);
    release_calls(rig, &(struct reply){ .status = 200, .body = GOOD });
  }
  release_calls(rig, &(struct reply){ .status = 200, .body = GOOD });
  for (i = 0; i < 8; i++)
    assert_int_equal(end_change(rig, change[i]), FR_OK);
  assert_int_equal(end_read(rig, read), FR_OK);
  assert_true(rig->fal->throttle.width.limit > 4);
  rig_free(rig);
}

static void a_key_that_grew_old_in_the_queue_is_not_sent(void **state)
{
  struct rig *rig = rig_new(API_KEY, NULL);
  struct fr_change *change;

  (void)state;
  SCRIPT(rig, { .err = FR_EDROPPED }, { .status = 200, .body = GOOD });
  change = start_change(rig, 100);
  while (!rig->narrivals)
    turns(rig, 1);
  fr_throttle_pause(&rig->fal->throttle, fr_loop_now(rig->loop) + 541000);
  run_op(rig, fr_change_op(change));
  assert_int_equal(rig->narrivals, 1);
  assert_true(fr_change_answer(change)->again);
  assert_int_equal(fr_change_answer(change)->err, FR_EDROPPED);
  assert_int_equal(rig->fal->throttle.in_flight, 0);
  fr_change_free(change);
  rig_free(rig);
}

static void repeats_go_before_first_sends(void **state)
{
  struct rig *rig = rig_new(API_KEY, NULL);
  struct fr_change *change[5];
  int i;

  (void)state;
  SCRIPT(rig, { .err = FR_EDROPPED }, { .status = 200, .body = GOOD });
  change[0] = start_change(rig, 100);
  while (!rig->narrivals)
    turns(rig, 1);
  fr_throttle_pause(&rig->fal->throttle, fr_loop_now(rig->loop) + 5000);
  for (i = 1; i < 5; i++)
    change[i] = start_change(rig, i);
  for (i = 0; i < 5; i++)
    assert_int_equal(end_change(rig, change[i]), FR_OK);
  assert_string_equal(rig->arrivals[1].url, rig->arrivals[0].url);
  assert_int_equal(rig->narrivals, 6);
  rig_free(rig);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_stop_ends_what_waits),
    cmocka_unit_test(no_repeat_after_a_stop),
    cmocka_unit_test(a_stop_ends_a_pause_before_a_repeat),
    cmocka_unit_test(a_refused_key_ends_the_others),
    cmocka_unit_test(five_failures_in_a_row_open_the_breaker),
    cmocka_unit_test(a_dead_api_ends_a_wide_run_soon),
    cmocka_unit_test(one_bad_moment_opens_no_breaker),
    cmocka_unit_test(retries_are_a_tenth_of_first_attempts),
    cmocka_unit_test(any_sign_of_life_closes_it_again),
    cmocka_unit_test(a_wait_for_one_is_a_wait_for_all),
    cmocka_unit_test(the_first_date_tells_the_skew),
    cmocka_unit_test(four_fly_at_first_and_reads_go_first),
    cmocka_unit_test(a_key_that_grew_old_in_the_queue_is_not_sent),
    cmocka_unit_test(repeats_go_before_first_sends),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
