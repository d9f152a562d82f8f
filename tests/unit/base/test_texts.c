/* tests/unit/base/test_texts.c - texts in one block. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/texts.h"

static void test_copies(void **state)
{
  const char *a = "one", *none = NULL, *empty = "", *b = "three";
  const char **all[] = { &a, &none, &empty, &b };
  const char *old = a;
  char block[11];

  (void)state;
  assert_int_equal(fr_texts_size(all, 4), sizeof(block));
  assert_ptr_equal(fr_texts_put(all, 4, block), block + sizeof(block));
  assert_memory_equal(block, "one\0\0three", sizeof(block));
  assert_ptr_not_equal(a, old);
  assert_ptr_equal(a, block);
  assert_null(none);
  assert_ptr_equal(empty, block + 4);
  assert_string_equal(b, "three");
}

static void test_none(void **state)
{
  const char *none = NULL;
  const char **all[] = { &none };
  char block[1];

  (void)state;
  assert_int_equal(fr_texts_size(all, 1), 0);
  assert_ptr_equal(fr_texts_put(all, 1, block), block);
  assert_int_equal(fr_texts_size(all, 0), 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_copies), cmocka_unit_test(test_none),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
