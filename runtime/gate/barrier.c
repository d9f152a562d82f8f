/* Steps 6 and 10: one synced commit per turn, or for several.
 *
 *   prepare: stop of the client, clock, answers, settling, holds again
 *   BEGIN    holds once more, now that nobody else can write
 *            endings (outcomes, skips), then intents and generations
 *   COMMIT   only now are the intents sent and the endings told
 *
 * A commit costs a sync whatever is in it. So a group waits for company, for
 * at most 50 ms, while the throttle still has announced work to send; where
 * the transfers or a script would wait for it, it is committed at once.
 *
 * The holds of everything under way are asked again only when another
 * connection has committed; so a turn costs nothing per queued id. When the
 * commit fails, no intent is sent, and an answer that could not be recorded
 * is a failure: its intent stays open, and the next run settles it. */
#include <stddef.h>

#include "gate/internal.h"

static struct fr_effect *effect_of(struct fr_list *link)
{
  return fr_container_of(link, struct fr_effect, link);
}

/* ---- before the group ---------------------------------------------------- */

static void admit_waiting(struct fr_gate *gate)
{
  struct fr_list waiting;

  if (fr_list_empty(&gate->waiting))
    return;
  if (!gate->stop && !fr_clock_known(gate) && !gate->stop)
    return;
  fr_list_take(&gate->waiting, &waiting);
  while (!fr_list_empty(&waiting))
    fr_gate_admit(effect_of(waiting.next));
}

static void judge_answered(struct fr_gate *gate)
{
  while (!fr_list_empty(&gate->answered))
    fr_effect_judge(effect_of(gate->answered.next));
}

static void recall_again(struct fr_gate *gate)
{
  struct fr_list recall;

  fr_list_take(&gate->recall, &recall);
  while (!fr_list_empty(&recall))
    fr_effect_recall(fr_container_of(recall.next, struct fr_effect, recall));
}

static void hold_queued(struct fr_gate *gate)
{
  struct fr_list queued;

  fr_list_take(&gate->queued, &queued);
  while (!fr_list_empty(&queued)) {
    struct fr_effect *effect = effect_of(queued.next);
    bool held = fr_gate_held(effect);

    effect->held |= held;
    if (held)
      fr_effect_withdraw(effect, FR_EHELD);
    else if (gate->stop)
      fr_effect_withdraw(effect, FR_ESTOPPED);
    else
      fr_effect_move(effect, FR_PHASE_QUEUED);
  }
}

static void hold_sending(struct fr_gate *gate)
{
  struct fr_list *link = gate->sending.next, *next;

  for (; link != &gate->sending; link = next) {
    struct fr_effect *effect = effect_of(link);

    next = link->next;
    if (effect->held || !fr_gate_held(effect))
      continue;
    effect->held = true;
    fr_effect_recall(effect);
  }
}

/* Asks the holds again when another connection has written, or when the
 * run's own sources hold more than before. */
static void look_again(struct fr_gate *gate)
{
  int64_t version;
  enum fr_err err;

  if (fr_list_empty(&gate->queued) && fr_list_empty(&gate->sending))
    return;
  fr_sources_look(gate);
  err = fr_ledger_version(gate->config.ledger, &version);
  if (err) {
    fr_gate_break(gate, err);
    return;
  }
  if (gate->seen_version && version == gate->version &&
      !gate->holds_changed)
    return;
  gate->holds_changed = false;
  gate->seen_version = true;
  gate->version = version;
  hold_queued(gate);
  hold_sending(gate);
}

/* ---- the group ----------------------------------------------------------- */

static enum fr_err write_intent(struct fr_effect *effect)
{
  struct fr_gate *gate = effect->gate;
  struct fr_intent intent = {
    .id = effect->id, .reason = effect->reason, .key = effect->key,
    .policy = effect->policy, .endpoint = effect->endpoint,
    .ended_at_ms = effect->ended_at_ms, .user_key = effect->user_key
  };
  enum fr_err err = fr_ledger_intend(gate->config.ledger, &intent);
  struct fr_record record;

  effect->key_at_ms = fr_loop_at(gate->config.loop);
  if (!err && gate->run < 0) {
    err = fr_ledger_find(gate->config.ledger, &effect->id, &record);
    if (!err)
      gate->run = record.run;
  }
  return err;
}

static enum fr_err write_outcome(struct fr_effect *effect)
{
  const struct fr_deletion_result *result = &effect->result;
  struct fr_outcome outcome = {
    .id = effect->id, .state = effect->state, .evidence = result->evidence,
    .kind = result->err ? fr_err_name(result->err) : NULL,
    .http_status = result->http_status, .attempts = effect->attempts,
    .files = result->files, .nfiles = result->nfiles
  };
  enum fr_state state = effect->state;
  enum fr_err err = fr_ledger_outcome(effect->gate->config.ledger, &outcome,
                                      &state);

  if (!err && state != effect->state)
    fr_effect_residue(effect);
  return err;
}

static enum fr_err write_skip(struct fr_effect *effect)
{
  const struct fr_deletion_result *result = &effect->result;
  bool held = result->fate == FR_FATE_HELD;

  return fr_ledger_skip(effect->gate->config.ledger,
                        held ? "held" : "refused", &effect->id,
                        fr_err_name(result->err),
                        held && effect->note ? effect->note
                                             : result->message);
}

static enum fr_err write_one(struct fr_effect *effect)
{
  struct fr_ledger *ledger = effect->gate->config.ledger;
  enum fr_err err = FR_OK;

  if (effect->write & FR_WRITE_INTENT)
    err = write_intent(effect);
  if (!err && effect->write & FR_WRITE_UNANSWERED)
    err = fr_ledger_unanswered(ledger, &effect->id, effect->lost_kind,
                               effect->attempts);
  if (!err && effect->write & FR_WRITE_GENERATION) {
    effect->key_at_ms = fr_loop_at(effect->gate->config.loop);
    err = fr_ledger_generation(ledger, &effect->id, effect->generation);
  }
  if (!err && effect->write & FR_WRITE_OUTCOME)
    err = write_outcome(effect);
  if (!err && effect->write & FR_WRITE_SKIP)
    err = write_skip(effect);
  return err;
}

static enum fr_err write_all(struct fr_list *list, struct fr_list *ends)
{
  struct fr_list *link = list->next, *next;
  enum fr_err err = FR_OK;

  for (; !err && link != list; link = next) {
    struct fr_effect *effect = effect_of(link);

    next = link->next;
    err = write_one(effect);
    if (err != FR_EINVALID || !(effect->write & FR_WRITE_INTENT))
      continue;
    fr_effect_say(effect, FR_FATE_REFUSED, FR_EINVALID, "the "
                  "idempotency_key \"%s\" belongs to another request; give "
                  "each request its own", effect->key);
    effect->write = 0;
    fr_list_del(link);
    fr_list_add(ends, link);
    err = FR_OK;
  }
  return err;
}

/* ---- after it ------------------------------------------------------------ */

static void deliver(struct fr_list *ends, struct fr_list *sends)
{
  while (!fr_list_empty(sends)) {
    struct fr_effect *effect = effect_of(sends->next);

    effect->announced = true;
    fr_effect_send(effect);
  }
  while (!fr_list_empty(ends)) {
    struct fr_effect *effect = effect_of(ends->next);

    effect->closed |= (effect->write & FR_WRITE_OUTCOME) != 0;
    fr_effect_end(effect);
  }
}

static void unrecorded(struct fr_effect *effect)
{
  char id[FR_UUID_TEXT];

  fr_uuid_format(&effect->id, id);
  effect->result.evidence = "";
  fr_effect_say(effect, FR_FATE_FAILED, FR_EIO, "%s was answered but could "
                "not be recorded (%s); the intent stays open, and the next "
                "run settles it", id,
                fr_ledger_detail(effect->gate->config.ledger));
}

static void fail(struct fr_gate *gate, struct fr_list *ends,
                 struct fr_list *sends, enum fr_err err)
{
  fr_gate_break(gate, err);
  fr_mutations_fail(gate);
  while (!fr_list_empty(sends)) {
    struct fr_effect *effect = effect_of(sends->next);

    effect->write = 0;
    if (effect->attempts > 0)
      unrecorded(effect);
    else
      fr_effect_say(effect, FR_FATE_REFUSED, err, "nothing was sent for it: "
                    "%s", gate->sentence);
    fr_effect_end(effect);
  }
  while (!fr_list_empty(ends)) {
    struct fr_effect *effect = effect_of(ends->next);

    if (effect->write & FR_WRITE_OUTCOME && effect->attempts > 0)
      unrecorded(effect);
    fr_effect_end(effect);
  }
}

static bool writes(const struct fr_list *list)
{
  const struct fr_list *link = list->next;

  for (; link != list; link = link->next)
    if (fr_container_of(link, struct fr_effect, link)->write)
      return true;
  return false;
}

static void take(struct fr_list *from, struct fr_list *to, size_t most)
{
  fr_list_init(to);
  while (most-- > 0 && !fr_list_empty(from)) {
    struct fr_list *link = from->next;

    fr_list_del(link);
    fr_list_add(to, link);
  }
}

static size_t room_of(const struct fr_gate *gate)
{
  size_t sending = gate->in_phase[FR_PHASE_SENDING];

  return sending < FR_SENDING_MAX ? FR_SENDING_MAX - sending : 0;
}

static void group(struct fr_gate *gate)
{
  struct fr_ledger *ledger = gate->config.ledger;
  size_t room = room_of(gate);
  struct fr_list ends, sends;
  enum fr_err err = FR_OK;
  bool begun = false;

  if (writes(&gate->closing) || (room && writes(&gate->queued)) ||
      fr_mutations_wait(gate)) {
    err = fr_ledger_begin(ledger);
    begun = !err;
  }
  if (begun)
    look_again(gate);
  take(&gate->closing, &ends, FR_GROUP_MAX);
  take(&gate->queued, &sends, room < FR_GROUP_MAX ? room : FR_GROUP_MAX);
  if (begun)
    err = write_all(&ends, &ends);
  if (begun && !err)
    err = write_all(&sends, &ends);
  if (begun && !err)
    err = fr_mutations_write(gate);
  if (begun && !err)
    err = fr_ledger_commit(ledger);
  if (!err) {
    deliver(&ends, &sends);
    fr_mutations_send(gate);
    return;
  }
  fail(gate, &ends, &sends, err);
  if (begun)
    fr_ledger_rollback(ledger);
}

/* ---- when ---------------------------------------------------------------- */

/* Is there enough announced work that nobody misses this group yet? */
static bool may_wait(const struct fr_gate *gate)
{
  size_t queued = gate->in_phase[FR_PHASE_QUEUED], room = room_of(gate);
  size_t size = gate->in_phase[FR_PHASE_CLOSING] +
                (queued < room ? queued : room);
  struct fr_fal_figures has;

  if (gate->stop || size >= FR_GROUP_MAX)
    return false;
  fr_fal_figures(gate->config.fal, &has);
  return has.waiting > 0 && has.waiting >= has.concurrency;
}

/* True: the group waits, and the loop wakes in time. */
static bool wait_for_company(struct fr_gate *gate)
{
  uint64_t now = fr_loop_now(gate->config.loop);

  if (fr_mutations_wait(gate)) {
    gate->group_since = 0;
    return false;
  }
  if (fr_list_empty(&gate->closing) && fr_list_empty(&gate->queued)) {
    gate->group_since = 0;
    return true;
  }
  if (!gate->group_since)
    gate->group_since = now ? now : 1;
  if (now >= gate->group_since + FR_GROUP_MS || !may_wait(gate)) {
    gate->group_since = 0;
    return false;
  }
  fr_timer_start(gate->config.loop, &gate->kick,
                 gate->group_since + FR_GROUP_MS);
  return true;
}

void fr_gate_barrier(struct fr_gate *gate)
{
  gate->glanced = false;
  if (gate->glimpsing)
    fr_ledger_glimpse_over(gate->config.ledger);
  gate->glimpsing = false;
  fr_gate_adopt(gate);
  fr_clock_look(gate);
  if (!fr_gate_busy(gate))
    return;
  admit_waiting(gate);
  judge_answered(gate);
  fr_settle_pump(gate);
  recall_again(gate);
  if (gate->stop)
    fr_mutations_stop(gate);
  look_again(gate);
  if (wait_for_company(gate))
    return;
  group(gate);
  fr_settle_pump(gate);
  if (!fr_list_empty(&gate->closing) || !fr_list_empty(&gate->answered) ||
      (!fr_list_empty(&gate->queued) && room_of(gate) > 0))
    fr_gate_kick(gate);
}
