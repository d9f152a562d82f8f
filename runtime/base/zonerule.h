/* base/zonerule.h - the rule by which a zone goes on after its table ends.
 *
 * "CET-1CEST,M3.5.0,M10.5.0/3", as POSIX writes it in TZ and as zoneinfo
 * files end, with the hours of RFC 9636 (up to 167, either sign).
 */
#ifndef FR_BASE_ZONERULE_H
#define FR_BASE_ZONERULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fr_zonerule_day {
  char kind;                            /* 'J', 'M', or '0': plain */
  int32_t month, week, day;
  int32_t second;                       /* of local time, from midnight */
};

struct fr_zonerule {
  int32_t standard, summer;             /* seconds east of UTC */
  bool changes;                         /* else it is always standard */
  struct fr_zonerule_day begin, end;    /* of summer time */
};

/* False when the text is not such a rule, to its last byte. */
bool fr_zonerule_parse(const char *text, size_t len,
                       struct fr_zonerule *ret_rule);

/* Seconds east of UTC, at a time in seconds since 1970. */
int32_t fr_zonerule_offset(const struct fr_zonerule *rule, int64_t at);

#endif
