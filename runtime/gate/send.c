/* Steps 7 and 8: handing an announced effect to the client, and taking it
 * back. Only the barrier calls fr_effect_send. */
#include "gate/internal.h"

static void answered(struct fr_op *op, void *arg)
{
  struct fr_effect *effect = arg;

  (void)op;
  fr_list_del(&effect->recall);
  fr_effect_move(effect, FR_PHASE_ANSWERED);
}

void fr_effect_send(struct fr_effect *effect)
{
  struct fr_change_spec spec = {
    .id = effect->id, .idempotency_key = effect->key,
    .key_at_ms = effect->key_at_ms, .attempts = effect->left,
    .timeout_ms = effect->timeout_ms, .last_status = effect->last_status
  };
  enum fr_err err;

  effect->write = 0;
  err = fr_change_new(effect->gate->config.fal, &spec, &effect->change);
  if (err) {
    effect->failure = err;
    fr_effect_move(effect, FR_PHASE_ANSWERED);
    return;
  }
  fr_effect_move(effect, FR_PHASE_SENDING);
  fr_change_start(effect->change);
  fr_op_wait(fr_change_op(effect->change), answered, effect);
}

void fr_effect_recall(struct fr_effect *effect)
{
  fr_list_del(&effect->recall);
  if (!fr_change_withdraw(effect->change))
    fr_list_add(&effect->gate->recall, &effect->recall);
}

void fr_effect_withdraw(struct fr_effect *effect, enum fr_err err)
{
  bool fresh = effect->write & FR_WRITE_INTENT;

  if (!fresh) {
    effect->failure = err;
    fr_effect_move(effect, FR_PHASE_ANSWERED);
  } else if (err == FR_EHELD) {
    effect->gate->taken--;
    fr_gate_close(effect, FR_WRITE_SKIP);
  } else {
    fr_gate_refuse(effect, err);
  }
}
