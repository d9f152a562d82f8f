/* base/uuid.h - request ids: UUIDs in canonical form, and nothing else.
 *
 * Canonical is RFC 9562's output form: 36 bytes, lower-case hexadecimal in
 * groups of 8-4-4-4-12. Anything else (upper case, braces, blanks, unicode
 * digits, an embedded NUL) is refused, so that one request has one spelling.
 */
#ifndef FR_BASE_UUID_H
#define FR_BASE_UUID_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define FR_UUID_TEXT 37              /* with the NUL */

struct fr_uuid {
  uint8_t bytes[16];
};

/* FR_EINVALID unless the `len` bytes are exactly one canonical UUID. */
enum fr_err fr_uuid_parse(const char *text, size_t len,
                          struct fr_uuid *ret_id);
void fr_uuid_format(const struct fr_uuid *id, char ret_text[FR_UUID_TEXT]);

/* A random version 4 UUID; FR_EIO if the system has no randomness. */
enum fr_err fr_uuid_random(struct fr_uuid *ret_id);

/* The Unix time in ms inside a version 7 id (RFC 9562, 5.7). FR_ENOT_FOUND
 * for other versions and variants, and for times from the year 2100 on: no
 * clock wrote those, they are hand-made ids that look like version 7. */
enum fr_err fr_uuid_time(const struct fr_uuid *id, int64_t *ret_at_ms);

int fr_uuid_compare(const struct fr_uuid *a, const struct fr_uuid *b);

#endif
