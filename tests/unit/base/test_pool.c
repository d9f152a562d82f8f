/* tests/unit/base/test_pool.c - blocks come all zero, are told apart, and at
 * most so many are kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/pool.h"

struct thing {
  char bytes[100];
};

static void test_blocks(void **state)
{
  static struct fr_pool pool = FR_POOL(struct thing);
  static const struct thing zero;
  enum { MANY = FR_POOL_MOST + 10 };
  static struct thing *things[MANY];

  (void)state;
  for (int round = 0; round < 3; round++) {
    for (int i = 0; i < MANY; i++) {
      things[i] = fr_pool_new(&pool);
      assert_non_null(things[i]);
      assert_memory_equal(things[i], &zero, sizeof(zero));
      memset(things[i], i & 0xff, sizeof(zero));
    }
    for (int i = 0; i < MANY; i++) {
      assert_int_equal(things[i]->bytes[0], (char)(i & 0xff));
      assert_int_equal(things[i]->bytes[99], (char)(i & 0xff));
    }
    for (int i = 0; i < MANY; i++)
      fr_pool_free(&pool, things[i]);
    assert_in_range(pool.count, 0, FR_POOL_MOST);
  }
  fr_pool_free(&pool, NULL);
  while (pool.count)
    free(fr_pool_new(&pool));
}

int main(void)
{
  const struct CMUnitTest tests[] = { cmocka_unit_test(test_blocks) };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
