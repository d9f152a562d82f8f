/* base/date.h - times and durations as text.
 *
 * Times are RFC 3339 in and out; durations are a whole number and a unit,
 * one or more times ("30d", "1h30m"): ms s m h d w. A bare number is no
 * duration: nobody can tell seconds from days.
 */
#ifndef FR_BASE_DATE_H
#define FR_BASE_DATE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define FR_DATE_TEXT 32

/* "2026-01-02T03:04:05Z", fractions, offsets, or a bare "2026-01-02"
 * (midnight UTC). Years 1970 to 9999. FR_EINVALID otherwise. */
enum fr_err fr_date_parse(const char *text, size_t len, int64_t *ret_at_ms);

/* The three forms of RFC 9110, 5.6.7: IMF-fixdate, RFC 850, asctime. */
enum fr_err fr_date_parse_http(const char *text, size_t len,
                               int64_t *ret_at_ms);

/* "2026-01-02T03:04:05Z", with ".678" where there are milliseconds. */
void fr_date_format(int64_t at_ms, char ret_text[FR_DATE_TEXT]);

/* Days from 1970-01-01 to a day of the Gregorian calendar, of any year. */
int64_t fr_date_days(int64_t year, int64_t month, int64_t day);

/* 1 ms to 100 years; FR_EINVALID otherwise. "0s" is 0 and valid. */
enum fr_err fr_duration_parse(const char *text, size_t len,
                              uint64_t *ret_ms);

/* The two largest units that are not zero, "30d", "1h30m"; what is finer is
 * cut, so the text never says more than was given. */
void fr_duration_format(uint64_t ms, char ret_text[FR_DATE_TEXT]);

#endif
