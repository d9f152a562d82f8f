/* What an earlier run left open. */
#include "world.h"

/* A run that loses all answers to `n` ids and so leaves them open. */
static void leave_open(struct world *w, unsigned n)
{
  struct fr_deletion_spec spec = { .retries = 0 };

  world_begin(w);
  for (unsigned i = 0; i < n; i++) {
    struct fr_deletion *d;

    world_lose(w, FR_ETIMEOUT, true);
    spec.id = id_of(i);
    d = start_spec(w, &spec);
    settle_down(w);
    expect(d, FR_FATE_FAILED, FR_ETIMEOUT);
    fr_deletion_free(d);
    assert_int_equal(state_of(w, id_of(i)), FR_STATE_OPEN);
  }
}

static void settle(struct world *w)
{
  struct fr_op *op = fr_gate_settle(w->gate);

  settle_down(w);
  assert_int_equal(op->err, FR_OK);
}

static void young_key_is_sent_again(void **state)
{
  struct world *w = *state;
  char key[FR_KEY_TEXT];
  struct fr_counts counts;

  leave_open(w, 1);
  strcpy(key, w->key[0]);
  fr_clock_advance(&w->clock, 9 * 60 * 1000 - 1001);
  world_again(w);
  settle(w);
  assert_int_equal(w->deletes, 1);
  assert_string_equal(w->key[0], key);
  assert_int_equal(state_of(w, id_of(0)), FR_STATE_DELETED);
  assert_int_equal(events(w, "generation"), 0);
  fr_gate_counts(w->gate, &counts);
  assert_int_equal(counts.settled, 1);
  assert_int_equal(counts.deleted, 1);
  assert_int_equal(counts.open, 0);
  run_one(w, id_of(0), FR_FATE_ALREADY_DELETED, FR_OK);
  assert_int_equal(fr_gate_room(w->gate), FR_MAX_DELETES_DEFAULT - 1);
}

static void old_key_gets_a_generation(void **state)
{
  struct world *w = *state;
  char key[FR_KEY_TEXT + 4];

  leave_open(w, 1);
  (void)snprintf(key, sizeof(key), "%s.2", w->key[0]);
  fr_clock_advance(&w->clock, 9 * 60 * 1000 - 1000);
  world_again(w);               /* a second later: nine minutes exactly */
  settle(w);
  assert_string_equal(w->key[0], key);
  assert_int_equal(events(w, "generation"), 1);
  assert_int_equal(state_of(w, id_of(0)), FR_STATE_DELETED);
}

static void gone_while_open_is_gone(void **state)
{
  struct world *w = *state;

  leave_open(w, 1);
  world_again(w);
  world_answer(w, 404, "");
  settle(w);
  assert_int_equal(state_of(w, id_of(0)), FR_STATE_GONE);
}

static void held_while_open_stays_open(void **state)
{
  struct world *w = *state;
  struct fr_counts counts;

  leave_open(w, 2);
  add_hold(w, id_of(0));
  world_again(w);
  settle(w);
  assert_int_equal(w->deletes, 1);
  assert_int_equal(state_of(w, id_of(0)), FR_STATE_OPEN);
  assert_int_equal(state_of(w, id_of(1)), FR_STATE_DELETED);
  fr_gate_counts(w->gate, &counts);
  assert_int_equal(counts.held, 1);
  assert_int_equal(counts.open, 1);
  run_one(w, id_of(0), FR_FATE_HELD, FR_EHELD);
}

static void limit_stops_settling(void **state)
{
  struct world *w = *state;
  struct fr_counts counts;

  leave_open(w, 3);
  w->limits.max_deletes = 2;
  world_again(w);
  settle(w);
  assert_int_equal(fr_gate_stopped(w->gate), FR_ELIMIT);
  assert_int_equal(fr_verdict_exit_code(&w->verdict), 4);
  fr_gate_counts(w->gate, &counts);
  assert_int_equal(counts.open + counts.settled, 3);
  assert_int_equal(state_of(w, id_of(2)), FR_STATE_OPEN);
}

static void failing_again_stays_open(void **state)
{
  struct world *w = *state;
  struct fr_counts counts;

  leave_open(w, 1);
  world_again(w);
  for (int i = 0; i < 5; i++)
    world_answer(w, 500 + i % 2, "");
  settle(w);
  assert_int_equal(w->deletes, 5);
  assert_int_equal(state_of(w, id_of(0)), FR_STATE_OPEN);
  fr_gate_counts(w->gate, &counts);
  assert_int_equal(counts.open, 1);
  assert_int_equal(fr_verdict_exit_code(&w->verdict), 3);
  run_one(w, id_of(0), FR_FATE_FAILED, FR_ETIMEOUT);
  assert_int_equal(w->deletes, 5);
}

static void settled_partial_is_not_retried(void **state)
{
  struct world *w = *state;

  leave_open(w, 1);
  world_again(w);
  fr_clock_advance(&w->clock, 1000);
  world_answer(w, 200, ONE_BAD);
  settle(w);
  assert_int_equal(state_of(w, id_of(0)), FR_STATE_PARTIAL);
  run_one(w, id_of(0), FR_FATE_PARTIAL, FR_EPARTIAL);
  assert_int_equal(w->deletes, 1);
}

static void a_deletion_shares_the_settling(void **state)
{
  struct world *w = *state;
  struct fr_deletion *d;
  struct fr_op *op;

  leave_open(w, 1);
  world_again(w);
  w->park = true;
  op = fr_gate_settle(w->gate);
  for (int i = 0; i < 8 && !w->nparked; i++)
    turns(w, 1);
  assert_int_equal(w->nparked, 1);
  d = start(w, id_of(0));
  turns(w, 2);
  assert_true(fr_gate_busy(w->gate));
  world_unpark(w, NULL);
  settle_down(w);
  expect(d, FR_FATE_DELETED, FR_OK);
  assert_int_equal(op->err, FR_OK);
  assert_int_equal(w->deletes, 1);
  fr_deletion_free(d);
}

static void stop_leaves_the_rest(void **state)
{
  struct world *w = *state;
  struct fr_counts counts;

  leave_open(w, 3);
  world_again(w);
  fr_gate_settle(w->gate);
  fr_gate_stop(w->gate, FR_EINTERRUPTED, "SIGINT ended the run");
  settle_down(w);
  assert_int_equal(w->deletes, 0);
  fr_gate_counts(w->gate, &counts);
  assert_int_equal(counts.open, 3);
  assert_false(fr_gate_busy(w->gate));
}

static void plan_does_not_settle(void **state)
{
  struct world *w = *state;

  leave_open(w, 1);
  w->mode = FR_MODE_PLAN;
  world_again(w);
  settle(w);
  assert_int_equal(w->deletes, 0);
  assert_int_equal(w->metas, 0);
  run_one(w, id_of(0), FR_FATE_PLANNED, FR_OK);
}

static void many_are_settled_in_turns(void **state)
{
  struct world *w = *state;
  struct fr_counts counts;

  world_begin(w);
  assert_int_equal(fr_ledger_begin(w->ledger), FR_OK);
  for (unsigned i = 0; i < 700; i++) {
    char key[32];
    struct fr_intent intent = {
      .id = id_of(i), .key = key, .ended_at_ms = -1
    };

    (void)snprintf(key, sizeof(key), "key-%u", i);
    assert_int_equal(fr_ledger_intend(w->ledger, &intent), FR_OK);
  }
  assert_int_equal(fr_ledger_commit(w->ledger), FR_OK);
  world_again(w);
  settle(w);
  assert_int_equal(w->deletes, 700);
  fr_gate_counts(w->gate, &counts);
  assert_int_equal(counts.settled, 700);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    WORLD_TEST(young_key_is_sent_again),
    WORLD_TEST(old_key_gets_a_generation),
    WORLD_TEST(gone_while_open_is_gone),
    WORLD_TEST(held_while_open_stays_open),
    WORLD_TEST(limit_stops_settling),
    WORLD_TEST(failing_again_stays_open),
    WORLD_TEST(settled_partial_is_not_retried),
    WORLD_TEST(a_deletion_shares_the_settling),
    WORLD_TEST(stop_leaves_the_rest),
    WORLD_TEST(plan_does_not_settle),
    WORLD_TEST(many_are_settled_in_turns),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
