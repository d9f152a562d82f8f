/* base/date.c - times as text. The calendar is computed with days since
 * 1970 (the civil-from-days arithmetic of the proleptic Gregorian calendar),
 * because libc's functions know locales, time zones and leniency that have no
 * place here. A leap second (":60") is refused: no clock here ever shows it. */
#include "base/date.h"

#include <stdbool.h>
#include <string.h>

#define DAY_MS INT64_C(86400000)
#define YEAR_1_MS INT64_C(-62135596800000)
#define YEAR_9999_END_MS INT64_C(253402300799999)

struct cursor {
  const char *at, *end;
};

struct civil {
  int64_t year, month, day;
};

int64_t fr_date_days(int64_t year, int64_t month, int64_t day)
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
  *ret_ms = fr_date_days(year, month, day) * DAY_MS;
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
  if (c.at != c.end || at < 0 || at > YEAR_9999_END_MS)
    return FR_EINVALID;
  *ret_at_ms = at;
  return FR_OK;
}

/* The inverse of fr_date_days. */
static struct civil civil_of(int64_t days)
{
  int64_t z = days + 719468, era = z / 146097, of_era = z - era * 146097;
  int64_t year = (of_era - of_era / 1460 + of_era / 36524 -
                  of_era / 146096) / 365;
  int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
  int64_t month = (5 * of_year + 2) / 153;      /* 0 is March */
  struct civil civil;

  civil.day = of_year - (153 * month + 2) / 5 + 1;
  civil.month = month < 10 ? month + 3 : month - 9;
  civil.year = year + era * 400 + (civil.month <= 2);
  return civil;
}

/* Exactly `digits` digits, and then `next`. */
static char *put(char *to, int64_t value, int digits, char next)
{
  for (int i = digits; i--; value /= 10)
    to[i] = (char)('0' + value % 10);
  to[digits] = next;
  return to + digits + 1;
}

/* By hand: every ledger event is stamped. Times outside the years 1 to 9999
 * are shown as the nearest inside, so that the text always fits. */
void fr_date_format(int64_t at_ms, char ret_text[FR_DATE_TEXT])
{
  int64_t at = at_ms < YEAR_1_MS ? YEAR_1_MS :
               at_ms > YEAR_9999_END_MS ? YEAR_9999_END_MS : at_ms;
  int64_t days = at / DAY_MS - (at % DAY_MS < 0);
  int64_t ms = at - days * DAY_MS, second = ms / 1000;
  struct civil civil = civil_of(days);
  char *to = ret_text;

  to = put(to, civil.year, 4, '-');
  to = put(to, civil.month, 2, '-');
  to = put(to, civil.day, 2, 'T');
  to = put(to, second / 3600, 2, ':');
  to = put(to, second / 60 % 60, 2, ':');
  to = put(to, second % 60, 2, ms % 1000 ? '.' : 'Z');
  if (ms % 1000)
    to = put(to, ms % 1000, 3, 'Z');
  *to = 0;
}
