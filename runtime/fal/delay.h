/* fal/delay.h - does a rising latency mean a queue at the server?
 *
 * The mean over a round of answers is held against the lowest mean seen. A
 * good deal above it, the width grows no more; at two and a half times and 25
 * ms more, or after some time in between, it is put to the test: for a round
 * fewer are in flight. If as much comes through there was a queue, and the
 * width stays small. If less does, and as slowly as before, there was none:
 * the way to the server has become longer, that is the new base, and the
 * width is as it was.
 *
 * So noise alone costs nothing that lasts, and a server of constant capacity
 * keeps a queue of at most about as much as it works on.
 */
#ifndef FR_FAL_DELAY_H
#define FR_FAL_DELAY_H

#include "fal/width.h"

struct fr_delay {
  double base;                  /* ms, the lowest mean; 0: none yet */
  double sum;                   /* of the round that is on */
  double mean, through;         /* of the last one; answers a ms */
  double before, mean_before;   /* of the one in doubt */
  unsigned round, count;        /* answers that make one; and so far */
  unsigned width;               /* before the test */
  unsigned high;                /* rounds in a row that were high */
  uint64_t tested_at, patience; /* patience: until the next test, in ms */
  uint64_t since, from;         /* what was sent, or came, earlier is left */
  bool calm, testing;           /* calm: the width may grow */
};

void fr_delay_init(struct fr_delay *delay, uint64_t now);
/* A good answer, sent at `sent`; changes the width when it has to. `bound`:
 * the width is what requests wait for. */
void fr_delay_good(struct fr_delay *delay, struct fr_width *width,
                   uint64_t sent, uint64_t now, bool bound);
/* What was sent before `until` is not counted: the round begins again. */
void fr_delay_pause(struct fr_delay *delay, uint64_t until);

#endif
