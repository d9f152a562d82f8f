/* Steps 2 to 5: hold, ledger, limits, mode. Nothing here touches the network
 * but the one question for the time, and nothing here writes: what must be
 * recorded goes to the closing list, what may be deleted to the queue, and
 * the next barrier does the rest. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/plain.h"
#include "gate/internal.h"

#define ID_OF(effect, text) fr_uuid_format(&(effect)->id, text)

void fr_gate_close(struct fr_effect *effect, unsigned write)
{
  struct fr_gate *gate = effect->gate;
  bool silent = gate->config.mode == FR_MODE_PLAN || effect->dry_run;

  if (silent || gate->broken)
    write &= ~(unsigned)FR_WRITE_SKIP;
  effect->write = write;
  if (write) {
    fr_effect_move(effect, FR_PHASE_CLOSING);
    return;
  }
  fr_effect_end(effect);
}

void fr_gate_refuse(struct fr_effect *effect, enum fr_err err)
{
  char id[FR_UUID_TEXT];

  ID_OF(effect, id);
  fr_effect_say(effect, FR_FATE_REFUSED, err, "%s was not deleted: %s", id,
                effect->gate->sentence);
  fr_gate_close(effect, FR_WRITE_SKIP);
}

static void ledger_failed(struct fr_effect *effect, enum fr_err err)
{
  fr_gate_break(effect->gate, err);
  fr_gate_refuse(effect, err);
}

/* Failing costs nothing but time: each question is asked by itself then. */
void fr_gate_glimpse(struct fr_gate *gate)
{
  if (!gate->glimpsing)
    gate->glimpsing = !fr_ledger_glimpse(gate->config.ledger);
}

/* ---- 2: holds ------------------------------------------------------------ */

static void say_held(struct fr_effect *effect, const char *reason,
                     const char *way_out)
{
  char id[FR_UUID_TEXT];

  ID_OF(effect, id);
  free(effect->note);
  effect->note = strdup(reason);
  fr_effect_say(effect, FR_FATE_HELD, FR_EHELD, "%s was not deleted: a hold "
                "covers it (%s)%s", id, reason, way_out);
}

enum fr_err fr_gate_covers(struct fr_gate *gate, const struct fr_uuid *id,
                           char *ret_reason, size_t size,
                           const char **ret_way_out)
{
  struct fr_ledger *ledger = gate->config.ledger;
  const char *own = NULL;
  enum fr_err err = fr_hold_find(ledger, id, ret_reason, size);

  *ret_way_out = err ? "" : "; falrun hold remove lifts it";
  if (err != FR_ENOT_FOUND)
    return err;
  own = fr_source_find(gate, id);
  if (own) {
    fr_text_copy(ret_reason, size, own);
    return FR_OK;
  }
  return fr_grace_find(ledger, id, fr_loop_at(gate->config.loop), ret_reason,
                       size);
}

/* FR_OK: held, and its words are said. */
static enum fr_err find_hold(struct fr_effect *effect)
{
  char reason[1024];
  const char *way_out;
  enum fr_err err = fr_gate_covers(effect->gate, &effect->id, reason,
                                   sizeof(reason), &way_out);

  if (!err)
    say_held(effect, reason, way_out);
  return err;
}

bool fr_gate_held(struct fr_effect *effect)
{
  enum fr_err err = find_hold(effect);

  if (err && err != FR_ENOT_FOUND)
    fr_gate_break(effect->gate, err);
  return !err;
}

/* ---- 3: the ledger ------------------------------------------------------- */

static bool of_this_run(const struct fr_gate *gate,
                        const struct fr_record *record)
{
  return gate->config.mode == FR_MODE_RUN &&
         ((gate->run >= 0 && record->run == gate->run) ||
          record->outcome_at_ms > gate->born_at_ms);
}

/* True: the ledger's answer is final, and its words are said. */
static bool known_end(struct fr_effect *effect,
                      const struct fr_record *record)
{
  bool run = effect->gate->config.mode == FR_MODE_RUN;
  char id[FR_UUID_TEXT];

  ID_OF(effect, id);
  if (record->state == FR_STATE_DELETED || record->state == FR_STATE_GONE) {
    fr_effect_well(effect, FR_FATE_ALREADY_DELETED);
    return true;
  }
  if (record->state == FR_STATE_PARTIAL &&
      of_this_run(effect->gate, record)) {
    fr_effect_say(effect, FR_FATE_PARTIAL, FR_EPARTIAL, "some files of %s "
                  "were not deleted earlier in this run; a later run tries "
                  "again", id);
    return true;
  }
  if (record->state == FR_STATE_OPEN && run) {
    fr_effect_say(effect, FR_FATE_FAILED, FR_ETIMEOUT, "an earlier deletion "
                  "of %s may have been sent and its outcome is still open; "
                  "the next run settles it", id);
    return true;
  }
  return false;
}

/* ---- 4: limits ----------------------------------------------------------- */

static void note_age(struct fr_effect *effect)
{
  struct fr_gate *gate = effect->gate;
  struct fr_sighting seen;
  int64_t made;

  if (!fr_seen_find(fr_fal_seen(gate->config.fal), &effect->id, &seen)) {
    effect->endpoint = seen.endpoint;
    if (seen.ended_at_ms > effect->ended_at_ms)
      effect->ended_at_ms = seen.ended_at_ms;
  }
  if (!fr_uuid_time(&effect->id, &made) && made > effect->ended_at_ms)
    effect->ended_at_ms = made;
  effect->result.age_known = effect->ended_at_ms >= 0;
  if (effect->result.age_known)
    effect->result.age_ms =
      fr_loop_at(gate->config.loop) - effect->ended_at_ms;
}

static bool too_young(const struct fr_effect *effect)
{
  return effect->result.age_known &&
         effect->result.age_ms < effect->gate->config.limits.min_age_ms;
}

static void stop_for_number(struct fr_gate *gate)
{
  char text[256];

  (void)snprintf(text, sizeof(text), "the limit of %" PRIu64 " deletions in "
                 "one run is reached; raise it with --max-deletes N",
                 gate->config.limits.max_deletes);
  fr_gate_stop(gate, FR_ELIMIT, text);
}

static void stop_for_age(struct fr_effect *effect)
{
  int64_t age = effect->result.age_ms;
  char id[FR_UUID_TEXT], floor[FR_DATE_TEXT], is[FR_DATE_TEXT], text[320];
  uint64_t size = age < 0 ? -(uint64_t)age : (uint64_t)age;
  int64_t least = effect->gate->config.limits.min_age_ms;

  ID_OF(effect, id);
  fr_duration_format(size < 1000 ? size : size / 1000 * 1000, is);
  fr_duration_format(least > 0 ? (uint64_t)least : 0, floor);
  (void)snprintf(text, sizeof(text), age < 0 ?
                 "%s ended %s in the future, and nothing younger than %s may "
                 "be deleted; correct the policy or change --min-age" :
                 "%s is only %s old, and nothing younger than %s may be "
                 "deleted; correct the policy or change --min-age",
                 id, is, floor);
  fr_gate_stop(effect->gate, FR_ETOO_YOUNG, text);
}

bool fr_gate_limits(struct fr_effect *effect)
{
  struct fr_gate *gate = effect->gate;
  enum fr_err err = gate->stop ? FR_ESTOPPED : FR_OK;

  note_age(effect);
  if (!err && gate->taken >= gate->config.limits.max_deletes) {
    stop_for_number(gate);
    err = FR_ELIMIT;
  }
  if (!err && too_young(effect)) {
    stop_for_age(effect);
    err = FR_ETOO_YOUNG;
  }
  if (err)
    fr_gate_refuse(effect, err);
  return !err;
}

/* ---- all of them --------------------------------------------------------- */

static void queue(struct fr_effect *effect)
{
  struct fr_gate *gate = effect->gate;
  bool plan = gate->config.mode == FR_MODE_PLAN;

  gate->taken += plan || !effect->dry_run;
  if (plan || effect->dry_run) {
    fr_effect_well(effect, FR_FATE_PLANNED);
    fr_effect_end(effect);
    return;
  }
  effect->write = FR_WRITE_INTENT;
  fr_effect_move(effect, FR_PHASE_QUEUED);
}

/* Some limits need the whole before the first deletion. */
static void require_plan(struct fr_gate *gate)
{
  if (gate->stop || !gate->seal[0])
    return;
  gate->config.verdict->config = true;
  fr_gate_stop(gate, FR_ECONFIG, gate->seal);
}

/* Without the key that deletes nothing is even asked of the API. */
static void require_key(struct fr_effect *effect)
{
  struct fr_gate *gate = effect->gate;
  const char *lacks = NULL;

  if (!gate->stop && gate->config.mode == FR_MODE_RUN && !effect->dry_run)
    lacks = fr_fal_lacks_key(gate->config.fal, FR_KEY_ADMIN);
  if (lacks)
    fr_gate_stop(gate, FR_ECONFIG, lacks);
}

void fr_gate_admit(struct fr_effect *effect)
{
  struct fr_gate *gate = effect->gate;
  struct fr_record record;
  enum fr_err err;

  fr_sources_glance(gate);
  fr_gate_glimpse(gate);
  err = find_hold(effect);
  if (!err) {
    fr_gate_close(effect, FR_WRITE_SKIP);
    return;
  }
  if (err == FR_ENOT_FOUND)
    err = fr_ledger_find(gate->config.ledger, &effect->id, &record);
  if (err && err != FR_ENOT_FOUND) {
    ledger_failed(effect, err);
    return;
  }
  if (!err && known_end(effect, &record)) {
    fr_effect_end(effect);
    return;
  }
  effect->earlier = !err;
  fr_gate_adopt(gate);
  require_plan(gate);
  require_key(effect);
  if (!gate->stop && !fr_clock_known(gate) && !gate->stop) {
    fr_effect_move(effect, FR_PHASE_WAITING);
    return;
  }
  if (fr_gate_limits(effect))
    queue(effect);
}

enum fr_fate fr_gate_preview(struct fr_gate *gate, const struct fr_uuid *id,
                             enum fr_err *ret_err, char *why, size_t size)
{
  struct fr_effect *effect = fr_effect_new(gate, id);
  enum fr_fate fate = FR_FATE_PLANNED;
  struct fr_record record;
  enum fr_err err;

  *ret_err = FR_ENOMEM;
  why[0] = '\0';
  if (!effect)
    return FR_FATE_REFUSED;
  fr_gate_glimpse(gate);
  err = find_hold(effect);
  if (!err && effect->note)
    fr_text_copy(why, size, effect->note);
  if (err == FR_ENOT_FOUND) {
    err = fr_ledger_find(gate->config.ledger, id, &record);
    if (!err && !known_end(effect, &record))
      err = FR_ENOT_FOUND;
  }
  note_age(effect);
  if (!err)
    fate = effect->result.fate, err = effect->result.err;
  else if (err != FR_ENOT_FOUND)
    fate = FR_FATE_REFUSED;
  else if (gate->stop)
    fate = FR_FATE_REFUSED, err = FR_ESTOPPED;
  else if (too_young(effect))
    fate = FR_FATE_REFUSED, err = FR_ETOO_YOUNG;
  else
    err = FR_OK;
  fr_effect_unref(effect);
  *ret_err = err;
  return fate;
}
