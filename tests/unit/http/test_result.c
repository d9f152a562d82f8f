/* tests/unit/http/test_result.c - what breaks, and what it is called then. */
#include "tests/unit/http/world.h"

static void test_short_body_is_no_success(void **state)
{
  static const struct peer_reply replies[] = {
    { .text = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345",
      .close = true },
    { .text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
              "5\r\n12345\r\n", .close = true }
  };
  struct world *w = *state;
  struct fr_call_spec spec = spec_of(w);
  struct fr_call *call;

  ANSWER(replies);
  call = run(w, &spec, FR_EDROPPED);
  assert_int_equal(fr_call_status(call), 200);
  assert_true(fr_call_sent(call));
  fr_call_free(call);
  expect(w, FR_EDROPPED);
}

static void test_closed_without_a_byte(void **state)
{
  static const struct peer_reply replies[] = { { .close = true } };
  struct world *w = *state;
  struct fr_call_spec spec = spec_of(w);
  struct fr_call *call;

  ANSWER(replies);
  call = run(w, &spec, FR_EDROPPED);
  assert_int_equal(fr_call_status(call), 0);
  assert_true(fr_call_sent(call));
  fr_call_free(call);
}

static void test_garbage(void **state)
{
  static const struct peer_reply replies[] = {
    { .text = "SSH-2.0-OpenSSH_9.2\r\n", .close = true },
    { .text = "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
      .close = true },
    { .text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
      .close = true },
    { .text = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
              "Content-Length: 4\r\n\r\ngood", .close = true }
  };
  struct world *w = *state;

  ANSWER(replies);
  for (unsigned i = 0; i < COUNT(replies); i++) {
    struct fr_call_spec spec = spec_of(w);
    struct fr_call *call = started(w, &spec);

    turn_until(w, i + 1);
    assert_int_not_equal(fr_call_op(call)->err, FR_OK);
    assert_true(fr_call_detail(call)[0]);
    fr_call_free(call);
  }
}

static void test_refused_is_not_sent(void **state)
{
  struct world *w = *state;
  struct fr_call_spec spec = spec_of(w);
  struct fr_call *call;
  unsigned port;

  close(peer_listen(&port));
  snprintf(w->url, sizeof(w->url), "http://127.0.0.1:%u/", port);
  call = run(w, &spec, FR_ECONNECT);
  assert_false(fr_call_sent(call));
  assert_int_equal(fr_call_status(call), 0);
  fr_call_free(call);
}

static void test_unknown_host(void **state)
{
  static const struct peer_reply replies[] = { { .text = OK_4 } };
  struct world *w = *state;
  struct fr_call_spec spec = spec_of(w);
  struct fr_call *call;

  snprintf(w->url, sizeof(w->url), "http://no-such-host.invalid/");
  spec.connect_ms = 15000;
  spec.total_ms = 15000;
  for (int i = 0; i < 2; i++) {
    call = run(w, &spec, FR_ERESOLVE);
    assert_false(fr_call_sent(call));
    fr_call_free(call);
  }
  ANSWER(replies);
  snprintf(w->url, sizeof(w->url), "http://127.0.0.1:%u/", w->peer.port);
  spec.connect_ms = spec.total_ms = 180;        /* libcurl looks at 200 */
  fr_call_free(run(w, &spec, FR_OK));
}

static void test_name_is_resolved(void **state)
{
  static const struct peer_reply replies[] = { { .text = OK_4,
                                                 .close = true } };
  struct world *w = *state;

  ANSWER(replies);
  for (unsigned i = 0; i < 5; i++) {
    open_client(w, &(struct fr_http_config){ 0 });
    snprintf(w->url, sizeof(w->url), "http://localhost:%u/", w->peer.port);
    expect(w, FR_OK);
    expect(w, FR_OK);
  }
}

static void test_plain_peer_is_no_tls_peer(void **state)
{
  static const struct peer_reply replies[] = { { .text = OK_4 } };
  struct world *w = *state;
  struct fr_call_spec spec = spec_of(w);
  struct fr_call *call;

  ANSWER(replies);
  snprintf(w->url, sizeof(w->url), "https://127.0.0.1:%u/", w->peer.port);
  spec.connect_ms = spec.total_ms = 300;
  call = run(w, &spec, FR_ECONNECT);    /* it waits for a blank line */
  assert_false(fr_call_sent(call));
  fr_call_free(call);
}

static void test_idle_connection_that_dies_is_replaced(void **state)
{
  static const struct peer_reply replies[] = { { .text = OK_4,
                                                 .close = true } };
  struct world *w = *state;

  ANSWER(replies);
  for (unsigned i = 0; i < 4; i++)
    expect(w, FR_OK);
  assert_int_equal(w->peer.accepted, 4);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    TEST(short_body_is_no_success),
    TEST(closed_without_a_byte),
    TEST(garbage),
    TEST(refused_is_not_sent),
    TEST(unknown_host),
    TEST(name_is_resolved),
    TEST(plain_peer_is_no_tls_peer),
    TEST(idle_connection_that_dies_is_replaced),
  };

  return cmocka_run_group_tests_name("http/result", tests, NULL, NULL);
}
