/* tests/unit/fal/test_throttle.c - slots on a virtual clock. */
#include "tests/unit/fal/support.h"

#include "fal/throttle.h"

struct bench {
  struct fr_clock clock;
  struct fr_loop *loop;
  struct fr_throttle throttle;
  unsigned granted;
};

struct waiter {
  struct fr_slot slot;
  struct bench *bench;
  unsigned order;               /* 1: the first that got one; 0: none */
  uint64_t at;
};

static void on_grant(struct fr_slot *slot)
{
  struct waiter *waiter = fr_container_of(slot, struct waiter, slot);

  waiter->order = ++waiter->bench->granted;
  waiter->at = fr_loop_now(waiter->bench->loop);
}

static struct bench *bench_new(unsigned most, double rate)
{
  struct bench *bench = calloc(1, sizeof(*bench));

  assert_non_null(bench);
  fr_clock_virtual(&bench->clock, AT0);
  assert_int_equal(fr_loop_new(&bench->clock, &bench->loop), FR_OK);
  fr_throttle_init(&bench->throttle, bench->loop, most, rate);
  return bench;
}

static void bench_free(struct bench *bench)
{
  fr_throttle_done(&bench->throttle);
  fr_loop_free(bench->loop);
  free(bench);
}

static void wait_in(struct bench *bench, struct waiter *waiter,
                    enum fr_lane lane)
{
  memset(waiter, 0, sizeof(*waiter));
  waiter->bench = bench;
  waiter->slot.on_grant = on_grant;
  fr_throttle_wait(&bench->throttle, &waiter->slot, lane);
}

/* At most `ms`, or until nobody waits. */
static void turn_for(struct bench *bench, uint64_t ms)
{
  uint64_t now = fr_loop_now(bench->loop), end = now + ms;
  int guard = 100000;

  while (bench->throttle.waiting && now < end && --guard) {
    fr_loop_turn(bench->loop, (int)(end - now));
    now = fr_loop_now(bench->loop);
  }
  assert_true(guard > 0);
}

static void settle(struct bench *bench)
{
  int i;

  for (i = 0; i < 5; i++)
    fr_loop_turn(bench->loop, 0);
}

/* One round trip: fills the limit, then releases all with `load`. */
static unsigned round_trip(struct bench *bench, enum fr_load load)
{
  static struct waiter many[600];
  unsigned before = bench->granted, got, i;

  for (i = 0; i < 600; i++)
    wait_in(bench, &many[i], FR_LANE_CHANGE);
  settle(bench);
  got = bench->granted - before;
  for (i = got; i < 600; i++)
    fr_throttle_leave(&bench->throttle, &many[i].slot);
  for (i = 0; i < got; i++)
    fr_throttle_release(&bench->throttle, &many[i].slot, load);
  assert_int_equal(bench->throttle.in_flight, 0);
  assert_int_equal(bench->throttle.waiting, 0);
  return got;
}

static void grants_come_from_the_loop_alone(void **state)
{
  struct bench *bench = bench_new(0, 0);
  struct waiter waiter;

  (void)state;
  wait_in(bench, &waiter, FR_LANE_READ);
  assert_int_equal(waiter.order, 0);
  settle(bench);
  assert_int_equal(waiter.order, 1);
  fr_throttle_release(&bench->throttle, &waiter.slot, FR_LOAD_GOOD);
  fr_throttle_release(&bench->throttle, &waiter.slot, FR_LOAD_GOOD);
  fr_throttle_leave(&bench->throttle, &waiter.slot);
  assert_int_equal(bench->throttle.in_flight, 0);
  bench_free(bench);
}

static void lanes_are_fifo_and_reads_go_first(void **state)
{
  struct bench *bench = bench_new(1, 0);
  struct waiter w[6];
  static const unsigned order[6] = { 1, 5, 6, 4, 2, 3 };
  size_t i;

  (void)state;
  wait_in(bench, &w[0], FR_LANE_CHANGE);
  settle(bench);
  wait_in(bench, &w[1], FR_LANE_CHANGE);
  wait_in(bench, &w[2], FR_LANE_CHANGE);
  wait_in(bench, &w[3], FR_LANE_RETRY);
  wait_in(bench, &w[4], FR_LANE_READ);
  wait_in(bench, &w[5], FR_LANE_READ);
  for (i = 0; i < 6; i++) {
    unsigned held = bench->granted;
    size_t k = 0;

    assert_int_equal(bench->throttle.in_flight, 1);
    while (w[k].order != held)
      k++;
    fr_throttle_release(&bench->throttle, &w[k].slot, FR_LOAD_NEUTRAL);
    settle(bench);
  }
  for (i = 0; i < 6; i++)
    assert_int_equal(w[i].order, order[i]);
  bench_free(bench);
}

static void it_grows_until_the_first_limit(void **state)
{
  struct bench *bench = bench_new(0, 0);
  unsigned i, trips = 0;

  (void)state;
  assert_int_equal(round_trip(bench, FR_LOAD_GOOD), 4);
  assert_int_equal(round_trip(bench, FR_LOAD_GOOD), 8);
  while (bench->throttle.width.limit < 256) {
    round_trip(bench, FR_LOAD_GOOD);
    trips++;
  }
  assert_true(trips <= 11);
  round_trip(bench, FR_LOAD_BUSY);
  i = bench->throttle.width.limit;
  assert_true(i < 128);
  assert_int_equal(round_trip(bench, FR_LOAD_NEUTRAL), i);
  assert_int_equal(bench->throttle.width.limit, i);
  assert_int_equal(round_trip(bench, FR_LOAD_GOOD), i);
  assert_in_range(bench->throttle.width.limit, i + 1, i + i / 8 + 1);
  bench_free(bench);
}

static void it_never_falls_below_one(void **state)
{
  struct bench *bench = bench_new(0, 0);
  unsigned i;

  (void)state;
  for (i = 0; i < 8; i++)
    round_trip(bench, FR_LOAD_BUSY);
  assert_int_equal(round_trip(bench, FR_LOAD_GOOD), 1);
  assert_int_equal(round_trip(bench, FR_LOAD_GOOD), 2);
  bench_free(bench);
}

static void a_cap_is_a_cap(void **state)
{
  struct bench *bench = bench_new(3, 0);
  unsigned i;

  (void)state;
  for (i = 0; i < 10; i++)
    assert_int_equal(round_trip(bench, FR_LOAD_GOOD), 3);
  bench_free(bench);
}

static void an_idle_client_earns_no_flood(void **state)
{
  struct bench *bench = bench_new(0, 0);
  struct waiter waiter;
  unsigned i;

  (void)state;
  for (i = 0; i < 1000; i++) {
    wait_in(bench, &waiter, FR_LANE_READ);
    settle(bench);
    fr_throttle_release(&bench->throttle, &waiter.slot, FR_LOAD_GOOD);
  }
  assert_int_equal(bench->throttle.width.limit, 4);
  bench_free(bench);
}

/* One at a level that was never had before: the width. What was sent with it
 * only moves the wall. */
static void a_refused_level_is_a_wall(void **state)
{
  struct bench *bench = bench_new(0, 0);
  struct fr_width *width = &bench->throttle.width;
  uint64_t start = fr_loop_now(bench->loop);
  struct waiter w[8];
  size_t i;

  (void)state;
  for (i = 0; i < 8; i++)
    wait_in(bench, &w[i], FR_LANE_CHANGE);
  settle(bench);
  assert_int_equal(bench->granted, 4);
  fr_throttle_refused(&bench->throttle, &w[3].slot, 2000);
  assert_int_equal(width->wall, 4);
  fr_throttle_refused(&bench->throttle, &w[2].slot, 0);
  assert_int_equal(width->wall, 3);
  assert_int_equal(width->limit, 2);
  fr_throttle_release(&bench->throttle, &w[0].slot, FR_LOAD_GOOD);
  fr_throttle_release(&bench->throttle, &w[1].slot, FR_LOAD_GOOD);
  assert_int_equal(width->limit, 2);
  assert_int_equal(bench->throttle.rate.hits, 0);
  turn_for(bench, 1999);
  assert_int_equal(bench->granted, 4);          /* the pause is for all */
  for (i = 4; i < 8; i++) {
    fr_loop_turn(bench->loop, 10000);
    settle(bench);
    assert_true(w[i].order > 0);
    fr_throttle_release(&bench->throttle, &w[i].slot, FR_LOAD_GOOD);
  }
  assert_int_equal(w[4].at - start, 2000);
  assert_int_equal(width->limit, 2);
  bench_free(bench);
}

/* A level that went well all the time: the rate. */
static void a_level_that_went_well_is_no_wall(void **state)
{
  struct bench *bench = bench_new(0, 0);
  struct waiter waiter;
  unsigned i;

  (void)state;
  for (i = 0; i < 30; i++) {
    wait_in(bench, &waiter, FR_LANE_CHANGE);
    settle(bench);
    fr_throttle_release(&bench->throttle, &waiter.slot, FR_LOAD_GOOD);
    fr_clock_advance(&bench->clock, 100);
  }
  wait_in(bench, &waiter, FR_LANE_CHANGE);
  settle(bench);
  fr_throttle_refused(&bench->throttle, &waiter.slot, 1000);
  assert_int_equal(bench->throttle.width.wall, 0);
  assert_int_equal(bench->throttle.rate.hits, 1);
  assert_true(bench->throttle.rate.known > 5);
  assert_true(bench->throttle.rate.known < 10);
  assert_true(bench->throttle.rate.speed > bench->throttle.rate.known);
  bench_free(bench);
}

/* A 429 without a wait: a limit on the rate has a second to fill again. */
static void a_refusal_without_a_wait_pauses_for_a_second(void **state)
{
  struct bench *bench = bench_new(0, 0);
  struct waiter waiter;
  uint64_t start;

  (void)state;
  wait_in(bench, &waiter, FR_LANE_CHANGE);
  settle(bench);
  fr_throttle_refused(&bench->throttle, &waiter.slot, 0);
  fr_throttle_refused(&bench->throttle, &waiter.slot, 9000);
  start = fr_loop_now(bench->loop);
  wait_in(bench, &waiter, FR_LANE_CHANGE);
  turn_for(bench, 20000);
  settle(bench);
  assert_int_equal(waiter.at, start + 1000);
  fr_throttle_leave(&bench->throttle, &waiter.slot);
  bench_free(bench);
}

static void few_are_as_many_as_at_first(void **state)
{
  struct bench *bench = bench_new(0, 0);

  (void)state;
  round_trip(bench, FR_LOAD_GOOD);
  round_trip(bench, FR_LOAD_GOOD);
  fr_throttle_few(&bench->throttle);
  assert_int_equal(round_trip(bench, FR_LOAD_GOOD), 4);
  bench_free(bench);
}

static void a_rate_is_kept(void **state)
{
  struct bench *bench = bench_new(0, 10);
  struct waiter w[31];
  uint64_t start = fr_loop_now(bench->loop);
  size_t i;

  (void)state;
  for (i = 0; i < 31; i++)
    wait_in(bench, &w[i], FR_LANE_CHANGE);
  for (i = 0; i < 31; i++) {
    turn_for(bench, w[i].order ? 0 : 200);
    settle(bench);
    assert_int_equal(w[i].order, i + 1);
    fr_throttle_release(&bench->throttle, &w[i].slot, FR_LOAD_GOOD);
  }
  /* 31 at 10 a second, the first at once: three seconds, never less */
  assert_in_range(w[30].at - start, 3000, 3100);
  for (i = 0; i + 11 <= 30; i++)
    assert_true(w[i + 11].at - w[i].at >= 1000);
  bench_free(bench);
}

static void a_pause_is_kept_to_the_moment(void **state)
{
  struct bench *bench = bench_new(0, 0);
  struct waiter waiter;
  uint64_t start = fr_loop_now(bench->loop);

  (void)state;
  fr_throttle_pause(&bench->throttle, start + 5000);
  fr_throttle_pause(&bench->throttle, start + 1000);
  wait_in(bench, &waiter, FR_LANE_READ);
  turn_for(bench, 20000);
  assert_int_equal(waiter.order, 1);
  assert_int_equal(waiter.at, start + 5000);
  fr_throttle_leave(&bench->throttle, &waiter.slot);
  assert_int_equal(bench->throttle.in_flight, 0);
  bench_free(bench);
}

static void a_pause_holds_those_who_wait_already(void **state)
{
  struct bench *bench = bench_new(0, 0);
  struct waiter waiter;
  uint64_t start = fr_loop_now(bench->loop);

  (void)state;
  wait_in(bench, &waiter, FR_LANE_READ);
  fr_throttle_pause(&bench->throttle, start + 700);
  turn_for(bench, 20000);
  assert_int_equal(waiter.at, start + 700);
  fr_throttle_leave(&bench->throttle, &waiter.slot);
  bench_free(bench);
}

/* A turn that slept until a slot was due ends without a grant. */
static void asleep_nothing_is_granted(void **state)
{
  struct bench *bench = bench_new(4, 0);
  struct waiter waiter;

  (void)state;
  fr_throttle_pause(&bench->throttle, fr_loop_now(bench->loop) + 60000);
  wait_in(bench, &waiter, FR_LANE_CHANGE);
  fr_loop_turn(bench->loop, -1);
  assert_int_equal(waiter.order, 0);
  fr_loop_turn(bench->loop, -1);
  assert_int_equal(waiter.order, 1);
  assert_int_equal(fr_loop_now(bench->loop), waiter.at);
  fr_throttle_leave(&bench->throttle, &waiter.slot);
  bench_free(bench);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(grants_come_from_the_loop_alone),
    cmocka_unit_test(lanes_are_fifo_and_reads_go_first),
    cmocka_unit_test(it_grows_until_the_first_limit),
    cmocka_unit_test(it_never_falls_below_one),
    cmocka_unit_test(a_cap_is_a_cap),
    cmocka_unit_test(an_idle_client_earns_no_flood),
    cmocka_unit_test(a_refused_level_is_a_wall),
    cmocka_unit_test(a_level_that_went_well_is_no_wall),
    cmocka_unit_test(a_refusal_without_a_wait_pauses_for_a_second),
    cmocka_unit_test(few_are_as_many_as_at_first),
    cmocka_unit_test(a_rate_is_kept),
    cmocka_unit_test(a_pause_is_kept_to_the_moment),
    cmocka_unit_test(a_pause_holds_those_who_wait_already),
    cmocka_unit_test(asleep_nothing_is_granted),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
