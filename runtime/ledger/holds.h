/* ledger/holds.h - ids that no run may delete: legal holds, and graces.
 *
 * A hold is written in a transaction of its own, at any time, also while a
 * run holds the lock; the gate asks again at each barrier. For the embedded
 * commands only: policies are never given these (scripts/dev/layers).
 */
#ifndef FR_LEDGER_HOLDS_H
#define FR_LEDGER_HOLDS_H

#include "ledger/story.h"

/* FR_OK and the reason (cut to fit) when a hold covers the id;
 * FR_ENOT_FOUND when none does. */
enum fr_err fr_hold_find(struct fr_ledger *ledger, const struct fr_uuid *id,
                         char *ret_reason, size_t size);

/* FR_OK and a sentence when the id is in the grace of a quarantine (facts.h)
 * at `at_ms`; FR_ENOT_FOUND when it is in none. */
enum fr_err fr_grace_find(struct fr_ledger *ledger, const struct fr_uuid *id,
                          int64_t at_ms, char *ret_words, size_t size);

/* Adds or renews the holds of all ids, or of none. */
enum fr_err fr_hold_add(struct fr_ledger *ledger, const struct fr_uuid *ids,
                        size_t count, const char *reason);
/* Removes all, or none: FR_ENOT_FOUND and *ret_index of the first id that
 * has no hold. */
enum fr_err fr_hold_remove(struct fr_ledger *ledger,
                           const struct fr_uuid *ids, size_t count,
                           size_t *ret_index);

struct fr_hold {
  struct fr_uuid id;
  int64_t at_ms;
  const char *reason;
};
enum fr_err fr_hold_each(struct fr_ledger *ledger,
                         int (*each)(void *, const struct fr_hold *),
                         void *arg);

#endif
