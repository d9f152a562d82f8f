/* fal/rate.c - a model of the server's bucket, and the speed that tests it.
 *
 * Every figure at a hit is a lower bound if the server is such a bucket: the
 * answers between two hits over the time between them; and those since the
 * race began over its time and the second that the bucket may have held. So
 * the greater of the two is taken. Hits that agree are added up, because a
 * limit of two a second shows itself in few answers.
 *
 * Rejected: a window of recent answers (the burst of the beginning counts as
 * rate), and additive growth (at 2,000 a second it never comes, at two a
 * second every step is a 429).
 */
#include "fal/rate.h"

#include <string.h>

#define BURST_SECONDS 0.05      /* what our own tokens may save up */
#define HOLDS_MOST 1.0          /* seconds that the server's bucket holds */
#define HOLDS_LEAST 0.05
#define HOLDS_BACK 1.1          /* it is believed to hold more again */
#define OVERDRAWN 0.2           /* of it: then the limit is higher */
#define SLACK 2.0               /* answers more: a small bucket is coarse */
#define FEW 20.0                /* too few answers in a race to learn from */
#define CYCLE_SECONDS 5.0       /* at least, from one 429 to the next */
#define CYCLE_ANSWERS 100.0     /* the same */
#define CYCLE_SPILLS 20.0       /* times what a pause costs, the same */
#define UNSURE 2.0              /* answers that an estimate may be off by */
#define UNSURE_MOST 0.5
#define REST 0.5                /* what a 429 leaves in the bucket, to spill */
#define RACE_PER_SECOND 0.5
#define WEIGHT_MOST 150
#define AGREE 0.05

void fr_rate_init(struct fr_rate *rate, double cap, uint64_t now)
{
  memset(rate, 0, sizeof(*rate));
  rate->cap = cap > 0 ? cap : 0;
  rate->speed = rate->cap;
  rate->tokens = 1;
  rate->holds = HOLDS_MOST;
  rate->filled_at = rate->hit_at = rate->race_at = now;
}

static double at_most(double value, double most)
{
  return value < most ? value : most;
}

static double at_least(double value, double least)
{
  return value > least ? value : least;
}

static void set_speed(struct fr_rate *rate, double speed)
{
  rate->speed = rate->cap > 0 ? at_most(speed, rate->cap) : speed;
}

/* ---- tokens ------------------------------------------------------------- */

/* By how much a race speeds up in a second: more and more. */
static double haste(const struct fr_rate *rate)
{
  double raced = (double)(rate->filled_at - rate->race_at) / 1000;

  return RACE_PER_SECOND * at_least(raced, 1);
}

static void fill(struct fr_rate *rate, uint64_t now)
{
  double seconds = (double)(now - rate->filled_at) / 1000;

  if (now <= rate->filled_at)
    return;
  rate->filled_at = now;
  if (rate->racing && rate->held)
    set_speed(rate, rate->speed * (1 + at_most(seconds, 1) * haste(rate)));
  rate->held = false;
  rate->tokens = at_most(rate->tokens + seconds * rate->speed,
                         at_least(rate->speed * BURST_SECONDS, 1));
  rate->bucket = at_most(rate->bucket + seconds * rate->known,
                         rate->known * rate->holds);
}

uint64_t fr_rate_due(struct fr_rate *rate, uint64_t now)
{
  if (rate->speed <= 0)
    return now;
  fill(rate, now);
  if (rate->tokens >= 1)
    return now;
  rate->held = true;
  return now + (uint64_t)((1 - rate->tokens) * 1000 / rate->speed) + 1;
}

void fr_rate_take(struct fr_rate *rate)
{
  if (rate->speed <= 0)
    return;
  rate->tokens -= 1;
  rate->bucket -= 1;
  if (rate->racing || rate->known <= 0 ||
      rate->bucket > -OVERDRAWN * rate->known * rate->holds - SLACK)
    return;
  rate->racing = true;
  rate->race_at = rate->filled_at;
  rate->race_good = 0;
}

/* ---- what answers tell -------------------------------------------------- */

void fr_rate_good(struct fr_rate *rate)
{
  rate->good += 1;
  rate->race_good += 1;
}

static double seconds_since(uint64_t then, uint64_t now)
{
  return at_least((double)(now - then) / 1000, 0.001);
}

/* `good` answers in `seconds` speak for themselves, or join what is known
 * when they agree with it as far as such numbers can. */
static void learn(struct fr_rate *rate, double good, double seconds,
                  bool fresh)
{
  double found = good / seconds, off = found - rate->known;
  double slack = AGREE + 1 / at_least(good, 1);

  if (fresh || off > slack * rate->known || -off > slack * rate->known) {
    rate->weight = rate->seconds = 0;
  } else if (rate->weight > WEIGHT_MOST) {
    rate->weight /= 2;
    rate->seconds /= 2;
  }
  rate->weight += good;
  rate->seconds += seconds;
  rate->known = rate->weight / rate->seconds;
}

/* A race that follows a hit and ends in one says that the estimate between
 * them was too low: the bucket holds less than it was thought to. */
static void note_race(struct fr_rate *rate)
{
  if (!rate->hits)
    return;
  if (!rate->racing) {
    rate->races = 0;
    rate->holds = at_most(rate->holds * HOLDS_BACK, HOLDS_MOST);
  } else if (rate->race_good >= FEW && ++rate->races >= 2) {
    rate->holds = at_least(rate->holds / 2, HOLDS_LEAST);
  }
}

static void measure(struct fr_rate *rate, uint64_t now)
{
  double cycle = seconds_since(rate->hit_at, now) - rate->spill;
  double race = seconds_since(rate->race_at, now) + rate->holds;
  double good = rate->good + REST, race_good = rate->race_good + REST;

  if (!rate->hits || (rate->racing && race_good > FEW &&
                      race_good / race > good / cycle))
    learn(rate, race_good, race, true);
  else
    learn(rate, good, cycle, false);
}

static void set_probe(struct fr_rate *rate)
{
  double cycle = at_least(CYCLE_SECONDS, CYCLE_ANSWERS / rate->known);

  cycle = at_least(cycle, CYCLE_SPILLS * rate->spill);
  set_speed(rate, rate->known *
            (1 + at_least(rate->holds / cycle,
                          at_most(UNSURE / rate->weight, UNSURE_MOST))));
}

void fr_rate_hit(struct fr_rate *rate, uint64_t now, uint64_t pause_ms,
                 bool sure)
{
  double pause = (double)pause_ms / 1000;

  note_race(rate);
  measure(rate, now);
  rate->spill = at_most(at_least(pause - rate->holds, 0), HOLDS_MOST);
  rate->hits++;
  rate->sure += sure;
  rate->hit_at = now;
  rate->good = rate->race_good = 0;
  rate->racing = rate->held = false;
  rate->bucket = rate->known * at_most(pause, rate->holds);
  rate->filled_at = now + pause_ms;
  rate->tokens = 1;             /* the first one goes as the pause ends */
  set_probe(rate);
}

void fr_rate_doubt(struct fr_rate *rate, uint64_t now)
{
  if (rate->sure > 1 || !rate->hits)
    return;
  rate->hit_at = rate->race_at = now;
  rate->good = rate->race_good = 0;
  rate->hits = rate->sure = 0;
  rate->known = rate->bucket = rate->weight = rate->seconds = 0;
  rate->speed = rate->cap;
  rate->racing = false;
}

bool fr_rate_expects_hit(const struct fr_rate *rate)
{
  return rate->known > 0 &&
         rate->bucket < 0.3 * rate->known * rate->holds + 1;
}
