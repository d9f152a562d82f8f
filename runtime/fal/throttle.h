/* fal/throttle.h - how many requests may be in flight, and how fast.
 *
 *   wait --> reads ------+                       good: more in flight
 *            retries ----+--> slot --> release --limited: half of it
 *            changes ----+                       neutral: as it was
 *
 * One throttle for all calls: fal's limits are per account. Adaptive like
 * TCP: starts at four in flight, doubles per round trip until the first
 * "too much", then grows by one per round trip and halves at most once per
 * round trip. A rate and a pause that a server asked for come on top.
 *
 * Promise: never more slots are held than the limit allows, and waiters of
 * one lane get theirs in the order in which they came. on_grant runs from
 * the loop's turn, never from inside a call, and never from a turn that slept
 * until the slot was due: between sleep and grant the owner has a look.
 *
 * Ownership: slots live inside their owner's struct and must be zeroed at
 * first; the throttle only links them.
 */
#ifndef FR_FAL_THROTTLE_H
#define FR_FAL_THROTTLE_H

#include "loop/loop.h"

enum fr_lane { FR_LANE_READ, FR_LANE_RETRY, FR_LANE_CHANGE, FR_LANES };
enum fr_load { FR_LOAD_NEUTRAL, FR_LOAD_GOOD, FR_LOAD_LIMITED };

struct fr_slot {
  void (*on_grant)(struct fr_slot *slot);
  struct fr_list link;          /* private, as the rest */
  unsigned epoch;
  bool waiting, held;
};

struct fr_throttle {            /* read it, but change it only from here */
  struct fr_loop *loop;
  struct fr_timer timer;
  struct fr_list lanes[FR_LANES];
  unsigned limit, most;         /* in flight: now, and ever */
  unsigned in_flight, waiting;
  unsigned good;                /* good answers since the limit grew */
  unsigned epoch;               /* counts halvings */
  bool slow_start;
  bool sleeps;                  /* the timer is armed for later than now */
  uint64_t paused_until;        /* on fr_loop_now's scale */
  double rate, tokens, burst;   /* per second; rate 0: none */
  uint64_t filled_at;
};

/* `most` 0: 256. `rate` in requests per second, 0: no cap. */
void fr_throttle_init(struct fr_throttle *throttle, struct fr_loop *loop,
                      unsigned most, double rate);
void fr_throttle_done(struct fr_throttle *throttle);

void fr_throttle_wait(struct fr_throttle *throttle, struct fr_slot *slot,
                      enum fr_lane lane);
void fr_throttle_release(struct fr_throttle *throttle, struct fr_slot *slot,
                         enum fr_load load);
/* Gives up waiting, or a held slot, whichever it is; safe twice. */
void fr_throttle_leave(struct fr_throttle *throttle, struct fr_slot *slot);

/* Nothing is granted before `until`; a longer pause that is on stays. */
void fr_throttle_pause(struct fr_throttle *throttle, uint64_t until);

#endif
