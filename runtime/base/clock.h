/* base/clock.h - the two clocks, real or virtual.
 *
 * `now` is monotonic milliseconds (timeouts, rates); `at` is wall-clock
 * milliseconds since 1970, UTC (ages, records). A virtual clock stands still
 * until it is advanced, and then both move together; fr_loop advances it to
 * the next timer when nothing else is ready.
 */
#ifndef FR_BASE_CLOCK_H
#define FR_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct fr_clock {
  bool is_virtual;
  uint64_t now_ms;        /* virtual only */
  int64_t at_ms;          /* virtual only */
};

void fr_clock_real(struct fr_clock *clock);
void fr_clock_virtual(struct fr_clock *clock, int64_t at_ms);
/* Virtual from now on, standing at `at_ms`; `now` goes on from where it is,
 * so timers that are armed stay as far away as they were. */
void fr_clock_detach(struct fr_clock *clock, int64_t at_ms);
uint64_t fr_clock_now(const struct fr_clock *clock);
int64_t fr_clock_at(const struct fr_clock *clock);
void fr_clock_advance(struct fr_clock *clock, uint64_t ms);  /* virtual */

#endif
