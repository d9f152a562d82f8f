/* fal/seen.h - what this run's lists said about requests: a bounded table.
 *
 * The gate must know an item's age without believing Lua, so every list
 * answer is read here in C, first. The younger of two times counts. When the
 * table is full, entries older than the age floor are forgotten first (their
 * age no longer matters; a later 404 of theirs counts as unknown).
 */
#ifndef FR_FAL_SEEN_H
#define FR_FAL_SEEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/uuid.h"

struct fr_seen;

struct fr_sighting {
  int64_t ended_at_ms;    /* -1: listed without an end, or it is unknown */
  bool by_deleting_key;   /* listed with the key that deletes */
  const char *endpoint;   /* its endpoint, or NULL; lives as long as the table,
                           * where it is found; the first that was noted */
  size_t endpoint_len;    /* given to fr_seen_note */
};
#define FR_SEEN_ENDPOINTS 1000u         /* further ones are not kept */

/* `most` entries; older than `floor_ms` may be forgotten. */
enum fr_err fr_seen_new(uint32_t most, int64_t floor_ms,
                        struct fr_seen **ret_seen);
void fr_seen_free(struct fr_seen *seen);

/* FR_ETOO_BIG when it is full of entries that must not be forgotten. */
enum fr_err fr_seen_note(struct fr_seen *seen, const struct fr_uuid *id,
                         const struct fr_sighting *sighting, int64_t at_ms);
/* FR_ENOT_FOUND when the id was not listed, or was forgotten. */
enum fr_err fr_seen_find(const struct fr_seen *seen,
                         const struct fr_uuid *id,
                         struct fr_sighting *ret_sighting);

#endif
