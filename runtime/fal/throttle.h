/* fal/throttle.h - how many requests may be in flight, and how fast.
 *
 *   wait --> reads ------+                       good: on with it
 *            retries ----+--> slot --> release -- busy (503): fewer
 *            changes ----+                  |    neutral: as it was
 *                                        refused (429) --> the width or the
 *                                                          rate, and a pause
 *
 * One throttle for all calls: fal's limits are per account. Three guesses
 * stand side by side: how many in flight (width.h), how fast (rate.h), and
 * whether a queue grows (delay.h); all start low and learn from answers. A
 * pause that a server asked for holds everybody.
 *
 * Promise: never more slots are held than the limit allows, never more per
 * second than the cap, nothing before a pause is over, and waiters of one
 * lane get theirs in the order in which they came. on_grant runs from
 * the loop's turn, never from inside a call, and never from a turn that slept
 * until the slot was due: between sleep and grant the owner has a look.
 *
 * Ownership: slots live inside their owner's struct and must be zeroed at
 * first; the throttle only links them.
 */
#ifndef FR_FAL_THROTTLE_H
#define FR_FAL_THROTTLE_H

#include "fal/delay.h"
#include "fal/rate.h"
#include "fal/width.h"
#include "loop/loop.h"

enum fr_lane { FR_LANE_READ, FR_LANE_RETRY, FR_LANE_CHANGE, FR_LANES };
enum fr_load { FR_LOAD_NEUTRAL, FR_LOAD_GOOD, FR_LOAD_BUSY };

struct fr_slot {
  void (*on_grant)(struct fr_slot *slot);
  struct fr_list link;          /* private, as the rest */
  uint64_t sent;                /* when it was granted */
  unsigned epoch, level;        /* level: in flight then, with it */
  bool waiting, held;
};

struct fr_throttle {            /* read it, but change it only from here */
  struct fr_loop *loop;
  struct fr_timer timer;
  struct fr_list lanes[FR_LANES];
  struct fr_width width;
  struct fr_rate rate;
  struct fr_delay delay;
  unsigned in_flight, waiting;
  unsigned epoch;               /* counts 429s, those of one moment as one */
  unsigned suspect;             /* level of the last 429 without a proof */
  bool bound;                   /* the width is what requests wait for */
  bool was_width;               /* what the last refusal was taken for */
  bool sleeps;                  /* the timer is armed for later than now */
  uint64_t paused_until;        /* on fr_loop_now's scale */
};

/* `most` 0: 256. `rate` in requests per second, 0: no cap. */
void fr_throttle_init(struct fr_throttle *throttle, struct fr_loop *loop,
                      unsigned most, double rate);
void fr_throttle_done(struct fr_throttle *throttle);

void fr_throttle_wait(struct fr_throttle *throttle, struct fr_slot *slot,
                      enum fr_lane lane);
void fr_throttle_release(struct fr_throttle *throttle, struct fr_slot *slot,
                         enum fr_load load);
/* Releases after a 429 that asks for a wait of `told_ms`, 0: for none. */
void fr_throttle_refused(struct fr_throttle *throttle, struct fr_slot *slot,
                         uint64_t told_ms);
/* Gives up waiting, or a held slot, whichever it is; safe twice. */
void fr_throttle_leave(struct fr_throttle *throttle, struct fr_slot *slot);

/* Nothing is granted before `until`; a longer pause that is on stays. */
void fr_throttle_pause(struct fr_throttle *throttle, uint64_t until);
/* The API may be down: on with as few as at first. */
void fr_throttle_few(struct fr_throttle *throttle);

#endif
