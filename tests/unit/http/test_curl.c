/* tests/unit/http/test_curl.c - the transport over libcurl, against a peer
 * that says what it likes. Everything runs on one loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <cmocka.h>

#include "http/call.h"
#include "tests/unit/http/peer.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ANSWER(replies) answer_with(w, replies, COUNT(replies))
#define OK_4 "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood"

struct world {
  struct fr_clock clock;
  struct fr_loop *loop;
  struct fr_http *http;
  struct peer peer;
  struct fr_buf why;
  char url[128];
  unsigned done;
};

static void on_done(struct fr_op *op, void *arg)
{
  struct world *w = arg;

  (void)op;
  w->done++;
}

static void open_client(struct world *w, const struct fr_http_config *config)
{
  fr_http_free(w->http);
  w->http = NULL;
  assert_int_equal(fr_http_new(w->loop, config, &w->why, &w->http), 0);
}

static int set_up(void **state)
{
  struct world *w = calloc(1, sizeof(*w));

  fr_clock_real(&w->clock);
  fr_buf_init(&w->why, 512);
  assert_int_equal(fr_loop_new(&w->clock, &w->loop), 0);
  open_client(w, &(struct fr_http_config){ 0 });
  peer_start(&w->peer, w->loop);
  snprintf(w->url, sizeof(w->url), "http://127.0.0.1:%u/v1/x",
           w->peer.port);
  *state = w;
  return 0;
}

static int tear_down(void **state)
{
  struct world *w = *state;

  fr_http_free(w->http);
  peer_stop(&w->peer);
  fr_loop_free(w->loop);        /* aborts when anything is left */
  fr_buf_done(&w->why);
  free(w);
  return 0;
}

static void answer_with(struct world *w, const struct peer_reply *replies,
                        unsigned count)
{
  w->peer.replies = replies;
  w->peer.nreplies = count;
}

static struct fr_call_spec spec_of(const struct world *w)
{
  return (struct fr_call_spec){
    .method = "GET", .url = w->url, .max_body = 100000,
    .max_headers = 65536, .connect_ms = 3000, .total_ms = 5000,
    .stall_ms = 5000
  };
}

static uint64_t real_ms(void)
{
  struct timespec t;

  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void turn_until(struct world *w, unsigned done)
{
  uint64_t most = real_ms() + 20000;

  while (w->done < done && real_ms() < most)
    fr_loop_turn(w->loop, 100);
  assert_int_equal(w->done, done);
}

static void turn_for(struct world *w, unsigned ms)
{
  uint64_t end = real_ms() + ms;

  while (real_ms() < end)
    fr_loop_turn(w->loop, 5);
}

static struct fr_call *started(struct world *w,
                               const struct fr_call_spec *spec)
{
  struct fr_call *call = NULL;

  assert_int_equal(fr_call_new(w->http, spec, &call), 0);
  assert_false(fr_call_sent(call));
  fr_call_start(call);
  fr_op_wait(fr_call_op(call), on_done, w);
  return call;
}

static struct fr_call *run(struct world *w, const struct fr_call_spec *spec,
                           enum fr_err expected)
{
  unsigned before = w->done;
  struct fr_call *call = started(w, spec);

  assert_int_equal(w->done, before);
  turn_until(w, before + 1);
  assert_string_equal(fr_err_name(fr_call_op(call)->err),
                      fr_err_name(expected));
  assert_int_equal(expected == FR_OK, !fr_call_detail(call)[0]);
  return call;
}

/* Runs a plain GET that must end so, and frees it. */
static void expect(struct world *w, enum fr_err expected)
{
  struct fr_call_spec spec = spec_of(w);

  fr_call_free(run(w, &spec, expected));
}

/* ---- what goes well ----------------------------------------------------- */

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

static void test_request_carries_what_the_spec_says(void **state)
{
  static const struct peer_reply replies[] = { { .text = OK_4 } };
  struct world *w = *state;
  struct fr_call_spec spec = spec_of(w);

  ANSWER(replies);
  spec.method = "DELETE";
  spec.authorization = "Key id:secret";
  spec.idempotency_key = "k-1";
  fr_call_free(run(w, &spec, FR_OK));
  assert_ptr_equal(strstr(w->peer.text, "DELETE /v1/x HTTP/1.1\r\n"),
                   w->peer.text);
  assert_non_null(strstr(w->peer.text, "\r\nAuthorization: Key id:secret\r"));
  assert_non_null(strstr(w->peer.text, "\r\nIdempotency-Key: k-1\r"));
  assert_non_null(strstr(w->peer.text, "\r\nUser-Agent: falrun/"));
  assert_null(strstr(w->peer.text, "Accept-Encoding"));
  assert_null(strstr(w->peer.text, "Content-Type"));
}

/* The handle of the first call serves the second, on the same connection. */
static void test_nothing_of_a_call_is_left_for_the_next(void **state)
{
  static const struct peer_reply replies[] = { { .text = OK_4 } };
  struct world *w = *state;
  struct fr_call_spec spec = spec_of(w);

  ANSWER(replies);
  spec.method = "POST";
  spec.authorization = "Key id:secret";
  spec.idempotency_key = "k-1";
  spec.content_type = "application/json";
  spec.body = "{}";
  spec.body_len = 2;
  fr_call_free(run(w, &spec, FR_OK));
  assert_non_null(strstr(w->peer.text, "Content-Length: 2\r\n"));
  assert_null(strstr(w->peer.text, "Expect"));
  expect(w, FR_OK);
  assert_ptr_equal(strstr(w->peer.text, "GET "), w->peer.text);
  assert_null(strstr(w->peer.text, "Authorization"));
  assert_null(strstr(w->peer.text, "Idempotency"));
  assert_null(strstr(w->peer.text, "Content-"));
  assert_int_equal(w->peer.accepted, 1);
}

static void test_post_without_a_body_says_so(void **state)
{
  static const struct peer_reply replies[] = { { .text = OK_4 } };
  struct world *w = *state;
  struct fr_call_spec spec = spec_of(w);

  ANSWER(replies);
  spec.method = "POST";
  fr_call_free(run(w, &spec, FR_OK));
  assert_non_null(strstr(w->peer.text, "Content-Length: 0\r\n"));
  assert_null(strstr(w->peer.text, "Content-Type"));
}

static void test_head_waits_for_no_body(void **state)
{
  static const struct peer_reply replies[] = { { .text =
    "HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" } };
  struct world *w = *state;
  struct fr_call_spec spec = spec_of(w);

  ANSWER(replies);
  spec.method = "HEAD";
  fr_call_free(run(w, &spec, FR_OK));
}

static void test_many_at_once(void **state)
{
  static const struct peer_reply replies[] = { { .text = OK_4 } };
  struct world *w = *state;
  struct fr_call_spec spec = spec_of(w);
  struct fr_call *calls[200];

  ANSWER(replies);
  for (unsigned i = 0; i < COUNT(calls); i++)
    calls[i] = started(w, &spec);
  assert_int_equal(w->peer.requests, 0);
  turn_until(w, COUNT(calls));
  for (unsigned i = 0; i < COUNT(calls); i++) {
    assert_int_equal(fr_call_op(calls[i])->err, FR_OK);
    fr_call_free(calls[i]);
  }
  assert_int_equal(w->peer.requests, COUNT(calls));
}

/* All calls of a round end in few turns; their connections must stay. */
static void test_connections_are_kept(void **state)
{
  static const struct peer_reply replies[] = { { .text = OK_4 } };
  struct world *w = *state;
  struct fr_call_spec spec = spec_of(w);
  struct fr_call *calls[40];

  ANSWER(replies);
  for (unsigned round = 1; round <= 5; round++) {
    for (unsigned i = 0; i < COUNT(calls); i++)
      calls[i] = started(w, &spec);
    turn_until(w, round * COUNT(calls));
    for (unsigned i = 0; i < COUNT(calls); i++)
      fr_call_free(calls[i]);
  }
  assert_in_range(w->peer.accepted, 1, COUNT(calls));
  assert_int_equal(w->peer.closed, 0);
}

static void test_max_connections(void **state)
{
  static const struct peer_reply replies[] = { { .text = OK_4 } };
  struct world *w = *state;
  struct fr_call_spec spec = spec_of(w);
  struct fr_call *calls[20];

  ANSWER(replies);
  open_client(w, &(struct fr_http_config){ .max_connections = 3 });
  for (unsigned i = 0; i < COUNT(calls); i++)
    calls[i] = started(w, &spec);
  turn_until(w, COUNT(calls));
  for (unsigned i = 0; i < COUNT(calls); i++)
    fr_call_free(calls[i]);
  assert_in_range(w->peer.accepted, 1, 3);
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

/* ---- headers of other blocks -------------------------------------------- */

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

/* ---- limits ------------------------------------------------------------- */

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

/* ---- what breaks -------------------------------------------------------- */

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

/* A resolver thread's socket pair is closed behind the loop's back, and its
 * number comes again as the connection's. */
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

/* ---- time --------------------------------------------------------------- */

static void test_stall(void **state)
{
  static const struct peer_reply replies[] = {
    { .text = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1" } };
  struct world *w = *state;
  struct fr_call_spec spec = spec_of(w);
  struct fr_call *call;
  uint64_t began = real_ms();

  ANSWER(replies);
  spec.stall_ms = 200;
  call = run(w, &spec, FR_ETIMEOUT);
  assert_in_range(real_ms() - began, 200, 2000);
  assert_string_equal(fr_call_detail(call), "not a byte came for 200 ms");
  assert_int_equal(fr_call_status(call), 200);
  assert_true(fr_call_sent(call));
  fr_call_free(call);
}

static void test_slow_is_not_stalled_but_ends(void **state)
{
  static const struct peer_reply replies[] = {
    { .text = "HTTP/1.1 200 OK\r\n\r\n", .again = "x", .every_ms = 20 } };
  struct world *w = *state;
  struct fr_call_spec spec = spec_of(w);
  struct fr_call *call;
  uint64_t began = real_ms();
  size_t len;

  ANSWER(replies);
  spec.stall_ms = 250;
  spec.total_ms = 700;
  call = run(w, &spec, FR_ETIMEOUT);
  assert_in_range(real_ms() - began, 690, 3000);
  (void)fr_call_body(call, &len);
  assert_in_range(len, 5, 40);
  fr_call_free(call);
}

static void test_no_connection_in_time(void **state)
{
  struct world *w = *state;
  struct fr_call_spec spec = spec_of(w);
  struct fr_call *calls[3];

  snprintf(w->url, sizeof(w->url), "https://127.0.0.1:%u/", w->peer.port);
  spec.connect_ms = 200;
  spec.total_ms = 600;
  for (unsigned i = 0; i < COUNT(calls); i++)
    calls[i] = started(w, &spec);
  turn_until(w, COUNT(calls));
  for (unsigned i = 0; i < COUNT(calls); i++) {
    assert_int_equal(fr_call_op(calls[i])->err, FR_ECONNECT);
    assert_false(fr_call_sent(calls[i]));
    fr_call_free(calls[i]);
  }
}

/* Time that the caller spends before the loop turns is not the call's. */
static void test_time_starts_with_the_loop(void **state)
{
  static const struct peer_reply replies[] = { { .text = OK_4 } };
  struct world *w = *state;
  struct fr_call_spec spec = spec_of(w);
  struct fr_call *call;

  ANSWER(replies);
  expect(w, FR_OK);
  spec.total_ms = spec.stall_ms = spec.connect_ms = 150;
  call = started(w, &spec);
  usleep(400000);
  turn_until(w, 2);
  assert_int_equal(fr_call_op(call)->err, FR_OK);
  fr_call_free(call);
}

/* ---- the environment ---------------------------------------------------- */

static void test_environment_names_no_proxy(void **state)
{
  static const struct peer_reply replies[] = { { .text = OK_4 } };
  struct world *w = *state;

  ANSWER(replies);
  setenv("http_proxy", "http://127.0.0.1:1/", 1);
  setenv("ALL_PROXY", "http://127.0.0.1:1/", 1);
  expect(w, FR_OK);
  expect(w, FR_OK);
  unsetenv("http_proxy");
  unsetenv("ALL_PROXY");
  assert_ptr_equal(strstr(w->peer.text, "GET /v1/x "), w->peer.text);
}

static void test_configured_proxy_is_used(void **state)
{
  static const struct peer_reply replies[] = { { .text = OK_4 } };
  struct world *w = *state;
  char proxy[64];

  ANSWER(replies);
  snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%u", w->peer.port);
  open_client(w, &(struct fr_http_config){ .proxy = proxy });
  snprintf(w->url, sizeof(w->url), "http://localhost:1/there");
  setenv("no_proxy", "*", 1);
  expect(w, FR_OK);
  unsetenv("no_proxy");
  assert_ptr_equal(strstr(w->peer.text, "GET http://localhost:1/there "),
                   w->peer.text);
}

static void test_netrc_is_not_read(void **state)
{
  static const struct peer_reply replies[] = { { .text = OK_4 } };
  struct world *w = *state;
  char folder[] = "/tmp/falrun-netrc-XXXXXX", path[64];
  FILE *file;

  ANSWER(replies);
  assert_non_null(mkdtemp(folder));
  snprintf(path, sizeof(path), "%s/.netrc", folder);
  file = fopen(path, "w");
  fputs("machine 127.0.0.1 login me password secret\n", file);
  fclose(file);
  setenv("HOME", folder, 1);
  expect(w, FR_OK);
  assert_null(strstr(w->peer.text, "Authorization"));
  unlink(path);
  rmdir(folder);
}

static void test_cookies_do_not_come_back(void **state)
{
  static const struct peer_reply replies[] = { { .text =
    "HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n" } };
  struct world *w = *state;

  ANSWER(replies);
  expect(w, FR_OK);
  expect(w, FR_OK);
  assert_null(strstr(w->peer.text, "Cookie"));
}

/* ---- refusing and ending ------------------------------------------------ */

static void test_read_only_sends_nothing_that_changes(void **state)
{
  static const struct peer_reply replies[] = { { .text = OK_4 } };
  struct world *w = *state;
  struct fr_call_spec spec = spec_of(w);
  struct fr_call *call;

  ANSWER(replies);
  open_client(w, &(struct fr_http_config){ .read_only = true });
  spec.changes = true;
  call = run(w, &spec, FR_EREAD_ONLY);
  assert_false(fr_call_sent(call));
  fr_call_free(call);
  turn_for(w, 50);
  assert_int_equal(w->peer.accepted, 0);
  expect(w, FR_OK);
}

static void test_cancel_in_the_middle(void **state)
{
  static const struct peer_reply replies[] = {
    { .text = "HTTP/1.1 200 OK\r\n\r\n", .again = "x", .every_ms = 5 } };
  struct world *w = *state;
  struct fr_call_spec spec = spec_of(w);
  struct fr_call *call;

  ANSWER(replies);
  call = started(w, &spec);
  turn_for(w, 100);
  assert_true(fr_call_sent(call));      /* known while it runs */
  fr_op_cancel(fr_call_op(call));
  assert_int_equal(w->done, 0);
  turn_until(w, 1);
  assert_int_equal(fr_call_op(call)->err, FR_ECANCELLED);
  assert_true(fr_call_sent(call));
  turn_for(w, 50);
  assert_int_equal(w->peer.closed, 1);
  fr_call_free(call);
}

static void test_cancel_before_the_first_turn(void **state)
{
  static const struct peer_reply replies[] = { { .text = OK_4 } };
  struct world *w = *state;
  struct fr_call_spec spec = spec_of(w);
  struct fr_call *call;

  ANSWER(replies);
  expect(w, FR_OK);             /* its handle is used again */
  call = started(w, &spec);
  fr_op_cancel(fr_call_op(call));
  turn_until(w, 2);
  assert_false(fr_call_sent(call));
  assert_int_equal(fr_call_status(call), 0);
  fr_call_free(call);
  turn_for(w, 50);
  assert_int_equal(w->peer.requests, 1);
}

static void test_free_while_it_runs(void **state)
{
  static const struct peer_reply replies[] = { { .text = NULL } };
  struct world *w = *state;
  struct fr_call_spec spec = spec_of(w);
  struct fr_call *call;

  ANSWER(replies);
  call = started(w, &spec);
  turn_for(w, 50);
  assert_int_equal(w->peer.requests, 1);
  fr_call_free(call);
  turn_for(w, 50);
  assert_int_equal(w->done, 0);
  assert_int_equal(w->peer.closed, 1);
  assert_int_equal(fr_loop_pending(w->loop), 0);
}

static void test_never_started(void **state)
{
  struct world *w = *state;
  struct fr_call_spec spec = spec_of(w);
  struct fr_call *call = NULL;

  assert_int_equal(fr_call_new(w->http, &spec, &call), 0);
  fr_call_free(call);
  fr_call_free(NULL);
  fr_http_free(NULL);
}

/* A kept connection that its peer closes must not keep the loop busy. */
static void test_idle_costs_nothing(void **state)
{
  static const struct peer_reply replies[] = { { .text = OK_4 } };
  struct world *w = *state;
  clock_t before;
  unsigned turns = 0;
  uint64_t end;

  ANSWER(replies);
  expect(w, FR_OK);
  peer_drop(fr_container_of(w->peer.connections.next,
                            struct peer_connection, link));
  before = clock();
  for (end = real_ms() + 300; real_ms() < end; turns++)
    fr_loop_turn(w->loop, 50);
  assert_in_range(turns, 5, 20);
  assert_in_range(clock() - before, 0, CLOCKS_PER_SEC / 10);
  expect(w, FR_OK);
}

#define TEST(name) \
  cmocka_unit_test_setup_teardown(test_##name, set_up, tear_down)

int main(void)
{
  const struct CMUnitTest tests[] = {
    TEST(answer_is_kept),
    TEST(request_carries_what_the_spec_says),
    TEST(nothing_of_a_call_is_left_for_the_next),
    TEST(post_without_a_body_says_so),
    TEST(head_waits_for_no_body),
    TEST(many_at_once),
    TEST(connections_are_kept),
    TEST(max_connections),
    TEST(redirect_is_an_answer),
    TEST(compressed_bytes_stay_as_they_are),
    TEST(headers_are_those_of_the_final_answer),
    TEST(lone_1xx_is_no_answer),
    TEST(body_limit),
    TEST(header_limit),
    TEST(short_body_is_no_success),
    TEST(closed_without_a_byte),
    TEST(garbage),
    TEST(refused_is_not_sent),
    TEST(unknown_host),
    TEST(name_is_resolved),
    TEST(plain_peer_is_no_tls_peer),
    TEST(idle_connection_that_dies_is_replaced),
    TEST(stall),
    TEST(slow_is_not_stalled_but_ends),
    TEST(no_connection_in_time),
    TEST(time_starts_with_the_loop),
    TEST(environment_names_no_proxy),
    TEST(configured_proxy_is_used),
    TEST(netrc_is_not_read),
    TEST(cookies_do_not_come_back),
    TEST(read_only_sends_nothing_that_changes),
    TEST(cancel_in_the_middle),
    TEST(cancel_before_the_first_turn),
    TEST(free_while_it_runs),
    TEST(never_started),
    TEST(idle_costs_nothing),
  };

  return cmocka_run_group_tests_name("http/curl", tests, NULL, NULL);
}
