/* tests/unit/base/test_date.c - times in and out. Expected values are those
 * of date(1) and Python, not of the code under test. */
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

  if (fr_date_parse(text, strlen(text), &at))
    fail_msg("refused: %s", text);
  return at;
}

static void refuse(const char *text, size_t len)
{
  int64_t at = 42;

  if (fr_date_parse(text, len, &at) != FR_EINVALID || at != 42)
    fail_msg("accepted: %s", text);
}

static void known_times(void **state)
{
  (void)state;
  assert_true(time_of("1970-01-01T00:00:00Z") == 0);
  assert_true(time_of("1970-01-01") == 0);
  assert_true(time_of("2026-01-02T03:04:05Z") == INT64_C(1767323045000));
  assert_true(time_of("2026-01-02") == INT64_C(1767312000000));
  assert_true(time_of("2000-02-29T23:59:59Z") == INT64_C(951868799000));
  assert_true(time_of("2038-01-19T03:14:08Z") == INT64_C(2147483648000));
  assert_true(time_of("9999-12-31T23:59:59.999Z") ==
              INT64_C(253402300799999));
}

static void rfc_3339_allows_case_and_blank(void **state)
{
  int64_t at = time_of("2026-01-02T03:04:05Z");

  (void)state;
  assert_true(time_of("2026-01-02t03:04:05z") == at);
  assert_true(time_of("2026-01-02 03:04:05Z") == at);
}

static void fractions_count_to_the_millisecond(void **state)
{
  int64_t at = time_of("2026-01-02T03:04:05Z");

  (void)state;
  assert_true(time_of("2026-01-02T03:04:05.6Z") == at + 600);
  assert_true(time_of("2026-01-02T03:04:05.06Z") == at + 60);
  assert_true(time_of("2026-01-02T03:04:05.678Z") == at + 678);
  assert_true(time_of("2026-01-02T03:04:05.678999Z") == at + 678);
  assert_true(time_of("2026-01-02T03:04:05.000000001Z") == at);
  refuse("2026-01-02T03:04:05.Z", 21);
  refuse("2026-01-02T03:04:05.0000000001Z", 31);
  refuse("2026-01-02T03:04:05,678Z", 24);
}

static void offsets_lead_to_utc(void **state)
{
  int64_t at = time_of("2026-01-02T03:04:05Z");

  (void)state;
  assert_true(time_of("2026-01-02T03:04:05+00:00") == at);
  assert_true(time_of("2026-01-02T03:04:05-00:00") == at);
  assert_true(time_of("2026-01-02T05:04:05+02:00") == at);
  assert_true(time_of("2026-01-01T21:34:05-05:30") == at);
  assert_true(time_of("2026-01-02T08:49:05.5+05:45") == at + 500);
  refuse("2026-01-02T03:04:05+24:00", 25);
  refuse("2026-01-02T03:04:05+00:60", 25);
  refuse("2026-01-02T03:04:05+0000", 24);
  refuse("2026-01-02T03:04:05+00", 22);
  refuse("2026-01-02T03:04:05", 19);
}

static void the_range_holds_after_the_offset(void **state)
{
  (void)state;
  assert_true(time_of("1970-01-01T01:00:00+01:00") == 0);
  refuse("1970-01-01T00:59:59+01:00", 25);
  refuse("9999-12-31T23:59:59-00:01", 25);
  refuse("1969-12-31T23:59:59Z", 20);
  refuse("1969-12-31T23:59:59-12:00", 25);
  refuse("0000-01-01", 10);
}

static void leap_years(void **state)
{
  (void)state;
  assert_true(time_of("2024-02-29") == INT64_C(1709164800000));
  assert_true(time_of("2000-02-29") == INT64_C(951782400000));
  assert_true(time_of("2100-03-01") - time_of("2100-02-28") ==
              INT64_C(86400000));
  refuse("2023-02-29", 10);
  refuse("2100-02-29", 10);
  refuse("2024-02-30", 10);
}

static void what_no_calendar_or_clock_shows(void **state)
{
  static const char *const bad[] = {
    "2026-00-01", "2026-13-01", "2026-01-00", "2026-01-32", "2026-04-31",
    "2026-06-31", "2026-09-31", "2026-11-31",
    "2026-01-02T24:00:00Z", "2026-01-02T23:60:00Z",
    "2016-12-31T23:59:60Z",                     /* a leap second: refused */
    "2026-01-02T3:04:05Z", "2026-01-02T03:04Z", "2026-01-02T030405Z",
    "20260102T030405Z", "26-01-02", "12026-01-02", "+2026-01-02",
    "-2026-01-02", " 2026-01-02", "2026-01-02 ", "2026-01-02T",
    "2026-01-02Z", "2026-1-2", "2026/01/02", "2026-01-02T03:04:05ZZ",
    "2026-01-02T03:04:05Z\n", "2026-01-02T-3:04:05Z", "2026-W01-1",
    "now", "", "1767323045", "2026-01-0x2", "2026-01-02_03:04:05Z",
    "\xd9\xa2\xd9\xa0\xd9\xa2\xd9\xa6-01-02",
  };

  (void)state;
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
    refuse(bad[i], strlen(bad[i]));
  refuse("2026-01-02\0T03:04:05Z", 21);
  refuse("2026-01-0\0", 10);
}

static void every_cut_is_refused(void **state)
{
  static const char whole[] = "2026-01-02T03:04:05.678+02:00";
  size_t full = strlen(whole);

  (void)state;
  for (size_t len = 0; len < full; len++) {
    char *copy = malloc(len + 1);               /* ASan watches its end */

    assert_non_null(copy);
    memcpy(copy, whole, len);
    copy[len] = 0;
    if (len != 10)                              /* that one is a date */
      refuse(copy, len);
    free(copy);
  }
}

static void format_is_checked_by_python(void **state)
{
  char text[FR_DATE_TEXT];

  (void)state;
  fr_date_format(0, text);
  assert_string_equal(text, "1970-01-01T00:00:00Z");
  fr_date_format(INT64_C(1767323045678), text);
  assert_string_equal(text, "2026-01-02T03:04:05.678Z");
  fr_date_format(INT64_C(1767323045007), text);
  assert_string_equal(text, "2026-01-02T03:04:05.007Z");
  fr_date_format(INT64_C(951868799000), text);
  assert_string_equal(text, "2000-02-29T23:59:59Z");
  fr_date_format(-1, text);
  assert_string_equal(text, "1969-12-31T23:59:59.999Z");
  fr_date_format(-86400000, text);
  assert_string_equal(text, "1969-12-31T00:00:00Z");
}

static void format_never_overflows(void **state)
{
  char text[FR_DATE_TEXT];

  (void)state;
  fr_date_format(INT64_C(253402300799999), text);
  assert_string_equal(text, "9999-12-31T23:59:59.999Z");
  fr_date_format(INT64_C(253402300800000), text);
  assert_string_equal(text, "9999-12-31T23:59:59.999Z");
  fr_date_format(INT64_MAX, text);
  assert_string_equal(text, "9999-12-31T23:59:59.999Z");
  fr_date_format(INT64_MIN, text);
  assert_string_equal(text, "0001-01-01T00:00:00Z");
}

static void every_day_of_a_cycle_comes_back(void **state)
{
  char text[FR_DATE_TEXT];

  (void)state;                                  /* 400 years and a bit */
  for (int64_t day = 0; day < 146097 + 400; day++) {
    int64_t at = day * 86400000 + day % 86400 * 1000 + day % 1000;

    fr_date_format(at, text);
    assert_true(time_of(text) == at);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(known_times),
    cmocka_unit_test(rfc_3339_allows_case_and_blank),
    cmocka_unit_test(fractions_count_to_the_millisecond),
    cmocka_unit_test(offsets_lead_to_utc),
    cmocka_unit_test(the_range_holds_after_the_offset),
    cmocka_unit_test(leap_years),
    cmocka_unit_test(what_no_calendar_or_clock_shows),
    cmocka_unit_test(every_cut_is_refused),
    cmocka_unit_test(format_is_checked_by_python),
    cmocka_unit_test(format_never_overflows),
    cmocka_unit_test(every_day_of_a_cycle_comes_back),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
