/* base/zonerule.c - summer time by rule. Which half of the year is summer,
 * and whether summer is ahead or behind (Ireland writes winter as the
 * exception), need no thought: of the changes around a time, the latest one
 * that is not after it decides. The year before and the year after are looked
 * at as well, because a rule may leave its year by a week. */
#include "base/zonerule.h"

#include <limits.h>
#include <string.h>

#include "base/date.h"

#define DAY INT64_C(86400)
#define HOUR 3600

struct cursor {
  const char *at, *end;
};

static bool literal(struct cursor *c, char wanted)
{
  if (c->at == c->end || *c->at != wanted)
    return false;
  c->at++;
  return true;
}

/* One to three digits. */
static bool number(struct cursor *c, int32_t least, int32_t most,
                   int32_t *ret_value)
{
  int32_t value = 0;
  int digits = 0;

  for (; c->at < c->end && *c->at >= '0' && *c->at <= '9' && digits < 4;
       digits++)
    value = value * 10 + (*c->at++ - '0');
  *ret_value = value;
  return digits >= 1 && digits <= 3 && value >= least && value <= most;
}

/* "CET" or "<+01>". */
static bool zone_name(struct cursor *c)
{
  bool quoted = literal(c, '<');
  const char *from = c->at;

  for (; c->at < c->end; c->at++) {
    char letter = (char)(*c->at | 0x20);
    bool in_quotes = (*c->at >= '0' && *c->at <= '9') || *c->at == '+' ||
                     *c->at == '-';

    if (!(letter >= 'a' && letter <= 'z') && !(quoted && in_quotes))
      break;
  }
  return c->at - from >= 3 && (!quoted || literal(c, '>'));
}

/* "[+-]h[:m[:s]]" in seconds, as written. */
static bool clock_time(struct cursor *c, int32_t most_hours,
                       int32_t *ret_seconds)
{
  int32_t hours, minutes = 0, seconds = 0, sign = literal(c, '-') ? -1 : 1;

  if (sign > 0)
    (void)literal(c, '+');
  if (!number(c, 0, most_hours, &hours))
    return false;
  if (literal(c, ':')) {
    if (!number(c, 0, 59, &minutes))
      return false;
    if (literal(c, ':') && !number(c, 0, 59, &seconds))
      return false;
  }
  *ret_seconds = sign * (hours * HOUR + minutes * 60 + seconds);
  return true;
}

/* POSIX counts westward. */
static bool offset(struct cursor *c, int32_t *ret_east)
{
  int32_t west;

  if (!clock_time(c, 24, &west))
    return false;
  *ret_east = -west;
  return true;
}

/* ",M3.5.0/2", ",J60", ",59/-1" */
static bool change(struct cursor *c, struct fr_zonerule_day *day)
{
  bool ok;

  *day = (struct fr_zonerule_day){ .kind = '0', .second = 2 * HOUR };
  if (!literal(c, ','))
    return false;
  if (literal(c, 'M')) {
    day->kind = 'M';
    ok = number(c, 1, 12, &day->month) && literal(c, '.') &&
         number(c, 1, 5, &day->week) && literal(c, '.') &&
         number(c, 0, 6, &day->day);
  } else if (literal(c, 'J')) {
    day->kind = 'J';
    ok = number(c, 1, 365, &day->day);
  } else {
    ok = number(c, 0, 365, &day->day);
  }
  return ok && (!literal(c, '/') || clock_time(c, 167, &day->second));
}

bool fr_zonerule_parse(const char *text, size_t len,
                       struct fr_zonerule *ret_rule)
{
  struct cursor c = { text, text + len };
  struct fr_zonerule rule = { 0 };

  if (!zone_name(&c) || !offset(&c, &rule.standard))
    return false;
  if (c.at < c.end) {
    rule.changes = true;
    rule.summer = rule.standard + HOUR;
    if (!zone_name(&c) ||
        (c.at < c.end && *c.at != ',' && !offset(&c, &rule.summer)) ||
        !change(&c, &rule.begin) || !change(&c, &rule.end))
      return false;
  }
  if (c.at != c.end)
    return false;
  *ret_rule = rule;
  return true;
}

/* ---- when --------------------------------------------------------------- */

static int64_t floor_div(int64_t value, int64_t by)
{
  return value / by - (value % by < 0);
}

static int64_t year_of(int64_t days)
{
  int64_t year = 1970 + floor_div(days * 400, 146097);

  while (fr_date_days(year, 1, 1) > days)
    year--;
  while (fr_date_days(year + 1, 1, 1) <= days)
    year++;
  return year;
}

/* The day of a year on which the rule falls, in days since 1970. */
static int64_t day_in(const struct fr_zonerule_day *day, int64_t year)
{
  int64_t new_year = fr_date_days(year, 1, 1), first, next, weekday, found;

  if (day->kind == '0')
    return new_year + day->day;
  if (day->kind == 'J')                 /* 29 February is never counted */
    return day->day < 60 ? new_year + day->day - 1
                         : fr_date_days(year, 3, 1) + day->day - 60;
  first = fr_date_days(year, day->month, 1);
  next = day->month == 12 ? fr_date_days(year + 1, 1, 1)
                          : fr_date_days(year, day->month + 1, 1);
  weekday = first + 4 - floor_div(first + 4, 7) * 7;      /* 0 is Sunday */
  found = first + (day->day - weekday + 7) % 7 + 7 * (day->week - 1);
  return found < next ? found : found - 7;      /* week 5: the last one */
}

int32_t fr_zonerule_offset(const struct fr_zonerule *rule, int64_t at)
{
  int64_t year, latest = INT64_MIN;
  int32_t east = rule->standard;

  if (!rule->changes)
    return rule->standard;
  year = year_of(floor_div(at + rule->standard, DAY));
  for (int64_t y = year - 1; y <= year + 1; y++) {
    int64_t begin = day_in(&rule->begin, y) * DAY + rule->begin.second -
                    rule->standard;
    int64_t end = day_in(&rule->end, y) * DAY + rule->end.second -
                  rule->summer;

    if (end <= at && end >= latest) {
      latest = end;
      east = rule->standard;
    }
    if (begin <= at && begin >= latest) {     /* always summer: both at once */
      latest = begin;
      east = rule->summer;
    }
  }
  return east;
}
