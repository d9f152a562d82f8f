/* What earlier runs left open, sent again.
 *
 * A key younger than nine minutes is sent as it is: fal answers from its
 * cache, and what it answers is the answer of the lost request. An older key
 * could be executed as a new request, so a new generation of it is announced
 * first. Only ids are kept (sixteen bytes each), and only some are in motion;
 * each record is read again when its turn comes. */
#include <stdlib.h>
#include <string.h>

#include "gate/internal.h"

#define OPEN_MAX (1u << 20)     /* 16 MiB; more is left to the next run */

struct reader {
  struct fr_uuid *ids;
  size_t count, cap;
  bool failed;
};

static int note(void *arg, const struct fr_open_intent *open)
{
  struct reader *reader = arg;

  if (reader->count == OPEN_MAX)
    return 1;
  if (reader->count == reader->cap) {
    size_t cap = reader->cap ? reader->cap * 2 : 64;
    struct fr_uuid *ids = realloc(reader->ids, cap * sizeof(*ids));

    if (!ids) {
      reader->failed = true;
      return 1;
    }
    reader->ids = ids;
    reader->cap = cap;
  }
  reader->ids[reader->count++] = open->id;
  return 0;
}

static void finish(struct fr_gate *gate)
{
  struct fr_uuid id;

  /* What was never reached stays open. */
  for (; gate->settle.next < gate->settle.count; gate->settle.next++) {
    id = gate->settle.ids[gate->settle.next];
    gate->counts.open += !fr_effect_find(gate, &id);
  }
  free(gate->settle.ids);
  gate->settle.ids = NULL;
  gate->settle.active = false;
  fr_op_finish(&gate->settle.op, gate->settle.err);
}

static void cancel(struct fr_op *op)
{
  struct fr_gate *gate = fr_container_of(op, struct fr_gate, settle.op);

  gate->settle.err = FR_ECANCELLED;
  if (gate->settle.active && gate->settle.motion == 0)
    finish(gate);
}

struct fr_op *fr_gate_settle(struct fr_gate *gate)
{
  struct reader reader = { 0 };
  struct fr_op *op = &gate->settle.op;
  enum fr_err err = FR_OK;

  if (gate->settle.begun)
    return op;
  gate->settle.begun = true;
  fr_op_start(gate->config.loop, op, cancel);
  if (gate->config.mode == FR_MODE_RUN)
    err = fr_ledger_each_open(gate->config.ledger, note, &reader);
  if (!err && reader.failed)
    err = FR_ENOMEM;
  if (err && err != FR_ENOMEM)
    fr_gate_break(gate, err);
  gate->settle.ids = reader.ids;
  gate->settle.count = err ? 0 : reader.count;
  gate->settle.next = gate->settle.motion = 0;
  gate->settle.err = err;
  gate->settle.active = true;
  if (gate->settle.count == 0)
    finish(gate);
  return op;
}

/* ---- one of them --------------------------------------------------------- */

static void choose_generation(struct fr_effect *effect,
                              const struct fr_record *record)
{
  int64_t age = fr_loop_at(effect->gate->config.loop) - record->key_at_ms;
  bool young = age >= 0 && age < FR_KEY_YOUNG_MS;

  effect->key_at_ms = record->key_at_ms;
  effect->lost_generation = !young;
  effect->write = young ? 0 : FR_WRITE_GENERATION;
  fr_effect_generation(effect, record->generation + !young);
}

static void settle_one(struct fr_effect *effect,
                       const struct fr_record *record)
{
  struct fr_gate *gate = effect->gate;

  effect->settling = effect->announced = true;
  effect->earlier = effect->unanswered = true;
  effect->left = FR_RETRIES_DEFAULT + 1;
  effect->ended_at_ms = record->ended_at_ms;
  effect->user_key = record->user_key;
  effect->base_len = strlen(record->key);
  memcpy(effect->key, record->key, effect->base_len + 1);
  gate->settle.motion++;
  fr_effect_begin(effect);
  if (fr_gate_held(effect)) {
    fr_gate_close(effect, FR_WRITE_SKIP);
  } else if (fr_gate_limits(effect)) {
    gate->taken++;
    choose_generation(effect, record);
    fr_effect_move(effect, FR_PHASE_QUEUED);
  }
}

static void take_next(struct fr_gate *gate)
{
  const struct fr_uuid *id = &gate->settle.ids[gate->settle.next++];
  struct fr_effect *effect;
  struct fr_record record;
  enum fr_err err = fr_ledger_find(gate->config.ledger, id, &record);

  if (err && err != FR_ENOT_FOUND) {
    fr_gate_break(gate, err);
    return;
  }
  if (err || record.state != FR_STATE_OPEN || fr_effect_find(gate, id))
    return;
  effect = fr_effect_new(gate, id);
  if (!effect) {
    gate->settle.err = FR_ENOMEM;
    return;
  }
  settle_one(effect, &record);
  fr_effect_unref(effect);
}

void fr_settle_pump(struct fr_gate *gate)
{
  if (!gate->settle.active)
    return;
  while (gate->settle.next < gate->settle.count && !gate->settle.err &&
         gate->settle.motion < FR_SETTLING_MAX) {
    fr_gate_adopt(gate);
    if (gate->stop || !fr_clock_known(gate))
      break;
    take_next(gate);
  }
  if (gate->settle.motion == 0 &&
      (gate->settle.next == gate->settle.count || gate->stop ||
       gate->settle.err))
    finish(gate);
}

void fr_settle_over(struct fr_effect *effect)
{
  effect->gate->settle.motion--;
}
