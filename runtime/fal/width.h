/* fal/width.h - how many requests a server allows in flight, guessed from
 * its answers.
 *
 *   good  ............ one more each; after the first "too many", an eighth
 *                      more per round trip
 *   429   ............ a wall at that level: stay below it, and ask again
 *                      with one single request when it is time
 *   503   ............ a thirty-second of it less
 *
 * A question that fails costs everybody the pause that the 429 asks for. So
 * it comes after a hundred good answers and thirty times that pause at the
 * earliest, and after each failure twice as late. One that succeeds twice
 * takes the wall away.
 *
 * A level is how many were in flight with a request when it was sent, itself
 * included. No clock in here: `now` is in milliseconds.
 */
#ifndef FR_FAL_WIDTH_H
#define FR_FAL_WIDTH_H

#include <stdbool.h>
#include <stdint.h>

#define FR_WIDTH_FIRST 4u
#define FR_WIDTH_MOST 256u
#define FR_WIDTH_BINS 512u

struct fr_width {               /* read it, but change it only from here */
  unsigned limit, most;         /* in flight: now, and ever */
  unsigned wall;                /* the lowest level refused; 0: none */
  unsigned proven;              /* the highest that went well since then */
  unsigned room;                /* flying at the hit, less those refused */
  unsigned asked, passed;       /* at the wall: out now, and good so far */
  unsigned failed;              /* questions at this wall */
  unsigned round;               /* good answers since it grew */
  uint64_t ask_at, ask_wait;    /* when to ask at the wall; and the wait */
  unsigned since_wall;          /* good answers */
  bool slow_start;
  bool firm;                    /* below the wall nothing was refused since */
  unsigned seen[FR_WIDTH_BINS]; /* good answers by level, since a 429 */
};

void fr_width_init(struct fr_width *width, unsigned most);

void fr_width_sent(struct fr_width *width, unsigned level);
/* STALE: sent before the last refusal; MORE: requests wait for a place, and
 * nothing else speaks against one. */
enum fr_growth { FR_GROWTH_STALE, FR_GROWTH_NONE, FR_GROWTH_MORE };
void fr_width_good(struct fr_width *width, unsigned level, uint64_t now,
                   enum fr_growth growth);
void fr_width_neutral(struct fr_width *width, unsigned level);

/* A 429 because of the width, with `flying` in flight; all wait `pause_ms`. */
void fr_width_hit(struct fr_width *width, unsigned level, unsigned flying,
                  uint64_t now, uint64_t pause_ms);
/* Another one of the same moment. */
void fr_width_hit_too(struct fr_width *width, unsigned level);
/* A 429 for another reason: a wall that never failed a question since is
 * asked at once. */
void fr_width_acquit(struct fr_width *width, uint64_t now);
void fr_width_busy(struct fr_width *width);     /* a 503 */

/* A limit on the width cannot be why `level` was refused: it is below a wall
 * that is firm, or so many good answers came at it or above since the last
 * 429. */
bool fr_width_is_proven(const struct fr_width *width, unsigned level);
void fr_width_forget(struct fr_width *width);   /* after a 429: counts anew */
/* From a delay that rises, or an API that may be down. */
void fr_width_set(struct fr_width *width, unsigned limit);

#endif
