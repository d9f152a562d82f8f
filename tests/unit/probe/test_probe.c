/* Probes against a scripted peer: what is sent, and what is never sent. */
#include "tests/unit/http/world.h"

#include "probe/probe.h"

#define LINK "https://v3.fal.media/files/a.png"
#define GONE "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
#define PART "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-0/9\r\n" \
  "Content-Length: 1\r\nAge: 77\r\nX-Cache: HIT\r\n\r\nx"
#define BUSY "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"

struct asked {
  struct fr_prober *prober;
  struct fr_probe *probe;
};

static struct fr_prober *prober_of(struct world *w, double rate)
{
  struct fr_prober_config config = { .rate = rate };
  struct fr_prober *prober = NULL;
  char base[64];

  snprintf(base, sizeof(base), "http://127.0.0.1:%u/cdn", w->peer.port);
  config.base = base;
  assert_int_equal(fr_prober_new(w->loop, &config, &w->why, &prober), FR_OK);
  return prober;
}

static struct asked ask(struct world *w, const char *link)
{
  struct asked asked = { .prober = prober_of(w, 0) };
  unsigned before = w->done;

  assert_int_equal(fr_probe_new(asked.prober, link, &asked.probe), FR_OK);
  fr_probe_start(asked.probe);
  fr_op_wait(fr_probe_op(asked.probe), on_done, w);
  assert_int_equal(w->done, before);
  turn_until(w, before + 1);
  return asked;
}

static void check(struct asked asked, const char *seen, int status)
{
  const struct fr_probe_result *result = fr_probe_result(asked.probe);

  assert_int_equal(fr_probe_op(asked.probe)->err, FR_OK);
  assert_string_equal(fr_seen_name(result->seen), seen);
  assert_int_equal(result->http_status, status);
  fr_probe_free(asked.probe);
  fr_prober_free(asked.prober);
}

static void test_gone(void **state)
{
  static const struct peer_reply replies[] = { { .text = GONE } };
  struct world *w = *state;

  ANSWER(replies);
  check(ask(w, LINK), "gone", 404);
  assert_int_equal(w->peer.requests, 2);
  assert_non_null(strstr(w->peer.text, "GET /cdn/files/a.png?falrun="));
  assert_non_null(strstr(w->peer.text, "Range: bytes=0-0\r\n"));
  assert_null(strstr(w->peer.text, "Authorization"));
  assert_null(strstr(w->peer.text, "Cookie"));
}

static void test_a_cache_serves_it(void **state)
{
  static const struct peer_reply replies[] = { { .text = PART },
                                               { .text = GONE } };
  struct world *w = *state;
  struct asked asked;

  ANSWER(replies);
  asked = ask(w, LINK);
  assert_int_equal(fr_probe_result(asked.probe)->age_s, 77);
  assert_string_equal(fr_probe_result(asked.probe)->cache, "HIT");
  check(asked, "cached", 206);
}

static void test_a_body_without_an_end_is_cut(void **state)
{
  static const struct peer_reply replies[] = { {
    .text = "HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\n\r\n",
    .again = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
  } };
  struct world *w = *state;

  ANSWER(replies);
  check(ask(w, LINK), "there", 200);
}

static void test_busy_is_asked_again(void **state)
{
  static const struct peer_reply replies[] = { { .text = BUSY },
                                               { .text = GONE } };
  struct world *w = *state;

  ANSWER(replies);
  check(ask(w, LINK), "gone", 404);
  assert_int_equal(w->peer.requests, 3);
}

static void test_others_are_not_asked(void **state)
{
  struct world *w = *state;
  struct asked asked = ask(w, "https://evil.example/x");

  assert_string_equal(fr_probe_result(asked.probe)->why,
                      "its host is none of fal's CDN");
  check(asked, "unknown", 0);
  assert_int_equal(w->peer.accepted, 0);
}

static void test_a_redirect_is_not_followed(void **state)
{
  static const struct peer_reply replies[] = { {
    .text = "HTTP/1.1 302 Found\r\nLocation: /stolen\r\n"
            "Content-Length: 0\r\n\r\n" } };
  struct world *w = *state;

  ANSWER(replies);
  check(ask(w, LINK), "unknown", 302);
  assert_int_equal(w->peer.requests, 2);
  assert_null(strstr(w->peer.text, "stolen"));
}

/* What is dropped twenty times over is not asked for ever. */
static void test_a_mute_cdn_ends_it(void **state)
{
  static const struct peer_reply replies[] = { { .close = true } };
  struct world *w = *state;
  struct fr_prober *prober = prober_of(w, 1000000);
  struct fr_probe *probes[40];
  struct fr_prober_figures figures;
  unsigned ended = 0;

  ANSWER(replies);
  for (unsigned i = 0; i < COUNT(probes); i++) {
    assert_int_equal(fr_probe_new(prober, LINK, &probes[i]), FR_OK);
    fr_probe_start(probes[i]);
    fr_op_wait(fr_probe_op(probes[i]), on_done, w);
  }
  turn_until(w, COUNT(probes));
  for (unsigned i = 0; i < COUNT(probes); i++) {
    ended += fr_probe_op(probes[i])->err == FR_EUNAVAILABLE;
    fr_probe_free(probes[i]);
  }
  fr_prober_figures(prober, &figures);
  assert_in_range(ended, 1, COUNT(probes) - FR_PROBE_MUTE);
  assert_int_equal(figures.seen[FR_FILE_UNKNOWN], COUNT(probes) - ended);
  fr_prober_free(prober);
}

/* Ten a second: three probes are six requests, half a second. */
static void test_the_pace(void **state)
{
  static const struct peer_reply replies[] = { { .text = GONE } };
  struct world *w = *state;
  struct fr_prober *prober = prober_of(w, 10);
  struct fr_probe *probes[3];
  uint64_t began = real_ms();

  ANSWER(replies);
  for (unsigned i = 0; i < COUNT(probes); i++) {
    assert_int_equal(fr_probe_new(prober, LINK, &probes[i]), FR_OK);
    fr_probe_start(probes[i]);
    fr_op_wait(fr_probe_op(probes[i]), on_done, w);
  }
  turn_until(w, COUNT(probes));
  assert_true(real_ms() - began >= 495);
  for (unsigned i = 0; i < COUNT(probes); i++)
    fr_probe_free(probes[i]);
  fr_prober_free(prober);
}

static void test_a_probe_can_be_left(void **state)
{
  static const struct peer_reply replies[] = { { .text = NULL },
                                               { .text = GONE } };
  struct world *w = *state;
  struct fr_prober *prober = prober_of(w, 0);
  struct fr_probe *probe;

  ANSWER(replies);
  assert_int_equal(fr_probe_new(prober, LINK, &probe), FR_OK);
  fr_probe_start(probe);
  turn_for(w, 50);
  assert_int_equal(w->peer.requests, 1);
  fr_probe_free(probe);
  assert_int_equal(fr_probe_new(prober, LINK, &probe), FR_OK);
  fr_probe_start(probe);
  fr_op_wait(fr_probe_op(probe), on_done, w);
  fr_op_cancel(fr_probe_op(probe));
  turn_until(w, 1);
  assert_int_equal(fr_probe_op(probe)->err, FR_ECANCELLED);
  fr_probe_free(probe);
  fr_prober_free(prober);
}

static void test_an_anonymous_client_takes_no_key(void **state)
{
  struct world *w = *state;
  struct fr_call_spec spec = spec_of(w);
  struct fr_call *call = NULL;

  open_client(w, &(struct fr_http_config){ .anonymous = true });
  spec.authorization = "Key a:b";
  assert_int_equal(fr_call_new(w->http, &spec, &call), FR_EINVALID);
  spec.authorization = NULL;
  spec.idempotency_key = "k";
  assert_int_equal(fr_call_new(w->http, &spec, &call), FR_EINVALID);
  assert_null(call);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    TEST(gone),
    TEST(a_cache_serves_it),
    TEST(a_body_without_an_end_is_cut),
    TEST(busy_is_asked_again),
    TEST(others_are_not_asked),
    TEST(a_redirect_is_not_followed),
    TEST(a_mute_cdn_ends_it),
    TEST(the_pace),
    TEST(a_probe_can_be_left),
    TEST(an_anonymous_client_takes_no_key),
  };

  return cmocka_run_group_tests_name("probe/probe", tests, NULL, NULL);
}
