/* fal/throttle.c - lanes, grants, a pause; and what a 429 is taken for.
 *
 * Every change of state only arms one timer; `pump`, its callback, is the
 * one place where slots are granted, so that a grant never runs inside its
 * caller's call. A refusal begins a new epoch, and what was sent in an older
 * one says nothing new: all of it belongs to the same moment.
 *
 * A 429 does not say which limit it was. The width, if so many were never in
 * flight before and went well; the rate, if they were, or if it was alone, or
 * if the model of the server's bucket is empty anyway. A wrong guess shows at
 * the next 429, and is taken back.
 *
 * The width grows only while requests wait for it (as TCP does, RFC 9293's
 * cwnd validation): an idle client must not earn a flood.
 *
 * The turn that slept until a slot was due grants nothing: the next one does,
 * at once. So whoever looks at the world between turns (the gate, at holds)
 * has looked after the sleep, however long it was.
 */
#include "fal/throttle.h"

#include <string.h>

#define PAUSE_MS 1000u          /* after a 429 that names none: the bucket
                                 * of a second is full again */
#define QUOTA_MS 5000u

static void pump(struct fr_timer *timer);

void fr_throttle_init(struct fr_throttle *throttle, struct fr_loop *loop,
                      unsigned most, double rate)
{
  uint64_t now = fr_loop_now(loop);
  int i;

  memset(throttle, 0, sizeof(*throttle));
  throttle->loop = loop;
  throttle->timer.on_due = pump;
  for (i = 0; i < FR_LANES; i++)
    fr_list_init(&throttle->lanes[i]);
  fr_width_init(&throttle->width, most);
  fr_rate_init(&throttle->rate, rate, now);
  fr_delay_init(&throttle->delay, now);
}

void fr_throttle_done(struct fr_throttle *throttle)
{
  if (throttle->loop)
    fr_timer_stop(throttle->loop, &throttle->timer);
}

/* ---- granting ----------------------------------------------------------- */

/* When the next slot can be granted, if one is free then. */
static uint64_t next_due(struct fr_throttle *throttle)
{
  uint64_t due = throttle->paused_until, now = fr_loop_now(throttle->loop);

  return due > now ? due : fr_rate_due(&throttle->rate, now);
}

static void arm(struct fr_throttle *throttle)
{
  uint64_t due;

  if (!throttle->waiting || throttle->in_flight >= throttle->width.limit) {
    fr_timer_stop(throttle->loop, &throttle->timer);
    return;
  }
  due = next_due(throttle);
  throttle->sleeps = due > fr_loop_now(throttle->loop);
  fr_timer_start(throttle->loop, &throttle->timer, due);
}

static struct fr_slot *first_waiter(struct fr_throttle *throttle)
{
  int i = 0;

  while (fr_list_empty(&throttle->lanes[i]))
    i++;
  return fr_container_of(throttle->lanes[i].next, struct fr_slot, link);
}

static void grant(struct fr_throttle *throttle, struct fr_slot *slot)
{
  fr_list_del(&slot->link);
  slot->waiting = false;
  slot->held = true;
  slot->epoch = throttle->epoch;
  slot->sent = fr_loop_now(throttle->loop);
  throttle->waiting--;
  slot->level = ++throttle->in_flight;
  fr_rate_take(&throttle->rate);
  fr_width_sent(&throttle->width, slot->level);
  slot->on_grant(slot);
}

static void pump(struct fr_timer *timer)
{
  struct fr_throttle *throttle = fr_container_of(timer, struct fr_throttle,
                                                 timer);

  while (!throttle->sleeps && throttle->waiting &&
         throttle->in_flight < throttle->width.limit &&
         next_due(throttle) <= fr_loop_now(throttle->loop))
    grant(throttle, first_waiter(throttle));
  throttle->bound = throttle->waiting &&
                    throttle->in_flight >= throttle->width.limit;
  arm(throttle);
}

/* ---- slots -------------------------------------------------------------- */

void fr_throttle_wait(struct fr_throttle *throttle, struct fr_slot *slot,
                      enum fr_lane lane)
{
  if (slot->waiting || slot->held)
    return;
  fr_list_add(&throttle->lanes[lane], &slot->link);
  slot->waiting = true;
  throttle->waiting++;
  arm(throttle);
}

static void good(struct fr_throttle *throttle, const struct fr_slot *slot)
{
  uint64_t now = fr_loop_now(throttle->loop);
  const struct fr_delay *delay = &throttle->delay;
  enum fr_growth growth = FR_GROWTH_NONE;

  if (slot->epoch != throttle->epoch)
    growth = FR_GROWTH_STALE;
  else if (throttle->bound && delay->calm && !delay->testing)
    growth = FR_GROWTH_MORE;
  fr_rate_good(&throttle->rate);
  fr_width_good(&throttle->width, slot->level, now, growth);
  fr_delay_good(&throttle->delay, &throttle->width, slot->sent, now,
                throttle->bound);
}

static void let_go(struct fr_throttle *throttle, struct fr_slot *slot)
{
  slot->held = false;
  throttle->in_flight--;
  arm(throttle);
}

void fr_throttle_release(struct fr_throttle *throttle, struct fr_slot *slot,
                         enum fr_load load)
{
  if (!slot->held)
    return;
  if (load == FR_LOAD_GOOD)
    good(throttle, slot);
  else
    fr_width_neutral(&throttle->width, slot->level);
  if (load == FR_LOAD_BUSY)
    fr_width_busy(&throttle->width);
  let_go(throttle, slot);
}

/* Is it the width? Twice the same level without a proof that it can be had
 * counts as one that it cannot; who asks for a long wait means a quota. */
static bool is_width(struct fr_throttle *throttle, unsigned level,
                     bool proven, uint64_t told_ms)
{
  unsigned before = throttle->suspect;

  throttle->suspect = proven ? 0 : level;
  return !proven && told_ms <= QUOTA_MS && (level == before ||
         !fr_rate_expects_hit(&throttle->rate));
}

/* The first refusal of its moment; the pause that comes of it. */
static uint64_t judge(struct fr_throttle *throttle, unsigned level,
                      uint64_t told_ms)
{
  uint64_t now = fr_loop_now(throttle->loop);
  uint64_t pause = told_ms ? told_ms : PAUSE_MS;
  bool proven = fr_width_is_proven(&throttle->width, level);

  throttle->epoch++;
  throttle->was_width = is_width(throttle, level, proven, told_ms);
  fr_width_forget(&throttle->width);
  if (throttle->was_width) {
    fr_rate_doubt(&throttle->rate, now);
    fr_width_hit(&throttle->width, level, throttle->in_flight, now,
                 told_ms);
    return told_ms;
  }
  fr_width_acquit(&throttle->width, now);
  fr_rate_hit(&throttle->rate, now, pause, proven);
  return pause;
}

void fr_throttle_refused(struct fr_throttle *throttle, struct fr_slot *slot,
                         uint64_t told_ms)
{
  uint64_t pause = told_ms;

  if (!slot->held)
    return;
  if (slot->epoch == throttle->epoch)
    pause = judge(throttle, slot->level, told_ms);
  else if (throttle->was_width)
    fr_width_hit_too(&throttle->width, slot->level);
  fr_throttle_pause(throttle, fr_loop_now(throttle->loop) + pause);
  let_go(throttle, slot);
}

void fr_throttle_leave(struct fr_throttle *throttle, struct fr_slot *slot)
{
  if (slot->waiting) {
    fr_list_del(&slot->link);
    slot->waiting = false;
    throttle->waiting--;
    arm(throttle);
  }
  fr_throttle_release(throttle, slot, FR_LOAD_NEUTRAL);
}

void fr_throttle_pause(struct fr_throttle *throttle, uint64_t until)
{
  if (until <= throttle->paused_until)
    return;
  throttle->paused_until = until;
  fr_delay_pause(&throttle->delay, until);
  arm(throttle);
}

void fr_throttle_few(struct fr_throttle *throttle)
{
  if (throttle->width.limit > FR_WIDTH_FIRST)
    fr_width_set(&throttle->width, FR_WIDTH_FIRST);
  arm(throttle);
}
