/* tests/unit/fal/test_change.c - deletions against a scripted server. */
#include "tests/unit/fal/support.h"

#include "fal/change.h"

#define PARTIAL "{\"cdn_delete_results\":[" \
  "{\"link\":\"l\",\"exception\":null},{\"link\":\"m\",\"exception\":\"e\"}]}"
#define ERROR "{\"error\":{\"message\":\"words\",\"request_id\":\"r1\"}}"

static struct fr_change *make(struct rig *rig, unsigned attempts,
                              int last_status)
{
  struct fr_change_spec spec = {
    .idempotency_key = "key-1",
    .key_at_ms = AT0,
    .attempts = attempts,
    .last_status = last_status,
  };
  struct fr_change *change = NULL;

  assert_int_equal(fr_uuid_parse(ID, 36, &spec.id), FR_OK);
  assert_int_equal(fr_change_new(rig->fal, &spec, &change), FR_OK);
  return change;
}

/* Runs one change to its end and checks what every end has in common. */
static struct fr_change *run(struct rig *rig, unsigned attempts)
{
  struct fr_change *change = make(rig, attempts, 0);

  fr_change_start(change);
  run_op(rig, fr_change_op(change));
  assert_int_equal(fr_change_op(change)->err, fr_change_answer(change)->err);
  return change;
}

static uint64_t gap(const struct rig *rig, size_t i)
{
  return rig->arrivals[i].now - rig->arrivals[i - 1].now;
}

static void what_is_sent(void **state)
{
  struct rig *rig = rig_new(API_KEY, ADMIN_KEY);
  const struct fr_change_answer *answer;
  struct fr_change *change;

  (void)state;
  SCRIPT(rig, { .status = 200, .body = GOOD });
  change = run(rig, 0);
  answer = fr_change_answer(change);
  assert_int_equal(rig->narrivals, 1);
  assert_string_equal(rig->arrivals[0].method, "DELETE");
  assert_string_equal(rig->arrivals[0].url,
                      "https://api.fal.ai/v1/models/requests/" ID
                      "/payloads");
  assert_string_equal(rig->arrivals[0].auth, "Key " ADMIN_KEY);
  assert_string_equal(rig->arrivals[0].key, "key-1");
  assert_int_equal(rig->arrivals[0].total_ms, 60000);
  assert_int_equal(answer->err, FR_OK);
  assert_int_equal(answer->http_status, 200);
  assert_int_equal(answer->attempts, 1);
  assert_int_equal(answer->nfiles, 0);
  assert_string_equal(answer->message, "");
  assert_false(answer->again || answer->unanswered || answer->replayed);
  fr_change_free(change);
  fr_change_free(NULL);
  rig_free(rig);
}

static void bad_idempotency_keys(void **state)
{
  struct rig *rig = rig_new(API_KEY, NULL);
  struct fr_change_spec spec = { .idempotency_key = NULL };
  struct fr_change *change = NULL;
  char giant[300];

  (void)state;
  memset(giant, 'k', sizeof(giant));
  giant[256] = '\0';
  assert_int_equal(fr_change_new(rig->fal, &spec, &change), FR_EINVALID);
  spec.idempotency_key = "";
  assert_int_equal(fr_change_new(rig->fal, &spec, &change), FR_EINVALID);
  spec.idempotency_key = "a\r\nX: y";
  assert_int_equal(fr_change_new(rig->fal, &spec, &change), FR_EINVALID);
  spec.idempotency_key = giant;
  assert_int_equal(fr_change_new(rig->fal, &spec, &change), FR_EINVALID);
  giant[255] = '\0';
  assert_int_equal(fr_change_new(rig->fal, &spec, &change), FR_OK);
  fr_change_free(change);
  rig_free(rig);
}

/* One attempt each, and how it ends. */
static void every_end(void **state)
{
  static const struct {
    struct reply reply;
    enum fr_err err;
    unsigned attempts;
    bool unanswered, retryable;
  } table[] = {
    { { .status = 200, .body = GOOD }, FR_OK, 1, false, false },
    { { .status = 201, .body = GOOD }, FR_EPROTOCOL, 1, true, true },
    { { .status = 202, .body = GOOD }, FR_EPROTOCOL, 1, true, true },
    { { .status = 204 }, FR_OK, 1, false, false },
    { { .status = 200, .body = PARTIAL }, FR_EPARTIAL, 1, false, false },
    { { .status = 200 }, FR_EPROTOCOL, 1, true, true },
    { { .status = 202 }, FR_EPROTOCOL, 1, true, true },
    { { .status = 204, .body = "x" }, FR_EPROTOCOL, 1, true, true },
    { { .status = 200, .body = "{}" }, FR_EPROTOCOL, 1, true, true },
    { { .status = 200, .body = "<p>" }, FR_EPROTOCOL, 1, true, true },
    { { .status = 302 }, FR_EREDIRECT, 1, false, false },
    { { .status = 400, .body = ERROR }, FR_EBAD_REQUEST, 1, false, false },
    { { .status = 404, .body = ERROR }, FR_ENOT_FOUND, 1, false, false },
    { { .status = 410, .body = ERROR }, FR_ENOT_FOUND, 1, false, false },
    { { .status = 408 }, FR_ESERVER, 1, false, true },
    { { .status = 425 }, FR_ESERVER, 1, false, true },
    { { .status = 429 }, FR_ERATE_LIMITED, 1, false, true },
    { { .status = 500 }, FR_ESERVER, 1, false, true },
    { { .status = 504 }, FR_ESERVER, 1, false, true },
    { { .err = FR_ETIMEOUT }, FR_ETIMEOUT, 1, true, true },
    { { .err = FR_EDROPPED, .status = 200, .body = GOOD }, FR_EDROPPED, 1,
      true, true },
    { { .err = FR_ECONNECT, .unsent = true }, FR_ECONNECT, 0, false, true },
    { { .err = FR_ERESOLVE, .unsent = true }, FR_ERESOLVE, 0, false, true },
    { { .err = FR_ETLS, .unsent = true }, FR_ETLS, 0, false, false },
    { { .err = FR_ETOO_BIG, .status = 200 }, FR_ETOO_BIG, 1, true, false },
    { { .err = FR_EPROTOCOL }, FR_EPROTOCOL, 1, true, true },
  };
  size_t i;

  (void)state;
  for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
    struct rig *rig = rig_new(API_KEY, NULL);
    const struct fr_change_answer *answer;
    struct fr_change *change;

    rig_script(rig, &table[i].reply, 1);
    change = run(rig, 1);
    answer = fr_change_answer(change);
    if (answer->err != table[i].err ||
        answer->attempts != table[i].attempts ||
        answer->unanswered != table[i].unanswered ||
        answer->retryable != table[i].retryable || answer->again)
      fail_msg("row %zu: %s, %u, %d, %d: %s", i, fr_err_name(answer->err),
               answer->attempts, answer->unanswered, answer->retryable,
               answer->message);
    assert_int_equal(answer->http_status,
                     table[i].reply.err ? 0 : table[i].reply.status);
    assert_int_equal(rig->narrivals, 1);
    assert_int_equal(*answer->message == '\0', table[i].err == FR_OK);
    fr_change_free(change);
    rig_free(rig);
  }
}

static void files_and_words_of_a_partial(void **state)
{
  struct rig *rig = rig_new(API_KEY, NULL);
  const struct fr_change_answer *answer;
  struct fr_change *change;

  (void)state;
  SCRIPT(rig, { .status = 200, .body = PARTIAL });
  change = run(rig, 5);
  answer = fr_change_answer(change);
  assert_int_equal(rig->narrivals, 1);
  assert_int_equal(answer->nfiles, 2);
  assert_string_equal(answer->files[0].link, "l");
  assert_null(answer->files[0].exception);
  assert_string_equal(answer->files[1].exception, "e");
  assert_string_equal(answer->message,
                      "fal answered 200, but 1 of 2 files were not deleted: "
                      "e");
  fr_change_free(change);
  rig_free(rig);
}

static void some_classes_are_never_repeated(void **state)
{
  static const struct reply table[] = {
    { .status = 400 }, { .status = 404 }, { .status = 410 },
    { .status = 401 }, { .status = 403 }, { .status = 301 },
    { .status = 409 }, { .status = 422 }, { .err = FR_ETLS },
    { .err = FR_ETOO_BIG }, { .err = FR_EREAD_ONLY, .unsent = true },
  };
  size_t i;

  (void)state;
  for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
    struct rig *rig = rig_new(API_KEY, NULL);

    rig_script(rig, &table[i], 1);
    fr_change_free(run(rig, 5));
    assert_int_equal(rig->narrivals, 1);
    rig_free(rig);
  }
}

static void no_answer_is_repeated_with_the_same_key(void **state)
{
  struct rig *rig = rig_new(API_KEY, NULL);
  const struct fr_change_answer *answer;
  struct fr_change *change;
  size_t i;

  (void)state;
  SCRIPT(rig, { .err = FR_ETIMEOUT }, { .err = FR_EDROPPED },
         { .err = FR_ECONNECT, .unsent = true }, { .status = 200 },
         { .status = 200, .body = GOOD });
  change = run(rig, 5);
  answer = fr_change_answer(change);
  assert_int_equal(answer->err, FR_OK);
  assert_int_equal(rig->narrivals, 5);
  assert_int_equal(answer->attempts, 4);
  assert_true(answer->unanswered);
  assert_true(answer->replayed);
  for (i = 0; i < 5; i++)
    assert_string_equal(rig->arrivals[i].key, "key-1");
  assert_int_equal(gap(rig, 1), 100);           /* half of 200 */
  assert_int_equal(gap(rig, 2), 200);
  assert_int_equal(gap(rig, 3), 400);
  assert_int_equal(gap(rig, 4), 800);
  assert_int_equal(answer->elapsed_ms, 1500);
  fr_change_free(change);
  rig_free(rig);
}

static void five_attempts_and_no_more(void **state)
{
  struct rig *rig = rig_new(API_KEY, NULL);
  const struct fr_change_answer *answer;
  struct fr_change *change;

  (void)state;
  SCRIPT(rig, { .err = FR_EDROPPED });
  change = run(rig, 0);
  answer = fr_change_answer(change);
  assert_int_equal(rig->narrivals, 5);
  assert_int_equal(answer->attempts, 5);
  assert_int_equal(answer->err, FR_EDROPPED);
  assert_true(answer->unanswered);
  assert_false(answer->replayed || answer->again);
  assert_false(rig->verdict.unavailable);       /* one id is not the API */
  fr_change_free(change);
  rig_free(rig);
}

static void connections_that_failed_sent_nothing(void **state)
{
  struct rig *rig = rig_new(API_KEY, NULL);
  const struct fr_change_answer *answer;
  struct fr_change *change;

  (void)state;
  SCRIPT(rig, { .err = FR_ECONNECT, .unsent = true });
  change = run(rig, 3);
  answer = fr_change_answer(change);
  assert_int_equal(rig->narrivals, 3);
  assert_int_equal(answer->attempts, 0);
  assert_false(answer->unanswered);
  fr_change_free(change);
  rig_free(rig);
}

static void an_answer_after_an_answer_is_no_replay(void **state)
{
  struct rig *rig = rig_new(API_KEY, NULL);
  const struct fr_change_answer *answer;
  struct fr_change *change;

  (void)state;
  SCRIPT(rig, { .status = 500 }, { .status = 200, .body = GOOD });
  change = run(rig, 5);
  answer = fr_change_answer(change);
  assert_int_equal(answer->err, FR_OK);
  assert_int_equal(answer->attempts, 2);
  assert_false(answer->unanswered || answer->replayed);
  fr_change_free(change);
  rig_free(rig);
}

static void the_same_5xx_twice_wants_a_new_key(void **state)
{
  struct rig *rig = rig_new(API_KEY, NULL);
  const struct fr_change_answer *answer;
  struct fr_change *change;

  (void)state;
  SCRIPT(rig, { .status = 500, .body = ERROR });
  change = run(rig, 5);
  answer = fr_change_answer(change);
  assert_int_equal(rig->narrivals, 2);
  assert_int_equal(answer->attempts, 2);
  assert_int_equal(answer->err, FR_ESERVER);
  assert_int_equal(answer->http_status, 500);
  assert_true(answer->again);
  assert_string_equal(answer->message,
                      "fal answered 500: words (API call id r1)");
  /* the pause before the next send is part of it: 100, then 200 */
  assert_int_equal(answer->elapsed_ms, 300);
  fr_change_free(change);
  /* with no attempt left there is no `again` */
  SCRIPT(rig, { .status = 500 });
  change = run(rig, 2);
  assert_false(fr_change_answer(change)->again);
  assert_int_equal(rig->narrivals, 2);
  fr_change_free(change);
  rig_free(rig);
}

static void a_new_generation_has_two_sends_and_longer_pauses(void **state)
{
  struct rig *rig = rig_new(API_KEY, NULL);
  struct fr_change *change = make(rig, 3, 500);

  (void)state;
  SCRIPT(rig, { .status = 500 });
  fr_change_start(change);
  run_op(rig, fr_change_op(change));
  assert_int_equal(rig->narrivals, 2);
  assert_int_equal(gap(rig, 1), 400);
  assert_true(fr_change_answer(change)->again);
  assert_int_equal(fr_change_answer(change)->elapsed_ms, 400 + 800);
  fr_change_free(change);
  rig_free(rig);
}

static void different_failures_keep_the_key(void **state)
{
  struct rig *rig = rig_new(API_KEY, NULL);
  struct fr_change *change;

  (void)state;
  SCRIPT(rig, { .status = 500 }, { .status = 502 }, { .status = 500 },
         { .status = 503 }, { .status = 200, .body = GOOD });
  change = run(rig, 5);
  assert_int_equal(fr_change_answer(change)->err, FR_OK);
  assert_int_equal(rig->narrivals, 5);
  fr_change_free(change);
  /* an attempt without an answer between does not hide the second one */
  SCRIPT(rig, { .status = 500 }, { .err = FR_EDROPPED }, { .status = 500 },
         { .status = 200, .body = GOOD });
  change = run(rig, 5);
  assert_int_equal(rig->narrivals, 3);
  assert_true(fr_change_answer(change)->again);
  assert_true(fr_change_answer(change)->unanswered);
  fr_change_free(change);
  rig_free(rig);
}

static void keys_grow_old(void **state)
{
  struct rig *rig = rig_new(API_KEY, NULL);
  const struct fr_change_answer *answer;
  struct fr_change *change;

  (void)state;
  /* the repeat is due after 539.9 s: still good; then after 540 s: not */
  SCRIPT(rig, { .status = 429, .name = "Retry-After", .value = "539" },
         { .status = 429, .name = "Retry-After", .value = "1" },
         { .status = 200, .body = GOOD });
  change = run(rig, 5);
  answer = fr_change_answer(change);
  assert_int_equal(rig->narrivals, 2);
  assert_true(answer->again);
  assert_int_equal(answer->err, FR_ERATE_LIMITED);
  assert_int_equal(answer->elapsed_ms, 540000);
  fr_change_free(change);
  rig_free(rig);
}

static void old_and_future_keys_may_be_sent_once(void **state)
{
  static const int64_t offsets[] = { -3600000, 120000 };
  size_t i;

  (void)state;
  for (i = 0; i < 2; i++) {
    struct rig *rig = rig_new(API_KEY, NULL);
    struct fr_change_spec spec = {
      .idempotency_key = "k", .key_at_ms = AT0 + offsets[i],
    };
    struct fr_change *change;

    SCRIPT(rig, { .err = FR_EDROPPED });
    assert_int_equal(fr_change_new(rig->fal, &spec, &change), FR_OK);
    fr_change_start(change);
    run_op(rig, fr_change_op(change));
    assert_int_equal(rig->narrivals, 1);
    assert_true(fr_change_answer(change)->again);
    assert_true(fr_change_answer(change)->unanswered);
    fr_change_free(change);
    rig_free(rig);
  }
}

static void the_server_says_when(void **state)
{
  static const struct { const char *name, *value; uint64_t ms; } table[] = {
    { "Retry-After", "7", 7000 },
    { "retry-after", "539", 539000 },
    { "Retry-After", "Tue, 14 Nov 2023 22:13:29 GMT", 9000 },
    { "x-ratelimit-reset", "3", 3000 },
    { "x-ratelimit-reset", "0.25", 250 },
    { "Retry-After", "-7", 500 },               /* half of 1000 */
    { "Retry-After", "soon", 500 },
    { "Retry-After", "99999999999", 500 },
    { "x-ratelimit-reset", "1700000009", 500 },
    { "X-Other", "7", 500 },
  };
  size_t i;

  (void)state;
  for (i = 0; i < 2 * sizeof(table) / sizeof(table[0]); i++) {
    struct rig *rig = rig_new(API_KEY, NULL);
    size_t row = i / 2;
    struct fr_change *change;

    SCRIPT(rig, { .status = i % 2 ? 429 : 503, .name = table[row].name,
                  .value = table[row].value },
           { .status = 200, .body = GOOD });
    change = run(rig, 5);
    assert_int_equal(rig->narrivals, 2);
    /* a 429 that names no wait pauses everybody for a second */
    assert_int_equal(gap(rig, 1), i % 2 && table[row].ms == 500 ?
                                  1000 : table[row].ms);
    fr_change_free(change);
    rig_free(rig);
  }
}

static void a_very_long_wait_stops_everything(void **state)
{
  struct rig *rig = rig_new(API_KEY, NULL);
  struct fr_change *change;

  (void)state;
  SCRIPT(rig, { .status = 429, .name = "Retry-After", .value = "601" });
  change = run(rig, 5);
  assert_int_equal(rig->narrivals, 1);
  assert_int_equal(fr_change_answer(change)->err, FR_ERATE_LIMITED);
  assert_int_equal(fr_fal_stopped(rig->fal), FR_EUNAVAILABLE);
  assert_true(rig->verdict.unavailable);
  fr_change_free(change);
  change = run(rig, 5);
  assert_int_equal(rig->narrivals, 1);
  assert_int_equal(fr_change_answer(change)->err, FR_ESTOPPED);
  assert_string_equal(fr_change_answer(change)->message,
                      fr_fal_stop_sentence(rig->fal));
  fr_change_free(change);
  rig_free(rig);
}

static void a_refused_key_stops_everything(void **state)
{
  static const int statuses[] = { 401, 403 };
  size_t i;

  (void)state;
  for (i = 0; i < 2; i++) {
    struct rig *rig = rig_new(API_KEY, NULL);
    struct fr_change *change;

    SCRIPT(rig, { .status = statuses[i], .body = ERROR });
    change = run(rig, 5);
    assert_int_equal(fr_change_answer(change)->err, FR_EAUTH);
    assert_true(rig->verdict.auth);
    assert_int_equal(fr_fal_stopped(rig->fal), FR_EAUTH);
    fr_change_free(change);
    rig_free(rig);
  }
}

static void without_a_key_nothing_is_sent(void **state)
{
  struct rig *rig = rig_new(NULL, NULL);
  struct fr_change *change;

  (void)state;
  SCRIPT(rig, { .status = 200, .body = GOOD });
  change = run(rig, 5);
  assert_int_equal(rig->narrivals, 0);
  assert_int_equal(fr_change_answer(change)->err, FR_ECONFIG);
  assert_int_equal(fr_change_answer(change)->attempts, 0);
  assert_non_null(strstr(fr_change_answer(change)->message, "FAL_KEY"));
  assert_true(rig->verdict.config);
  fr_change_free(change);
  rig_free(rig);
}

static void withdrawing(void **state)
{
  struct rig *rig = rig_new(API_KEY, NULL);
  struct fr_change *change = make(rig, 5, 0);
  const struct fr_change_answer *answer;

  (void)state;
  SCRIPT(rig, { .err = FR_EDROPPED });
  fr_change_start(change);                      /* waits for its slot */
  assert_true(fr_change_withdraw(change));
  run_op(rig, fr_change_op(change));
  assert_int_equal(rig->narrivals, 0);
  answer = fr_change_answer(change);
  assert_int_equal(answer->err, FR_ECANCELLED);
  assert_int_equal(answer->attempts, 0);
  fr_change_free(change);

  rig->hold = true;                             /* in flight */
  change = make(rig, 5, 0);
  fr_change_start(change);
  turns(rig, 3);
  assert_int_equal(rig->nheld, 1);
  assert_false(fr_change_withdraw(change));
  release_calls(rig, &(struct reply){ .err = FR_EDROPPED });
  while (change && rig->fal->throttle.in_flight)
    turns(rig, 1);
  assert_true(fr_change_withdraw(change));      /* waits to repeat */
  run_op(rig, fr_change_op(change));
  answer = fr_change_answer(change);
  assert_int_equal(answer->err, FR_ECANCELLED);
  assert_int_equal(answer->attempts, 1);
  assert_true(answer->unanswered);
  assert_int_equal(rig->narrivals, 1);
  fr_change_free(change);
  rig_free(rig);
}

static void freeing_in_flight(void **state)
{
  struct rig *rig = rig_new(API_KEY, NULL);
  struct fr_change *change = make(rig, 5, 0);

  (void)state;
  SCRIPT(rig, { .status = 200, .body = GOOD });
  fr_change_free(change);                       /* never started */
  rig->hold = true;
  change = make(rig, 5, 0);
  fr_change_start(change);
  turns(rig, 3);
  assert_int_equal(rig->fal->throttle.in_flight, 1);
  fr_change_free(change);
  assert_int_equal(rig->fal->throttle.in_flight, 0);
  rig->hold = false;
  rig->narrivals = 0;
  fr_change_free(run(rig, 1));                  /* the client goes on */
  rig_free(rig);
}

static void keys_never_come_back(void **state)
{
  struct rig *rig = rig_new(API_KEY, ADMIN_KEY);
  struct fr_change *change;

  (void)state;
  SCRIPT(rig, { .status = 200, .body =
                "{\"cdn_delete_results\":[{\"link\":\"admsecret4567\","
                "\"exception\":\"Key admid:admsecret456\\u0037\"}]}" });
  change = run(rig, 1);
  assert_string_equal(fr_change_answer(change)->files[0].link,
                      "*************");
  assert_null(strstr(fr_change_answer(change)->message, "admsecret"));
  assert_null(strstr(fr_change_answer(change)->files[0].exception, "adm"));
  fr_change_free(change);
  SCRIPT(rig, { .status = 500, .body =
                "{\"error\":{\"message\":\"apiid:apisecret0123\"}}" });
  change = run(rig, 1);
  assert_string_equal(fr_change_answer(change)->message,
                      "fal answered 500: *******************");
  fr_change_free(change);
  rig_free(rig);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(what_is_sent),
    cmocka_unit_test(bad_idempotency_keys),
    cmocka_unit_test(every_end),
    cmocka_unit_test(files_and_words_of_a_partial),
    cmocka_unit_test(some_classes_are_never_repeated),
    cmocka_unit_test(no_answer_is_repeated_with_the_same_key),
    cmocka_unit_test(five_attempts_and_no_more),
    cmocka_unit_test(connections_that_failed_sent_nothing),
    cmocka_unit_test(an_answer_after_an_answer_is_no_replay),
    cmocka_unit_test(the_same_5xx_twice_wants_a_new_key),
    cmocka_unit_test(a_new_generation_has_two_sends_and_longer_pauses),
    cmocka_unit_test(different_failures_keep_the_key),
    cmocka_unit_test(keys_grow_old),
    cmocka_unit_test(old_and_future_keys_may_be_sent_once),
    cmocka_unit_test(the_server_says_when),
    cmocka_unit_test(a_very_long_wait_stops_everything),
    cmocka_unit_test(a_refused_key_stops_everything),
    cmocka_unit_test(without_a_key_nothing_is_sent),
    cmocka_unit_test(withdrawing),
    cmocka_unit_test(freeing_in_flight),
    cmocka_unit_test(keys_never_come_back),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
