/* tests/unit/base/test_duration.c - a whole number and a unit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/date.h"

#define DAY UINT64_C(86400000)

static uint64_t ms_of(const char *text)
{
  uint64_t ms = UINT64_MAX;

  if (fr_duration_parse(text, strlen(text), &ms))
    fail_msg("refused: %s", text);
  return ms;
}

static void refuse(const char *text, size_t len)
{
  uint64_t ms = 42;

  if (fr_duration_parse(text, len, &ms) != FR_EINVALID || ms != 42)
    fail_msg("accepted: %s", text);
}

static void every_unit(void **state)
{
  (void)state;
  assert_true(ms_of("1ms") == 1);
  assert_true(ms_of("1s") == 1000);
  assert_true(ms_of("1m") == 60000);
  assert_true(ms_of("1h") == 3600000);
  assert_true(ms_of("1d") == DAY);
  assert_true(ms_of("2w") == 14 * DAY);
  assert_true(ms_of("30d") == 30 * DAY);
  assert_true(ms_of("007s") == 7000);
}

static void units_add_up(void **state)
{
  (void)state;
  assert_true(ms_of("1h30m") == 5400000);
  assert_true(ms_of("1m1ms") == 60001);
  assert_true(ms_of("1w2d3h4m5s6ms") == 9 * DAY + 11045006);
}

static void zero_is_a_duration(void **state)
{
  (void)state;
  assert_true(ms_of("0s") == 0);
  assert_true(ms_of("0d0h") == 0);
}

static void what_is_none_is_refused(void **state)
{
  static const char *const bad[] = {
    "", "0", "30", "d", "30D", "30 d", " 30d", "30d ", "30d\n", "-1d", "+1d",
    "1.5h", "1,5h", "1e3s", "0x1s", "1h30", "30dd", "1hm", "m1", "1us", "1y",
    "1mo", "1min", "1sec", "1days", "P30D", "1d 2h", "\xd9\xa1" "d",
    "1\xc2\xb5s",
  };

  (void)state;
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
    refuse(bad[i], strlen(bad[i]));
  refuse("1d\0", 3);
  refuse("1\0d", 3);
  refuse("1ms", 1);                             /* the length counts */
}

static void a_hundred_years_and_no_more(void **state)
{
  (void)state;
  assert_true(ms_of("36525d") == 36525 * DAY);
  assert_true(ms_of("3155760000000ms") == 36525 * DAY);
  refuse("36526d", 6);
  refuse("3155760000001ms", 15);
  refuse("36525d1ms", 9);
  refuse("36525d36525d", 12);
}

/* Each wraps to something small where a sum or a product is not watched. */
static void no_overflow(void **state)
{
  static const char *const bad[] = {
    "18446744073709551616ms",                   /* 2^64 */
    "18446744073709551617ms", "18446744073709552s", "213503982335d",
    "30500568905w", "99999999999999999999999999999999999999d",
    "9223372036854775808ms1ms",
  };
  char *giant = malloc(1 << 20);

  (void)state;
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
    refuse(bad[i], strlen(bad[i]));
  assert_non_null(giant);
  memset(giant, '9', 1 << 20);
  refuse(giant, 1 << 20);
  free(giant);
}

static void format_shows_two_units(void **state)
{
  static const struct { uint64_t ms; const char *text; } table[] = {
    { 0, "0s" }, { 1, "1ms" }, { 999, "999ms" }, { 1000, "1s" },
    { 1500, "1s500ms" }, { 60000, "1m" }, { 5400000, "1h30m" },
    { 30 * DAY, "30d" }, { DAY + 1, "1d1ms" }, { DAY + 1800000, "1d30m" },
    { DAY + 3661001, "1d1h" }, { 30 * DAY - 1, "29d23h" },
    { UINT64_MAX, "213503982334d14h" },
  };
  char text[FR_DATE_TEXT];

  (void)state;
  for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
    fr_duration_format(table[i].ms, text);
    assert_string_equal(text, table[i].text);
  }
}

static void what_format_writes_is_read(void **state)
{
  static const uint64_t steps[] = { 1, 1000, 60000, 3600000, DAY };
  char text[FR_DATE_TEXT];

  (void)state;
  for (size_t i = 0; i < 5; i++)
    for (uint64_t n = 0; n < 24; n++)
      for (size_t j = 0; j < 5; j++) {
        uint64_t ms = n * steps[i] + n * steps[j];

        fr_duration_format(ms, text);
        assert_true(ms_of(text) == ms);
      }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_unit),
    cmocka_unit_test(units_add_up),
    cmocka_unit_test(zero_is_a_duration),
    cmocka_unit_test(what_is_none_is_refused),
    cmocka_unit_test(a_hundred_years_and_no_more),
    cmocka_unit_test(no_overflow),
    cmocka_unit_test(format_shows_two_units),
    cmocka_unit_test(what_format_writes_is_read),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
