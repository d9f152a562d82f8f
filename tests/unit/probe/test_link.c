/* Which links may be asked, and what is asked for them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "probe/link.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_links_of_the_cdn(void **state)
{
  static const char *const good[] = {
    "https://v3.fal.media/files/b/0a1b2c3d/output.png",
    "https://v3b.fal.media/files/x.png", "https://fal.media/files/a.mp4",
    "https://v2.fal.media/x?token=1&b=2", "https://V3.FAL.MEDIA/x",
    "https://v3.fal.media:443/x", "https://v3.fal.media/a..b/c.",
    "https://v3.fal.media/files/%C3%A9.png",
  };

  (void)state;
  for (size_t i = 0; i < COUNT(good); i++)
    assert_null(fr_link_fault(good[i]));
}

static void test_links_of_others(void **state)
{
  static const char *const bad[] = {
    "", "x", "v3.fal.media/x", "http://v3.fal.media/x",
    "ftp://v3.fal.media/x", "file:///etc/passwd", "https://evil.example/x",
    "https://fal.media.evil.example/x", "https://evilfal.media/x",
    "https://evil.example/fal.media/x", "https://evil.example?fal.media/x",
    "https://fal.media@evil.example/x", "https://evil.example@fal.media/x",
    "https://u:p@v3.fal.media/x", "https://.fal.media/x",
    "https://a..fal.media/x", "https://v3.fal.media:8443/x",
    "https://v3.fal.media", "https://v3.fal.media?x", "https:///v3.fal.media",
    "https://v3.fal.media\\@evil.example/x", "https://v3.fal.media/x y",
    "https://v3.fal.media/x\r\nHost: evil", "https://v3.fal.media/x#y",
    "https://v3.fal.media/x#",
    "https://127.0.0.1/x", "https://[::1]/x", "https://localhost/x",
    "https://api.fal.ai/v1/models", "https://queue.fal.run/x",
    "https://v3.fal.media/../x", "https://v3.fal.media/a/./x",
    "https://v3.fal.media/a/%2e%2E/x", "https://v3.fal.media/a/..",
    "https://v3.fal.media./x", "https://v3\xc2\xadx.fal.media/x",
    "https://v3.fal.media%2eevil.example/x", "data:image/png;base64,AAAA",
    "https://v3.fal.media/Key%20***************",
  };
  char longest[2100] = "https://v3.fal.media/";

  (void)state;
  for (size_t i = 0; i < COUNT(bad); i++)
    if (!fr_link_fault(bad[i]))
      fail_msg("it was taken: %s", bad[i]);
  memset(longest + 21, 'a', 2047 - 21);
  assert_null(fr_link_fault(longest));
  longest[2047] = 'a';
  assert_non_null(fr_link_fault(longest));
}

static void test_what_is_asked(void **state)
{
  static const struct {
    const char *link, *base, *unique, *url;
  } rows[] = {
    { "https://V3.fal.media/a.png", NULL, NULL,
      "https://v3.fal.media/a.png" },
    { "https://v3.fal.media:443/a.png", NULL, "07",
      "https://v3.fal.media/a.png?falrun=07" },
    { "https://v3.fal.media/a?b=c", NULL, "07",
      "https://v3.fal.media/a?b=c&falrun=07" },
    { "https://v3.fal.media/a?b=c", "http://127.0.0.1:8/cdn", NULL,
      "http://127.0.0.1:8/cdn/a?b=c" },
    { "https://fal.media/a", "http://127.0.0.1:8/cdn", "07",
      "http://127.0.0.1:8/cdn/a?falrun=07" },
  };
  struct fr_buf url;

  (void)state;
  fr_buf_init(&url, 4096);
  for (size_t i = 0; i < COUNT(rows); i++) {
    assert_int_equal(fr_link_url(rows[i].link, rows[i].base, rows[i].unique,
                                 &url), FR_OK);
    assert_string_equal(fr_buf_text(&url), rows[i].url);
  }
  fr_buf_done(&url);
}

static void test_the_base(void **state)
{
  static const char *const good[] = {
    "http://127.0.0.1:8123/cdn", "https://localhost:1/x", "http://[::1]:2",
  };
  static const char *const bad[] = {
    "", "http://127.0.0.1:8123/cdn/", "https://v3.fal.media",
    "http://10.0.0.1/x", "http://127.0.0.1.evil.example",
    "http://u@127.0.0.1/x", "http://127.0.0.1/x?y", "127.0.0.1",
    "http://127.0.0.1/x#y", "http://127.0.0.1/x/..",
  };
  struct fr_buf why;

  (void)state;
  fr_buf_init(&why, 512);
  for (size_t i = 0; i < COUNT(good); i++)
    assert_int_equal(fr_link_check_base(good[i], &why), FR_OK);
  assert_int_equal(why.len, 0);
  for (size_t i = 0; i < COUNT(bad); i++)
    assert_int_equal(fr_link_check_base(bad[i], &why), FR_ECONFIG);
  assert_non_null(strstr(fr_buf_text(&why), "FALRUN_CDN_URL"));
  fr_buf_done(&why);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_links_of_the_cdn),
    cmocka_unit_test(test_links_of_others),
    cmocka_unit_test(test_what_is_asked),
    cmocka_unit_test(test_the_base),
  };

  return cmocka_run_group_tests_name("probe/link", tests, NULL, NULL);
}
