/* Effects: their life, their lists and their end.
 *
 * An ended effect keeps its words and files for the deletions that borrow
 * them, but nothing of the client: the change goes as soon as its answer has
 * been recorded. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "gate/internal.h"

#define WORDS_MAX 1024

static struct fr_pool pool = FR_POOL(struct fr_effect);

struct fr_effect *fr_effect_new(struct fr_gate *gate,
                                const struct fr_uuid *id)
{
  struct fr_effect *effect = fr_pool_new(&pool);

  if (!effect)
    return NULL;
  effect->gate = gate;
  effect->refs = 1;
  effect->id = *id;
  effect->ended_at_ms = -1;
  effect->generation = 1;
  fr_list_init(&effect->link);
  fr_list_init(&effect->recall);
  fr_list_init(&effect->handles);
  fr_buf_init(&effect->words, WORDS_MAX);
  effect->result.message = effect->result.evidence = "";
  effect->result.idempotency_key = "";
  return effect;
}

void fr_effect_unref(struct fr_effect *effect)
{
  if (!effect || --effect->refs > 0)
    return;
  fr_table_remove(&effect->gate->ids, &effect->by_id);
  fr_table_remove(&effect->gate->keys, &effect->by_key);
  fr_list_del(&effect->link);
  fr_list_del(&effect->recall);
  fr_change_free(effect->change);
  fr_buf_done(&effect->words);
  free(effect->files);
  free(effect->note);
  free(effect->reason);
  free(effect->policy);
  fr_pool_free(&pool, effect);
}

struct fr_effect *fr_effect_find(struct fr_gate *gate,
                                 const struct fr_uuid *id)
{
  uint64_t hash = fr_table_hash(&gate->ids, id->bytes, sizeof(id->bytes));
  struct fr_entry *entry = fr_table_first(&gate->ids, hash);

  for (; entry; entry = fr_table_next(entry)) {
    struct fr_effect *effect =
      fr_container_of(entry, struct fr_effect, by_id);

    if (fr_uuid_compare(&effect->id, id) == 0)
      return effect;
  }
  return NULL;
}

void fr_effect_begin(struct fr_effect *effect)
{
  struct fr_gate *gate = effect->gate;

  effect->refs++;
  effect->started_ms = fr_loop_now(gate->config.loop);
  gate->active++;
  if (!effect->dry_run) /* nobody may share what is only a plan */
    fr_table_add(&gate->ids, &effect->by_id,
                 fr_table_hash(&gate->ids, effect->id.bytes,
                               sizeof(effect->id.bytes)));
}

void fr_effect_move(struct fr_effect *effect, enum fr_phase phase)
{
  struct fr_gate *gate = effect->gate;
  struct fr_list *to[] = {
    [FR_PHASE_WAITING] = &gate->waiting, [FR_PHASE_QUEUED] = &gate->queued,
    [FR_PHASE_SENDING] = &gate->sending,
    [FR_PHASE_ANSWERED] = &gate->answered,
    [FR_PHASE_CLOSING] = &gate->closing, [FR_PHASE_OVER] = NULL
  };

  if (effect->phase != FR_PHASE_NEW)
    gate->in_phase[effect->phase]--;
  gate->in_phase[phase]++;
  fr_list_del(&effect->link);
  effect->phase = phase;
  if (to[phase])
    fr_list_add(to[phase], &effect->link);
}

void fr_effect_generation(struct fr_effect *effect, unsigned generation)
{
  size_t room = sizeof(effect->key) - effect->base_len;

  effect->generation = generation;
  effect->key[effect->base_len] = '\0';
  if (generation > 1)
    (void)snprintf(effect->key + effect->base_len, room, ".%u", generation);
}

void fr_effect_say(struct fr_effect *effect, enum fr_fate fate,
                   enum fr_err err, const char *format, ...)
{
  char text[WORDS_MAX];
  va_list args;

  va_start(args, format);
  (void)vsnprintf(text, sizeof(text), format, args);
  va_end(args);
  effect->result.fate = fate;
  effect->result.err = err;
  effect->result.retryable = fr_err_retryable(err);
  fr_buf_say(&effect->words, "%s", text);
  effect->result.message = fr_buf_text(&effect->words);
  if (err && !effect->result.message[0])
    effect->result.message = fr_err_message(err);
}

void fr_effect_well(struct fr_effect *effect, enum fr_fate fate)
{
  effect->result.fate = fate;
  effect->result.err = FR_OK;
  effect->result.retryable = false;
  fr_buf_clear(&effect->words);
  effect->result.message = fr_buf_text(&effect->words);
}

static void count(struct fr_effect *effect)
{
  struct fr_counts *counts = &effect->gate->counts;
  enum fr_fate fate = effect->result.fate;
  uint64_t *of[] = {
    [FR_FATE_DELETED] = &counts->deleted,
    [FR_FATE_ALREADY_DELETED] = &counts->already_deleted,
    [FR_FATE_PLANNED] = &counts->planned,
    [FR_FATE_PARTIAL] = &counts->partial, [FR_FATE_HELD] = &counts->held,
    [FR_FATE_REFUSED] = &counts->refused, [FR_FATE_FAILED] = &counts->failed
  };
  bool unknown = fate == FR_FATE_DELETED || fate == FR_FATE_PLANNED;

  ++*of[fate];
  effect->gate->over++;
  counts->open += effect->announced && !effect->closed;
  counts->settled += effect->settling && effect->closed;
  counts->age_unknown += unknown && !effect->result.age_known;
  if (fate == FR_FATE_FAILED || fate == FR_FATE_PARTIAL)
    effect->gate->config.verdict->failed = true;
}

void fr_effect_end(struct fr_effect *effect)
{
  struct fr_gate *gate = effect->gate;

  fr_effect_move(effect, FR_PHASE_OVER);
  fr_list_del(&effect->recall);
  fr_table_remove(&gate->ids, &effect->by_id);
  fr_table_remove(&gate->keys, &effect->by_key);
  fr_change_free(effect->change);
  effect->change = NULL;
  if (effect->attempts > 0)
    effect->result.idempotency_key = effect->key;
  effect->result.attempts = effect->attempts;
  count(effect);
  while (!fr_list_empty(&effect->handles))
    fr_deletion_deliver(effect->handles.next, effect);
  gate->active--;
  if (effect->settling)
    fr_settle_over(effect);
  fr_effect_unref(effect);
}
