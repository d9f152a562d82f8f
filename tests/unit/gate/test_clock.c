/* tests/unit/gate/test_clock.c - the clock is set, or the machine sleeps,
 * while a run is on. */
#include "fal/read.h"
#include "world.h"

#define HOUR_MS (3600 * 1000)

/* The world goes on as before. */
static void set_clock(struct world *w, int64_t by_ms)
{
  fr_clock_detach(&w->clock, fr_clock_at(&w->clock) + by_ms);
  w->skew_ms += by_ms;
}

/* The world went on, and the monotonic clock did not. */
static void sleep_for(struct world *w, int64_t ms)
{
  fr_clock_detach(&w->clock, fr_clock_at(&w->clock) + ms);
}

static void assert_stopped(struct world *w, size_t deletes)
{
  assert_int_equal(fr_gate_stopped(w->gate), FR_ECLOCK);
  assert_int_equal(fr_verdict_exit_code(&w->verdict), 4);
  assert_int_equal(w->deletes, deletes);
}

static void a_clock_that_is_set_stops_the_run(void **state)
{
  struct world *w = *state;

  for (int sign = -1; sign <= 1; sign += 2) {
    world_begin(w);
    run_one(w, id_of(sign + 2), FR_FATE_DELETED, FR_OK);
    set_clock(w, sign * HOUR_MS);
    run_one(w, id_of(sign + 3), FR_FATE_REFUSED, FR_ESTOPPED);
    assert_stopped(w, 1);
    set_clock(w, -sign * HOUR_MS);
    world_end(w);
  }
  world_begin(w);
}

static void slewing_is_no_reason_to_ask(void **state)
{
  struct world *w = *state;

  world_begin(w);
  run_one(w, id_of(1), FR_FATE_DELETED, FR_OK);
  set_clock(w, 30 * 1000);
  run_one(w, id_of(2), FR_FATE_DELETED, FR_OK);
  assert_int_equal(w->metas, 1);
}

static void after_a_sleep_the_time_is_asked_again(void **state)
{
  struct world *w = *state;

  world_begin(w);
  for (unsigned i = 1; i <= 3; i++) {
    run_one(w, id_of(i), FR_FATE_DELETED, FR_OK);
    assert_int_equal(w->metas, i);
    sleep_for(w, 8 * HOUR_MS);
  }
}

/* What was asked for was computed with the clock of the start. */
static void a_clock_set_before_the_first_answer_stops(void **state)
{
  struct world *w = *state;

  w->skew_ms = HOUR_MS;
  world_begin(w);
  set_clock(w, -HOUR_MS);
  run_one(w, id_of(1), FR_FATE_REFUSED, FR_ESTOPPED);
  assert_stopped(w, 0);
}

static void it_stops_with_nothing_to_delete(void **state)
{
  struct fr_read_spec spec = { .method = "GET", .path = "/meta",
                               .key = FR_KEY_NONE };
  struct world *w = *state;
  struct fr_read *read;

  w->skew_ms = HOUR_MS;
  world_begin(w);
  assert_int_equal(fr_read_new(w->fal, &spec, &read), FR_OK);
  fr_read_start(read);
  settle_down(w);
  fr_gate_barrier(w->gate);
  assert_stopped(w, 0);
  fr_read_free(read);
}

/* It answered once, and does not when it is asked again. */
static void no_time_after_a_sleep_is_a_stop(void **state)
{
  struct world *w = *state;

  world_begin(w);
  run_one(w, id_of(1), FR_FATE_DELETED, FR_OK);
  sleep_for(w, HOUR_MS);
  w->no_date = true;
  run_one(w, id_of(2), FR_FATE_REFUSED, FR_ESTOPPED);
  assert_int_equal(fr_gate_stopped(w->gate), FR_EUNAVAILABLE);
  assert_int_equal(w->deletes, 1);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    WORLD_TEST(a_clock_that_is_set_stops_the_run),
    WORLD_TEST(slewing_is_no_reason_to_ask),
    WORLD_TEST(after_a_sleep_the_time_is_asked_again),
    WORLD_TEST(a_clock_set_before_the_first_answer_stops),
    WORLD_TEST(it_stops_with_nothing_to_delete),
    WORLD_TEST(no_time_after_a_sleep_is_a_stop),
  };

  return cmocka_run_group_tests_name("gate/clock", tests, NULL, NULL);
}
