/* fal/throttle.c - AIMD over slots, a token bucket, and a pause.
 *
 * Every change of state only arms one timer; `pump`, its callback, is the
 * one place where slots are granted, so that a grant never runs inside its
 * caller's call. A halving begins a new epoch, and what was sent in an older
 * one cannot halve again: all of it belongs to the same congestion.
 *
 * The limit grows only while at least half of it is in use (as TCP does,
 * RFC 9293's cwnd validation): an idle client must not earn a flood.
 *
 * The turn that slept until a slot was due grants nothing: the next one does,
 * at once. So whoever looks at the world between turns (the gate, at holds)
 * has looked after the sleep, however long it was.
 */
#include "fal/throttle.h"

#include <string.h>

#define FIRST_LIMIT 4u
#define MOST_LIMIT 256u
#define BURST_SECONDS 0.05      /* what the token bucket may save up */

static void pump(struct fr_timer *timer);

void fr_throttle_init(struct fr_throttle *throttle, struct fr_loop *loop,
                      unsigned most, double rate)
{
  int i;

  memset(throttle, 0, sizeof(*throttle));
  throttle->loop = loop;
  throttle->timer.on_due = pump;
  for (i = 0; i < FR_LANES; i++)
    fr_list_init(&throttle->lanes[i]);
  throttle->most = most ? most : MOST_LIMIT;
  throttle->limit = throttle->most < FIRST_LIMIT ? throttle->most :
                                                   FIRST_LIMIT;
  throttle->slow_start = true;
  throttle->rate = rate > 0 ? rate : 0;
  throttle->burst = throttle->rate * BURST_SECONDS;
  if (throttle->burst < 1)
    throttle->burst = 1;
  throttle->tokens = throttle->burst;
  throttle->filled_at = fr_loop_now(loop);
}

void fr_throttle_done(struct fr_throttle *throttle)
{
  if (throttle->loop)
    fr_timer_stop(throttle->loop, &throttle->timer);
}

/* ---- granting ----------------------------------------------------------- */

static void fill(struct fr_throttle *throttle, uint64_t now)
{
  double seconds = (double)(now - throttle->filled_at) / 1000;

  throttle->filled_at = now;
  throttle->tokens += seconds * throttle->rate;
  if (throttle->tokens > throttle->burst)
    throttle->tokens = throttle->burst;
}

/* When the next slot can be granted, if one is free then. */
static uint64_t next_due(struct fr_throttle *throttle)
{
  uint64_t now = fr_loop_now(throttle->loop), due = now;

  if (throttle->rate > 0) {
    fill(throttle, now);
    if (throttle->tokens < 1)
      due += (uint64_t)((1 - throttle->tokens) * 1000 / throttle->rate) + 1;
  }
  return due > throttle->paused_until ? due : throttle->paused_until;
}

static void arm(struct fr_throttle *throttle)
{
  uint64_t due;

  if (!throttle->waiting || throttle->in_flight >= throttle->limit) {
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
  throttle->waiting--;
  throttle->in_flight++;
  if (throttle->rate > 0)
    throttle->tokens -= 1;
  slot->on_grant(slot);
}

static void pump(struct fr_timer *timer)
{
  struct fr_throttle *throttle = fr_container_of(timer, struct fr_throttle,
                                                 timer);

  while (!throttle->sleeps && throttle->waiting &&
         throttle->in_flight < throttle->limit &&
         next_due(throttle) <= fr_loop_now(throttle->loop))
    grant(throttle, first_waiter(throttle));
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

static void grow(struct fr_throttle *throttle)
{
  if (throttle->limit >= throttle->most ||
      throttle->in_flight * 2 < throttle->limit)
    return;
  throttle->good++;
  if (!throttle->slow_start && throttle->good < throttle->limit)
    return;
  throttle->good = 0;
  throttle->limit++;
}

static void halve(struct fr_throttle *throttle, const struct fr_slot *slot)
{
  if (slot->epoch != throttle->epoch)
    return;
  throttle->epoch++;
  throttle->good = 0;
  throttle->slow_start = false;
  throttle->limit = throttle->limit > 1 ? throttle->limit / 2 : 1;
}

void fr_throttle_release(struct fr_throttle *throttle, struct fr_slot *slot,
                         enum fr_load load)
{
  if (!slot->held)
    return;
  if (load == FR_LOAD_GOOD)
    grow(throttle);
  else if (load == FR_LOAD_LIMITED)
    halve(throttle, slot);
  slot->held = false;
  throttle->in_flight--;
  arm(throttle);
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
  arm(throttle);
}
