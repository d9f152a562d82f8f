/* Steps 6 and 10: the commit before the effect, sharing, stops, faults. */
#include <signal.h>
#include <sys/resource.h>

#include "world.h"

static void on_done(struct fr_op *op, void *arg)
{
  (void)op;
  ++*(int *)arg;
}

static void intents_come_first(void **state)
{
  struct world *w = *state;
  struct fr_deletion *d[60];

  world_begin(w);
  for (unsigned i = 0; i < 60; i++)
    d[i] = start(w, id_of(i));
  assert_int_equal(w->deletes, 0);
  settle_down(w);       /* world_see looks through the second connection */
  assert_int_equal(w->deletes, 60);
  for (unsigned i = 0; i < 60; i++) {
    expect(d[i], FR_FATE_DELETED, FR_OK);
    fr_deletion_free(d[i]);
  }
  assert_int_equal(events(w, "intent"), 60);
  assert_int_equal(events(w, "outcome"), 60);
}

static void large_groups_pass(void **state)
{
  struct world *w = *state;
  struct fr_deletion **d = calloc(3500, sizeof(struct fr_deletion *));

  world_begin(w);
  for (unsigned i = 0; i < 3500; i++)
    d[i] = start(w, id_of(i));
  settle_down(w);
  assert_int_equal(w->deletes, 3500);
  for (unsigned i = 0; i < 3500; i++) {
    expect(d[i], FR_FATE_DELETED, FR_OK);
    fr_deletion_free(d[i]);
  }
  free(d);
}

/* Ten are announced, one at a time is sent: an ending waits for company, for
 * fifty milliseconds, and no longer where nothing announced is left. */
static void a_group_waits_while_the_throttle_has_work(void **state)
{
  struct world *w = *state;
  struct fr_deletion *d[10];
  size_t before, waits;
  uint64_t from;

  w->concurrency = 1;
  world_begin(w);
  run_one(w, id_of(100), FR_FATE_DELETED, FR_OK);
  before = events(w, "outcome");
  w->park = true;
  for (unsigned i = 0; i < 10; i++)
    d[i] = start(w, id_of(i));
  turns(w, 4);
  assert_int_equal(w->nparked, 1);
  assert_int_equal(events(w, "intent"), 11);
  world_unpark(w, NULL);
  w->park = true;
  from = fr_loop_now(w->loop);
  for (waits = 0; events(w, "outcome") == before && waits < 100; waits++) {
    fr_gate_barrier(w->gate);
    fr_loop_turn(w->loop, -1);          /* moves on to the next timer */
  }
  assert_in_range(waits, 2, 99);
  assert_in_range(fr_loop_now(w->loop) - from, 50, 51);
  assert_int_equal(state_of(w, id_of(0)), FR_STATE_DELETED);
  assert_int_equal(w->nparked, 1);      /* the next went out meanwhile */
  world_unpark(w, NULL);
  settle_down(w);
  for (unsigned i = 0; i < 10; i++) {
    expect(d[i], FR_FATE_DELETED, FR_OK);
    fr_deletion_free(d[i]);
  }
}

static void nobody_waits_for_company_in_vain(void **state)
{
  struct world *w = *state;
  struct fr_deletion *d;
  uint64_t from;

  world_begin(w);
  run_one(w, id_of(100), FR_FATE_DELETED, FR_OK);
  from = fr_loop_now(w->loop);
  d = start(w, id_of(1));
  turns(w, 6);
  expect(d, FR_FATE_DELETED, FR_OK);
  assert_int_equal(fr_loop_now(w->loop), from);
  fr_deletion_free(d);
}

static void done_is_told_once_and_late(void **state)
{
  struct world *w = *state;
  struct fr_deletion *d;
  int told = 0;

  world_begin(w);
  run_one(w, id_of(1), FR_FATE_DELETED, FR_OK);
  d = start(w, id_of(1));
  fr_op_wait(fr_deletion_op(d), on_done, &told);
  assert_int_equal(told, 0);
  settle_down(w);
  assert_int_equal(told, 1);
  fr_deletion_free(d);
}

static void doubles_share_one_request(void **state)
{
  struct world *w = *state;
  struct fr_deletion *d[3];
  struct fr_counts counts;

  world_begin(w);
  run_one(w, id_of(9), FR_FATE_DELETED, FR_OK);
  w->park = true;
  world_answer(w, 200, ONE_OK);
  d[0] = start(w, id_of(1));
  d[1] = start(w, id_of(1));
  turns(w, 4);
  assert_int_equal(w->nparked, 1);
  d[2] = start(w, id_of(1));            /* while it is in flight */
  turns(w, 2);
  fr_deletion_free(d[0]);               /* the leader's handle goes */
  world_unpark(w, &w->answers[0]);
  settle_down(w);
  assert_int_equal(w->deletes, 2);
  for (int i = 1; i < 3; i++) {
    expect(d[i], FR_FATE_DELETED, FR_OK);
    assert_int_equal(fr_deletion_result(d[i])->nfiles, 1);
  }
  fr_gate_counts(w->gate, &counts);
  assert_int_equal(counts.deleted, 2);
  fr_deletion_free(d[2]);
  assert_string_equal(fr_deletion_result(d[1])->files[0].link,
                      "https://f/a");
  fr_deletion_free(d[1]);
}

static void freed_in_flight_is_recorded(void **state)
{
  struct world *w = *state;
  struct fr_deletion *d;

  world_begin(w);
  fr_deletion_free(start(w, id_of(1)));         /* waits for the clock */
  settle_down(w);
  w->park = true;
  d = start(w, id_of(2));
  turns(w, 4);
  assert_int_equal(w->nparked, 1);
  fr_deletion_free(d);
  assert_true(fr_gate_busy(w->gate));
  world_unpark(w, NULL);
  settle_down(w);
  assert_int_equal(state_of(w, id_of(1)), FR_STATE_DELETED);
  assert_int_equal(state_of(w, id_of(2)), FR_STATE_DELETED);
}

static void cancelled_wait_goes_on(void **state)
{
  struct world *w = *state;
  struct fr_deletion *d;

  world_begin(w);
  d = start(w, id_of(1));
  fr_op_cancel(fr_deletion_op(d));
  turns(w, 1);
  expect(d, FR_FATE_REFUSED, FR_ECANCELLED);
  settle_down(w);
  assert_int_equal(state_of(w, id_of(1)), FR_STATE_DELETED);
  fr_deletion_free(d);
}

/* ---- holds that come late ------------------------------------------------ */

static void hold_before_the_barrier(void **state)
{
  struct world *w = *state;
  struct fr_deletion *d;

  world_begin(w);
  run_one(w, id_of(9), FR_FATE_DELETED, FR_OK);
  d = start(w, id_of(1));
  add_hold(w, id_of(1));
  settle_down(w);
  expect(d, FR_FATE_HELD, FR_EHELD);
  fr_deletion_free(d);
  assert_int_equal(w->deletes, 1);
  assert_int_equal(state_of(w, id_of(1)), FR_STATE_NONE);
  assert_int_equal(events(w, "held"), 1);
  assert_int_equal(fr_gate_room(w->gate), FR_MAX_DELETES_DEFAULT - 1);
}

static void hold_in_the_throttle(void **state)
{
  struct world *w = *state;
  struct fr_deletion *first, *second, *third;

  w->concurrency = 1;
  world_begin(w);
  run_one(w, id_of(9), FR_FATE_DELETED, FR_OK);
  w->park = true;
  first = start(w, id_of(1));
  second = start(w, id_of(2));
  third = start(w, id_of(3));
  turns(w, 4);
  assert_int_equal(w->nparked, 1);
  assert_int_equal(state_of(w, id_of(2)), FR_STATE_OPEN);
  add_hold(w, id_of(2));
  add_hold(w, id_of(1));                /* too late: it is in flight */
  turns(w, 2);
  world_unpark(w, NULL);
  settle_down(w);
  expect(first, FR_FATE_DELETED, FR_OK);
  expect(second, FR_FATE_HELD, FR_EHELD);
  expect(third, FR_FATE_DELETED, FR_OK);
  assert_int_equal(w->deletes, 3);
  assert_int_equal(state_of(w, id_of(2)), FR_STATE_UNSENT);
  fr_deletion_free(first);
  fr_deletion_free(second);
  fr_deletion_free(third);
}

static void hold_between_retries(void **state)
{
  struct world *w = *state;
  struct answer limited = { .status = 429, .body = "", .retry_after = "60" };
  struct fr_deletion *d;

  world_begin(w);
  run_one(w, id_of(9), FR_FATE_DELETED, FR_OK);
  w->park = true;
  d = start(w, id_of(1));
  turns(w, 4);
  assert_int_equal(w->nparked, 1);
  add_hold(w, id_of(1));
  turns(w, 1);
  world_unpark(w, &limited);
  settle_down(w);
  expect(d, FR_FATE_HELD, FR_EHELD);
  fr_deletion_free(d);
  assert_int_equal(w->deletes, 2);
  assert_int_equal(state_of(w, id_of(1)), FR_STATE_FAILED);
}

/* ---- stops --------------------------------------------------------------- */

static void stop_in_the_middle(void **state)
{
  struct world *w = *state;
  struct fr_deletion *flying, *announced, *queued, *late;
  struct fr_counts counts;

  w->concurrency = 1;
  world_begin(w);
  run_one(w, id_of(9), FR_FATE_DELETED, FR_OK);
  w->park = true;
  flying = start(w, id_of(1));
  announced = start(w, id_of(2));
  turns(w, 4);
  assert_int_equal(w->nparked, 1);
  queued = start(w, id_of(3));
  fr_gate_stop(w->gate, FR_EINTERRUPTED, "SIGTERM ended the run");
  late = start(w, id_of(4));
  turns(w, 3);
  expect(announced, FR_FATE_REFUSED, FR_ESTOPPED);
  expect(queued, FR_FATE_REFUSED, FR_ESTOPPED);
  expect(late, FR_FATE_REFUSED, FR_ESTOPPED);
  assert_non_null(strstr(fr_deletion_result(late)->message, "SIGTERM"));
  assert_true(fr_gate_busy(w->gate));
  world_unpark(w, NULL);
  settle_down(w);
  expect(flying, FR_FATE_DELETED, FR_OK);
  assert_int_equal(state_of(w, id_of(1)), FR_STATE_DELETED);
  assert_int_equal(state_of(w, id_of(2)), FR_STATE_UNSENT);
  assert_int_equal(state_of(w, id_of(3)), FR_STATE_NONE);
  assert_int_equal(fr_gate_stopped(w->gate), FR_EINTERRUPTED);
  fr_gate_stop(w->gate, FR_ELIMIT, "later");    /* the first wins */
  assert_int_equal(fr_gate_stopped(w->gate), FR_EINTERRUPTED);
  fr_gate_counts(w->gate, &counts);
  assert_int_equal(counts.refused, 3);
  assert_int_equal(counts.open, 0);
  assert_int_equal(events(w, "refused"), 2);
  fr_deletion_free(flying);
  fr_deletion_free(announced);
  fr_deletion_free(queued);
  fr_deletion_free(late);
}

/* A limit ends deletions, also those between two attempts. */
static void limit_takes_back_retries(void **state)
{
  struct world *w = *state;
  struct answer busy = { .status = 429, .body = "", .retry_after = "60" };
  struct fr_deletion *d;

  world_begin(w);
  run_one(w, id_of(9), FR_FATE_DELETED, FR_OK);
  w->park = true;
  d = start(w, id_of(1));
  turns(w, 4);
  assert_int_equal(w->nparked, 1);
  fr_gate_stop(w->gate, FR_ELIMIT, "enough is enough, said the policy");
  turns(w, 1);
  world_unpark(w, &busy);
  settle_down(w);
  expect(d, FR_FATE_FAILED, FR_ESTOPPED);
  assert_int_equal(w->deletes, 2);
  assert_int_equal(fr_fal_stopped(w->fal), FR_OK);
  assert_int_equal(fr_verdict_exit_code(&w->verdict), 4);
  fr_deletion_free(d);
}

static void stop_while_asking_for_the_time(void **state)
{
  struct world *w = *state;
  struct fr_deletion *d;

  world_begin(w);
  d = start(w, id_of(1));
  fr_gate_stop(w->gate, FR_EINTERRUPTED, "SIGINT ended the run");
  settle_down(w);
  expect(d, FR_FATE_REFUSED, FR_ESTOPPED);
  assert_int_equal(w->deletes, 0);
  fr_deletion_free(d);
}

/* Nothing else has marked that it is not all done. */
static void stop_without_memory(void **state)
{
  struct world *w = *state;
  struct fr_deletion *d;

  world_begin(w);
  d = start(w, id_of(1));
  fr_gate_stop(w->gate, FR_ENOMEM, NULL);
  settle_down(w);
  expect(d, FR_FATE_REFUSED, FR_ESTOPPED);
  fr_deletion_free(d);
  assert_int_equal(fr_verdict_exit_code(&w->verdict), 9);
}

static void no_stop_is_all_done(void **state)
{
  struct world *w = *state;

  world_begin(w);
  fr_gate_stop(w->gate, FR_EPROTOCOL, "something new");
  assert_int_equal(fr_verdict_exit_code(&w->verdict), 7);
}

/* ---- a ledger that fails ------------------------------------------------- */

/* No file of this process may grow: what a full disk does to a commit. */
static void disk_full(bool full)
{
  struct rlimit limit;

  (void)signal(SIGXFSZ, SIG_IGN);
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
  limit.rlim_cur = full ? 0 : limit.rlim_max;
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void no_intent_no_request(void **state)
{
  struct world *w = *state;
  struct fr_deletion *d[2];

  world_begin(w);
  run_one(w, id_of(9), FR_FATE_DELETED, FR_OK);
  disk_full(true);
  d[0] = start(w, id_of(1));
  d[1] = start(w, id_of(2));
  settle_down(w);
  for (int i = 0; i < 2; i++) {
    expect(d[i], FR_FATE_REFUSED, fr_deletion_result(d[i])->err);
    assert_true(fr_deletion_result(d[i])->err != FR_OK);
  }
  assert_int_equal(w->deletes, 1);
  assert_int_equal(fr_verdict_exit_code(&w->verdict), 8);
  assert_true(fr_gate_stopped(w->gate) != FR_OK);
  disk_full(false);
  run_one(w, id_of(3), FR_FATE_REFUSED, FR_ESTOPPED);
  assert_int_equal(w->deletes, 1);
  fr_deletion_free(d[0]);
  fr_deletion_free(d[1]);
}

static void unrecorded_is_never_deleted(void **state)
{
  struct world *w = *state;
  struct fr_deletion *d;
  struct fr_counts counts;

  world_begin(w);
  run_one(w, id_of(9), FR_FATE_DELETED, FR_OK);
  w->park = true;
  d = start(w, id_of(1));
  turns(w, 4);
  assert_int_equal(w->nparked, 1);
  disk_full(true);
  world_unpark(w, NULL);
  settle_down(w);
  expect(d, FR_FATE_FAILED, FR_EIO);
  disk_full(false);
  fr_deletion_free(d);
  fr_gate_counts(w->gate, &counts);
  assert_int_equal(counts.deleted, 1);
  assert_int_equal(counts.open, 1);
  assert_int_equal(fr_verdict_exit_code(&w->verdict), 8);
  assert_int_equal(state_of(w, id_of(1)), FR_STATE_OPEN);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    WORLD_TEST(intents_come_first),
    WORLD_TEST(large_groups_pass),
    WORLD_TEST(a_group_waits_while_the_throttle_has_work),
    WORLD_TEST(nobody_waits_for_company_in_vain),
    WORLD_TEST(done_is_told_once_and_late),
    WORLD_TEST(doubles_share_one_request),
    WORLD_TEST(freed_in_flight_is_recorded),
    WORLD_TEST(cancelled_wait_goes_on),
    WORLD_TEST(hold_before_the_barrier),
    WORLD_TEST(hold_in_the_throttle),
    WORLD_TEST(hold_between_retries),
    WORLD_TEST(stop_in_the_middle),
    WORLD_TEST(limit_takes_back_retries),
    WORLD_TEST(stop_while_asking_for_the_time),
    WORLD_TEST(stop_without_memory),
    WORLD_TEST(no_stop_is_all_done),
    WORLD_TEST(no_intent_no_request),
    WORLD_TEST(unrecorded_is_never_deleted),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
