/* tests/unit/http/test_handle.c - what a request carries, and what not. */
#include "tests/unit/http/world.h"

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

/* The handle of a call without a body is used again as it is. */
static void test_a_handle_that_is_used_again_forgets(void **state)
{
  static const struct peer_reply replies[] = { { .text = OK_4 } };
  struct world *w = *state;
  struct fr_call_spec spec = spec_of(w);

  ANSWER(replies);
  spec.method = "DELETE";
  spec.authorization = "Key id:secret";
  spec.idempotency_key = "k-1";
  fr_call_free(run(w, &spec, FR_OK));
  expect(w, FR_OK);
  assert_ptr_equal(strstr(w->peer.text, "GET /v1/x HTTP"), w->peer.text);
  assert_null(strstr(w->peer.text, "Authorization"));
  assert_null(strstr(w->peer.text, "Idempotency"));
}

/* Deletion after deletion only the key changes, in place; whatever else is
 * other makes all lines anew. */
static void test_headers_are_those_of_this_call(void **state)
{
  static const struct { const char *authorization, *key, *range; } table[] = {
    { "Key a:1", "k-1", NULL }, { "Key a:1", "k-2", NULL },
    { "Key a:1", "k-33", NULL }, { "Key b:1", "k-44", NULL },
    { "Key b:12", "k-55", NULL }, { "Key b:12", "k-66", "bytes=0-1" },
    { "Key b:12", "k-77", NULL }, { NULL, "k-77", NULL },
    { "Key b:12", NULL, NULL }, { "Key b:12", "k-88", NULL },
    { "k-88", "Key b:12", NULL }
  };
  static const struct peer_reply replies[] = { { .text = OK_4 } };
  struct world *w = *state;
  struct fr_call_spec spec = spec_of(w);
  char lines[128];

  ANSWER(replies);
  spec.method = "DELETE";
  for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
    const char *a = table[i].authorization, *k = table[i].key;
    const char *r = table[i].range;

    spec.authorization = a;
    spec.idempotency_key = k;
    spec.range = r;
    fr_call_free(run(w, &spec, FR_OK));
    snprintf(lines, sizeof(lines), "%s%s%s%s%s%s\r\n\r\n",
             a ? "\r\nAuthorization: " : "", a ? a : "",
             k ? "\r\nIdempotency-Key: " : "", k ? k : "",
             r ? "\r\nRange: " : "", r ? r : "");
    assert_non_null(strstr(w->peer.text, lines));
    assert_int_equal(strstr(w->peer.text, "Authorization") != NULL,
                     a != NULL);
    assert_int_equal(strstr(w->peer.text, "Idempotency") != NULL, k != NULL);
  }
  assert_int_equal(w->peer.accepted, 1);
}

/* The first URL is parsed whole, the others change its path. */
static void test_urls_of_one_host_stay_apart(void **state)
{
  static const struct { const char *url, *line; } table[] = {
    { "/v1/a?x=1&y=a@b", "GET /v1/a?x=1&y=a@b HTTP" },
    { "/v1/b", "GET /v1/b HTTP" }, { "/", "GET / HTTP" },
    { "", "GET / HTTP" }, { "?q=2", "GET /?q=2 HTTP" },
    { "/v1/c?", "GET /v1/c" }, { "/v1/../d", "GET /d HTTP" },
    { "/%2e%2E/e?z", "GET /" }, { "/f#g", "GET /f HTTP" },
  };
  static const struct peer_reply replies[] = { { .text = OK_4 } };
  struct world *w = *state;
  char base[64];
  size_t i, k;

  ANSWER(replies);
  snprintf(base, sizeof(base), "http://127.0.0.1:%u", w->peer.port);
  for (k = 0; k < 2; k++) {
    for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
      snprintf(w->url, sizeof(w->url), "%s%s", base, table[i].url);
      expect(w, FR_OK);
      assert_ptr_equal(strstr(w->peer.text, table[i].line), w->peer.text);
    }
  }
}

static void test_a_url_with_a_user_is_refused_later_too(void **state)
{
  static const struct peer_reply replies[] = { { .text = OK_4 } };
  struct world *w = *state;
  struct fr_call_spec spec = spec_of(w);
  struct fr_call *call;
  char url[96];

  ANSWER(replies);
  expect(w, FR_OK);
  snprintf(url, sizeof(url), "http://me:you@127.0.0.1:%u/v1/x",
           w->peer.port);
  spec.url = url;
  assert_int_equal(fr_call_new(w->http, &spec, &call), FR_EINVALID);
}

/* Not taken as relative to the URL that the handle had. */
static void test_a_relative_url_is_refused_later_too(void **state)
{
  static const struct peer_reply replies[] = { { .text = OK_4 } };
  static const char *const urls[] = { "/v1/y", "y", "//127.0.0.1/y", "?y" };
  struct world *w = *state;
  struct fr_call_spec spec = spec_of(w);
  struct fr_call *call;
  size_t i;

  ANSWER(replies);
  for (i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
    expect(w, FR_OK);
    spec.url = urls[i];
    assert_int_equal(fr_call_new(w->http, &spec, &call), FR_EINVALID);
  }
  expect(w, FR_OK);
  assert_ptr_equal(strstr(w->peer.text, "GET /v1/x HTTP"), w->peer.text);
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

int main(void)
{
  const struct CMUnitTest tests[] = {
    TEST(request_carries_what_the_spec_says),
    TEST(nothing_of_a_call_is_left_for_the_next),
    TEST(a_handle_that_is_used_again_forgets),
    TEST(headers_are_those_of_this_call),
    TEST(urls_of_one_host_stay_apart),
    TEST(a_url_with_a_user_is_refused_later_too),
    TEST(a_relative_url_is_refused_later_too),
    TEST(post_without_a_body_says_so),
    TEST(head_waits_for_no_body),
    TEST(environment_names_no_proxy),
    TEST(configured_proxy_is_used),
    TEST(netrc_is_not_read),
    TEST(cookies_do_not_come_back),
    TEST(read_only_sends_nothing_that_changes),
  };

  return cmocka_run_group_tests_name("http/handle", tests, NULL, NULL);
}
