/* base/zone.h - time zones: how far local clocks are ahead of UTC.
 *
 *   "UTC", "Z"            nothing
 *   "+02:00", "-08:30"    fixed, hours 00 to 23
 *   "Europe/Berlin"       the system's zoneinfo: $TZDIR, else
 *                         /usr/share/zoneinfo (Debian's package tzdata)
 *
 * Promise: the time zone of the process stays what it was; a name that
 * cannot be read whole is an error, and never means UTC.
 *
 * Ownership: a zone is the caller's and does not change after it is open.
 */
#ifndef FR_BASE_ZONE_H
#define FR_BASE_ZONE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct fr_zone;

/* FR_EINVALID: no such zone, or its file is not what RFC 9636 describes.
 * Names are letters, digits, '_', '-', '+' and, inside, '/'. "localtime" and
 * "posixrules" are refused: they mean something else on each machine. */
enum fr_err fr_zone_open(const char *name, size_t len,
                         struct fr_zone **ret_zone);
void fr_zone_free(struct fr_zone *zone);

/* Seconds east of UTC at a time in ms since 1970, past or future. */
int32_t fr_zone_offset(const struct fr_zone *zone, int64_t at_ms);

#endif
