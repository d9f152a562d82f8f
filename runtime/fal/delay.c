/* fal/delay.c - rounds of answers, a base, and a test of what they mean.
 *
 * Means of rounds and not the lowest single answer, as delay-based
 * congestion control has it on a network: answers of an API differ by more
 * than a queue would add. A single one counts four times the mean at most.
 * The first answers of a test are its fastest, so it waits for the others.
 */
#include "fal/delay.h"

#include <string.h>

#define ROUND 48u
#define CLAMP 4.0
#define GROW_TIMES 1.75
#define GROW_MS 12.0
#define HIGH_TIMES 2.5
#define HIGH_MS 25.0
#define FIRST_TEST_MS 500u      /* the base is of a few answers then */
#define TEST_AFTER_MS 10000u
#define PATIENCE_MOST_MS 80000u
#define FELL 0.85
#define ROOM 1.25
#define LEAST_SHARE 0.25
#define SETTLE_TIMES 4
#define LOWER_BY 4              /* a fourth of the way, against chance */
#define WIDTH_LEAST 8u          /* so few make no queue worth a test */

void fr_delay_init(struct fr_delay *delay, uint64_t now)
{
  memset(delay, 0, sizeof(*delay));
  delay->calm = true;
  delay->round = FR_WIDTH_FIRST;        /* before there can be a queue */
  delay->patience = FIRST_TEST_MS;
  delay->tested_at = delay->since = delay->from = now;
}

static double greater(double a, double b)
{
  return a > b ? a : b;
}

static void begin_test(struct fr_delay *delay, struct fr_width *width,
                       uint64_t now)
{
  double share = GROW_TIMES * delay->base / delay->mean;

  delay->testing = true;
  delay->before = delay->through;
  delay->mean_before = delay->mean;
  delay->width = width->limit;
  delay->since = delay->tested_at = now;
  delay->from = now + (uint64_t)(delay->mean * SETTLE_TIMES);
  if (share > 0.7)
    share = 0.7;
  width->slow_start = false;
  fr_width_set(width, (unsigned)((double)width->limit *
                                 greater(share, LEAST_SHARE)));
}

/* Little's law: what the throughput of before needs at the latency of now,
 * and a fourth more, is wide enough. */
static void end_test(struct fr_delay *delay, struct fr_width *width,
                     uint64_t now)
{
  double wide = ROOM * delay->before * delay->mean;

  delay->testing = false;
  delay->tested_at = now;
  delay->high = 0;
  if (delay->through < FELL * delay->before) {
    if (delay->mean > FELL * delay->mean_before) {
      delay->base = delay->mean;
      delay->calm = true;
    }
    if (delay->patience < PATIENCE_MOST_MS)
      delay->patience *= 2;
  } else {
    delay->patience = delay->patience * 2 < TEST_AFTER_MS ?
                      delay->patience * 2 : TEST_AFTER_MS;
  }
  if (wide > delay->width)
    wide = delay->width;
  if (wide > width->limit)
    fr_width_set(width, (unsigned)(wide + 0.5));
}

static void end_round(struct fr_delay *delay, struct fr_width *width,
                      uint64_t now, bool bound)
{
  double most, mean = delay->mean;

  if (delay->base <= 0)
    delay->base = mean;
  else if (mean < delay->base)
    delay->base += (mean - delay->base) / LOWER_BY;
  most = greater(HIGH_TIMES * delay->base, delay->base + HIGH_MS);
  delay->calm = width->limit <= WIDTH_LEAST ||
                mean <= greater(GROW_TIMES * delay->base,
                                delay->base + GROW_MS);
  delay->high = mean > most ? delay->high + 1 : 0;
  if (!delay->calm)
    width->slow_start = false;
  if (delay->testing)
    end_test(delay, width, now);
  else if (bound && width->limit > WIDTH_LEAST &&
           (delay->high >= 2 ||
            (!delay->calm && now - delay->tested_at > delay->patience)))
    begin_test(delay, width, now);
}

void fr_delay_pause(struct fr_delay *delay, uint64_t until)
{
  delay->sum = 0;
  delay->count = 0;
  delay->since = delay->from = until;
}

void fr_delay_good(struct fr_delay *delay, struct fr_width *width,
                   uint64_t sent, uint64_t now, bool bound)
{
  double ms = (double)(now - sent);
  double most = CLAMP * greater(delay->base, delay->mean) + HIGH_MS;

  if (sent < delay->since || now < delay->from)
    return;
  if (delay->base > 0 && ms > most)
    ms = most;
  delay->sum += ms;
  if (++delay->count < delay->round)
    return;
  delay->mean = greater(delay->sum / delay->count, 0.001);
  delay->through = delay->count / greater((double)(now - delay->from), 1);
  delay->from = now;
  end_round(delay, width, now, bound);
  delay->sum = 0;
  delay->count = 0;
  delay->round = width->limit > ROUND ? width->limit : ROUND;
}
