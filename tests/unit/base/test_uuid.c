/* tests/unit/base/test_uuid.c - one request has one spelling. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/uuid.h"

#define GOOD "0192f7c1-8a3b-7def-8123-456789abcdef"

static enum fr_err parse(const char *text)
{
  struct fr_uuid id;

  return fr_uuid_parse(text, strlen(text), &id);
}

static struct fr_uuid id_of(const char *text)
{
  struct fr_uuid id;

  assert_int_equal(fr_uuid_parse(text, strlen(text), &id), FR_OK);
  return id;
}

static void canonical_text_comes_back(void **state)
{
  static const uint8_t bytes[16] = { 0x01, 0x92, 0xf7, 0xc1, 0x8a, 0x3b,
                                     0x7d, 0xef, 0x81, 0x23, 0x45, 0x67,
                                     0x89, 0xab, 0xcd, 0xef };
  struct fr_uuid id = id_of(GOOD);
  char text[FR_UUID_TEXT];

  (void)state;
  assert_memory_equal(id.bytes, bytes, 16);
  fr_uuid_format(&id, text);
  assert_string_equal(text, GOOD);
  assert_int_equal(parse("00000000-0000-0000-0000-000000000000"), FR_OK);
  assert_int_equal(parse("ffffffff-ffff-ffff-ffff-ffffffffffff"), FR_OK);
}

static void other_spellings_are_refused(void **state)
{
  static const char *const bad[] = {
    "",
    "0192F7C1-8A3B-7DEF-8123-456789ABCDEF",
    "0192f7c1-8a3b-7def-8123-456789abcdeF",
    "{192f7c1-8a3b-7def-8123-456789abcde}",
    "{0192f7c1-8a3b-7def-8123-456789abcdef}",
    "urn:uuid:0192f7c1-8a3b-7def-8123-456789abcdef",
    "0192f7c18a3b7def8123456789abcdef",
    "0192f7c1-8a3b-7def-8123-456789abcde",
    "0192f7c1-8a3b-7def-8123-456789abcdef0",
    "0192f7c1-8a3b-7def-8123-456789abcdef\n",
    " 192f7c1-8a3b-7def-8123-456789abcdef",
    "0192f7c1-8a3b-7def-8123-456789abcde ",
    "+192f7c1-8a3b-7def-8123-456789abcdef",
    "0x92f7c1-8a3b-7def-8123-456789abcdef",
    "0192f7c18-a3b-7def-8123-456789abcdef",
    "0192f7c1-8a3b-7def-8123456789abc-def",
    "0192f7c1_8a3b_7def_8123_456789abcdef",
    "0192f7c1-8a3b-7def-8123-456789abcdeg",
    "0192f7c1-8a3b-7def-8123-456789abcde/",
    "0192f7c1-8a3b-7def-8123-456789abcde:",
    "0192f7c1-8a3b-7def-8123-456789abcde`",
    "../../../../../../../../etc/passwd00",
    "\xd9\xa1" "92f7c1-8a3b-7def-8123-456789abcdef",   /* arabic one */
    "\xef\xbc\x90" "2f7c1-8a3b-7def-8123-456789abcdef",  /* fullwidth */
    "0192f7c1\xe2\x80\x93" "a3b-7def-8123-456789abcdef",   /* en dash */
    "------------------------------------",
  };

  (void)state;
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
    if (parse(bad[i]) != FR_EINVALID)
      fail_msg("accepted: %s", bad[i]);
}

static void every_byte_is_looked_at(void **state)
{
  char text[FR_UUID_TEXT];
  struct fr_uuid id;

  (void)state;
  for (size_t at = 0; at < 36; at++)
    for (int c = 0; c < 256; c++) {
      bool dash = at == 8 || at == 13 || at == 18 || at == 23;
      bool digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');

      memcpy(text, GOOD, sizeof(text));
      text[at] = (char)c;
      assert_int_equal(fr_uuid_parse(text, 36, &id) == FR_OK,
                       dash ? c == '-' : digit);
    }
}

static void the_length_is_the_length(void **state)
{
  char exact[36], *giant = malloc(1 << 20);
  struct fr_uuid id;

  (void)state;
  memcpy(exact, GOOD, 36);                      /* no NUL: ASan watches */
  assert_int_equal(fr_uuid_parse(exact, 36, &id), FR_OK);
  assert_int_equal(fr_uuid_parse(exact, 35, &id), FR_EINVALID);
  assert_int_equal(fr_uuid_parse(exact, 0, &id), FR_EINVALID);
  assert_int_equal(fr_uuid_parse(NULL, 0, &id), FR_EINVALID);
  assert_int_equal(fr_uuid_parse(GOOD, 37, &id), FR_EINVALID);
  assert_non_null(giant);
  memset(giant, 'a', 1 << 20);
  memcpy(giant, GOOD, 36);
  assert_int_equal(fr_uuid_parse(giant, 1 << 20, &id), FR_EINVALID);
  free(giant);
}

static void a_refusal_leaves_the_result(void **state)
{
  struct fr_uuid id, before;

  (void)state;
  memset(&id, 0x5a, sizeof(id));
  before = id;
  assert_int_equal(fr_uuid_parse("0192f7c1-8a3b-7def-8123-456789abcdeX", 36,
                                 &id), FR_EINVALID);
  assert_memory_equal(&id, &before, sizeof(id));
}

static void version_7_tells_its_time(void **state)
{
  struct fr_uuid id = id_of("017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
  int64_t at = -1;

  (void)state;                                  /* RFC 9562, A.6 */
  assert_int_equal(fr_uuid_time(&id, &at), FR_OK);
  assert_true(at == INT64_C(1645557742000));
  id = id_of("00000000-0000-7000-8000-000000000000");
  assert_int_equal(fr_uuid_time(&id, &at), FR_OK);
  assert_true(at == 0);
}

static void others_tell_none(void **state)
{
  static const char *const others[] = {
    "017f22e2-79b0-4cc3-98c4-dc0c0c07398f",     /* version 4 */
    "c232ab00-9414-11ec-b3c8-9f6bdeced846",     /* version 1 */
    "1ec9414c-232a-6b00-b3c8-9f6bdeced846",     /* version 6 */
    "017f22e2-79b0-8cc3-98c4-dc0c0c07398f",     /* version 8 */
    "017f22e2-79b0-7cc3-18c4-dc0c0c07398f",     /* another variant */
    "017f22e2-79b0-7cc3-48c4-dc0c0c07398f",
    "017f22e2-79b0-7cc3-c8c4-dc0c0c07398f",
    "00000000-0000-0000-0000-000000000000",
    "ffffffff-ffff-ffff-ffff-ffffffffffff",
  };

  (void)state;
  for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
    struct fr_uuid id = id_of(others[i]);
    int64_t at = 42;

    assert_int_equal(fr_uuid_time(&id, &at), FR_ENOT_FOUND);
    assert_true(at == 42);
  }
}

static void from_2100_on_no_clock_wrote_it(void **state)
{
  struct fr_uuid id = id_of("03bb2cc3-d7ff-7000-8000-000000000000");
  int64_t at = 0;

  (void)state;
  assert_int_equal(fr_uuid_time(&id, &at), FR_OK);
  assert_true(at == INT64_C(4102444799999));
  id = id_of("03bb2cc3-d800-7000-8000-000000000000");
  assert_int_equal(fr_uuid_time(&id, &at), FR_ENOT_FOUND);
  id = id_of("ffffffff-ffff-7fff-bfff-ffffffffffff");
  assert_int_equal(fr_uuid_time(&id, &at), FR_ENOT_FOUND);
}

static void random_ids_are_version_4_and_differ(void **state)
{
  struct fr_uuid a, b;
  uint8_t ones = 0, zeros = 0xff;
  char text[FR_UUID_TEXT];

  (void)state;
  assert_int_equal(fr_uuid_random(&a), FR_OK);
  for (int i = 0; i < 64; i++) {
    assert_int_equal(fr_uuid_random(&b), FR_OK);
    assert_int_equal(b.bytes[6] >> 4, 4);
    assert_int_equal(b.bytes[8] >> 6, 2);
    assert_int_not_equal(fr_uuid_compare(&a, &b), 0);
    ones |= b.bytes[15];
    zeros &= b.bytes[15];
  }
  assert_int_equal(ones, 0xff);                 /* every bit was both */
  assert_int_equal(zeros, 0);
  fr_uuid_format(&b, text);
  assert_int_equal(parse(text), FR_OK);
}

static void order_is_that_of_the_bytes(void **state)
{
  struct fr_uuid low = id_of("00000000-0000-7000-8000-00000000007f");
  struct fr_uuid high = id_of("00000000-0000-7000-8000-000000000080");

  (void)state;
  assert_true(fr_uuid_compare(&low, &high) < 0);
  assert_true(fr_uuid_compare(&high, &low) > 0);
  assert_int_equal(fr_uuid_compare(&low, &low), 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(canonical_text_comes_back),
    cmocka_unit_test(other_spellings_are_refused),
    cmocka_unit_test(every_byte_is_looked_at),
    cmocka_unit_test(the_length_is_the_length),
    cmocka_unit_test(a_refusal_leaves_the_result),
    cmocka_unit_test(version_7_tells_its_time),
    cmocka_unit_test(others_tell_none),
    cmocka_unit_test(from_2100_on_no_clock_wrote_it),
    cmocka_unit_test(random_ids_are_version_4_and_differ),
    cmocka_unit_test(order_is_that_of_the_bytes),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
