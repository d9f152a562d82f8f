/* base/zone.c - fixed offsets. */
#include "base/zone.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct fr_zone {
  int32_t fixed;
};

static bool two_digits(const char *text, int most, int32_t *ret_value)
{
  if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9')
    return false;
  *ret_value = (text[0] - '0') * 10 + text[1] - '0';
  return *ret_value <= most;
}

/* "UTC", "Z" or "+02:00". */
static bool fixed_offset(const char *name, size_t len, int32_t *ret_seconds)
{
  int32_t hours, minutes;

  if ((len == 3 && memcmp(name, "UTC", 3) == 0) ||
      (len == 1 && *name == 'Z')) {
    *ret_seconds = 0;
    return true;
  }
  if (len != 6 || (name[0] != '+' && name[0] != '-') || name[3] != ':' ||
      !two_digits(name + 1, 23, &hours) ||
      !two_digits(name + 4, 59, &minutes))
    return false;
  *ret_seconds = (hours * 60 + minutes) * (name[0] == '-' ? -60 : 60);
  return true;
}

enum fr_err fr_zone_open(const char *name, size_t len,
                         struct fr_zone **ret_zone)
{
  struct fr_zone *zone;
  int32_t fixed;

  if (!fixed_offset(name, len, &fixed))
    return FR_EINVALID;
  zone = calloc(1, sizeof(*zone));
  if (!zone)
    return FR_ENOMEM;
  zone->fixed = fixed;
  *ret_zone = zone;
  return FR_OK;
}

void fr_zone_free(struct fr_zone *zone)
{
  free(zone);
}

int32_t fr_zone_offset(const struct fr_zone *zone, int64_t at_ms)
{
  (void)at_ms;
  return zone->fixed;
}
