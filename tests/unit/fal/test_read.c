/* tests/unit/fal/test_read.c - reads against a scripted server. */
#include "tests/unit/fal/support.h"

#include "fal/read.h"

#define LIST "/models/requests/by-endpoint"

static struct fr_read *make(struct rig *rig, const char *path,
                            enum fr_key key)
{
  struct fr_read_spec spec = { .method = "GET", .path = path, .key = key };
  struct fr_read *read = NULL;

  assert_int_equal(fr_read_new(rig->fal, &spec, &read), FR_OK);
  return read;
}

static enum fr_err run(struct rig *rig, struct fr_read *read)
{
  fr_read_start(read);
  run_op(rig, fr_read_op(read));
  return fr_read_op(read)->err;
}

static uint64_t gap(const struct rig *rig, size_t i)
{
  return rig->arrivals[i].now - rig->arrivals[i - 1].now;
}

static void what_may_be_read(void **state)
{
  static const struct {
    const char *method, *path, *query, *body;
    enum fr_err err;
  } table[] = {
    { "GET", LIST, "endpoint_id=a%2Fb&limit=100", NULL, FR_OK },
    { "POST", "/models/pricing/estimate", NULL, "{}", FR_OK },
    { "POST", "/serverless/logs/history", "limit=1", "{}", FR_OK },
    { "POST", "/serverless/logs/stream", NULL, NULL, FR_OK },
    { "POST", "/storage/files/sign", NULL, "{}", FR_EREAD_ONLY },
    { "POST", "/keys", NULL, "{}", FR_EREAD_ONLY },
    { "POST", "/models/pricing/estimate/", NULL, "{}", FR_EREAD_ONLY },
    { "POST", "/Models/pricing/estimate", NULL, "{}", FR_EREAD_ONLY },
    { "DELETE", "/keys/x", NULL, NULL, FR_EREAD_ONLY },
    { "PUT", "/storage/settings", NULL, "{}", FR_EREAD_ONLY },
    { "PATCH", LIST, NULL, NULL, FR_EREAD_ONLY },
    { "get", LIST, NULL, NULL, FR_EREAD_ONLY },
    { "GET ", LIST, NULL, NULL, FR_EREAD_ONLY },
    { "GET", LIST, NULL, "{}", FR_EREAD_ONLY },
    { "GET", "models", NULL, NULL, FR_EINVALID },
    { "GET", "", NULL, NULL, FR_EINVALID },
    { "GET", NULL, NULL, NULL, FR_EINVALID },
    { NULL, LIST, NULL, NULL, FR_EINVALID },
    { "GET", "/a?b", NULL, NULL, FR_EINVALID },
    { "GET", "/a#b", NULL, NULL, FR_EINVALID },
    { "GET", "/a b", NULL, NULL, FR_EINVALID },
    { "GET", "/a\r\nb", NULL, NULL, FR_EINVALID },
    { "GET", "/../x", NULL, NULL, FR_EINVALID },
    { "GET", "/a", "b c", NULL, FR_EINVALID },
    { "GET", "/a", "b#c", NULL, FR_EINVALID },
    { "GET", "/a", "b\n", NULL, FR_EINVALID },
  };
  struct rig *rig = rig_new(API_KEY, NULL);
  size_t i;

  (void)state;
  for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
    struct fr_read_spec spec = {
      .method = table[i].method, .path = table[i].path,
      .query = table[i].query, .body = table[i].body, .key = FR_KEY_API,
    };
    struct fr_read *read = NULL;

    if (fr_read_new(rig->fal, &spec, &read) != table[i].err)
      fail_msg("row %zu", i);
    assert_int_equal(read != NULL, table[i].err == FR_OK);
    fr_read_free(read);
  }
  rig_free(rig);
}

static void what_is_sent_and_what_comes(void **state)
{
  struct rig *rig = rig_new(API_KEY, ADMIN_KEY);
  struct fr_read_spec spec = {
    .method = "GET", .path = LIST, .query = "limit=1", .key = FR_KEY_LIST,
    .timeout_ms = 1234,
  };
  struct fr_read *read;
  size_t len = 77;

  (void)state;
  SCRIPT(rig, { .status = 200, .body = "{\"items\":[]}" });
  assert_int_equal(fr_read_new(rig->fal, &spec, &read), FR_OK);
  assert_int_equal(run(rig, read), FR_OK);
  assert_string_equal(rig->arrivals[0].url,
                      "https://api.fal.ai/v1" LIST "?limit=1");
  assert_string_equal(rig->arrivals[0].auth, "Key " ADMIN_KEY);
  assert_string_equal(rig->arrivals[0].key, "");
  assert_int_equal(rig->arrivals[0].total_ms, 1234);
  assert_int_equal(fr_read_status(read), 200);
  assert_memory_equal(fr_read_body(read, &len), "{\"items\":[]}", 12);
  assert_int_equal(len, 12);
  assert_string_equal(fr_read_message(read), "");
  fr_read_free(read);
  read = make(rig, "/meta", FR_KEY_NONE);
  assert_int_equal(run(rig, read), FR_OK);
  assert_string_equal(rig->arrivals[1].auth, "");
  fr_read_free(read);
  read = make(rig, "/models", FR_KEY_API);
  assert_int_equal(run(rig, read), FR_OK);
  assert_string_equal(rig->arrivals[2].auth, "Key " API_KEY);
  fr_read_free(read);
  rig_free(rig);
}

static void three_attempts(void **state)
{
  static const struct {
    struct reply reply;
    enum fr_err err;
    unsigned tries;
    bool unavailable;
    uint64_t first, second;
  } table[] = {
    { { .status = 500 }, FR_ESERVER, 3, true, 100, 200 },
    { { .status = 503 }, FR_ESERVER, 3, true, 500, 1000 },
    { { .status = 408 }, FR_ESERVER, 3, true, 100, 200 },
    { { .status = 429 }, FR_ERATE_LIMITED, 3, true, 1000, 1000 },
    { { .err = FR_ETIMEOUT }, FR_ETIMEOUT, 3, true, 100, 200 },
    { { .err = FR_ECONNECT, .unsent = true }, FR_ECONNECT, 3, true, 100,
      200 },
    { { .status = 200, .body = "{" }, FR_EPROTOCOL, 3, true, 100, 200 },
    { { .status = 200, .body = "" }, FR_EPROTOCOL, 3, true, 100, 200 },
    { { .status = 200, .body = "{\"a\":1,\"a\":2}" }, FR_EPROTOCOL, 3, true,
      100, 200 },
    { { .status = 202, .body = "{}" }, FR_EPROTOCOL, 3, true, 100, 200 },
    { { .status = 206, .body = "{}" }, FR_EPROTOCOL, 3, true, 100, 200 },
    { { .err = FR_ETLS, .unsent = true }, FR_ETLS, 1, true, 0, 0 },
    { { .err = FR_ETOO_BIG }, FR_ETOO_BIG, 1, false, 0, 0 },
    { { .status = 400 }, FR_EBAD_REQUEST, 1, false, 0, 0 },
    { { .status = 404 }, FR_ENOT_FOUND, 1, false, 0, 0 },
    { { .status = 307 }, FR_EREDIRECT, 1, false, 0, 0 },
  };
  size_t i;

  (void)state;
  for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
    struct rig *rig = rig_new(API_KEY, NULL);
    struct fr_read *read = make(rig, LIST, FR_KEY_LIST);

    rig_script(rig, &table[i].reply, 1);
    assert_int_equal(run(rig, read), table[i].err);
    assert_int_equal(rig->narrivals, table[i].tries);
    assert_int_equal(rig->verdict.unavailable, table[i].unavailable);
    assert_int_equal(fr_fal_stopped(rig->fal), FR_OK);
    assert_true(*fr_read_message(read) != '\0');
    if (table[i].tries == 3) {
      assert_int_equal(gap(rig, 1), table[i].first);
      assert_int_equal(gap(rig, 2), table[i].second);
    }
    fr_read_free(read);
    rig_free(rig);
  }
}

/* /meta is asked for its Date alone: what else it says is not the run's. */
static void a_question_without_a_key(void **state)
{
  static const struct reply table[] = {
    { .status = 401 }, { .status = 403 }, { .status = 500 },
    { .err = FR_ECONNECT, .unsent = true },
  };
  size_t i;

  (void)state;
  for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
    struct rig *rig = rig_new(API_KEY, NULL);
    struct fr_read *read = make(rig, "/meta", FR_KEY_NONE);

    rig_script(rig, &table[i], 1);
    assert_int_not_equal(run(rig, read), FR_OK);
    assert_false(rig->verdict.auth || rig->verdict.unavailable);
    assert_int_equal(fr_fal_stopped(rig->fal), FR_OK);
    fr_read_free(read);
    rig_free(rig);
  }
}

static void a_repeat_can_succeed(void **state)
{
  struct rig *rig = rig_new(API_KEY, NULL);
  struct fr_read *read = make(rig, LIST, FR_KEY_LIST);

  (void)state;
  SCRIPT(rig, { .status = 500 }, { .status = 500 },
         { .status = 200, .body = "{}" });
  assert_int_equal(run(rig, read), FR_OK);
  assert_int_equal(rig->narrivals, 3);
  assert_false(rig->verdict.unavailable);
  assert_string_equal(fr_read_message(read), "");
  fr_read_free(read);
  rig_free(rig);
}

static bool noted(struct rig *rig, const char *text, int64_t *ret_ended,
                  bool *ret_key)
{
  struct fr_sighting sighting;
  struct fr_uuid id;

  assert_int_equal(fr_uuid_parse(text, 36, &id), FR_OK);
  if (fr_seen_find(fr_fal_seen(rig->fal), &id, &sighting))
    return false;
  *ret_ended = sighting.ended_at_ms;
  *ret_key = sighting.by_deleting_key;
  return true;
}

#define A "00000000-0000-4000-8000-00000000000a"
#define B "00000000-0000-4000-8000-00000000000b"
#define C "00000000-0000-4000-8000-00000000000c"
#define D "00000000-0000-4000-8000-00000000000d"
#define E "00000000-0000-4000-8000-00000000000e"
#define F "00000000-0000-4000-8000-00000000000f"
#define ROWS \
  "{\"items\":[" \
  "{\"request_id\":\"" A "\",\"ended_at\":\"2023-11-14T22:13:20Z\"}," \
  "{\"request_id\":\"" B "\",\"ended_at\":null}," \
  "{\"request_id\":\"" C "\",\"ended_at\":\"2023-11-14T22:13:20.500\"}," \
  "{\"request_id\":\"nonsense\",\"ended_at\":\"2023-11-14T22:13:20Z\"}," \
  "{\"request_id\":7,\"ended_at\":\"2023-11-14T22:13:20Z\"}," \
  "{\"request_id\":\"" D "\",\"url\":\"an asset\"}," \
  "7,null,\"x\",[]," \
  "{\"request_id\":\"" E "\",\"sent_at\":\"x\",\"ended_at\":{}," \
  "\"json_input\":{\"seed\":18446744073709551615,\"p\":\"\\u0000\"}}]," \
  "\"results\":[" \
  "{\"request_id\":\"" F "\",\"ended_at\":\"2023-11-14T23:13:20+01:00\"}]}"

static void rows_are_noted(void **state)
{
  struct rig *rig = rig_new(API_KEY, ADMIN_KEY);
  struct fr_read *read = make(rig, LIST, FR_KEY_LIST);
  int64_t ended = 0;
  bool key = false;

  (void)state;
  SCRIPT(rig, { .status = 200, .body = ROWS });
  assert_int_equal(run(rig, read), FR_OK);
  assert_true(noted(rig, A, &ended, &key));
  assert_int_equal(ended, AT0);
  assert_true(key);
  assert_true(noted(rig, B, &ended, &key));
  assert_int_equal(ended, -1);
  assert_true(noted(rig, C, &ended, &key));
  assert_int_equal(ended, AT0 + 500);
  assert_false(noted(rig, D, &ended, &key));
  assert_true(noted(rig, E, &ended, &key));
  assert_int_equal(ended, -1);
  assert_true(noted(rig, F, &ended, &key));
  assert_int_equal(ended, AT0);
  fr_read_free(read);
  rig_free(rig);
}

static void the_key_that_listed_is_noted(void **state)
{
  static const struct {
    const char *admin;
    enum fr_key which;
    bool deleting;
  } table[] = {
    { ADMIN_KEY, FR_KEY_LIST, true }, { ADMIN_KEY, FR_KEY_ADMIN, true },
    { ADMIN_KEY, FR_KEY_API, false }, { ADMIN_KEY, FR_KEY_NONE, false },
    { NULL, FR_KEY_API, true }, { NULL, FR_KEY_LIST, true },
    { API_KEY, FR_KEY_API, true },
  };
  size_t i;

  (void)state;
  for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
    struct rig *rig = rig_new(API_KEY, table[i].admin);
    struct fr_read *read = make(rig, LIST, table[i].which);
    int64_t ended;
    bool key = false;

    SCRIPT(rig, { .status = 200, .body = ROWS });
    assert_int_equal(run(rig, read), FR_OK);
    assert_true(noted(rig, A, &ended, &key));
    assert_int_equal(key, table[i].deleting);
    fr_read_free(read);
    rig_free(rig);
  }
}

/* What others sent to one's own apps is not the account's to call gone. */
static void rows_of_others_are_not_own(void **state)
{
  struct rig *rig = rig_new(API_KEY, NULL);
  struct fr_read *read = make(rig, "/serverless/requests/by-endpoint",
                              FR_KEY_LIST);
  int64_t ended;
  bool key = true;

  (void)state;
  SCRIPT(rig, { .status = 200, .body = ROWS });
  assert_int_equal(run(rig, read), FR_OK);
  assert_true(noted(rig, A, &ended, &key));
  assert_false(key);
  fr_read_free(read);
  rig_free(rig);
}

static void rows_of_a_failure_are_not_noted(void **state)
{
  struct rig *rig = rig_new(API_KEY, NULL);
  struct fr_read *read = make(rig, LIST, FR_KEY_LIST);
  int64_t ended;
  bool key;

  (void)state;
  SCRIPT(rig, { .status = 400, .body = ROWS });
  assert_int_equal(run(rig, read), FR_EBAD_REQUEST);
  assert_false(noted(rig, A, &ended, &key));
  fr_read_free(read);
  rig_free(rig);
}

static void a_list_cut_anywhere_is_no_list(void **state)
{
  struct rig *rig = rig_new(API_KEY, NULL);
  char text[sizeof(ROWS)];
  size_t len;

  (void)state;
  for (len = 0; len < strlen(ROWS); len += 7) {
    struct fr_read *read = make(rig, LIST, FR_KEY_LIST);

    memcpy(text, ROWS, len);
    text[len] = '\0';
    SCRIPT(rig, { .status = 200, .body = text });
    assert_int_equal(run(rig, read), FR_EPROTOCOL);
    rig->fal->failures = 0;
    fr_read_free(read);
  }
  rig_free(rig);
}

static void a_full_table_fails_the_read(void **state)
{
  struct rig *rig = rig_new(API_KEY, NULL);
  struct fr_read *read = make(rig, LIST, FR_KEY_LIST);

  (void)state;
  fr_seen_free(rig->fal->seen);
  assert_int_equal(fr_seen_new(1, 24 * 3600 * 1000, &rig->fal->seen), FR_OK);
  SCRIPT(rig, { .status = 200, .body = ROWS });
  assert_int_equal(run(rig, read), FR_ETOO_BIG);
  assert_non_null(strstr(fr_read_message(read), "smaller window"));
  fr_read_free(read);
  rig_free(rig);
}

static void keys_never_come_back(void **state)
{
  struct rig *rig = rig_new(API_KEY, ADMIN_KEY);
  struct fr_read *read = make(rig, LIST, FR_KEY_LIST);
  size_t len;

  (void)state;
  SCRIPT(rig, { .status = 200, .body = "{\"a\":\"admid:admsecret4567\"}" });
  assert_int_equal(run(rig, read), FR_OK);
  assert_string_equal(fr_read_body(read, &len),
                      "{\"a\":\"*******************\"}");
  fr_read_free(read);
  read = make(rig, LIST, FR_KEY_LIST);
  SCRIPT(rig, { .status = 400, .body = "no apisecret0123, no" });
  assert_int_equal(run(rig, read), FR_EBAD_REQUEST);
  assert_string_equal(fr_read_message(read),
                      "fal answered 400: no *************, no");
  assert_string_equal(fr_read_body(read, &len), "no *************, no");
  fr_read_free(read);
  rig_free(rig);
}

static void without_a_key_nothing_is_sent(void **state)
{
  struct rig *rig = rig_new(NULL, NULL);
  struct fr_read *read = make(rig, LIST, FR_KEY_LIST);
  size_t len = 77;

  (void)state;
  SCRIPT(rig, { .status = 200, .body = "{}" });
  assert_int_equal(run(rig, read), FR_ECONFIG);
  assert_int_equal(rig->narrivals, 0);
  assert_true(rig->verdict.config);
  assert_non_null(strstr(fr_read_message(read), "FAL_ADMIN_KEY"));
  assert_string_equal(fr_read_body(read, &len), "");
  assert_int_equal(len, 0);
  fr_read_free(read);
  rig_free(rig);
}

static void an_optional_key(void **state)
{
  struct rig *rig = rig_new(API_KEY, ADMIN_KEY);
  struct fr_read *read = make(rig, "/models", FR_KEY_OPTIONAL);

  (void)state;
  SCRIPT(rig, { .status = 200, .body = "{}" });
  assert_int_equal(run(rig, read), FR_OK);
  assert_string_equal(rig->arrivals[0].auth, "Key " API_KEY);
  fr_read_free(read);
  rig_free(rig);
  rig = rig_new(NULL, NULL);
  read = make(rig, "/models", FR_KEY_OPTIONAL);
  SCRIPT(rig, { .status = 200, .body = "{}" });
  assert_int_equal(run(rig, read), FR_OK);
  assert_string_equal(rig->arrivals[0].auth, "");
  assert_false(rig->verdict.config);
  fr_read_free(read);
  rig_free(rig);
}

static void a_body_of_any_kind(void **state)
{
  struct rig *rig = rig_new(API_KEY, NULL);
  struct fr_read_spec spec = { .method = "GET", .path = "/account/focus",
                               .any_body = true };
  struct fr_read *read;
  size_t len = 0;

  (void)state;
  SCRIPT(rig, { .status = 200, .body = "a,b\n{", .name = "Content-Type",
                .value = "text/csv" });
  assert_int_equal(fr_read_new(rig->fal, &spec, &read), FR_OK);
  assert_string_equal(fr_read_type(read), "");
  assert_int_equal(run(rig, read), FR_OK);
  assert_int_equal(rig->narrivals, 1);
  assert_memory_equal(fr_read_body(read, &len), "a,b\n{", 5);
  assert_string_equal(fr_read_type(read), "text/csv");
  assert_null(fr_read_page(read));
  fr_read_free(read);
  rig_free(rig);
}

static void cancelling(void **state)
{
  struct rig *rig = rig_new(API_KEY, NULL);
  struct fr_read *read = make(rig, LIST, FR_KEY_LIST);

  (void)state;
  SCRIPT(rig, { .status = 200, .body = "{}" });
  rig->hold = true;
  fr_read_start(read);
  turns(rig, 3);
  assert_int_equal(rig->narrivals, 1);
  fr_op_cancel(fr_read_op(read));
  run_op(rig, fr_read_op(read));
  assert_int_equal(fr_read_op(read)->err, FR_ECANCELLED);
  assert_int_equal(rig->fal->throttle.in_flight, 0);
  fr_read_free(read);
  rig_free(rig);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(what_may_be_read),
    cmocka_unit_test(what_is_sent_and_what_comes),
    cmocka_unit_test(three_attempts),
    cmocka_unit_test(a_question_without_a_key),
    cmocka_unit_test(rows_of_others_are_not_own),
    cmocka_unit_test(a_repeat_can_succeed),
    cmocka_unit_test(rows_are_noted),
    cmocka_unit_test(the_key_that_listed_is_noted),
    cmocka_unit_test(rows_of_a_failure_are_not_noted),
    cmocka_unit_test(a_list_cut_anywhere_is_no_list),
    cmocka_unit_test(a_full_table_fails_the_read),
    cmocka_unit_test(keys_never_come_back),
    cmocka_unit_test(without_a_key_nothing_is_sent),
    cmocka_unit_test(an_optional_key),
    cmocka_unit_test(a_body_of_any_kind),
    cmocka_unit_test(cancelling),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
