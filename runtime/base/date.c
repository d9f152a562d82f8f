/* base/date.c - times as text. The calendar is computed with days since
 * 1970 (the civil-from-days arithmetic of the proleptic Gregorian calendar),
 * because libc's functions know locales, time zones and leniency that have no
 * place here. A leap second (":60") is refused: no clock here ever shows it. */
#include "base/date.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define DAY_MS INT64_C(86400000)

struct cursor {
  const char *at, *end;
};

static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
  int64_t era, of_era, of_year;

  year -= month <= 2;
  era = year / 400;
  of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  of_era = (year - era * 400) * 365 + (year - era * 400) / 4 -
           (year - era * 400) / 100 + of_year;
  return era * 146097 + of_era - 719468;
}

static bool leap(int64_t year)
{
  return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int64_t month_days(int64_t year, int64_t month)
{
  static const char days[] = { 31, 28, 31, 30, 31, 30,
                               31, 31, 30, 31, 30, 31 };

  return month == 2 && leap(year) ? 29 : days[month - 1];
}

/* Exactly `digits` digits. */
static bool number(struct cursor *c, int digits, int64_t *ret_value)
{
  int64_t value = 0;

  if (c->end - c->at < digits)
    return false;
  while (digits--) {
    if (*c->at < '0' || *c->at > '9')
      return false;
    value = value * 10 + (*c->at++ - '0');
  }
  *ret_value = value;
  return true;
}

static bool literal(struct cursor *c, const char *text)
{
  size_t len = strlen(text);

  if ((size_t)(c->end - c->at) < len || memcmp(c->at, text, len) != 0)
    return false;
  c->at += len;
  return true;
}

static bool clock_time(struct cursor *c, int64_t *ret_ms)
{
  int64_t hour, minute, second;

  if (!number(c, 2, &hour) || !literal(c, ":") || !number(c, 2, &minute) ||
      !literal(c, ":") || !number(c, 2, &second))
    return false;
  if (hour > 23 || minute > 59 || second > 59)
    return false;
  *ret_ms = ((hour * 60 + minute) * 60 + second) * 1000;
  return true;
}

static bool civil_date(int64_t year, int64_t month, int64_t day,
                       int64_t *ret_ms)
{
  if (year < 1970 || year > 9999 || month < 1 || month > 12 || day < 1 ||
      day > month_days(year, month))
    return false;
  *ret_ms = days_of(year, month, day) * DAY_MS;
  return true;
}

/* ".678901", of which three digits count; at most nine. */
static bool fraction(struct cursor *c, int64_t *ret_ms)
{
  int64_t ms = 0;
  int digits = 0;

  if (!literal(c, "."))
    return true;
  for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++)
    if (digits++ < 3)
      ms = ms * 10 + (*c->at - '0');
  for (int i = digits; i < 3; i++)
    ms *= 10;
  *ret_ms += ms;
  return digits >= 1 && digits <= 9;
}

static bool offset(struct cursor *c, int64_t *ret_ms)
{
  int64_t hour, minute, sign;

  if (literal(c, "Z") || literal(c, "z"))
    return true;
  if (c->at == c->end || (*c->at != '+' && *c->at != '-'))
    return false;
  sign = *c->at++ == '+' ? -1 : 1;
  if (!number(c, 2, &hour) || !literal(c, ":") || !number(c, 2, &minute) ||
      hour > 23 || minute > 59)
    return false;
  *ret_ms += sign * (hour * 60 + minute) * 60000;
  return true;
}

enum fr_err fr_date_parse(const char *text, size_t len, int64_t *ret_at_ms)
{
  struct cursor c = { text, text + len };
  int64_t year, month, day, at, time_ms;

  if (!number(&c, 4, &year) || !literal(&c, "-") || !number(&c, 2, &month) ||
      !literal(&c, "-") || !number(&c, 2, &day) ||
      !civil_date(year, month, day, &at))
    return FR_EINVALID;
  if (c.at < c.end) {
    if (*c.at != 'T' && *c.at != 't' && *c.at != ' ')
      return FR_EINVALID;
    c.at++;
    if (!clock_time(&c, &time_ms) || !fraction(&c, &time_ms) ||
        !offset(&c, &time_ms))
      return FR_EINVALID;
    at += time_ms;
  }
  if (c.at != c.end || at < 0)
    return FR_EINVALID;
  *ret_at_ms = at;
  return FR_OK;
}

void fr_date_format(int64_t at_ms, char ret_text[FR_DATE_TEXT])
{
  int64_t days = at_ms / DAY_MS - (at_ms % DAY_MS < 0);
  int64_t ms = at_ms - days * DAY_MS, seconds = ms / 1000;
  int64_t z = days + 719468, era = z / 146097, of_era = z - era * 146097;
  int64_t year = (of_era - of_era / 1460 + of_era / 36524 -
                  of_era / 146096) / 365;
  int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
  int64_t mp = (5 * of_year + 2) / 153;
  int64_t day = of_year - (153 * mp + 2) / 5 + 1;
  int64_t month = mp < 10 ? mp + 3 : mp - 9;
  char part[16] = "", text[96];

  year += era * 400 + (month <= 2);
  if (ms % 1000)
    snprintf(part, sizeof(part), ".%03d", (int)(ms % 1000));
  snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d%sZ",
           (int)year, (int)month, (int)day, (int)(seconds / 3600),
           (int)(seconds / 60 % 60), (int)(seconds % 60), part);
  memcpy(ret_text, text, FR_DATE_TEXT - 1);     /* years have four digits */
  ret_text[FR_DATE_TEXT - 1] = 0;
}
