/* The gate as a whole: set up, its stop, its figures.
 *
 * A stop takes back at once whatever has not left: what is queued, and what
 * waits in the throttle. What is in flight may still be waiting for a retry
 * later, so it stays on the recall list and each barrier asks again. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gate/internal.h"

static void wake(struct fr_timer *timer)
{
  (void)timer;          /* a turn that returns is all it is for */
}

enum fr_err fr_gate_new(const struct fr_gate_config *config,
                        struct fr_gate **ret_gate)
{
  struct fr_gate *gate = calloc(1, sizeof(*gate));
  enum fr_err err;

  if (!gate)
    return FR_ENOMEM;
  gate->config = *config;
  gate->run = -1;
  gate->born_at_ms = fr_loop_at(config->loop);
  gate->kick.on_due = wake;
  fr_list_init(&gate->kick.link);
  fr_list_init(&gate->waiting);
  fr_list_init(&gate->queued);
  fr_list_init(&gate->sending);
  fr_list_init(&gate->answered);
  fr_list_init(&gate->closing);
  fr_list_init(&gate->recall);
  fr_list_init(&gate->asked);
  fr_list_init(&gate->acting);
  fr_list_init(&gate->acted);
  err = fr_table_init(&gate->ids);
  if (!err)
    err = fr_table_init(&gate->keys);
  if (!err)
    err = fr_table_init(&gate->held);
  if (err) {
    fr_table_done(&gate->ids);
    fr_table_done(&gate->keys);
    free(gate);
    return err;
  }
  gate->seen_version =
    !fr_ledger_version(config->ledger, &gate->version);
  *ret_gate = gate;
  return FR_OK;
}

static void drop(struct fr_list *list)
{
  while (!fr_list_empty(list))
    fr_effect_end(fr_container_of(list->next, struct fr_effect, link));
}

void fr_gate_free(struct fr_gate *gate)
{
  if (!gate)
    return;
  fr_op_abandon(&gate->settle.op);
  if (gate->glimpsing)
    fr_ledger_glimpse_over(gate->config.ledger);
  drop(&gate->waiting);
  drop(&gate->queued);
  drop(&gate->sending);
  drop(&gate->answered);
  drop(&gate->closing);
  fr_mutations_drop(gate);
  fr_read_free(gate->meta);
  fr_timer_stop(gate->config.loop, &gate->kick);
  fr_table_done(&gate->ids);
  fr_table_done(&gate->keys);
  fr_sources_done(gate);
  free(gate->settle.ids);
  free(gate);
}

void fr_gate_kick(struct fr_gate *gate)
{
  fr_timer_start(gate->config.loop, &gate->kick,
                 fr_loop_now(gate->config.loop));
}

bool fr_gate_busy(const struct fr_gate *gate)
{
  return gate->active > 0 || gate->settle.active;
}

void fr_gate_tighten(struct fr_gate *gate, const struct fr_limits *limits)
{
  struct fr_limits *mine = &gate->config.limits;

  if (limits->max_deletes < mine->max_deletes)
    mine->max_deletes = limits->max_deletes;
  if (limits->min_age_ms > mine->min_age_ms)
    mine->min_age_ms = limits->min_age_ms;
}

/* ---- stopping ------------------------------------------------------------ */

static void take_back_queued(struct fr_gate *gate)
{
  while (!fr_list_empty(&gate->queued)) {
    struct fr_effect *effect =
      fr_container_of(gate->queued.next, struct fr_effect, link);

    fr_effect_withdraw(effect, FR_ESTOPPED);
  }
}

static void take_back_sending(struct fr_gate *gate)
{
  struct fr_list *link = gate->sending.next;

  while (link != &gate->sending) {
    struct fr_effect *effect =
      fr_container_of(link, struct fr_effect, link);

    link = link->next;
    fr_effect_recall(effect);
  }
}

/* Who stops with another error has marked it. Whatever it is, a run that was
 * stopped is not "all done". */
static void mark(struct fr_gate *gate)
{
  struct fr_verdict *verdict = gate->config.verdict;

  switch (gate->stop) {
  case FR_ELIMIT:
  case FR_ETOO_YOUNG:
  case FR_ECLOCK:
  case FR_EHELD:
    verdict->safety = true;
    break;
  case FR_ENOMEM:
    verdict->cap = true;
    break;
  default:
    verdict->unavailable |= gate->stop == FR_EUNAVAILABLE ||
                            !fr_verdict_exit_code(verdict);
    break;
  }
  fr_verdict_say(verdict, "%s", gate->sentence);
}

void fr_gate_stop(struct fr_gate *gate, enum fr_err err,
                  const char *sentence)
{
  if (gate->stop || !err)
    return;
  gate->stop = err;
  (void)snprintf(gate->sentence, sizeof(gate->sentence), "%s",
                 sentence ? sentence : fr_err_message(err));
  mark(gate);
  if (err == FR_EINTERRUPTED || err == FR_EUNAVAILABLE)
    fr_fal_stop(gate->config.fal, err, gate->sentence);
  take_back_queued(gate);
  take_back_sending(gate);
  fr_mutations_stop(gate);
  if (gate->active > 0 || gate->settle.active)
    fr_gate_kick(gate);
}

enum fr_err fr_gate_stopped(const struct fr_gate *gate)
{
  return gate->stop;
}

const char *fr_gate_stop_sentence(const struct fr_gate *gate)
{
  return gate->sentence;
}

void fr_gate_adopt(struct fr_gate *gate)
{
  enum fr_err err = fr_fal_stopped(gate->config.fal);

  if (err && !gate->stop)
    fr_gate_stop(gate, err, fr_fal_stop_sentence(gate->config.fal));
}

void fr_gate_break(struct fr_gate *gate, enum fr_err err)
{
  char text[512];

  gate->broken = true;
  gate->config.verdict->ledger = true;
  (void)snprintf(text, sizeof(text), "the ledger failed: %s; nothing is "
                 "deleted without it",
                 fr_ledger_detail(gate->config.ledger));
  fr_gate_stop(gate, err, text);
}

/* ---- figures ------------------------------------------------------------- */

void fr_gate_counts(const struct fr_gate *gate, struct fr_counts *ret_counts)
{
  *ret_counts = gate->counts;
}

uint64_t fr_gate_room(const struct fr_gate *gate)
{
  uint64_t most = gate->config.limits.max_deletes;

  return gate->stop || gate->taken >= most ? 0 : most - gate->taken;
}

#define PACE_MS 100u
#define AHEAD_SECONDS 0.5
#define AHEAD_LEAST 32u

size_t fr_gate_ahead(struct fr_gate *gate)
{
  uint64_t now = fr_loop_now(gate->config.loop), past = now - gate->then;
  struct fr_fal_figures has;
  size_t least, ahead;

  if (past >= PACE_MS) {
    gate->pace = (double)(gate->over - gate->over_then) * 1000 / (double)past;
    gate->over_then = gate->over;
    gate->then = now;
  }
  fr_fal_figures(gate->config.fal, &has);
  least = 2 * (size_t)has.concurrency;
  ahead = (size_t)(gate->pace * AHEAD_SECONDS);
  if (ahead < least)
    ahead = least;
  if (ahead < AHEAD_LEAST)
    ahead = AHEAD_LEAST;
  return ahead < FR_SENDING_MAX ? ahead : FR_SENDING_MAX;
}
