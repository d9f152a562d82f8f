/* loop/loop.h - the event loop: descriptors, timers, and operations.
 *
 *      start an op --> PENDING --finish--> DONE (queued) --> on_done, once
 *                         +-----cancel------+
 *
 * One loop per process, used from one thread. Nothing here knows about HTTP,
 * SQLite or Lua.
 *
 * Promise: on_done is called exactly once per started op, from fr_loop_turn()
 * and never from inside the call that started, finished or cancelled the op.
 * So a caller may finish setting up after starting, and may free the op
 * inside on_done.
 *
 * Ownership: watches, timers and ops live inside their owner's struct; the
 * loop only links them and never frees them. All must be zeroed at first.
 */
#ifndef FR_LOOP_LOOP_H
#define FR_LOOP_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/list.h"

struct fr_loop;

/* The clock is borrowed and outlives the loop. With a virtual clock, a turn
 * that finds nothing ready advances it to the next timer. */
enum fr_err fr_loop_new(struct fr_clock *clock, struct fr_loop **ret_loop);

/* NULL is fine. Watches, timers and ops must be gone: a debug build names
 * what is left and aborts. */
void fr_loop_free(struct fr_loop *loop);

/* Waits for at most max_wait_ms (-1: until something happens), dispatches what
 * is ready, runs due timers, delivers what finished. False when nothing is
 * left that could ever wake the loop. A signal ends the wait. */
bool fr_loop_turn(struct fr_loop *loop, int max_wait_ms);

uint64_t fr_loop_now(const struct fr_loop *loop);  /* once per turn */
int64_t fr_loop_at(const struct fr_loop *loop);    /* wall clock, read now */
/* What the wall clock is ahead of the monotonic one: it changes when somebody
 * sets the clock, and when the machine slept. */
int64_t fr_loop_offset(const struct fr_loop *loop);
unsigned fr_loop_pending(const struct fr_loop *loop); /* ops not delivered */

/* ---- descriptors: level-triggered, kept registered until stopped ------- */

enum { FR_READ = 1 << 0, FR_WRITE = 1 << 1 };

struct fr_watch {
  void (*on_ready)(struct fr_watch *watch, unsigned ready);
  int fd;
  unsigned want, asked;   /* private: use the setters */
  struct fr_list link;    /* private */
};

enum fr_err fr_watch_start(struct fr_loop *loop, struct fr_watch *watch,
                           int fd, unsigned want);
enum fr_err fr_watch_want(struct fr_loop *loop, struct fr_watch *watch,
                          unsigned want);
/* Safe twice, and from inside any on_ready: a stopped watch never fires.
 * `closed`: the descriptor is closed already, so only forget it. */
void fr_watch_stop(struct fr_loop *loop, struct fr_watch *watch,
                   bool closed);

/* ---- timers ------------------------------------------------------------ */

struct fr_timer {
  void (*on_due)(struct fr_timer *timer);
  uint64_t due;
  struct fr_list link;    /* private */
};

/* (Re)arms; `due` is on fr_loop_now's scale. The past fires next turn. */
void fr_timer_start(struct fr_loop *loop, struct fr_timer *timer,
                    uint64_t due);
void fr_timer_stop(struct fr_loop *loop, struct fr_timer *timer);

/* ---- operations -------------------------------------------------------- */

struct fr_op {
  void (*on_cancel)(struct fr_op *op);          /* set by the module */
  void (*on_done)(struct fr_op *op, void *arg); /* set by the waiter */
  void *arg;
  struct fr_loop *loop;
  enum fr_err err;        /* valid once done */
  bool pending, queued;   /* private */
  struct fr_list link;    /* private */
};

/* For the module that does the work. on_cancel may be NULL: the op is then
 * finished by fr_op_cancel alone. A second finish is ignored. */
void fr_op_start(struct fr_loop *loop, struct fr_op *op,
                 void (*on_cancel)(struct fr_op *op));
void fr_op_finish(struct fr_op *op, enum fr_err err);

/* For whoever waits; may be set at any time before delivery. */
void fr_op_wait(struct fr_op *op, void (*on_done)(struct fr_op *, void *),
                void *arg);

/* Asks the op to stop; it then finishes with FR_ECANCELLED, unless it was
 * done already or its module finishes it with something truer. */
void fr_op_cancel(struct fr_op *op);

/* Cancels and forgets at once: on_done will not be called. Safe on an op
 * that was never started or is over. */
void fr_op_abandon(struct fr_op *op);

#endif
