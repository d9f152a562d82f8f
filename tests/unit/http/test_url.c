/* tests/unit/http/test_url.c - URLs taken apart and escaped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "http/http.h"

struct row {
  const char *text, *scheme, *host;
  unsigned port;
  const char *path;
};

static void test_parts(void **state)
{
  static const struct row rows[] = {
    { "https://api.fal.ai/v1", "https", "api.fal.ai", 443, "/v1" },
    { "https://API.Fal.AI/v1/", "https", "api.fal.ai", 443, "/v1" },
    { "http://127.0.0.1:8080", "http", "127.0.0.1", 8080, "" },
    { "http://localhost/", "http", "localhost", 80, "" },
    { "HTTP://[::1]:81/a/b//", "http", "::1", 81, "/a/b" },
    { "http://127.1/", "http", "127.0.0.1", 80, "" },
    { "ftp://host/x", "ftp", "host", 21, "/x" },
    { "https://host/a/:///b", "https", "host", 443, "/a/:///b" }
  };

  (void)state;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    struct fr_url url;

    assert_int_equal(fr_url_parse(rows[i].text, &url), FR_OK);
    assert_string_equal(url.scheme, rows[i].scheme);
    assert_string_equal(url.host, rows[i].host);
    assert_int_equal(url.port, rows[i].port);
    assert_string_equal(url.path, rows[i].path);
    assert_false(url.has_user || url.has_query || url.has_fragment);
  }
}

static void test_extras_are_noted(void **state)
{
  struct fr_url url;

  (void)state;
  assert_int_equal(fr_url_parse("https://me@host/", &url), FR_OK);
  assert_true(url.has_user);
  assert_int_equal(fr_url_parse("https://:pw@host/", &url), FR_OK);
  assert_true(url.has_user);
  assert_string_equal(url.host, "host");
  assert_int_equal(fr_url_parse("https://host/?a=b", &url), FR_OK);
  assert_true(url.has_query && !url.has_user && !url.has_fragment);
  assert_int_equal(fr_url_parse("https://host/#a", &url), FR_OK);
  assert_true(url.has_fragment && !url.has_query);
}

static void test_refused(void **state)
{
  static const char *const bad[] = {
    "", "api.fal.ai", "https://", "https:///v1", "https://a b/",
    "https://host/\n", "https://host\t/", "https://host:0x50/",
    "https://host:65536/", "https://host\\@evil/", "https://h\xc3\xb6st/",
    " https://host/", "averylongscheme://host/", "https://[::1/"
  };
  char longest[2600] = "https://host/";
  struct fr_url url = { .port = 7 };

  (void)state;
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
    assert_int_equal(fr_url_parse(bad[i], &url), FR_EINVALID);
  memset(longest + 13, 'a', sizeof(longest) - 14);
  assert_int_equal(fr_url_parse(longest, &url), FR_EINVALID);
  assert_int_equal(url.port, 7);        /* untouched on failure */
}

static void test_escaping(void **state)
{
  struct fr_buf buf;

  (void)state;
  fr_buf_init(&buf, 100);
  assert_int_equal(fr_url_add_escaped(&buf, "aZ09-._~", 8), FR_OK);
  assert_string_equal(fr_buf_text(&buf), "aZ09-._~");
  fr_buf_clear(&buf);
  assert_int_equal(fr_url_add_escaped(&buf, "a/b c&=\0\xc3\xa9%+", 12),
                   FR_OK);
  assert_string_equal(fr_buf_text(&buf),
                      "a%2Fb%20c%26%3D%00%C3%A9%25%2B");
  fr_buf_done(&buf);
  fr_buf_init(&buf, 4);
  assert_int_equal(fr_url_add_escaped(&buf, "//", 2), FR_ETOO_BIG);
  fr_buf_done(&buf);
}

static void test_version(void **state)
{
  (void)state;
  assert_non_null(strstr(fr_http_version(), "OpenSSL/"));
  assert_in_range(fr_http_version()[0], '7', '9');
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_parts),
    cmocka_unit_test(test_extras_are_noted),
    cmocka_unit_test(test_refused),
    cmocka_unit_test(test_escaping),
    cmocka_unit_test(test_version),
  };

  return cmocka_run_group_tests_name("http/url", tests, NULL, NULL);
}
