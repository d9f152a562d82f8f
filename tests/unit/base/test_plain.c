/* tests/unit/base/test_plain.c - UTF-8 against a decoder written otherwise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdbool.h>

#include "base/plain.h"

/* The definition: decode by the lead byte's bits, then ask whether the value
 * belongs to that length. */
static size_t by_definition(const unsigned char *s)
{
  static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
  size_t len = s[0] < 0x80 ? 1 : s[0] >> 5 == 6 ? 2 : s[0] >> 4 == 14 ? 3 :
               s[0] >> 3 == 30 ? 4 : 0;
  uint32_t value;

  if (len < 2)
    return len;
  value = s[0] & (0xffu >> (len + 1));
  for (size_t i = 1; i < len; i++) {
    if (s[i] >> 6 != 2)
      return 0;
    value = value << 6 | (s[i] & 0x3f);
  }
  if (value < least[len] || value > 0x10ffff ||
      (value >= 0xd800 && value <= 0xdfff))
    return 0;
  return len;
}

static void every_beginning_is_told(void **state)
{
  static const unsigned char last[] = { 0x00, 0x41, 0x7f, 0x80, 0xbf, 0xc0 };
  unsigned char s[5] = { 0 };

  (void)state;
  for (unsigned first = 1; first < 256; first++)
    for (unsigned second = 0; second < 256; second++)
      for (size_t i = 0; i < sizeof(last) * sizeof(last); i++) {
        s[0] = (unsigned char)first;
        s[1] = (unsigned char)second;
        s[2] = last[i / sizeof(last)];
        s[3] = last[i % sizeof(last)];
        if (fr_utf8_sequence((const char *)s) != by_definition(s))
          fail_msg("%02x %02x %02x %02x", s[0], s[1], s[2], s[3]);
      }
}

static void a_cut_reads_no_further(void **state)
{
  static const char *const cuts[] = { "\xc3", "\xe2", "\xe2\x82", "\xf0",
                                      "\xf0\x9f", "\xf0\x9f\x98" };

  (void)state;
  for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
    char *copy = strdup(cuts[i]);               /* ASan watches its end */

    assert_non_null(copy);
    assert_int_equal(fr_utf8_sequence(copy), 0);
    assert_int_equal(fr_plain(copy, strlen(copy)), strlen(cuts[i]));
    assert_int_equal(copy[0], '?');
    free(copy);
  }
}

static void no_control_stays(void **state)
{
  char text[8];

  (void)state;
  for (int c = 0; c < 0x100; c++) {
    bool shown = (c >= 0x20 && c < 0x7f) || c >= 0xa0;
    size_t len = c < 0x80 ? 1 : 2;              /* U+0000 to U+00FF */

    text[0] = (char)(c < 0x80 ? c : 0xc0 | c >> 6);
    text[1] = (char)(c < 0x80 ? 0 : 0x80 | (c & 0x3f));
    text[len] = 0;
    len = fr_plain(text, len);
    assert_int_equal(len, shown && c >= 0x80 ? 2 : 1);
    assert_int_equal(text[len], 0);
    assert_int_equal(text[0] == '?', !shown || c == '?');
  }
}

static void text_closes_up(void **state)
{
  char text[] = "a\xc2\x85" "b\x1b" "c\xc2\x9b" "d\xe2\x82\xac";

  (void)state;
  assert_int_equal(fr_plain(text, sizeof(text) - 1), 10);
  assert_string_equal(text, "a?b?c?d\xe2\x82\xac");
  assert_int_equal(fr_plain(text, 0), 0);
  assert_string_equal(text, "");
}

/* Every byte at every place of texts around the width of a register. */
static void test_printable(void **state)
{
  char text[40];

  (void)state;
  for (size_t len = 0; len < sizeof(text); len++) {
    memset(text, 'a', sizeof(text));
    assert_true(fr_printable(text, len) && fr_plain_json(text, len));
    for (size_t at = 0; at < len; at++) {
      for (int c = 0; c < 256; c++) {
        text[at] = (char)c;
        assert_int_equal(fr_printable(text, len), c >= 0x20 && c <= 0x7e);
        assert_int_equal(fr_plain_json(text, len), c >= 0x20 && c <= 0x7e &&
                                                   c != '"' && c != '\\');
      }
      text[at] = 'a';
    }
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_beginning_is_told),
    cmocka_unit_test(a_cut_reads_no_further),
    cmocka_unit_test(no_control_stays),
    cmocka_unit_test(text_closes_up),
    cmocka_unit_test(test_printable),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
