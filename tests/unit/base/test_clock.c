/* tests/unit/base/test_clock.c - the real clocks and the virtual one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <time.h>

#include "base/clock.h"

static void virtual_time_stands_still(void **state)
{
  struct fr_clock clock;
  struct timespec nap = { .tv_nsec = 3000000 };

  (void)state;
  fr_clock_virtual(&clock, INT64_C(1767323045000));
  assert_true(fr_clock_now(&clock) == 0);
  nanosleep(&nap, NULL);
  assert_true(fr_clock_now(&clock) == 0);
  assert_true(fr_clock_at(&clock) == INT64_C(1767323045000));
}

static void both_move_together(void **state)
{
  struct fr_clock clock;

  (void)state;
  fr_clock_virtual(&clock, 1000);
  fr_clock_advance(&clock, 1);
  fr_clock_advance(&clock, UINT64_C(86400000) * 365);
  assert_true(fr_clock_now(&clock) == UINT64_C(86400000) * 365 + 1);
  assert_true(fr_clock_at(&clock) == INT64_C(86400000) * 365 + 1001);
}

static void real_time_is_the_kernels(void **state)
{
  struct timespec nap = { .tv_nsec = 5000000 };
  struct fr_clock clock;
  uint64_t now;

  (void)state;
  fr_clock_real(&clock);
  now = fr_clock_now(&clock);
  nanosleep(&nap, NULL);
  assert_true(fr_clock_now(&clock) >= now + 5);
  assert_in_range(fr_clock_at(&clock) / 1000, time(NULL) - 1,
                  time(NULL) + 1);
}

static void detached_it_stands_and_now_goes_on(void **state)
{
  struct timespec nap = { .tv_nsec = 3000000 };
  struct fr_clock clock;
  uint64_t now;

  (void)state;
  fr_clock_real(&clock);
  now = fr_clock_now(&clock);
  fr_clock_detach(&clock, 5000);
  assert_in_range(fr_clock_now(&clock), now, now + 1000);
  assert_int_equal(fr_clock_at(&clock), 5000);
  now = fr_clock_now(&clock);
  nanosleep(&nap, NULL);
  assert_int_equal(fr_clock_now(&clock), now);
  fr_clock_advance(&clock, 7);
  fr_clock_detach(&clock, 1);
  assert_int_equal(fr_clock_now(&clock), now + 7);
  assert_int_equal(fr_clock_at(&clock), 1);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(virtual_time_stands_still),
    cmocka_unit_test(both_move_together),
    cmocka_unit_test(detached_it_stands_and_now_goes_on),
    cmocka_unit_test(real_time_is_the_kernels),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
