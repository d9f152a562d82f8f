/* tests/unit/base/test_httpdate.c - the three forms of RFC 9110, 5.6.7. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/date.h"

static int64_t time_of(const char *text)
{
  int64_t at = INT64_MIN;

  if (fr_date_parse_http(text, strlen(text), &at))
    fail_msg("refused: %s", text);
  return at;
}

static void refuse(const char *text, size_t len)
{
  int64_t at = 42;

  if (fr_date_parse_http(text, len, &at) != FR_EINVALID || at != 42)
    fail_msg("accepted: %s", text);
}

static void three_forms_are_one_time(void **state)
{
  (void)state;
  assert_true(time_of("Sun, 06 Nov 1994 08:49:37 GMT") ==
              INT64_C(784111777000));
  assert_true(time_of("Sunday, 06-Nov-94 08:49:37 GMT") ==
              INT64_C(784111777000));
  assert_true(time_of("Sun Nov  6 08:49:37 1994") == INT64_C(784111777000));
  assert_true(time_of("Wed Nov 16 08:49:37 1994") == INT64_C(784975777000));
}

static void every_month_has_its_name(void **state)
{
  static const char *const names[] = { "Jan", "Feb", "Mar", "Apr", "May",
                                       "Jun", "Jul", "Aug", "Sep", "Oct",
                                       "Nov", "Dec" };
  char text[64], same[64];

  (void)state;
  for (int i = 0; i < 12; i++) {
    int64_t at;

    snprintf(text, sizeof(text), "Mon, 07 %s 2025 00:00:00 GMT", names[i]);
    snprintf(same, sizeof(same), "2025-%02d-07", i + 1);
    assert_int_equal(fr_date_parse(same, strlen(same), &at), FR_OK);
    assert_true(time_of(text) == at);
  }
}

static void every_weekday_has_its_name(void **state)
{
  static const char *const names[] = {
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
    "Sunday",
  };
  char text[64];

  (void)state;
  for (int i = 0; i < 7; i++) {
    int64_t at = INT64_C(1767312000000);        /* 2026-01-02 */

    snprintf(text, sizeof(text), "%s, 02-Jan-26 00:00:00 GMT", names[i]);
    assert_true(time_of(text) == at);
    snprintf(text, sizeof(text), "%.3s, 02 Jan 2026 00:00:00 GMT", names[i]);
    assert_true(time_of(text) == at);
    snprintf(text, sizeof(text), "%.3s Jan  2 00:00:00 2026", names[i]);
    assert_true(time_of(text) == at);
  }
}

static void two_digits_are_1970_to_2069(void **state)
{
  (void)state;
  assert_true(time_of("Thursday, 01-Jan-70 00:00:00 GMT") == 0);
  assert_true(time_of("Tuesday, 31-Dec-69 23:59:59 GMT") ==
              INT64_C(3155759999000));
}

static void what_is_none_is_refused(void **state)
{
  static const char *const bad[] = {
    "", ",", ", ", "Sun,", "Sun, ", "Sunday, ", "0", "-1",
    "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 06 Nov 1994 08:49:37 gmt",
    "Sun, 06 Nov 1994 08:49:37 +0000", "Sun, 06 Nov 1994 08:49:37",
    "Sun, 06 Nov 1994 08:49:37 GMT ", " Sun, 06 Nov 1994 08:49:37 GMT",
    "Sun, 6 Nov 1994 08:49:37 GMT", "Sun,  6 Nov 1994 08:49:37 GMT",
    "Sun, 06 nov 1994 08:49:37 GMT", "Sun, 06 Foo 1994 08:49:37 GMT",
    "Sun, 06 anF 1994 08:49:37 GMT",            /* inside "JanFeb" */
    "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 31 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 1969 08:49:37 GMT", "Sun, 06 Nov 94 08:49:37 GMT",
    "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08:60:37 GMT",
    "Sun, 06 Nov 1994 08:49:60 GMT", "Sun, 06 Nov 1994 8:49:37 GMT",
    "Sun, 06-Nov-1994 08:49:37 GMT", "Sun, 06 Nov 199x 08:49:37 GMT",
    "sun, 06 Nov 1994 08:49:37 GMT", "Foo, 06 Nov 1994 08:49:37 GMT",
    "Su, 06 Nov 1994 08:49:37 GMT", "x\x01z, 06 Nov 1994 08:49:37 GMT",
    "Sunday, 06 Nov 94 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 UTC",
    "Sunday, 6-Nov-94 08:49:37 GMT", "Sundax, 06-Nov-94 08:49:37 GMT",
    "Sundays, 06-Nov-94 08:49:37 GMT", "Sunday, 06-Nov-9x 08:49:37 GMT",
    "Sunday, 06-Nov-94 08:49:37 GMT ", "Sunday, 06-Nov--4 08:49:37 GMT",
    "Sun Nov 6 08:49:37 1994", "Sun Nov  6 08:49:37 1994 GMT",
    "Sun Nov 006 08:49:37 194", "Foo Nov  6 08:49:37 1994",
    "Sun Nov  6 08:49:37 94  ", "Sun Nov    08:49:37 1994",
    "2026-01-02T03:04:05Z",
  };

  (void)state;
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
    refuse(bad[i], strlen(bad[i]));
  refuse("Sun, 06 Nov 1994 08:49\0" "37 GMT", 29);
  refuse("Sun, 06 Nov 19\0" "4 08:49:37 GMT", 29);
}

/* No byte of any form may be another. */
static void every_byte_is_looked_at(void **state)
{
  static const char *const forms[] = {
    "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
    "Sun Nov  6 08:49:37 1994",
  };
  static const char others[] = { 0, 1, '#', '-', ',', ' ', 'x', '\xff' };
  char text[40];

  (void)state;
  for (size_t i = 0; i < 3; i++)
    for (size_t at = 0; at < strlen(forms[i]); at++)
      for (size_t j = 0; j < sizeof(others); j++) {
        memcpy(text, forms[i], strlen(forms[i]) + 1);
        if (text[at] == others[j])
          continue;
        text[at] = others[j];
        refuse(text, strlen(forms[i]));
      }
}

/* A copy without a NUL, of the exact length: ASan watches the ends. */
static void every_cut_is_refused(void **state)
{
  static const char *const forms[] = {
    "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
    "Sun Nov  6 08:49:37 1994",
  };

  (void)state;
  for (size_t i = 0; i < 3; i++)
    for (size_t len = 1; len < strlen(forms[i]); len++) {
      char *copy = malloc(len);
      int64_t at;

      assert_non_null(copy);
      memcpy(copy, forms[i], len);
      assert_int_equal(fr_date_parse_http(copy, len, &at), FR_EINVALID);
      free(copy);
    }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(three_forms_are_one_time),
    cmocka_unit_test(every_month_has_its_name),
    cmocka_unit_test(every_weekday_has_its_name),
    cmocka_unit_test(two_digits_are_1970_to_2069),
    cmocka_unit_test(what_is_none_is_refused),
    cmocka_unit_test(every_byte_is_looked_at),
    cmocka_unit_test(every_cut_is_refused),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
