/* tests/unit/gate/test_plan.c - plans that are known whole. */
#include "world.h"

#include "gate/plan.h"

static enum fr_err declare(struct world *w, uint64_t planned,
                           uint64_t scanned)
{
  return fr_gate_declare(w->gate,
                         &(struct fr_declaration){ planned, scanned });
}

static void number(void **state)
{
  struct world *w = *state;

  w->limits.max_deletes = 3;
  world_begin(w);
  assert_int_equal(declare(w, 3, 3), FR_OK);
  assert_int_equal(declare(w, 4, 9), FR_ELIMIT);
  assert_int_equal(fr_gate_stopped(w->gate), FR_ELIMIT);
  assert_non_null(strstr(fr_gate_stop_sentence(w->gate), "--max-deletes"));
  assert_int_equal(declare(w, 1, 9), FR_ESTOPPED);
  assert_int_equal(fr_verdict_exit_code(&w->verdict), 4);
}

static void share(void **state)
{
  static const struct {
    uint64_t planned, scanned;
    enum fr_err err;
  } rows[] = {
    { 0, 0, FR_OK }, { 20, 100, FR_OK }, { 21, 100, FR_ELIMIT },
    { 1, 5, FR_OK }, { 1, 4, FR_ELIMIT }, { 1, 0, FR_ELIMIT },
    { 2000, 10000, FR_OK }, { 2001, 10000, FR_ELIMIT },
  };
  struct world *w = *state;

  w->limits.max_percent = 20;
  for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
    w->verdict = (struct fr_verdict){ 0 };
    world_begin(w);
    if (declare(w, rows[i].planned, rows[i].scanned) != rows[i].err)
      fail_msg("row %zu", i);
    world_end(w);
  }
  world_begin(w);
}

static void no_more_than_was_declared(void **state)
{
  struct world *w = *state;

  world_begin(w);
  assert_int_equal(declare(w, 2, 10), FR_OK);
  assert_int_equal(fr_gate_room(w->gate), 2);
  run_one(w, id_of(1), FR_FATE_DELETED, FR_OK);
  run_one(w, id_of(2), FR_FATE_DELETED, FR_OK);
  run_one(w, id_of(3), FR_FATE_REFUSED, FR_ELIMIT);
  assert_int_equal(w->deletes, 2);
}

static void huge_figures(void **state)
{
  struct world *w = *state;

  w->limits.max_deletes = UINT64_MAX;
  w->limits.max_percent = 50;
  world_begin(w);
  assert_int_equal(declare(w, UINT64_MAX / 4, UINT64_MAX / 2), FR_OK);
  assert_int_equal(declare(w, UINT64_MAX / 4 * 3, UINT64_MAX), FR_ELIMIT);
}

static void sealed_until_declared(void **state)
{
  struct world *w = *state;

  w->limits.max_percent = 50;
  world_begin(w);
  fr_gate_seal(w->gate, "a whole is needed: return fal.policy");
  assert_int_equal(declare(w, 1, 2), FR_OK);
  run_one(w, id_of(1), FR_FATE_DELETED, FR_OK);
}

static void a_seal_is_a_matter_of_configuration(void **state)
{
  struct world *w = *state;

  world_begin(w);
  fr_gate_seal(w->gate, "a whole is needed: return fal.policy");
  run_one(w, id_of(1), FR_FATE_REFUSED, FR_ESTOPPED);
  run_one(w, id_of(2), FR_FATE_REFUSED, FR_ESTOPPED);
  assert_int_equal(w->deletes, 0);
  assert_int_equal(fr_verdict_exit_code(&w->verdict), 2);
  assert_int_equal(declare(w, 1, 2), FR_ESTOPPED);
}

static void a_seal_holds_plans_too(void **state)
{
  struct world *w = *state;

  w->mode = FR_MODE_PLAN;
  world_begin(w);
  fr_gate_seal(w->gate, "a whole is needed");
  run_one(w, id_of(1), FR_FATE_REFUSED, FR_ESTOPPED);
  assert_int_equal(fr_verdict_exit_code(&w->verdict), 2);
}

/* Each declaration leaves at most what the one before left. */
static void declared_again(void **state)
{
  struct world *w = *state;

  w->limits.max_deletes = 10;
  world_begin(w);
  assert_int_equal(declare(w, 5, 100), FR_OK);
  run_one(w, id_of(1), FR_FATE_DELETED, FR_OK);
  assert_int_equal(declare(w, 2, 100), FR_OK);
  assert_int_equal(fr_gate_room(w->gate), 2);
  run_one(w, id_of(2), FR_FATE_DELETED, FR_OK);
  assert_int_equal(declare(w, 2, 100), FR_ELIMIT);
  assert_non_null(strstr(fr_gate_stop_sentence(w->gate),
                         "in the rest of this run"));
  assert_int_equal(w->deletes, 2);
}

static void nothing_is_declared(void **state)
{
  struct world *w = *state;

  world_begin(w);
  assert_int_equal(declare(w, 0, 0), FR_OK);
  run_one(w, id_of(1), FR_FATE_REFUSED, FR_ELIMIT);
  assert_int_equal(w->deletes, 0);
}

/* What an earlier run left open is settled behind a seal: it was promised
 * then, and its outcome must be known. It counts, and is not of the plan. */
static void open_work_passes_a_seal(void **state)
{
  struct world *w = *state;
  struct fr_deletion *lost;

  w->limits.max_deletes = 3;
  world_begin(w);
  run_one(w, id_of(9), FR_FATE_DELETED, FR_OK);
  w->park = true;
  lost = start(w, id_of(1));
  turns(w, 4);
  assert_int_equal(w->nparked, 1);
  fr_deletion_free(lost);
  w->park = false;
  w->nparked = 0;
  world_again(w);
  assert_int_equal(state_of(w, id_of(1)), FR_STATE_OPEN);
  fr_gate_seal(w->gate, "a whole is needed");
  fr_gate_settle(w->gate);
  settle_down(w);
  assert_int_equal(state_of(w, id_of(1)), FR_STATE_DELETED);
  assert_int_equal(fr_gate_stopped(w->gate), FR_OK);
  assert_int_equal(declare(w, 2, 2), FR_OK);
  assert_int_equal(fr_gate_room(w->gate), 2);
  run_one(w, id_of(2), FR_FATE_DELETED, FR_OK);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    WORLD_TEST(number),
    WORLD_TEST(share),
    WORLD_TEST(no_more_than_was_declared),
    WORLD_TEST(huge_figures),
    WORLD_TEST(sealed_until_declared),
    WORLD_TEST(a_seal_is_a_matter_of_configuration),
    WORLD_TEST(a_seal_holds_plans_too),
    WORLD_TEST(declared_again),
    WORLD_TEST(nothing_is_declared),
    WORLD_TEST(open_work_passes_a_seal),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
