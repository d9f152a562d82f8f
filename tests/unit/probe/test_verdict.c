/* What two answers of a CDN mean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "probe/verdict.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LOST(err) { FR_E##err, 0 }
#define HTTP(status) { FR_OK, status }

static void test_every_pair(void **state)
{
  static const struct {
    struct fr_cdn_answer plain, busting;
    const char *seen, *why;
  } rows[] = {
    { HTTP(404), HTTP(404), "gone", "" },
    { HTTP(410), HTTP(404), "gone", "" },
    { HTTP(206), HTTP(206), "there", "" },
    { HTTP(200), HTTP(200), "there", "" },
    { HTTP(416), HTTP(416), "there", "" },
    { HTTP(206), HTTP(404), "cached", "" },
    { HTTP(200), HTTP(410), "cached", "" },
    { HTTP(404), HTTP(206), "there", "" },      /* a negative cache */
    { HTTP(206), HTTP(503), "there", "" },
    { HTTP(503), HTTP(206), "there", "" },
    { HTTP(404), HTTP(503), "unknown", "HTTP 503" },
    { HTTP(404), HTTP(403), "unknown", "HTTP 403: forbidden is not gone" },
    { HTTP(403), HTTP(404), "unknown", "HTTP 403: forbidden is not gone" },
    { HTTP(403), HTTP(403), "unknown", "HTTP 403: forbidden is not gone" },
    { HTTP(401), HTTP(401), "unknown", "HTTP 401: forbidden is not gone" },
    { HTTP(302), HTTP(404), "unknown",
      "HTTP 302, a redirect, which is not followed" },
    { HTTP(404), HTTP(301), "unknown",
      "HTTP 301, a redirect, which is not followed" },
    { HTTP(204), HTTP(204), "unknown", "HTTP 204" },
    { HTTP(400), HTTP(400), "unknown", "HTTP 400" },
    { HTTP(429), HTTP(429), "unknown", "HTTP 429" },
    { LOST(TIMEOUT), LOST(TIMEOUT), "unknown", "timeout" },
    { HTTP(404), LOST(DROPPED), "unknown", "dropped" },
    { LOST(TLS), HTTP(404), "unknown", "tls" },
    /* a status that came with a failure of the transport proves nothing */
    { { FR_EDROPPED, 404 }, { FR_EDROPPED, 404 }, "unknown", "dropped" },
    { { FR_EDROPPED, 206 }, HTTP(404), "unknown", "dropped" },
  };
  char why[96];

  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++) {
    assert_string_equal(fr_seen_name(fr_seen_judge(&rows[i].plain,
                          &rows[i].busting, why, sizeof(why))),
                        rows[i].seen);
    assert_string_equal(why, rows[i].why);
  }
}

static void test_what_is_asked_again(void **state)
{
  static const struct fr_cdn_answer again[] = {
    HTTP(429), HTTP(500), HTTP(503), LOST(DROPPED), LOST(CONNECT),
    LOST(RESOLVE),
  };
  static const struct fr_cdn_answer not[] = {
    HTTP(200), HTTP(206), HTTP(404), HTTP(403), HTTP(302), LOST(TIMEOUT),
    LOST(TLS), LOST(PROTOCOL),
  };

  (void)state;
  for (size_t i = 0; i < COUNT(again); i++)
    assert_true(fr_seen_transient(&again[i]));
  for (size_t i = 0; i < COUNT(not); i++)
    assert_false(fr_seen_transient(&not[i]));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_every_pair),
    cmocka_unit_test(test_what_is_asked_again),
  };

  return cmocka_run_group_tests_name("probe/verdict", tests, NULL, NULL);
}
