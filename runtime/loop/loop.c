/* loop/loop.c - descriptors on epoll, and the turn.
 *
 * Level-triggered, and a descriptor stays in the set while its watch lives:
 * taking it out and in again costs two system calls per HTTP request. A watch
 * that wants nothing still hears of hang-ups; the first one takes it out of
 * the set, or the loop would spin, and wanting something puts it back.
 *
 * A turn looks at the descriptors before it runs timers: after a long stretch
 * outside the loop an answer that has come beats the timeout that waited for
 * it. Which timers are due is settled before any callback runs, so nothing
 * that a callback arms can run in the same turn. */
#include "loop/loop.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "loop/internal.h"

/* Private bit of fr_watch.want: not in the epoll set at the moment. */
#define OUT_OF_SET (1u << 31)

enum fr_err fr_loop_new(struct fr_clock *clock, struct fr_loop **ret_loop)
{
  struct fr_loop *loop = calloc(1, sizeof(*loop));

  if (!loop)
    return FR_ENOMEM;
  loop->epoll = epoll_create1(EPOLL_CLOEXEC);
  if (loop->epoll < 0) {
    free(loop);
    return FR_EIO;
  }
  loop->clock = clock;
  loop->now = fr_clock_now(clock);
  fr_list_init(&loop->watches);
  fr_list_init(&loop->timers);
  fr_list_init(&loop->due);
  fr_list_init(&loop->done);
  fr_list_init(&loop->batch);
  *ret_loop = loop;
  return FR_OK;
}

#ifndef NDEBUG
static void name_leftovers(const struct fr_loop *loop)
{
  const struct fr_list *link;

  for (link = loop->watches.next; link != &loop->watches; link = link->next)
    fprintf(stderr, "loop: a watch of descriptor %d is left\n",
            fr_container_of(link, struct fr_watch, link)->fd);
  for (link = loop->timers.next; link != &loop->timers; link = link->next)
    fprintf(stderr, "loop: a timer is left\n");
  if (loop->npending)
    fprintf(stderr, "loop: %u operations are left\n", loop->npending);
  assert(fr_list_empty(&loop->watches));
  assert(fr_list_empty(&loop->timers));
  assert(loop->npending == 0);
}
#endif

void fr_loop_free(struct fr_loop *loop)
{
  if (!loop)
    return;
#ifndef NDEBUG
  name_leftovers(loop);
#endif
  close(loop->epoll);
  free(loop);
}

uint64_t fr_loop_now(const struct fr_loop *loop)
{
  return loop->now;
}

int64_t fr_loop_at(const struct fr_loop *loop)
{
  return fr_clock_at(loop->clock);
}

int64_t fr_loop_offset(const struct fr_loop *loop)
{
  return fr_clock_at(loop->clock) - (int64_t)fr_clock_now(loop->clock);
}

unsigned fr_loop_pending(const struct fr_loop *loop)
{
  return loop->npending;
}

/* ---- descriptors -------------------------------------------------------- */

static bool is_linked(const struct fr_watch *watch)
{
  return watch->link.next && !fr_list_empty(&watch->link);
}

static uint32_t events_of(unsigned want)
{
  return (want & FR_READ ? (uint32_t)EPOLLIN : 0u) |
         (want & FR_WRITE ? (uint32_t)EPOLLOUT : 0u);
}

static enum fr_err control(struct fr_loop *loop, int how,
                           struct fr_watch *watch, unsigned want)
{
  struct epoll_event event = { .events = events_of(want),
                               .data.ptr = watch };

  if (!epoll_ctl(loop->epoll, how, watch->fd, &event))
    return FR_OK;
  return errno == ENOMEM || errno == ENOSPC ? FR_ENOMEM : FR_EIO;
}

enum fr_err fr_watch_start(struct fr_loop *loop, struct fr_watch *watch,
                           int fd, unsigned want)
{
  enum fr_err err;

  if (is_linked(watch))
    return FR_EINVALID;
  watch->fd = fd;
  err = control(loop, EPOLL_CTL_ADD, watch, want);
  if (err)
    return err;
  watch->want = watch->asked = want;
  fr_list_add(&loop->watches, &watch->link);
  loop->nwatches++;
  return FR_OK;
}

/* The kernel is not told that nothing is wanted: libcurl says so between any
 * two requests of a connection. `dispatch` tells it if something comes. */
enum fr_err fr_watch_want(struct fr_loop *loop, struct fr_watch *watch,
                          unsigned want)
{
  bool out = watch->asked & OUT_OF_SET;
  enum fr_err err = FR_OK;

  if (!is_linked(watch))
    return FR_EINVALID;
  if (want && watch->asked != want)
    err = control(loop, out ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, watch, want);
  if (err)
    return err;
  watch->want = want;
  if (want)
    watch->asked = want;
  return FR_OK;
}

static bool is_watched(const struct fr_loop *loop, int fd)
{
  const struct fr_list *link;

  for (link = loop->watches.next; link != &loop->watches; link = link->next)
    if (fr_container_of(link, struct fr_watch, link)->fd == fd)
      return true;
  return false;
}

/* A closed descriptor leaves the set by itself, unless a copy of it lives on
 * in a child; so it is taken out even then, as far as its number has not come
 * to another watch meanwhile. */
void fr_watch_stop(struct fr_loop *loop, struct fr_watch *watch, bool closed)
{
  if (!is_linked(watch))
    return;
  fr_list_del(&watch->link);
  loop->nwatches--;
  if (!(watch->asked & OUT_OF_SET) &&
      !(closed && is_watched(loop, watch->fd)))
    epoll_ctl(loop->epoll, EPOLL_CTL_DEL, watch->fd, NULL);
  for (int i = 0; i < loop->nready; i++)
    if (loop->ready[i].watch == watch)
      loop->ready[i].watch = NULL;
}

/* What is wanted may have changed since the kernel was asked. */
static void dispatch(struct fr_loop *loop, const struct fr_ready *ready)
{
  struct fr_watch *watch = ready->watch;

  if (!watch)
    return;
  if (watch->want & ready->what)
    watch->on_ready(watch, watch->want & ready->what);
  else if (!watch->want && !epoll_ctl(loop->epoll, EPOLL_CTL_DEL, watch->fd,
                                      NULL))
    watch->asked = OUT_OF_SET;
}

static int collect(struct fr_loop *loop, int wait_ms)
{
  struct epoll_event events[FR_LOOP_EVENTS];
  int count = epoll_wait(loop->epoll, events, FR_LOOP_EVENTS, wait_ms);

  for (int i = 0; i < count; i++) {
    uint32_t bits = events[i].events;

    loop->ready[i].watch = events[i].data.ptr;
    loop->ready[i].what =
      (bits & (EPOLLIN | EPOLLHUP | EPOLLERR) ? FR_READ : 0u) |
      (bits & (EPOLLOUT | EPOLLHUP | EPOLLERR) ? FR_WRITE : 0u);
  }
  return count < 0 ? 0 : count;
}

/* ---- the turn ----------------------------------------------------------- */

static int wait_for(const struct fr_loop *loop, int most_ms)
{
  uint64_t due, left;

  if (!fr_list_empty(&loop->done))
    return 0;
  if (!fr_timers_next(loop, &due))
    return most_ms;
  if (loop->clock->is_virtual)
    return 0;
  left = due > loop->now ? due - loop->now : 0;
  if (left > INT_MAX)
    left = INT_MAX;
  return most_ms >= 0 && (uint64_t)most_ms < left ? most_ms : (int)left;
}

/* Nothing was ready: a virtual clock goes to the next timer at once. */
static void skip_ahead(struct fr_loop *loop, int most_ms)
{
  uint64_t due, step;

  if (!loop->clock->is_virtual || !fr_list_empty(&loop->done) ||
      !fr_timers_next(loop, &due) || due <= loop->now)
    return;
  step = due - loop->now;
  if (most_ms >= 0 && step > (uint64_t)most_ms)
    step = (uint64_t)most_ms;
  fr_clock_advance(loop->clock, step);
}

bool fr_loop_turn(struct fr_loop *loop, int max_wait_ms)
{
  assert(!loop->turning);
  if (!loop->nwatches && fr_list_empty(&loop->timers) &&
      fr_list_empty(&loop->done))
    return false;
  loop->turning = true;
  loop->now = fr_clock_now(loop->clock);
  loop->nready = collect(loop, wait_for(loop, max_wait_ms));
  if (!loop->nready)
    skip_ahead(loop, max_wait_ms);
  loop->now = fr_clock_now(loop->clock);
  fr_timers_take(loop);
  for (int i = 0; i < loop->nready; i++)
    dispatch(loop, &loop->ready[i]);
  loop->nready = 0;
  fr_timers_run(loop);
  fr_ops_deliver(loop);
  loop->turning = false;
  return true;
}
