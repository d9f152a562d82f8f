/* tests/unit/base/test_digest.c - FIPS 180-4 vectors, hex, randomness. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdbool.h>

#include "base/digest.h"

static void digest_is(const struct fr_part *parts, size_t count,
                      const char *expected)
{
  uint8_t digest[FR_SHA256_SIZE];
  char text[FR_SHA256_TEXT];

  assert_int_equal(fr_sha256(parts, count, digest), FR_OK);
  fr_hex(digest, sizeof(digest), text);
  assert_string_equal(text, expected);
}

#define EMPTY \
  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define ABC \
  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static void known_vectors(void **state)
{
  static const char two[] =
    "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
  const struct fr_part abc = { "abc", 3 }, blocks = { two, 56 };

  (void)state;
  digest_is(&abc, 1, ABC);
  digest_is(&blocks, 1, "248d6a61d20638b8e5c026930c3e6039"
                        "a33ce45964ff2167f6ecedd419db06c1");
}

static void a_million_letters(void **state)
{
  char *text = malloc(1000000);
  struct fr_part part = { text, 1000000 };

  (void)state;
  assert_non_null(text);
  memset(text, 'a', 1000000);
  digest_is(&part, 1, "cdc76e5c9914fb9281a1c7e284d73e67"
                      "f1809a48a497200e046d39ccc7112cd0");
  free(text);
}

static void nothing_has_a_digest(void **state)
{
  const struct fr_part none[] = { { NULL, 0 }, { "", 0 } };

  (void)state;
  digest_is(NULL, 0, EMPTY);
  digest_is(none, 2, EMPTY);
}

static void parts_are_one_text(void **state)
{
  const struct fr_part parts[] = { { "a", 1 }, { NULL, 0 }, { "bc", 2 } };

  (void)state;
  digest_is(parts, 3, ABC);
}

static void one_call_leaves_nothing_to_the_next(void **state)
{
  const struct fr_part abc = { "abc", 3 };

  (void)state;
  for (int i = 0; i < 100; i++) {
    digest_is(&abc, 1, ABC);
    digest_is(NULL, 0, EMPTY);
  }
}

static void hex_is_lower_case(void **state)
{
  static const uint8_t data[] = { 0x00, 0x0f, 0xf0, 0xab, 0xff };
  char text[11];

  (void)state;
  fr_hex(data, sizeof(data), text);
  assert_string_equal(text, "000ff0abff");
  fr_hex(data, 0, text);
  assert_string_equal(text, "");
}

static void random_fills_exactly(void **state)
{
  uint8_t data[600], seen[256] = { 0 };
  unsigned kinds = 0;

  (void)state;
  memset(data, 0, sizeof(data));
  assert_int_equal(fr_random(data + 10, sizeof(data) - 20), FR_OK);
  for (size_t i = 0; i < 10; i++)
    assert_int_equal(data[i] | data[sizeof(data) - 1 - i], 0);
  for (size_t i = 10; i < sizeof(data) - 10; i++)
    kinds += !seen[data[i]]++;
  assert_true(kinds > 150);                     /* 229 are expected */
  assert_int_equal(fr_random(NULL, 0), FR_OK);
}

static void units_fill_the_interval(void **state)
{
  unsigned tenth[10] = { 0 };

  (void)state;
  for (int i = 0; i < 10000; i++) {
    double unit = fr_random_unit();

    assert_true(unit >= 0 && unit < 1);
    tenth[(int)(unit * 10)]++;
  }
  for (int i = 0; i < 10; i++)                  /* 1000 +- 8 deviations */
    assert_in_range(tenth[i], 760, 1240);
}

static void wiped_is_zero(void **state)
{
  char secret[] = "fal-key";

  (void)state;
  fr_wipe(secret, 7);
  for (size_t i = 0; i < sizeof(secret); i++)
    assert_int_equal(secret[i], 0);
  fr_wipe(secret, 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(known_vectors),
    cmocka_unit_test(a_million_letters),
    cmocka_unit_test(nothing_has_a_digest),
    cmocka_unit_test(parts_are_one_text),
    cmocka_unit_test(one_call_leaves_nothing_to_the_next),
    cmocka_unit_test(hex_is_lower_case),
    cmocka_unit_test(random_fills_exactly),
    cmocka_unit_test(units_fill_the_interval),
    cmocka_unit_test(wiped_is_zero),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
