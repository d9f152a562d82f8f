/* tests/unit/loop/test_op.c - exactly once, from the turn, never inside. */
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

struct job {
  struct fr_op op;
  int done, asked;
  enum fr_err err;              /* as delivered */
  enum fr_err on_ask;           /* what the module finishes with; 0: nothing */
  struct job *other;            /* for what callbacks do to each other */
  int *order, *at;              /* where to write one's own number */
  int number;
};

static void on_cancel(struct fr_op *op)
{
  struct job *job = fr_container_of(op, struct job, op);

  job->asked++;
  if (job->on_ask)
    fr_op_finish(op, job->on_ask);
}

static void on_done(struct fr_op *op, void *arg)
{
  struct job *job = arg;

  assert_ptr_equal(op, &job->op);
  job->done++;
  job->err = op->err;
  if (job->order)
    job->order[(*job->at)++] = job->number;
}

static void start(struct fr_loop *loop, struct job *job)
{
  memset(job, 0, sizeof(*job));
  fr_op_start(loop, &job->op, on_cancel);
  fr_op_wait(&job->op, on_done, job);
}

static int make(void **state)
{
  struct fr_loop *loop;

  fr_clock_virtual(&clock_, 0);
  assert_int_equal(fr_loop_new(&clock_, &loop), FR_OK);
  *state = loop;
  return 0;
}

/* The loop's own check: in a debug build it aborts on what is left over. */
static int drop(void **state)
{
  struct fr_loop *loop = *state;

  assert_int_equal(fr_loop_pending(loop), 0);
  assert_false(fr_loop_turn(loop, 0));
  fr_loop_free(loop);
  return 0;
}

static void finished_now_delivered_by_the_turn(void **state)
{
  struct fr_loop *loop = *state;
  struct job job;

  start(loop, &job);
  assert_int_equal(fr_loop_pending(loop), 1);
  fr_op_finish(&job.op, FR_ETIMEOUT);
  assert_int_equal(job.done, 0);
  assert_int_equal(fr_loop_pending(loop), 1);
  assert_true(fr_loop_turn(loop, -1));
  assert_int_equal(job.done, 1);
  assert_int_equal(job.err, FR_ETIMEOUT);
  assert_int_equal(fr_loop_pending(loop), 0);
  assert_false(fr_loop_turn(loop, -1));
  assert_int_equal(job.done, 1);
}

static void the_first_finish_counts(void **state)
{
  struct fr_loop *loop = *state;
  struct job job;

  start(loop, &job);
  fr_op_finish(&job.op, FR_OK);
  fr_op_finish(&job.op, FR_EIO);
  fr_loop_turn(loop, 0);
  fr_op_finish(&job.op, FR_EIO);
  assert_false(fr_loop_turn(loop, 0));
  assert_int_equal(job.done, 1);
  assert_int_equal(job.err, FR_OK);
}

static void nobody_has_to_wait(void **state)
{
  struct fr_loop *loop = *state;
  struct fr_op op = { 0 };

  fr_op_start(loop, &op, NULL);
  fr_op_finish(&op, FR_OK);
  assert_true(fr_loop_turn(loop, 0));
  assert_int_equal(fr_loop_pending(loop), 0);
}

static void waiting_may_begin_after_the_end(void **state)
{
  struct fr_loop *loop = *state;
  struct job job = { 0 };

  fr_op_start(loop, &job.op, NULL);
  fr_op_finish(&job.op, FR_OK);
  fr_op_wait(&job.op, on_done, &job);
  fr_loop_turn(loop, 0);
  assert_int_equal(job.done, 1);
}

static void delivered_in_the_order_of_finishing(void **state)
{
  int order[5] = { 0 }, at = 0;
  struct job jobs[5];

  for (int i = 0; i < 5; i++) {
    start(*state, &jobs[i]);
    jobs[i].order = order;
    jobs[i].at = &at;
    jobs[i].number = i;
  }
  for (int i = 0; i < 5; i++)
    fr_op_finish(&jobs[(i * 2) % 5].op, FR_OK);
  fr_loop_turn(*state, 0);
  assert_int_equal(at, 5);
  for (int i = 0; i < 5; i++)
    assert_int_equal(order[i], (i * 2) % 5);
}

static void cancel_ends_it_later(void **state)
{
  struct job job;

  start(*state, &job);
  fr_op_cancel(&job.op);
  assert_int_equal(job.asked, 1);
  assert_int_equal(job.done, 0);
  fr_loop_turn(*state, 0);
  assert_int_equal(job.done, 1);
  assert_int_equal(job.err, FR_ECANCELLED);
}

static void further_cancels_do_nothing(void **state)
{
  struct job job;

  start(*state, &job);
  fr_op_cancel(&job.op);
  fr_op_cancel(&job.op);
  assert_int_equal(job.asked, 1);
  fr_loop_turn(*state, 0);
  fr_op_cancel(&job.op);
  assert_false(fr_loop_turn(*state, 0));
  assert_int_equal(job.asked, 1);
  assert_int_equal(job.done, 1);
}

static void cancel_without_a_module_is_enough(void **state)
{
  struct job job = { 0 };

  fr_op_start(*state, &job.op, NULL);
  fr_op_wait(&job.op, on_done, &job);
  fr_op_cancel(&job.op);
  fr_loop_turn(*state, 0);
  assert_int_equal(job.done, 1);
  assert_int_equal(job.err, FR_ECANCELLED);
}

static void the_module_may_know_better(void **state)
{
  struct job job;

  start(*state, &job);
  job.on_ask = FR_ESTOPPED;
  fr_op_cancel(&job.op);
  fr_loop_turn(*state, 0);
  assert_int_equal(job.done, 1);
  assert_int_equal(job.err, FR_ESTOPPED);
}

static void what_is_done_cannot_be_cancelled(void **state)
{
  struct job job;

  start(*state, &job);
  fr_op_finish(&job.op, FR_OK);
  fr_op_cancel(&job.op);
  assert_int_equal(job.asked, 0);
  fr_loop_turn(*state, 0);
  assert_int_equal(job.err, FR_OK);
}

static void cancels_again(struct fr_op *op)
{
  fr_container_of(op, struct job, op)->asked++;
  fr_op_cancel(op);
}

static void a_cancel_inside_a_cancel_is_one(void **state)
{
  struct job job = { 0 };

  fr_op_start(*state, &job.op, cancels_again);
  fr_op_wait(&job.op, on_done, &job);
  fr_op_cancel(&job.op);
  fr_loop_turn(*state, 0);
  assert_int_equal(job.asked, 1);
  assert_int_equal(job.done, 1);
}

static void abandoned_is_forgotten_at_once(void **state)
{
  struct fr_loop *loop = *state;
  struct job *job = malloc(sizeof(*job));

  assert_non_null(job);
  start(loop, job);
  fr_op_abandon(&job->op);
  assert_int_equal(job->asked, 1);
  assert_int_equal(job->done, 0);
  assert_int_equal(fr_loop_pending(loop), 0);
  fr_op_abandon(&job->op);
  free(job);                                    /* ASan watches */
  assert_false(fr_loop_turn(loop, 0));
}

static void abandoned_after_the_end(void **state)
{
  struct fr_loop *loop = *state;
  struct job *job = malloc(sizeof(*job));

  assert_non_null(job);
  start(loop, job);
  fr_op_finish(&job->op, FR_OK);
  fr_op_abandon(&job->op);
  assert_int_equal(job->asked, 0);
  assert_int_equal(fr_loop_pending(loop), 0);
  free(job);
  assert_false(fr_loop_turn(loop, 0));
}

static void what_never_was_can_be_abandoned(void **state)
{
  struct fr_op op = { 0 };

  (void)state;
  fr_op_abandon(&op);
  fr_op_cancel(&op);
  fr_op_finish(&op, FR_OK);
}

static void abandon_other(struct fr_op *op, void *arg)
{
  struct job *job = arg;

  (void)op;
  job->done++;
  fr_op_abandon(&job->other->op);
  free(job->other);
}

/* Both finished: the second is in the batch that is being delivered. */
static void abandoned_from_the_same_batch(void **state)
{
  struct job job, *other = malloc(sizeof(*other));

  assert_non_null(other);
  start(*state, &job);
  start(*state, other);
  job.other = other;
  fr_op_wait(&job.op, abandon_other, &job);
  fr_op_finish(&job.op, FR_OK);
  fr_op_finish(&other->op, FR_OK);
  fr_loop_turn(*state, 0);
  assert_int_equal(job.done, 1);
}

static void finish_other(struct fr_op *op, void *arg)
{
  struct job *job = arg;

  (void)op;
  job->done++;
  fr_op_finish(&job->other->op, FR_OK);
  assert_int_equal(job->other->done, 0);
}

static void what_finishes_meanwhile_waits_a_turn(void **state)
{
  struct job job, other;

  start(*state, &job);
  start(*state, &other);
  job.other = &other;
  fr_op_wait(&job.op, finish_other, &job);
  fr_op_finish(&job.op, FR_OK);
  fr_loop_turn(*state, 0);
  assert_int_equal(job.done, 1);
  assert_int_equal(other.done, 0);
  fr_loop_turn(*state, 0);
  assert_int_equal(other.done, 1);
}

static void restart(struct fr_op *op, void *arg)
{
  struct job *job = arg;

  if (++job->done == 3)
    return;
  fr_op_start(op->loop, op, NULL);
  fr_op_wait(op, restart, job);
  fr_op_finish(op, FR_OK);
}

static void an_op_may_start_again_from_its_end(void **state)
{
  struct job job = { 0 };

  fr_op_start(*state, &job.op, NULL);
  fr_op_wait(&job.op, restart, &job);
  fr_op_finish(&job.op, FR_OK);
  for (int turn = 1; turn <= 3; turn++) {       /* once per turn, not three */
    fr_loop_turn(*state, 0);
    assert_int_equal(job.done, turn);
  }
}

static void free_it(struct fr_op *op, void *arg)
{
  ++*(int *)arg;
  free(op);
}

static void an_op_may_be_freed_at_its_end(void **state)
{
  int freed = 0;

  for (int i = 0; i < 3; i++) {
    struct fr_op *op = calloc(1, sizeof(*op));

    assert_non_null(op);
    fr_op_start(*state, op, NULL);
    fr_op_wait(op, free_it, &freed);
    fr_op_finish(op, FR_OK);
  }
  fr_loop_turn(*state, 0);
  assert_int_equal(freed, 3);
}

/* Nothing can wake the loop, although an operation is open: that is told. */
static void an_op_alone_does_not_hold_the_loop(void **state)
{
  struct job job;

  start(*state, &job);
  assert_false(fr_loop_turn(*state, -1));
  assert_int_equal(fr_loop_pending(*state), 1);
  fr_op_abandon(&job.op);
}

/* Many operations with a random fate each; every one ends exactly once. */
static void any_fate_ends_once(void **state)
{
  enum { N = 500 };
  static struct job jobs[N];
  unsigned seed = 7;
  int dropped = 0;

  for (int i = 0; i < N; i++)
    start(*state, &jobs[i]);
  for (int step = 0; step < 20 * N; step++) {
    struct job *job = &jobs[(seed >> 8) % N];

    seed = seed * 1664525u + 1013904223u;
    if (seed >> 28 < 6)
      fr_op_finish(&job->op, FR_OK);
    else if (seed >> 28 < 12)
      fr_op_cancel(&job->op);
    else if (seed >> 28 == 12) {
      dropped += job->op.pending;
      fr_op_abandon(&job->op);
    } else if (seed >> 28 == 15)
      fr_loop_turn(*state, 0);
  }
  for (int i = 0; i < N; i++)
    fr_op_cancel(&jobs[i].op);
  fr_loop_turn(*state, 0);
  assert_true(dropped > 0);
  for (int i = 0; i < N; i++) {
    dropped -= !jobs[i].done;
    assert_true(jobs[i].done <= 1 && jobs[i].asked <= 1);
  }
  assert_int_equal(dropped, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, drop)

int main(void)
{
  const struct CMUnitTest tests[] = {
    TEST(finished_now_delivered_by_the_turn),
    TEST(the_first_finish_counts),
    TEST(nobody_has_to_wait),
    TEST(waiting_may_begin_after_the_end),
    TEST(delivered_in_the_order_of_finishing),
    TEST(cancel_ends_it_later),
    TEST(further_cancels_do_nothing),
    TEST(cancel_without_a_module_is_enough),
    TEST(the_module_may_know_better),
    TEST(what_is_done_cannot_be_cancelled),
    TEST(a_cancel_inside_a_cancel_is_one),
    TEST(abandoned_is_forgotten_at_once),
    TEST(abandoned_after_the_end),
    TEST(what_never_was_can_be_abandoned),
    TEST(abandoned_from_the_same_batch),
    TEST(what_finishes_meanwhile_waits_a_turn),
    TEST(an_op_may_start_again_from_its_end),
    TEST(an_op_may_be_freed_at_its_end),
    TEST(an_op_alone_does_not_hold_the_loop),
    TEST(any_fate_ends_once),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
