/* fal/width.c - the limit in flight: slow start, walls, questions.
 *
 * Answers are counted by level, which is what it takes to tell a limit on
 * the width from one on the rate: the first refuses a level that it never let
 * pass, the second a level that went well many times. The counts are added up
 * when a 429 comes, and only then.
 */
#include "fal/width.h"

#include <string.h>

#define STEP 8u                 /* good answers for one more */
#define DOUBLES 64u             /* from here on slow start is slower, lest
                                 * hundreds are refused at its end */
#define BUSY_PART 32u
#define ASK_ANSWERS 100u
#define ASK_LEAST_MS 2000u
#define ASK_MOST_MS (5u * 60 * 1000)
#define ASK_PAUSES 30u
#define PASSES 2u

void fr_width_init(struct fr_width *width, unsigned most)
{
  memset(width, 0, sizeof(*width));
  width->most = most ? most : FR_WIDTH_MOST;
  width->slow_start = true;
  fr_width_set(width, FR_WIDTH_FIRST);
}

void fr_width_set(struct fr_width *width, unsigned limit)
{
  if (limit > width->most)
    limit = width->most;
  if (width->wall && limit >= width->wall)
    limit = width->wall - 1;
  width->limit = limit ? limit : 1;
  width->round = 0;
}

/* ---- levels that went well ---------------------------------------------- */

static unsigned bin_of(unsigned level)
{
  return level < FR_WIDTH_BINS ? level : FR_WIDTH_BINS - 1;
}

bool fr_width_is_proven(const struct fr_width *width, unsigned level)
{
  unsigned bin, count = 0, enough = level / 2 > 3 ? level / 2 : 3;

  for (bin = bin_of(level); bin < FR_WIDTH_BINS; bin++)
    count += width->seen[bin];
  return level <= 1 || count >= enough ||
         (width->firm && level < width->wall && level <= width->room);
}

void fr_width_forget(struct fr_width *width)
{
  memset(width->seen, 0, sizeof(width->seen));
}

/* ---- growing ------------------------------------------------------------ */

void fr_width_sent(struct fr_width *width, unsigned level)
{
  if (!width->wall || level < width->wall)
    return;
  width->asked++;
  width->limit = width->wall > 1 ? width->wall - 1 : 1;
}

static bool may_ask(const struct fr_width *width, uint64_t now)
{
  return !width->asked && now >= width->ask_at &&
         width->since_wall >= ASK_ANSWERS;
}

static void grow(struct fr_width *width, uint64_t now)
{
  unsigned need = width->limit < STEP ? width->limit : STEP;

  if (width->slow_start)
    need = width->limit < DOUBLES ? 1 : STEP / 2;
  if (width->limit >= width->most)
    return;
  if (width->wall && width->limit + 1 >= width->wall) {
    if (may_ask(width, now))
      width->limit = width->wall;
    return;
  }
  if (++width->round < need)
    return;
  width->round = 0;
  width->limit++;
}

static void clear(struct fr_width *width);

static void answered_at_wall(struct fr_width *width)
{
  if (width->asked)
    width->asked--;
  if (++width->passed < PASSES) {
    if (width->wall <= width->most)
      width->limit = width->wall;
    return;
  }
  clear(width);
}

void fr_width_good(struct fr_width *width, unsigned level, uint64_t now,
                   enum fr_growth growth)
{
  width->seen[bin_of(level)] += growth != FR_GROWTH_STALE;
  width->since_wall++;
  if (width->wall && level >= width->wall) {
    if (growth != FR_GROWTH_STALE)
      answered_at_wall(width);
    return;
  }
  if (level > width->proven)
    width->proven = level;
  if (growth == FR_GROWTH_STALE && width->wall && level > width->limit &&
      level <= width->room)
    width->limit = level;
  else if (growth == FR_GROWTH_MORE)
    grow(width, now);
}

void fr_width_neutral(struct fr_width *width, unsigned level)
{
  if (width->wall && level >= width->wall && width->asked)
    width->asked--;
}

/* ---- shrinking ---------------------------------------------------------- */

static void clear(struct fr_width *width)
{
  width->wall = width->asked = width->passed = width->failed = 0;
  width->ask_wait = 0;
  width->slow_start = true;
}

void fr_width_acquit(struct fr_width *width, uint64_t now)
{
  width->proven = 0;
  width->firm = false;
  if (!width->wall) {
    width->slow_start = true;
  } else if (!width->failed) {
    width->ask_at = now;
    width->since_wall = ASK_ANSWERS;
  }
}

void fr_width_hit(struct fr_width *width, unsigned level, unsigned flying,
                  uint64_t now, uint64_t pause_ms)
{
  uint64_t least = pause_ms * ASK_PAUSES;
  bool again = width->wall && level >= width->wall;
  unsigned below = level / 2;

  if (least < ASK_LEAST_MS)
    least = ASK_LEAST_MS;
  width->ask_wait = again ? width->ask_wait * 2 : 0;
  if (width->ask_wait < least)
    width->ask_wait = least;
  if (width->ask_wait > ASK_MOST_MS)
    width->ask_wait = ASK_MOST_MS > least ? ASK_MOST_MS : least;
  width->ask_at = now + width->ask_wait;
  if (width->proven > below)
    below = width->proven;
  if (!again) {
    width->wall = level > 1 ? level : 2;
    fr_width_set(width, below < width->limit ? below : width->limit);
    width->failed = 0;
  } else {
    width->failed++;
    fr_width_set(width, width->wall - 1);
  }
  width->room = flying > 1 ? flying - 1 : 1;
  width->proven = width->asked = width->passed = 0;
  width->since_wall = 0;
  width->slow_start = false;
  width->firm = true;
}

/* On the way the order is lost, and with it what a level says; but each that
 * is refused says that one less has room. */
void fr_width_hit_too(struct fr_width *width, unsigned level)
{
  if (width->room > 1)
    width->room--;
  if (!width->failed && width->limit > width->room &&
      width->limit > width->wall / 2)
    fr_width_set(width, width->limit - 1);
  if (!width->wall || level >= width->wall || level <= width->proven ||
      level < 2)
    return;
  width->wall = level;
  fr_width_set(width, width->limit);
}

void fr_width_busy(struct fr_width *width)
{
  width->slow_start = false;
  fr_width_set(width, width->limit - (width->limit + BUSY_PART - 1) /
                      BUSY_PART);
}
