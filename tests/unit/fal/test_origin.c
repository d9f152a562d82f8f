/* tests/unit/fal/test_origin.c - which URLs keys may be sent to. */
#include "tests/unit/fal/support.h"

#include "fal/origin.h"

static void good_urls(void **state)
{
  static const struct { const char *url, *base, *name; } table[] = {
    { FR_ORIGIN_DEFAULT, "https://api.fal.ai/v1", "https://api.fal.ai" },
    { "https://api.fal.ai/v1/", "https://api.fal.ai/v1",
      "https://api.fal.ai" },
    { "https://api.fal.ai/v1///", "https://api.fal.ai/v1",
      "https://api.fal.ai" },
    { "https://api.fal.ai", "https://api.fal.ai", "https://api.fal.ai" },
    { "HTTPS://API.Fal.AI:443/v1", "https://api.fal.ai/v1",
      "https://api.fal.ai" },
    { "https://proxy.corp:8443/fal/v1", "https://proxy.corp:8443/fal/v1",
      "https://proxy.corp:8443" },
    { "http://127.0.0.1:8080/v1", "http://127.0.0.1:8080/v1",
      "http://127.0.0.1:8080" },
    { "http://127.9.8.7/v1", "http://127.9.8.7/v1", "http://127.9.8.7" },
    { "http://localhost:1/v1", "http://localhost:1/v1",
      "http://localhost:1" },
    { "http://[::1]:8080/v1", "http://[::1]:8080/v1", "http://[::1]:8080" },
    { "https://[2001:db8::1]/v1", "https://[2001:db8::1]/v1",
      "https://[2001:db8::1]" },
  };
  struct fr_buf why;
  size_t i;

  (void)state;
  fr_buf_init(&why, 512);
  for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
    struct fr_origin origin;

    if (fr_origin_parse(table[i].url, &why, &origin))
      fail_msg("%s: %s", table[i].url, fr_buf_text(&why));
    assert_string_equal(origin.base, table[i].base);
    assert_string_equal(origin.name, table[i].name);
  }
  assert_int_equal(why.len, 0);
  fr_buf_done(&why);
}

static void bad_urls(void **state)
{
  static const struct { const char *url, *says; } table[] = {
    { "", "empty" },
    { "api.fal.ai/v1", "https://" },
    { "ftp://api.fal.ai/v1", "scheme" },
    { "file:///etc/passwd", "" },
    { "http://api.fal.ai/v1", "loopback" },
    { "http://10.0.0.1/v1", "loopback" },
    { "http://localhost.evil.com/v1", "loopback" },
    { "http://127.0.0.1.evil.com/v1", "loopback" },
    { "http://127.evil.com/v1", "loopback" },
    { "http://[::2]/v1", "loopback" },
    { "http://0.0.0.0/v1", "loopback" },
    { "https://user@api.fal.ai/v1", "user" },
    { "https://user:hunter22@api.fal.ai/v1", "user" },
    { "http://127.0.0.1@evil.com/v1", "user" },
    { "https://api.fal.ai/v1?x=1", "query" },
    { "https://api.fal.ai/v1?", "query" },
    { "https://api.fal.ai/v1#x", "fragment" },
    { "https://api.fal.ai/v1#", "fragment" },
    { "https://api.fal.ai/v 1", "blank" },
    { " https://api.fal.ai/v1", "blank" },
    { "https://api.fal.ai/v1\n", "blank" },
    { "https://api.fal.ai\t/v1", "blank" },
    { "https://api.fal.ai\\@evil.com/v1", "character" },
    { "https://b\xc3\xbc" "cher.example/v1", "character" },
    { "https://v3%fal.media/v1", "host" },
    { "https://api.fal.ai%00/v1", "" },
    { "https:///v1", "" },
    { "https://", "" },
    { "https://api.fal.ai:99999/v1", "" },
    { "https://api.fal.ai:x/v1", "" },
  };
  struct fr_buf why;
  size_t i;

  (void)state;
  fr_buf_init(&why, 512);
  for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
    struct fr_origin origin = { "untouched", "" };

    fr_buf_clear(&why);
    if (fr_origin_parse(table[i].url, &why, &origin) != FR_ECONFIG)
      fail_msg("%s was accepted", table[i].url);
    assert_string_equal(origin.base, "untouched");
    if (!strstr(fr_buf_text(&why), table[i].says))
      fail_msg("%s: %s", table[i].url, fr_buf_text(&why));
    assert_non_null(strstr(fr_buf_text(&why), FR_ORIGIN_DEFAULT));
    assert_null(strstr(fr_buf_text(&why), "hunter22"));
  }
  fr_buf_done(&why);
}

static void long_urls(void **state)
{
  char url[4096] = "https://api.fal.ai/";
  struct fr_origin origin;
  struct fr_buf why;

  (void)state;
  fr_buf_init(&why, 512);
  memset(url + strlen(url), 'a', sizeof(url) - strlen(url) - 1);
  url[sizeof(url) - 1] = '\0';
  assert_int_equal(fr_origin_parse(url, &why, &origin), FR_ECONFIG);
  assert_true(why.len > 0);
  fr_buf_done(&why);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(good_urls),
    cmocka_unit_test(bad_urls),
    cmocka_unit_test(long_urls),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
