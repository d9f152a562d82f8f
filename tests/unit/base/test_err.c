/* tests/unit/base/test_err.c - names that Lua sees are stable and distinct. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"

static const enum fr_err all[] = {
#define CODE(code, name, text, again) FR_E##code,
  FR_ERR_MAP(CODE)
#undef CODE
};
#define NALL (sizeof(all) / sizeof(all[0]))

static void names_are_distinct_identifiers(void **state)
{
  (void)state;
  for (size_t i = 0; i < NALL; i++) {
    const char *name = fr_err_name(all[i]);

    assert_true(strlen(name) > 0);
    assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz_"),
                     strlen(name));
    for (size_t j = 0; j < i; j++)
      assert_string_not_equal(name, fr_err_name(all[j]));
    assert_string_not_equal(name, fr_err_name(FR_OK));
  }
}

static void a_code_has_its_own_row(void **state)
{
  (void)state;
  assert_int_equal(FR_OK, 0);
  assert_string_equal(fr_err_name(FR_ENOMEM), "out_of_memory");
  assert_string_equal(fr_err_name(FR_ETIMEOUT), "timeout");
  assert_string_equal(fr_err_message(FR_ETIMEOUT), "no answer came in time");
  assert_string_equal(fr_err_name(FR_EIO), "io");
  assert_true(fr_err_retryable(FR_ETIMEOUT));
  assert_true(fr_err_retryable(FR_ERATE_LIMITED));
  assert_false(fr_err_retryable(FR_OK));
  assert_false(fr_err_retryable(FR_EAUTH));
  assert_false(fr_err_retryable(FR_EIO));
}

static void what_is_no_code_is_harmless(void **state)
{
  static const int none[] = { -1, (int)NALL + 1, 1 << 20, INT32_MIN };

  (void)state;
  for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
    assert_string_equal(fr_err_name((enum fr_err)none[i]), "unknown");
    assert_non_null(fr_err_message((enum fr_err)none[i]));
    assert_false(fr_err_retryable((enum fr_err)none[i]));
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(names_are_distinct_identifiers),
    cmocka_unit_test(a_code_has_its_own_row),
    cmocka_unit_test(what_is_no_code_is_harmless),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
