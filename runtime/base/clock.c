/* base/clock.c - see clock.h. */
#include "base/clock.h"

#include <time.h>

static int64_t read_ms(clockid_t which)
{
  struct timespec t;

  clock_gettime(which, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void fr_clock_real(struct fr_clock *clock)
{
  *clock = (struct fr_clock){ .is_virtual = false };
}

void fr_clock_virtual(struct fr_clock *clock, int64_t at_ms)
{
  *clock = (struct fr_clock){ .is_virtual = true, .at_ms = at_ms };
}

void fr_clock_detach(struct fr_clock *clock, int64_t at_ms)
{
  uint64_t now = fr_clock_now(clock);

  *clock = (struct fr_clock){
    .is_virtual = true, .now_ms = now, .at_ms = at_ms
  };
}

uint64_t fr_clock_now(const struct fr_clock *clock)
{
  return clock->is_virtual ? clock->now_ms
                           : (uint64_t)read_ms(CLOCK_MONOTONIC);
}

int64_t fr_clock_at(const struct fr_clock *clock)
{
  return clock->is_virtual ? clock->at_ms : read_ms(CLOCK_REALTIME);
}

void fr_clock_advance(struct fr_clock *clock, uint64_t ms)
{
  clock->now_ms += ms;
  clock->at_ms += (int64_t)ms;
}
