/* tests/unit/base/test_buf.c - growth, the maximum, JSON, plain words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"

#define FFFD "\xef\xbf\xbd"

static void an_empty_buffer_is_text(void **state)
{
  struct fr_buf buf;

  (void)state;
  fr_buf_init(&buf, 10);
  assert_string_equal(fr_buf_text(&buf), "");
  fr_buf_clear(&buf);
  assert_int_equal(fr_buf_add(&buf, NULL, 0), FR_OK);
  assert_string_equal(fr_buf_text(&buf), "");
  fr_buf_done(&buf);
  fr_buf_done(&buf);
  assert_string_equal(fr_buf_text(&buf), "");
  assert_int_equal(buf.max, 10);
}

static void bytes_are_appended(void **state)
{
  struct fr_buf buf;

  (void)state;
  fr_buf_init(&buf, 1000);
  assert_int_equal(fr_buf_add(&buf, "a\0b", 3), FR_OK);
  assert_int_equal(fr_buf_add_text(&buf, "cd"), FR_OK);
  assert_int_equal(fr_buf_addf(&buf, "%d-%s", 42, "x"), FR_OK);
  assert_int_equal(buf.len, 9);
  assert_memory_equal(buf.data, "a\0bcd42-x", 10);
  fr_buf_clear(&buf);
  assert_string_equal(fr_buf_text(&buf), "");
  assert_int_equal(fr_buf_add_text(&buf, "again"), FR_OK);
  assert_string_equal(fr_buf_text(&buf), "again");
  fr_buf_done(&buf);
}

static void the_maximum_is_reached_and_not_passed(void **state)
{
  struct fr_buf buf;

  (void)state;
  for (size_t max = 0; max < 300; max++) {
    fr_buf_init(&buf, max);
    for (size_t i = 0; i < max; i++)
      assert_int_equal(fr_buf_add(&buf, "x", 1), FR_OK);
    assert_int_equal(fr_buf_add(&buf, "y", 1), FR_ETOO_BIG);
    assert_int_equal(fr_buf_addf(&buf, "%s", "y"), FR_ETOO_BIG);
    assert_int_equal(fr_buf_add_plain(&buf, "y", 1, 1), FR_ETOO_BIG);
    assert_int_equal(fr_buf_add_json(&buf, ""), FR_ETOO_BIG);
    assert_int_equal(fr_buf_add_json(&buf, NULL), FR_ETOO_BIG);
    assert_int_equal(fr_buf_add(&buf, "", 0), FR_OK);
    assert_int_equal(buf.len, max);
    assert_int_equal(strlen(fr_buf_text(&buf)), max);
    assert_true(buf.cap <= max + 1);            /* memory is bounded too */
    fr_buf_done(&buf);
  }
}

static void no_length_overflows(void **state)
{
  struct fr_buf buf;

  (void)state;
  fr_buf_init(&buf, SIZE_MAX);
  assert_int_equal(fr_buf_add_text(&buf, "abc"), FR_OK);
  assert_int_equal(fr_buf_add(&buf, "x", SIZE_MAX), FR_ETOO_BIG);
  assert_int_equal(fr_buf_add(&buf, "x", SIZE_MAX - 3), FR_ETOO_BIG);
  assert_int_equal(fr_buf_add(&buf, "x", SIZE_MAX - 4), FR_ETOO_BIG);
  assert_string_equal(fr_buf_text(&buf), "abc");
  fr_buf_done(&buf);
}

/* More than a process can have; ASan is told to say no like malloc. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
  return "allocator_may_return_null=1";
}

static void no_memory_changes_nothing(void **state)
{
  struct fr_buf buf;

  (void)state;
  fr_buf_init(&buf, SIZE_MAX);
  assert_int_equal(fr_buf_add_text(&buf, "abc"), FR_OK);
  assert_int_equal(fr_buf_add(&buf, "x", (size_t)1 << 60), FR_ENOMEM);
  assert_int_equal(buf.len, 3);
  assert_string_equal(fr_buf_text(&buf), "abc");
  assert_int_equal(fr_buf_add_text(&buf, "d"), FR_OK);
  assert_string_equal(fr_buf_text(&buf), "abcd");
  fr_buf_done(&buf);
}

static void formats_of_any_length(void **state)
{
  struct fr_buf buf;

  (void)state;
  fr_buf_init(&buf, 100000);
  for (int width = 0; width < 300; width++) {
    fr_buf_clear(&buf);
    assert_int_equal(fr_buf_addf(&buf, "%*d", width, 7), FR_OK);
    assert_int_equal(buf.len, width ? width : 1);
    assert_int_equal(buf.data[buf.len - 1], '7');
  }
  assert_int_equal(fr_buf_addf(&buf, "%100001d", 7), FR_ETOO_BIG);
  assert_int_equal(buf.len, 299);
  fr_buf_done(&buf);
}

static void json_is(const char *text, const char *expected)
{
  struct fr_buf buf;

  fr_buf_init(&buf, 1000);
  assert_int_equal(fr_buf_add_json(&buf, text), FR_OK);
  assert_string_equal(fr_buf_text(&buf), expected);
  fr_buf_done(&buf);
}

static void json_escapes(void **state)
{
  (void)state;
  json_is(NULL, "null");
  json_is("", "\"\"");
  json_is("plain /text ~", "\"plain /text ~\"");
  json_is("a\"b\\c", "\"a\\\"b\\\\c\"");
  json_is("\n\r\t\b\f\x01\x1f\x7f",
          "\"\\n\\u000d\\u0009\\u0008\\u000c\\u0001\\u001f\\u007f\"");
  json_is("\"", "\"\\\"\"");
}

static void json_keeps_utf8(void **state)
{
  static const char *const good[] = {
    "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xe2\x82\xac", "\xed\x9f\xbf",
    "\xee\x80\x80", "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf0\x9f\x98\x80",
    "\xf4\x8f\xbf\xbf",
  };
  char expected[16];

  (void)state;
  for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
    snprintf(expected, sizeof(expected), "\"%s\"", good[i]);
    json_is(good[i], expected);
  }
}

static void json_replaces_what_is_not_utf8(void **state)
{
  (void)state;
  json_is("a\x80z", "\"a" FFFD "z\"");
  json_is("\xff", "\"" FFFD "\"");
  json_is("\xc0\x80", "\"" FFFD FFFD "\"");              /* overlong NUL */
  json_is("\xc1\xbf", "\"" FFFD FFFD "\"");
  json_is("\xe0\x9f\xbf", "\"" FFFD FFFD FFFD "\"");     /* overlong */
  json_is("\xf0\x8f\xbf\xbf", "\"" FFFD FFFD FFFD FFFD "\"");
  json_is("\xed\xa0\x80", "\"" FFFD FFFD FFFD "\"");     /* surrogates */
  json_is("\xed\xbf\xbf", "\"" FFFD FFFD FFFD "\"");
  json_is("\xf4\x90\x80\x80", "\"" FFFD FFFD FFFD FFFD "\"");
  json_is("\xf5\x80\x80\x80", "\"" FFFD FFFD FFFD FFFD "\"");
  json_is("\xe2\x82", "\"" FFFD FFFD "\"");              /* cut */
  json_is("\xe2\x82\"", "\"" FFFD FFFD "\\\"\"");        /* eats no quote */
  json_is("\xc3", "\"" FFFD "\"");
  json_is("\xf0\x9f\x98", "\"" FFFD FFFD FFFD "\"");
}

/* With every maximum below the need, in turn. */
static void json_adds_all_or_nothing(void **state)
{
  static const char text[] = "ab\n\xe2\x82\xac\xff\"\x01z";
  struct fr_buf buf;
  size_t need;

  (void)state;
  fr_buf_init(&buf, 1000);
  assert_int_equal(fr_buf_add_json(&buf, text), FR_OK);
  need = buf.len;
  fr_buf_done(&buf);
  for (size_t max = 3; max < 3 + need; max++) {
    fr_buf_init(&buf, max);
    assert_int_equal(fr_buf_add_text(&buf, "old"), FR_OK);
    assert_int_equal(fr_buf_add_json(&buf, text), FR_ETOO_BIG);
    assert_int_equal(buf.len, 3);
    assert_string_equal(fr_buf_text(&buf), "old");
    fr_buf_done(&buf);
  }
  fr_buf_init(&buf, 3 + need);
  assert_int_equal(fr_buf_add_text(&buf, "old"), FR_OK);
  assert_int_equal(fr_buf_add_json(&buf, text), FR_OK);
  fr_buf_done(&buf);
}

static void plain_is(const char *text, size_t most, const char *expected)
{
  struct fr_buf buf;

  fr_buf_init(&buf, 1000);
  assert_int_equal(fr_buf_add_text(&buf, ">"), FR_OK);
  assert_int_equal(fr_buf_add_plain(&buf, text, strlen(text), most), FR_OK);
  assert_string_equal(fr_buf_text(&buf) + 1, expected);
  fr_buf_done(&buf);
}

static void plain_takes_a_terminal_its_controls(void **state)
{
  struct fr_buf buf;

  (void)state;
  plain_is("caf\xc3\xa9 \xe2\x82\xac", 99, "caf\xc3\xa9 \xe2\x82\xac");
  plain_is("\x1b[31mred\r\n\t\x7f", 99, "?[31mred????");
  plain_is("\xc2\x9b" "31m", 99, "?31m");                /* CSI as C1 */
  plain_is("\x9b" "31m", 99, "?31m");                    /* and raw */
  plain_is("\xc2\xa0x", 99, "\xc2\xa0x");                /* a blank is fine */
  plain_is("a\xff\xc3", 99, "a??");
  fr_buf_init(&buf, 100);
  assert_int_equal(fr_buf_add_plain(&buf, "a\0b", 3, 99), FR_OK);
  assert_string_equal(fr_buf_text(&buf), "a?b");
  fr_buf_done(&buf);
}

static void plain_says_that_more_was_there(void **state)
{
  (void)state;
  plain_is("abcdef", 6, "abcdef");
  plain_is("abcdef", 5, "abcde...");
  plain_is("abcdef", 0, "...");
  plain_is("", 0, "");
}

static void plain_cuts_between_characters(void **state)
{
  (void)state;
  plain_is("a\xc3\xa9z", 2, "a...");
  plain_is("a\xc3\xa9z", 3, "a\xc3\xa9...");
  plain_is("a\xe2\x82\xacz", 3, "a...");
  plain_is("a\xf0\x9f\x98\x80z", 2, "a...");
  plain_is("a\xf0\x9f\x98\x80z", 4, "a...");
  plain_is("a\xf0\x9f\x98\x80z", 5, "a\xf0\x9f\x98\x80...");
  plain_is("\x80\x80\x80\x80\x80\x80", 5, "?????...");   /* no start at all */
}

static void plain_adds_all_or_nothing(void **state)
{
  struct fr_buf buf;

  (void)state;
  fr_buf_init(&buf, 8);
  assert_int_equal(fr_buf_add_text(&buf, "old"), FR_OK);
  assert_int_equal(fr_buf_add_plain(&buf, "abcdef", 6, 4), FR_ETOO_BIG);
  assert_string_equal(fr_buf_text(&buf), "old");
  assert_int_equal(buf.len, 3);
  assert_int_equal(fr_buf_add_plain(&buf, "abcdef", 6, 2), FR_OK);
  assert_string_equal(fr_buf_text(&buf), "oldab...");
  fr_buf_done(&buf);
}

static void say_replaces_and_cuts(void **state)
{
  struct fr_buf buf;

  (void)state;
  fr_buf_init(&buf, 12);
  fr_buf_say(&buf, "%s %d", "first", 1);
  assert_string_equal(fr_buf_text(&buf), "first 1");
  fr_buf_say(&buf, "x\x1b%s", "y");
  assert_string_equal(fr_buf_text(&buf), "x?y");
  fr_buf_say(&buf, "%s", "exactly 12 b");
  assert_string_equal(fr_buf_text(&buf), "exactly 12 b");
  fr_buf_say(&buf, "%s", "more than 12 bytes");
  assert_string_equal(fr_buf_text(&buf), "more than...");
  fr_buf_say(&buf, "more: %s", fr_buf_text(&buf));       /* of itself */
  assert_string_equal(fr_buf_text(&buf), "more: mor...");
  fr_buf_done(&buf);
}

static void say_in_tiny_and_large_buffers(void **state)
{
  char long_text[5000];
  struct fr_buf buf;

  (void)state;
  memset(long_text, 'x', sizeof(long_text));
  long_text[sizeof(long_text) - 1] = 0;
  for (size_t max = 0; max < 6; max++) {
    fr_buf_init(&buf, max);
    fr_buf_say(&buf, "%s", long_text);
    assert_true(buf.len <= max);
    fr_buf_done(&buf);
  }
  fr_buf_init(&buf, 100000);
  fr_buf_say(&buf, "%s", long_text);
  assert_true(buf.len > 2000 && buf.len < sizeof(long_text));
  fr_buf_done(&buf);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(an_empty_buffer_is_text),
    cmocka_unit_test(bytes_are_appended),
    cmocka_unit_test(the_maximum_is_reached_and_not_passed),
    cmocka_unit_test(no_length_overflows),
    cmocka_unit_test(no_memory_changes_nothing),
    cmocka_unit_test(formats_of_any_length),
    cmocka_unit_test(json_escapes),
    cmocka_unit_test(json_keeps_utf8),
    cmocka_unit_test(json_replaces_what_is_not_utf8),
    cmocka_unit_test(json_adds_all_or_nothing),
    cmocka_unit_test(plain_takes_a_terminal_its_controls),
    cmocka_unit_test(plain_says_that_more_was_there),
    cmocka_unit_test(plain_cuts_between_characters),
    cmocka_unit_test(plain_adds_all_or_nothing),
    cmocka_unit_test(say_replaces_and_cuts),
    cmocka_unit_test(say_in_tiny_and_large_buffers),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
