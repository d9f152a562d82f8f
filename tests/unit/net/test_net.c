/* Requests to a scripted peer: what is sent, and what is never sent. */
#include "tests/unit/http/world.h"

#include "net/net.h"

#define KEY "id-of-a-key:secret-of-a-key"
#define MOVED "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/steal\r\n" \
  "Content-Length: 0\r\n\r\n"

struct sent {
  struct fr_net *net;
  struct fr_net_request *request;
};

static bool has_key(void *arg, const char *data, size_t len)
{
  (void)arg;
  return memmem(data, len, KEY, strlen(KEY)) != NULL;
}

static struct fr_net *net_of(struct world *w)
{
  struct fr_places places = { .count = 0 };
  struct fr_net_config config = { .places = &places, .secret = has_key };
  struct fr_net *net = NULL;
  char place[32];

  snprintf(place, sizeof(place), "127.0.0.1:%u", w->peer.port);
  assert_int_equal(fr_places_add(&places, place, &w->why), FR_OK);
  assert_int_equal(fr_net_new(w->loop, &config, &w->why, &net), FR_OK);
  return net;
}

static struct sent post(struct world *w, const struct fr_net_spec *spec,
                        enum fr_err expected)
{
  struct sent sent = { .net = net_of(w) };
  unsigned before = w->done;

  assert_int_equal(fr_net_request_new(sent.net, spec, &w->why,
                                      &sent.request), FR_OK);
  fr_net_request_start(sent.request);
  fr_op_wait(fr_net_request_op(sent.request), on_done, w);
  assert_int_equal(w->done, before);
  turn_until(w, before + 1);
  assert_string_equal(fr_err_name(fr_net_request_op(sent.request)->err),
                      fr_err_name(expected));
  return sent;
}

static void done(struct sent sent)
{
  fr_net_request_free(sent.request);
  fr_net_free(sent.net);
}

static void test_what_is_sent(void **state)
{
  static const struct peer_reply replies[] = { { .text = OK_4 } };
  struct world *w = *state;
  struct fr_net_spec spec = { .method = "POST", .url = w->url, .body = "{}",
    .body_len = 2, .headers = "X-One: 1\nAuthorization: Bearer other\n" };
  struct sent sent;
  size_t len;

  ANSWER(replies);
  sent = post(w, &spec, FR_OK);
  assert_int_equal(fr_net_status(sent.request), 200);
  assert_string_equal(fr_net_body(sent.request, &len), "good");
  assert_non_null(strstr(w->peer.text, "POST /v1/x HTTP/1.1\r\n"));
  assert_non_null(strstr(w->peer.text, "X-One: 1\r\n"));
  assert_non_null(strstr(w->peer.text, "Authorization: Bearer other\r\n"));
  assert_null(strstr(w->peer.text, "Cookie"));
  assert_null(strstr(w->peer.text, "Expect"));
  done(sent);
}

static void test_a_redirect_is_not_followed(void **state)
{
  static const struct peer_reply replies[] = { { .text = MOVED } };
  struct world *w = *state;
  struct fr_net_spec spec = { .method = "GET", .url = w->url };
  struct sent sent;

  ANSWER(replies);
  sent = post(w, &spec, FR_OK);
  assert_int_equal(fr_net_status(sent.request), 302);
  assert_int_equal(w->peer.requests, 1);
  done(sent);
}

static void test_a_key_goes_nowhere(void **state)
{
  struct world *w = *state;
  struct fr_net *net = net_of(w);
  struct fr_net_request *request = NULL;
  char url[200];

  snprintf(url, sizeof(url), "%s?k=" KEY, w->url);
  const struct fr_net_spec specs[] = {
    { .method = "GET", .url = url },
    { .method = "GET", .url = w->url, .headers = "X-Key: " KEY "\n" },
    { .method = "POST", .url = w->url, .body = "a" KEY "b",
      .body_len = strlen(KEY) + 2 },
  };
  for (size_t i = 0; i < COUNT(specs); i++) {
    fr_buf_clear(&w->why);
    assert_int_equal(fr_net_request_new(net, &specs[i], &w->why, &request),
                     FR_ECONFIG);
    assert_non_null(strstr(fr_buf_text(&w->why), "a key of fal is in it"));
    assert_null(strstr(fr_buf_text(&w->why), KEY));
  }
  turn_for(w, 20);
  assert_int_equal(w->peer.requests, 0);
  fr_net_free(net);
}

static void test_what_is_refused(void **state)
{
  struct world *w = *state;
  struct fr_net *net = net_of(w);
  struct fr_net_request *request = NULL;
  char *large = calloc(1, FR_NET_BODY_MOST + 2);
  const struct fr_net_spec specs[] = {
    { .method = "TRACE", .url = w->url },
    { .method = "GET", .url = "http://127.0.0.1:1/x" },
    { .method = "GET", .url = "https://api.fal.ai/v1/models" },
    { .method = "GET", .url = w->url, .timeout_ms = 30001 },
    { .method = "POST", .url = w->url, .body = large,
      .body_len = FR_NET_BODY_MOST + 1 },
    { .method = "GET", .url = w->url, .headers = "Host: evil.example\n" },
    { .method = "GET", .url = w->url, .headers = "Content-Length: 7\n" },
    { .method = "GET", .url = w->url, .headers = "X: a\r\nY: b\n" },
    { .method = "GET", .url = w->url, .headers = "no colon\n" },
    { .method = "GET", .url = w->url, .headers = "X y: a\n" },
    { .method = "GET", .url = w->url, .headers = "X: no end" },
  };

  for (size_t i = 0; i < COUNT(specs); i++) {
    fr_buf_clear(&w->why);
    assert_int_equal(fr_net_request_new(net, &specs[i], &w->why, &request),
                     FR_ECONFIG);
    assert_true(w->why.len > 0);
  }
  free(large);
  fr_net_free(net);
}

static void test_an_answer_without_an_end(void **state)
{
  static const struct peer_reply replies[] = { { .text = "HTTP/1.1 200 OK\r\n"
    "Content-Length: 2000000\r\n\r\n", .again = "0123456789abcdef"
    "0123456789abcdef0123456789abcdef0123456789abcdef" } };
  struct world *w = *state;
  struct fr_net_spec spec = { .method = "GET", .url = w->url };

  ANSWER(replies);
  done(post(w, &spec, FR_ETOO_BIG));
}

static void test_its_time_is_bounded(void **state)
{
  static const struct peer_reply replies[] = { { .text = "HTTP/1.1 200 OK\r\n"
    "Content-Length: 9\r\n\r\n" } };
  struct world *w = *state;
  struct fr_net_spec spec = { .method = "GET", .url = w->url,
                              .timeout_ms = 200 };
  uint64_t began = real_ms();

  ANSWER(replies);
  done(post(w, &spec, FR_ETIMEOUT));
  assert_in_range(real_ms() - began, 100, 5000);
}

/* More than may be under way: all are answered, one after the other; those
 * that are freed while they wait or go disturb nobody. */
static void test_many(void **state)
{
  static const struct peer_reply replies[] = { { .text = OK_4 } };
  struct world *w = *state;
  struct fr_net_spec spec = { .method = "GET", .url = w->url };
  struct fr_net_request *all[30];
  struct fr_net *net = net_of(w);

  ANSWER(replies);
  for (size_t i = 0; i < COUNT(all); i++) {
    assert_int_equal(fr_net_request_new(net, &spec, &w->why, &all[i]), FR_OK);
    fr_net_request_start(all[i]);
    fr_op_wait(fr_net_request_op(all[i]), on_done, w);
  }
  fr_net_request_free(all[0]);
  fr_net_request_free(all[29]);
  turn_until(w, 28);
  for (size_t i = 1; i < 29; i++) {
    assert_int_equal(fr_net_status(all[i]), 200);
    fr_net_request_free(all[i]);
  }
  fr_net_free(net);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    TEST(what_is_sent), TEST(a_redirect_is_not_followed),
    TEST(a_key_goes_nowhere), TEST(what_is_refused),
    TEST(an_answer_without_an_end), TEST(its_time_is_bounded),
    TEST(many),
  };

  return cmocka_run_group_tests_name("net/net", tests, NULL, NULL);
}
