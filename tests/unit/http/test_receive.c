/* tests/unit/http/test_receive.c - what is kept of answers; their limits. */
#include "tests/unit/http/world.h"

static void test_answer_is_kept(void **state)
{
  static const struct peer_reply replies[] = { { .text =
    "HTTP/1.1 429 Slow down\r\nRetry-After:  7 \r\nX-Two: a\r\n"
    "x-two: b\r\nContent-Length: 4\r\n\r\nbody" } };
  struct world *w = *state;
  struct fr_call_spec spec = spec_of(w);
  struct fr_call *call;
  size_t len;

  ANSWER(replies);
  call = run(w, &spec, FR_OK);
  assert_int_equal(fr_call_status(call), 429);
  assert_string_equal(fr_call_header(call, "retry-AFTER"), "7");
  assert_string_equal(fr_call_header(call, "X-Two"), "b");
  assert_null(fr_call_header(call, "x-tw"));
  assert_null(fr_call_header(call, "x-none"));
  assert_string_equal(fr_call_body(call, &len), "body");
  assert_int_equal(len, 4);
  assert_true(fr_call_sent(call));
  fr_call_body_edit(call, &len)[0] = 'B';
  assert_string_equal(fr_call_body(call, &len), "Body");
  fr_call_free(call);
}

static void test_redirect_is_an_answer(void **state)
{
  static const struct peer_reply replies[] = { { .text =
    "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\n"
    "Content-Length: 0\r\n\r\n" } };
  struct world *w = *state;
  struct fr_call_spec spec = spec_of(w);
  struct fr_call *call;

  ANSWER(replies);
  call = run(w, &spec, FR_OK);
  assert_int_equal(fr_call_status(call), 302);
  assert_string_equal(fr_call_header(call, "location"), "/elsewhere");
  assert_int_equal(w->peer.requests, 1);
  fr_call_free(call);
}

/* libcurl believes the last, and would be content. */
static void test_two_lengths_are_no_answer(void **state)
{
  static const struct peer_reply replies[] = { { .text =
    "HTTP/1.1 200 OK\r\nContent-Length: 40\r\nContent-Length: 4\r\n\r\n"
    "body" } };
  static const struct peer_reply same[] = { { .text =
    "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 4\r\n\r\n"
    "body" } };
  struct world *w = *state;

  ANSWER(replies);
  expect(w, FR_EPROTOCOL);
  ANSWER(same);
  expect(w, FR_OK);
}

static void test_compressed_bytes_stay_as_they_are(void **state)
{
  static const struct peer_reply replies[] = { { .text =
    "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\n"
    "\x1f\x8b\x08" } };
  struct world *w = *state;
  struct fr_call_spec spec = spec_of(w);
  struct fr_call *call;
  size_t len;

  ANSWER(replies);
  call = run(w, &spec, FR_OK);
  assert_memory_equal(fr_call_body(call, &len), "\x1f\x8b\x08", 3);
  fr_call_free(call);
}

static void test_headers_are_those_of_the_final_answer(void **state)
{
  static const struct peer_reply replies[] = { { .text =
    "HTTP/1.1 103 Early Hints\r\nRetry-After: 1\r\nX-Early: 1\r\n\r\n"
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Final: 1\r\n\r\n"
    "2\r\nok\r\n0\r\nX-Final: 2\r\nRetry-After: 3\r\n\r\n" } };
  struct world *w = *state;
  struct fr_call_spec spec = spec_of(w);
  struct fr_call *call;

  ANSWER(replies);
  call = run(w, &spec, FR_OK);
  assert_int_equal(fr_call_status(call), 200);
  assert_null(fr_call_header(call, "Retry-After"));
  assert_null(fr_call_header(call, "X-Early"));
  assert_string_equal(fr_call_header(call, "X-Final"), "1");
  fr_call_free(call);
}

static void test_lone_1xx_is_no_answer(void **state)
{
  static const struct peer_reply replies[] = { {
    .text = "HTTP/1.1 103 Early Hints\r\nX: 1\r\n\r\n", .close = true } };
  struct world *w = *state;
  struct fr_call_spec spec = spec_of(w);
  struct fr_call *call;

  ANSWER(replies);
  call = run(w, &spec, FR_EDROPPED);
  assert_int_equal(fr_call_status(call), 0);
  fr_call_free(call);
}

static void test_body_limit(void **state)
{
  static const struct peer_reply replies[] = {
    { .text = OK_4 },
    { .text = OK_4 },
    { .text = "HTTP/1.1 200 OK\r\n\r\n", .again = "0123456789abcdef" }
  };
  struct world *w = *state;
  struct fr_call_spec spec = spec_of(w);
  struct fr_call *call;
  size_t len;

  ANSWER(replies);
  spec.max_body = 4;
  fr_call_free(run(w, &spec, FR_OK));
  spec.max_body = 3;
  fr_call_free(run(w, &spec, FR_ETOO_BIG));
  spec.max_body = 50000;
  call = run(w, &spec, FR_ETOO_BIG);
  (void)fr_call_body(call, &len);
  assert_in_range(len, 0, 50000);
  assert_string_equal(fr_call_detail(call), fr_err_message(FR_ETOO_BIG));
  fr_call_free(call);
}

static void test_header_limit(void **state)
{
  static const struct peer_reply replies[] = {
    { .text = "HTTP/1.1 200 OK\r\n", .again = "X-Filler: 0123456789\r\n" },
    { .text = NULL, .again = "HTTP/1.1 103 Early Hints\r\nX: 1\r\n\r\n" },
    { .text = "HTTP/1.1 103 Early Hints\r\n\r\n", .every_ms = 1,
      .again = "HTTP/1.1 100 Continue\r\n\r\n" }
  };
  struct world *w = *state;
  struct fr_call_spec spec = spec_of(w);

  ANSWER(replies);
  fr_call_free(run(w, &spec, FR_ETOO_BIG));
  fr_call_free(run(w, &spec, FR_ETOO_BIG));
  spec.max_headers = 1000;
  fr_call_free(run(w, &spec, FR_ETOO_BIG));
  assert_int_equal(w->peer.requests, 3);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    TEST(answer_is_kept),
    TEST(redirect_is_an_answer),
    TEST(two_lengths_are_no_answer),
    TEST(compressed_bytes_stay_as_they_are),
    TEST(headers_are_those_of_the_final_answer),
    TEST(lone_1xx_is_no_answer),
    TEST(body_limit),
    TEST(header_limit),
  };

  return cmocka_run_group_tests_name("http/receive", tests, NULL, NULL);
}
