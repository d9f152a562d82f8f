/* Where a request may go, and where never. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "net/place.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct state {
  struct fr_places places;
  struct fr_buf url, why;
};

static int set_up(void **state)
{
  static struct state s;

  memset(&s, 0, sizeof(s));
  fr_buf_init(&s.url, 4096);
  fr_buf_init(&s.why, 1024);
  assert_int_equal(fr_places_forbid(&s.places, "http://127.0.0.1:8123"),
                   FR_OK);
  *state = &s;
  return 0;
}

static int tear_down(void **state)
{
  struct state *s = *state;

  fr_buf_done(&s->url);
  fr_buf_done(&s->why);
  return 0;
}

static void check_url(struct state *s, const char *url, const char *expected)
{
  fr_buf_clear(&s->why);
  if (fr_places_check(&s->places, url, &s->url, &s->why))
    fail_msg("%s: %s", url, fr_buf_text(&s->why));
  assert_string_equal(fr_buf_text(&s->url), expected);
}

static void test_what_is_asked(void **state)
{
  static const char *const rows[][2] = {
    { "https://hooks.slack.com/a/b?c=d",
      "https://hooks.slack.com:443/a/b?c=d" },
    { "HTTPS://Hooks.Slack.COM:443/a", "https://hooks.slack.com:443/a" },
    { "https://hooks.slack.com?c", "https://hooks.slack.com:443/?c" },
    { "https://hooks.slack.com", "https://hooks.slack.com:443/" },
    { "https://alerts.example:8443/x", "https://alerts.example:8443/x" },
    { "http://127.0.0.1:9000/x", "http://127.0.0.1:9000/x" },
    { "http://[::1]:9001/x", "http://[::1]:9001/x" },
  };
  struct state *s = *state;

  assert_int_equal(fr_places_add(&s->places, "hooks.slack.com, "
    "ALERTS.example:8443 ,127.0.0.1:9000,[::1]:9001,", &s->why), FR_OK);
  assert_int_equal(s->places.count, 4);
  for (size_t i = 0; i < COUNT(rows); i++)
    check_url(s, rows[i][0], rows[i][1]);
}

static void test_what_is_not_asked(void **state)
{
  static const char *const bad[] = {
    "", "x", "hooks.slack.com/a", "http://hooks.slack.com/a",
    "ftp://hooks.slack.com/a", "file:///etc/passwd",
    "https://hooks.slack.com:444/a", "https://slack.com/a",
    "https://x.hooks.slack.com/a", "https://hooks.slack.com.evil.example/a",
    "https://hooks.slack.com./a", "https://hooks.slack.com@evil.example/a",
    "https://evil.example@hooks.slack.com/a",
    "https://u:p@hooks.slack.com/a", "https://hooks.slack.com\\@evil.example",
    "https://evil.example/hooks.slack.com", "https://hooks.slack.com/a#b",
    "https://hooks.slack.com/a b", "https://hooks.slack.com/a\r\nHost: b",
    "http://127.0.0.1:9001/x", "http://127.0.0.2:9000/x",
    "http://localhost:9000/x", "https://127.0.0.1/x",
    "https://api.fal.ai/v1", "https://fal.ai/", "https://queue.fal.run/x",
    "https://v3.fal.media/x", "https://fal.media/x",
    "http://127.0.0.1:8123/v1", "http://localhost:8123/v1",
    "http://[::1]:8123/v1", "http://127.9.9.9:8123/v1",
  };
  struct state *s = *state;

  assert_int_equal(fr_places_add(&s->places, "hooks.slack.com,127.0.0.1:9000",
                                 &s->why), FR_OK);
  for (size_t i = 0; i < COUNT(bad); i++) {
    fr_buf_clear(&s->why);
    if (fr_places_check(&s->places, bad[i], &s->url, &s->why) != FR_ECONFIG)
      fail_msg("it was taken: %s", bad[i]);
    assert_true(s->why.len > 0);
  }
}

static void test_nobody_was_allowed(void **state)
{
  struct state *s = *state;

  assert_int_equal(fr_places_check(NULL, "https://a.example/x", &s->url,
                                   &s->why), FR_ECONFIG);
  assert_non_null(strstr(fr_buf_text(&s->why), "--allow-net a.example"));
  assert_null(strstr(fr_buf_text(&s->why), "--allow-net a.example:"));
  assert_int_equal(fr_places_check(NULL, "https://a.example:44/x", &s->url,
                                   &s->why), FR_ECONFIG);
  assert_non_null(strstr(fr_buf_text(&s->why), "--allow-net a.example:44"));
}

static void test_lists_that_are_wrong(void **state)
{
  static const char *const bad[] = {
    "https://a.example", "a.example/x", "a@b.example", "*.example", "*",
    "a.example?", "a b.example", "..", "a..example", ".example", "example.",
    "api.fal.ai", "API.FAL.AI", "x.fal.run:99", "fal.media",
    "127.0.0.1:8123", "localhost:8123", "[::1]:8123", "a.example:99999",
    "a.example:", "ok.example,api.fal.ai",
  };
  struct state *s = *state;

  for (size_t i = 0; i < COUNT(bad); i++) {
    fr_buf_clear(&s->why);
    if (!fr_places_add(&s->places, bad[i], &s->why) &&
        strcmp(bad[i], "a.example:") != 0)
      fail_msg("it was taken: %s", bad[i]);
  }
}

static void test_a_sandbox_that_came_later(void **state)
{
  struct state *s = *state;

  assert_int_equal(fr_places_add(&s->places, "127.0.0.1:7000", &s->why),
                   FR_OK);
  check_url(s, "http://127.0.0.1:7000/v1", "http://127.0.0.1:7000/v1");
  assert_int_equal(fr_places_forbid(&s->places, "http://127.0.0.1:7000/v1"),
                   FR_OK);
  assert_int_equal(fr_places_check(&s->places, "http://127.0.0.1:7000/v1",
                                   &s->url, &s->why), FR_ECONFIG);
}

static void test_a_path_is_not_shown(void **state)
{
  struct state *s = *state;

  fr_place_words("https://hooks.slack.com/services/T0/B0/secret", &s->url);
  assert_string_equal(fr_buf_text(&s->url), "https://hooks.slack.com");
  fr_place_words("nonsense secret", &s->url);
  assert_null(strstr(fr_buf_text(&s->url), "secret"));
}

static void test_too_many(void **state)
{
  struct state *s = *state;

  for (unsigned i = 0; i < FR_PLACES_MOST; i++)
    assert_int_equal(fr_places_add(&s->places, "a.example", &s->why), FR_OK);
  assert_int_equal(fr_places_add(&s->places, "a.example", &s->why),
                   FR_ECONFIG);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
    TEST(test_what_is_asked), TEST(test_what_is_not_asked),
    TEST(test_nobody_was_allowed), TEST(test_lists_that_are_wrong),
    TEST(test_a_sandbox_that_came_later), TEST(test_a_path_is_not_shown),
    TEST(test_too_many),
  };

  return cmocka_run_group_tests_name("net/place", tests, NULL, NULL);
}
