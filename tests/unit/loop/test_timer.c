/* tests/unit/loop/test_timer.c - order, re-arming, and virtual time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "loop/loop.h"

static struct fr_clock clock_;

static struct {
  int count;
  int number[64];
  uint64_t at[64];
} fired;

struct alarm {
  struct fr_timer timer;
  struct fr_loop *loop;
  struct alarm *other;
  int number;
  uint64_t again;               /* ms until it is armed again */
  struct fr_op op;              /* for those that finish one */
};

static void note(struct fr_timer *timer)
{
  struct alarm *alarm = fr_container_of(timer, struct alarm, timer);

  assert_true(fired.count < 64);
  fired.number[fired.count] = alarm->number;
  fired.at[fired.count++] = fr_loop_now(alarm->loop);
}

static struct alarm alarm_of(struct fr_loop *loop, int number)
{
  return (struct alarm){ .timer.on_due = note, .loop = loop,
                         .number = number };
}

static int make(void **state)
{
  struct fr_loop *loop;

  memset(&fired, 0, sizeof(fired));
  fr_clock_virtual(&clock_, 1000000);
  assert_int_equal(fr_loop_new(&clock_, &loop), FR_OK);
  *state = loop;
  return 0;
}

static int drop(void **state)
{
  assert_false(fr_loop_turn(*state, 0));
  fr_loop_free(*state);
  return 0;
}

static void turn_until_idle(struct fr_loop *loop)
{
  while (fr_loop_turn(loop, -1))
    ;
}

static void fired_are(const int *numbers, int count)
{
  assert_int_equal(fired.count, count);
  for (int i = 0; i < count; i++)
    assert_int_equal(fired.number[i], numbers[i]);
}

static void in_the_order_of_their_time(void **state)
{
  static const int due[] = { 50, 10, 30, 20, 40 };
  static const int order[] = { 1, 3, 2, 4, 0 };
  struct alarm alarms[5];

  for (int i = 0; i < 5; i++) {
    alarms[i] = alarm_of(*state, i);
    fr_timer_start(*state, &alarms[i].timer, (uint64_t)due[i]);
  }
  turn_until_idle(*state);
  fired_are(order, 5);
  for (int i = 0; i < 5; i++)
    assert_int_equal(fired.at[i], due[order[i]]);
}

static void at_one_time_in_the_order_of_arming(void **state)
{
  static const int order[] = { 0, 1, 2, 3 };
  struct alarm alarms[4];

  for (int i = 0; i < 4; i++) {
    alarms[i] = alarm_of(*state, i);
    fr_timer_start(*state, &alarms[i].timer, 5);
  }
  assert_true(fr_loop_turn(*state, -1));
  fired_are(order, 4);
}

static void virtual_time_leaps_and_never_sleeps(void **state)
{
  struct alarm alarm = alarm_of(*state, 0);
  struct fr_clock real;
  uint64_t before;

  fr_clock_real(&real);
  before = fr_clock_now(&real);
  fr_timer_start(*state, &alarm.timer, UINT64_C(86400000) * 365);
  assert_true(fr_loop_turn(*state, -1));
  assert_int_equal(fired.count, 1);
  assert_true(fr_loop_now(*state) == UINT64_C(86400000) * 365);
  assert_true(fr_loop_at(*state) == 1000000 + INT64_C(86400000) * 365);
  assert_true(fr_clock_now(&real) - before < 10000);
}

/* Two timers apart: one leap each, so that what the first one starts is not
 * jumped over. */
static void a_leap_goes_to_the_next_timer_only(void **state)
{
  struct alarm first = alarm_of(*state, 1), second = alarm_of(*state, 2);

  fr_timer_start(*state, &first.timer, 100);
  fr_timer_start(*state, &second.timer, 200);
  fr_loop_turn(*state, -1);
  assert_int_equal(fired.count, 1);
  assert_true(fr_loop_now(*state) == 100);
  fr_loop_turn(*state, -1);
  assert_int_equal(fired.count, 2);
  assert_true(fr_loop_now(*state) == 200);
}

static void the_wait_bounds_the_leap(void **state)
{
  struct alarm alarm = alarm_of(*state, 0);

  fr_timer_start(*state, &alarm.timer, 100);
  assert_true(fr_loop_turn(*state, 0));
  assert_true(fr_loop_now(*state) == 0);
  assert_true(fr_loop_turn(*state, 60));
  assert_true(fr_loop_now(*state) == 60);
  assert_int_equal(fired.count, 0);
  assert_true(fr_loop_turn(*state, 60));
  assert_true(fr_loop_now(*state) == 100);
  assert_int_equal(fired.count, 1);
}

static void an_op_that_is_done_goes_before_the_leap(void **state)
{
  struct alarm alarm = alarm_of(*state, 0);
  struct fr_op op = { 0 };

  fr_timer_start(*state, &alarm.timer, 100);
  fr_op_start(*state, &op, NULL);
  fr_op_finish(&op, FR_OK);
  fr_loop_turn(*state, -1);
  assert_int_equal(fr_loop_pending(*state), 0);
  assert_true(fr_loop_now(*state) == 0);
  fr_loop_turn(*state, -1);
  assert_int_equal(fired.count, 1);
}

static void stopped_does_not_fire(void **state)
{
  struct alarm alarm = alarm_of(*state, 0);

  fr_timer_stop(*state, &alarm.timer);          /* never armed */
  fr_timer_start(*state, &alarm.timer, 5);
  fr_timer_stop(*state, &alarm.timer);
  fr_timer_stop(*state, &alarm.timer);
  assert_false(fr_loop_turn(*state, -1));
  assert_int_equal(fired.count, 0);
}

static void armed_again_it_moves(void **state)
{
  struct alarm alarm = alarm_of(*state, 0), other = alarm_of(*state, 1);
  static const int order[] = { 1, 0 };

  fr_timer_start(*state, &alarm.timer, 5);
  fr_timer_start(*state, &other.timer, 10);
  fr_timer_start(*state, &alarm.timer, 20);     /* later */
  turn_until_idle(*state);
  fired_are(order, 2);
  assert_int_equal(fired.at[1], 20);
  fr_timer_start(*state, &alarm.timer, 90);
  fr_timer_start(*state, &alarm.timer, 30);     /* sooner */
  fr_loop_turn(*state, -1);
  assert_int_equal(fired.count, 3);
  assert_int_equal(fired.at[2], 30);
}

static void the_past_is_due(void **state)
{
  struct alarm alarm = alarm_of(*state, 0);

  fr_clock_advance(&clock_, 500);
  fr_timer_start(*state, &alarm.timer, 3);
  assert_true(fr_loop_turn(*state, 0));
  assert_int_equal(fired.count, 1);
  assert_true(fr_loop_now(*state) == 500);      /* time does not go back */
}

static void ring_again(struct fr_timer *timer)
{
  struct alarm *alarm = fr_container_of(timer, struct alarm, timer);

  note(timer);
  if (fired.count < 10)
    fr_timer_start(alarm->loop, timer,
                   fr_loop_now(alarm->loop) + alarm->again);
}

static void re_armed_for_now_it_waits_a_turn(void **state)
{
  struct alarm alarm = alarm_of(*state, 0);

  alarm.timer.on_due = ring_again;
  fr_timer_start(*state, &alarm.timer, 0);
  for (int turn = 1; turn <= 10; turn++) {
    assert_true(fr_loop_turn(*state, -1));
    assert_int_equal(fired.count, turn);
  }
}

static void re_armed_it_keeps_time(void **state)
{
  struct alarm alarm = alarm_of(*state, 0);

  alarm.again = 250;
  alarm.timer.on_due = ring_again;
  fr_timer_start(*state, &alarm.timer, 250);
  turn_until_idle(*state);
  assert_int_equal(fired.count, 10);
  for (int i = 0; i < 10; i++)
    assert_int_equal(fired.at[i], 250 * (i + 1));
}

static void stop_other(struct fr_timer *timer)
{
  struct alarm *alarm = fr_container_of(timer, struct alarm, timer);

  note(timer);
  fr_timer_stop(alarm->loop, &alarm->other->timer);
  free(alarm->other);
}

static void stopped_by_one_that_is_due_with_it(void **state)
{
  struct alarm alarm = alarm_of(*state, 0);
  struct alarm *other = malloc(sizeof(*other));

  assert_non_null(other);
  *other = alarm_of(*state, 1);
  alarm.other = other;
  alarm.timer.on_due = stop_other;
  fr_timer_start(*state, &alarm.timer, 5);
  fr_timer_start(*state, &other->timer, 5);
  fr_loop_turn(*state, -1);
  assert_int_equal(fired.count, 1);
}

static void postpone_other(struct fr_timer *timer)
{
  struct alarm *alarm = fr_container_of(timer, struct alarm, timer);

  note(timer);
  fr_timer_start(alarm->loop, &alarm->other->timer, 9);
}

static void postponed_by_one_that_is_due_with_it(void **state)
{
  struct alarm alarm = alarm_of(*state, 0), other = alarm_of(*state, 1);

  alarm.other = &other;
  alarm.timer.on_due = postpone_other;
  fr_timer_start(*state, &alarm.timer, 5);
  fr_timer_start(*state, &other.timer, 5);
  fr_loop_turn(*state, -1);
  assert_int_equal(fired.count, 1);
  fr_loop_turn(*state, -1);
  assert_int_equal(fired.count, 2);
  assert_int_equal(fired.at[1], 9);
}

static void free_self(struct fr_timer *timer)
{
  note(timer);
  free(fr_container_of(timer, struct alarm, timer));
}

static void a_timer_may_free_itself(void **state)
{
  for (int i = 0; i < 3; i++) {
    struct alarm *alarm = malloc(sizeof(*alarm));

    assert_non_null(alarm);
    *alarm = alarm_of(*state, i);
    alarm->timer.on_due = free_self;
    fr_timer_start(*state, &alarm->timer, 5);
  }
  fr_loop_turn(*state, -1);
  assert_int_equal(fired.count, 3);
}

static void finish(struct fr_timer *timer)
{
  struct alarm *alarm = fr_container_of(timer, struct alarm, timer);

  fr_op_finish(&alarm->op, FR_ETIMEOUT);
}

static void delivered(struct fr_op *op, void *arg)
{
  *(int *)arg += op->err == FR_ETIMEOUT;
}

static void what_a_timer_finishes_is_delivered_at_once(void **state)
{
  struct alarm alarm = alarm_of(*state, 0);
  int count = 0;

  fr_op_start(*state, &alarm.op, NULL);
  fr_op_wait(&alarm.op, delivered, &count);
  alarm.timer.on_due = finish;
  fr_timer_start(*state, &alarm.timer, 5);
  fr_loop_turn(*state, -1);
  assert_int_equal(count, 1);
}

static void random_times_come_sorted(void **state)
{
  enum { N = 60 };
  struct alarm alarms[N];
  unsigned seed = 3;

  for (int i = 0; i < 3 * N; i++) {             /* each armed three times */
    seed = seed * 1664525u + 1013904223u;
    if (i < N)
      alarms[i] = alarm_of(*state, i);
    fr_timer_start(*state, &alarms[i % N].timer, seed >> 20);
  }
  turn_until_idle(*state);
  assert_int_equal(fired.count, N);
  for (int i = 0; i < N; i++) {
    assert_true(fired.at[i] == alarms[fired.number[i]].timer.due);
    assert_true(!i || fired.at[i - 1] <= fired.at[i]);
  }
}

/* On the real clock: never early. */
static void real_timers_are_not_early(void **state)
{
  struct fr_clock real;
  struct fr_loop *loop;
  struct alarm alarm;
  uint64_t due;

  (void)state;
  fr_clock_real(&real);
  assert_int_equal(fr_loop_new(&real, &loop), FR_OK);
  alarm = alarm_of(loop, 0);
  due = fr_loop_now(loop) + 20;
  fr_timer_start(loop, &alarm.timer, due);
  turn_until_idle(loop);
  assert_int_equal(fired.count, 1);
  assert_true(fired.at[0] >= due && fr_clock_now(&real) >= due);
  fr_loop_free(loop);
}

static void the_wait_bounds_a_real_turn(void **state)
{
  struct fr_clock real;
  struct fr_loop *loop;
  struct alarm alarm;
  uint64_t before;

  (void)state;
  fr_clock_real(&real);
  assert_int_equal(fr_loop_new(&real, &loop), FR_OK);
  alarm = alarm_of(loop, 0);
  before = fr_clock_now(&real);
  fr_timer_start(loop, &alarm.timer, UINT64_MAX);       /* no overflow */
  assert_true(fr_loop_turn(loop, 5));
  assert_true(fr_clock_now(&real) - before < 10000);
  assert_int_equal(fired.count, 0);
  fr_timer_stop(loop, &alarm.timer);
  fr_loop_free(loop);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, drop)

int main(void)
{
  const struct CMUnitTest tests[] = {
    TEST(in_the_order_of_their_time),
    TEST(at_one_time_in_the_order_of_arming),
    TEST(virtual_time_leaps_and_never_sleeps),
    TEST(a_leap_goes_to_the_next_timer_only),
    TEST(the_wait_bounds_the_leap),
    TEST(an_op_that_is_done_goes_before_the_leap),
    TEST(stopped_does_not_fire),
    TEST(armed_again_it_moves),
    TEST(the_past_is_due),
    TEST(re_armed_for_now_it_waits_a_turn),
    TEST(re_armed_it_keeps_time),
    TEST(stopped_by_one_that_is_due_with_it),
    TEST(postponed_by_one_that_is_due_with_it),
    TEST(a_timer_may_free_itself),
    TEST(what_a_timer_finishes_is_delivered_at_once),
    TEST(random_times_come_sorted),
    TEST(real_timers_are_not_early),
    TEST(the_wait_bounds_a_real_turn),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
