/* loop/internal.h - what the files of loop/ share. */
#ifndef FR_LOOP_INTERNAL_H
#define FR_LOOP_INTERNAL_H

#include "loop/loop.h"

#define FR_LOOP_EVENTS 128      /* taken from the kernel per turn */

struct fr_ready {
  struct fr_watch *watch;       /* NULL: stopped since it was reported */
  unsigned what;
};

struct fr_loop {
  struct fr_clock *clock;
  uint64_t now;
  int epoll;
  unsigned nwatches;            /* started */
  unsigned npending;            /* ops started and not delivered */
  struct fr_list watches;
  struct fr_list timers, due;   /* sorted: armed, and taken by this turn */
  struct fr_list done, batch;   /* ops to deliver: next turn's, this turn's */
  struct fr_ready ready[FR_LOOP_EVENTS];
  int nready;                   /* of `ready`, while they are dispatched */
  bool turning;                 /* a turn inside a turn is a bug */
};

/* Timers (timer.c). */
bool fr_timers_next(const struct fr_loop *loop, uint64_t *ret_due);
void fr_timers_take(struct fr_loop *loop);      /* what is due at `now` */
void fr_timers_run(struct fr_loop *loop);       /* what was taken */

/* Operations (op.c). */
void fr_ops_deliver(struct fr_loop *loop);

#endif
