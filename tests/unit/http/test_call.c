/* tests/unit/http/test_call.c - what a call refuses to be made of, and that
 * it keeps copies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "http/call.h"

static struct fr_clock clock_;
static struct fr_loop *loop;
static struct fr_http *http;

static const struct fr_call_spec plain = {
  .method = "GET", .url = "https://api.fal.ai/v1/x", .max_body = 10,
  .max_headers = 100, .connect_ms = 1000, .total_ms = 1000, .stall_ms = 1000
};

static int set_up(void **state)
{
  struct fr_buf why;

  (void)state;
  fr_buf_init(&why, 200);
  fr_clock_real(&clock_);
  return fr_loop_new(&clock_, &loop) ||
         fr_http_new(loop, &(struct fr_http_config){ 0 }, &why, &http);
}

static int tear_down(void **state)
{
  (void)state;
  fr_http_free(http);
  fr_loop_free(loop);
  return 0;
}

static void expect(const struct fr_call_spec *spec, enum fr_err expected)
{
  struct fr_call *call = NULL;

  assert_int_equal(fr_call_new(http, spec, &call), expected);
  assert_int_equal(call == NULL, expected != FR_OK);
  fr_call_free(call);
}

static void test_methods(void **state)
{
  static const char *const bad[] = { "", "get", "GET ", "GET\r\n", "G-T" };
  struct fr_call_spec spec = plain;

  (void)state;
  expect(&spec, FR_OK);
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    spec.method = bad[i];
    expect(&spec, FR_EINVALID);
  }
}

static void test_values_cannot_end_their_line(void **state)
{
  static const char *const bad[] = { "a\r\nX: b", "a\n", "a\rb", "\x01",
                                     "a\x7f", "caf\xc3\xa9", "a\tb" };

  (void)state;
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    struct fr_call_spec spec = plain;

    spec.authorization = bad[i];
    expect(&spec, FR_EINVALID);
    spec = plain;
    spec.idempotency_key = bad[i];
    expect(&spec, FR_EINVALID);
    spec = plain;
    spec.content_type = bad[i];
    expect(&spec, FR_EINVALID);
    spec = plain;
    spec.url = bad[i];
    expect(&spec, FR_EINVALID);
  }
}

static void test_urls(void **state)
{
  static const char *const bad[] = {
    "", "nothing", "https://", "https://a b/", "https://me:pw@host/",
    "https://host:99999/", "https://host/a b"
  };
  struct fr_call_spec spec = plain;

  (void)state;
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    spec.url = bad[i];
    expect(&spec, FR_EINVALID);
  }
}

static void test_limits_must_be_set(void **state)
{
  struct fr_call_spec spec = plain;

  (void)state;
  spec.max_body = 0;
  expect(&spec, FR_EINVALID);
  spec = plain;
  spec.max_headers = 0;
  expect(&spec, FR_EINVALID);
  spec = plain;
  spec.connect_ms = 0;
  expect(&spec, FR_EINVALID);
  spec = plain;
  spec.total_ms = 0;
  expect(&spec, FR_EINVALID);
  spec = plain;
  spec.stall_ms = 0;
  expect(&spec, FR_EINVALID);
}

static void test_the_spec_is_copied(void **state)
{
  char key[] = "Key a", body[] = "{}";
  struct fr_call_spec spec = plain;
  struct fr_call *call = NULL;

  (void)state;
  spec.authorization = key;
  spec.body = body;
  spec.body_len = 2;
  assert_int_equal(fr_call_new(http, &spec, &call), FR_OK);
  memset(key, 'x', 5);
  memset(body, 'x', 2);
  assert_string_equal(fr_call_spec(call)->authorization, "Key a");
  assert_memory_equal(fr_call_spec(call)->body, "{}", 2);
  assert_int_equal(fr_call_status(call), 0);
  assert_string_equal(fr_call_detail(call), "");
  assert_null(fr_call_header(call, "x"));
  fr_call_free(call);
}

/* Only http and https: a call ends before anything is opened. */
static void test_other_schemes_go_nowhere(void **state)
{
  struct fr_call_spec spec = plain;
  struct fr_call *call = NULL;

  (void)state;
  spec.url = "file:///etc/passwd";
  if (fr_call_new(http, &spec, &call))
    return;
  fr_call_start(call);
  while (fr_loop_pending(loop))
    fr_loop_turn(loop, 100);
  assert_int_equal(fr_call_op(call)->err, FR_EPROTOCOL);
  assert_false(fr_call_sent(call));
  fr_call_free(call);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_methods),
    cmocka_unit_test(test_values_cannot_end_their_line),
    cmocka_unit_test(test_urls),
    cmocka_unit_test(test_limits_must_be_set),
    cmocka_unit_test(test_the_spec_is_copied),
    cmocka_unit_test(test_other_schemes_go_nowhere),
  };

  return cmocka_run_group_tests_name("http/call", tests, set_up, tear_down);
}
