/* loop/timer.c - timers in a ring sorted by due time. New timers are mostly
 * among the latest or among the next, so insertion walks from both ends at
 * once; a heap would not be shorter for the few hundred that a run has. */
#include "loop/internal.h"

static struct fr_timer *timer_of(const struct fr_list *link)
{
  return fr_container_of(link, struct fr_timer, link);
}

void fr_timer_start(struct fr_loop *loop, struct fr_timer *timer,
                    uint64_t due)
{
  struct fr_list *ring = &loop->timers, *early, *late;

  fr_timer_stop(loop, timer);
  timer->due = due;
  early = ring->next;
  late = ring->prev;
  while (late != ring && timer_of(late)->due > due &&
         timer_of(early)->due <= due) {
    early = early->next;
    late = late->prev;
  }
  if (late != ring && timer_of(late)->due > due)
    fr_list_add(early, &timer->link);   /* before the first that is later */
  else
    fr_list_add(late->next, &timer->link);
}

void fr_timer_stop(struct fr_loop *loop, struct fr_timer *timer)
{
  (void)loop;
  if (timer->link.next)
    fr_list_del(&timer->link);
  else
    fr_list_init(&timer->link);
}

bool fr_timers_next(const struct fr_loop *loop, uint64_t *ret_due)
{
  if (fr_list_empty(&loop->timers))
    return false;
  *ret_due = timer_of(loop->timers.next)->due;
  return true;
}

void fr_timers_take(struct fr_loop *loop)
{
  while (!fr_list_empty(&loop->timers) &&
         timer_of(loop->timers.next)->due <= loop->now) {
    struct fr_list *link = loop->timers.next;

    fr_list_del(link);
    fr_list_add(&loop->due, link);
  }
}

void fr_timers_run(struct fr_loop *loop)
{
  while (!fr_list_empty(&loop->due)) {
    struct fr_timer *timer = timer_of(loop->due.next);

    fr_list_del(&timer->link);
    timer->on_due(timer);
  }
}
