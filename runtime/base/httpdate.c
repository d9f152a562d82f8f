/* base/httpdate.c - the three date forms of RFC 9110, 5.6.7:
 *
 *   Sun, 06 Nov 1994 08:49:37 GMT     IMF-fixdate, the one in use
 *   Sunday, 06-Nov-94 08:49:37 GMT    RFC 850; two digits: 1970 to 2069
 *   Sun Nov  6 08:49:37 1994          asctime
 *
 * The form is told by where the comma is; each is then read by position and
 * checked again by date.c, as an RFC 3339 text. The weekday must be one, but
 * is not held against the date: servers err there, and it decides nothing. */
#include "base/date.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int month_of(const char *name)
{
  static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

  for (int i = 0; i < 12; i++)
    if (!memcmp(names + 3 * i, name, 3))
      return i + 1;
  return 0;
}

static bool is_weekday(const char *name, size_t len)
{
  static const char *const names[] = {
    "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday",
    "Saturday",
  };

  for (size_t i = 0; i < 7; i++)
    if ((len == 3 || len == strlen(names[i])) && !memcmp(name, names[i], len))
      return true;
  return false;
}

/* day[2], month name[3], year[4], time[8], as they stand in the text. */
static enum fr_err parse_parts(const char *day, const char *month,
                               const char *year, const char *time,
                               int64_t *ret_at_ms)
{
  char text[] = "YYYY-MM-DDThh:mm:ssZ";
  int number = month_of(month);

  if (!number)
    return FR_EINVALID;
  memcpy(text, year, 4);
  text[5] = (char)('0' + number / 10);
  text[6] = (char)('0' + number % 10);
  memcpy(text + 8, day, 2);
  memcpy(text + 11, time, 8);
  return fr_date_parse(text, sizeof(text) - 1, ret_at_ms);
}

static enum fr_err parse_rfc850(const char *t, size_t len,
                                int64_t *ret_at_ms)
{
  char year[5];

  /* "06-Nov-94 08:49:37 GMT" */
  if (len != 22 || t[2] != '-' || t[6] != '-' || t[9] != ' ' ||
      memcmp(t + 18, " GMT", 4) != 0)
    return FR_EINVALID;
  snprintf(year, sizeof(year), "%s%.2s", t[7] >= '7' ? "19" : "20", t + 7);
  return parse_parts(t, t + 3, year, t + 10, ret_at_ms);
}

/* "Sun Nov  6 08:49:37 1994": the day is padded with a blank. */
static enum fr_err parse_asctime(const char *t, size_t len,
                                 int64_t *ret_at_ms)
{
  char day[2];

  if (len != 24 || t[3] != ' ' || t[7] != ' ' || t[10] != ' ' ||
      t[19] != ' ' || !is_weekday(t, 3))
    return FR_EINVALID;
  day[0] = t[8] == ' ' ? '0' : t[8];
  day[1] = t[9];
  return parse_parts(day, t + 4, t + 20, t + 11, ret_at_ms);
}

enum fr_err fr_date_parse_http(const char *text, size_t len,
                               int64_t *ret_at_ms)
{
  const char *comma = memchr(text, ',', len);
  size_t name, left;

  if (!comma)
    return parse_asctime(text, len, ret_at_ms);
  name = (size_t)(comma - text);
  left = len - name;
  if (left < 2 || comma[1] != ' ' || !is_weekday(text, name))
    return FR_EINVALID;
  if (name > 3)
    return parse_rfc850(comma + 2, left - 2, ret_at_ms);
  if (len != 29 || text[7] != ' ' || text[11] != ' ' || text[16] != ' ' ||
      memcmp(text + 25, " GMT", 4) != 0)
    return FR_EINVALID;
  return parse_parts(text + 5, text + 8, text + 12, text + 17, ret_at_ms);
}
