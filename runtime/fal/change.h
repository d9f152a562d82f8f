/* fal/change.h - deleting payloads on the wire. Only runtime/gate may
 * include this header (scripts/dev/layers checks): whoever holds it can
 * delete without a record.
 *
 *   start --> WAITING --throttle--> SENT --answer--> done
 *                ^                     |  transient, same key
 *                +---- retry law <-----+
 *
 * One change is one generation of an Idempotency-Key. When only a new
 * generation may be sent (the same 5xx came twice, or the key is older than
 * nine minutes), it ends with `again` set: the caller announces the
 * generation in the ledger and makes another change.
 *
 * Ownership: a change belongs to whoever made it and embeds its operation;
 * the spec is copied; the answer is borrowed and lives as long as the change.
 */
#ifndef FR_FAL_CHANGE_H
#define FR_FAL_CHANGE_H

#include "base/uuid.h"
#include "fal/cdn.h"
#include "fal/client.h"

struct fr_change;

struct fr_change_spec {
  struct fr_uuid id;
  const char *idempotency_key;
  int64_t key_at_ms;            /* wall clock: when the key was announced */
  unsigned attempts;            /* at most, of this change; 0: 5 */
  uint32_t timeout_ms;          /* per attempt; 0: 60 s */
  int last_status;              /* that ended the generation before, or 0:
                                 * the backoff goes on from there, and this
                                 * key gets its two sends all the same */
};

struct fr_change_answer {
  /* FR_OK: 2xx, read whole, no exception. FR_EPARTIAL: 200 with exceptions.
   * FR_ENOT_FOUND, AUTH, BAD_REQUEST, RATE_LIMITED, SERVER, REDIRECT,
   * PROTOCOL, STOPPED, CANCELLED, CONFIG, or what the transport said. */
  enum fr_err err;
  bool again;                   /* a new generation of the key may succeed */
  bool retryable;
  int http_status;              /* of the last attempt; 0: no answer */
  unsigned attempts;            /* requests that may have left */
  bool unanswered;              /* some attempt left and had no usable
                                 * answer: its effect is unknown */
  bool doubtful;                /* some attempt had a 5xx that does not say
                                 * that nothing was done: so did it? */
  bool replayed;                /* the answer came to a repeat of a request
                                 * that had stayed unanswered */
  uint64_t elapsed_ms;
  const char *message;          /* one clear sentence about the failure */
  const struct fr_cdn_result *files;    /* fal/cdn.h */
  size_t nfiles;
};

enum fr_err fr_change_new(struct fr_fal *fal,
                          const struct fr_change_spec *spec,
                          struct fr_change **ret_change);
void fr_change_start(struct fr_change *change);
/* Ends it if no request of it is in flight: it then answers CANCELLED (with
 * attempts and unanswered as they were). False: it is in flight. */
bool fr_change_withdraw(struct fr_change *change);
void fr_change_free(struct fr_change *change);  /* NULL is fine; abandons */

struct fr_op *fr_change_op(struct fr_change *change);
const struct fr_change_answer *fr_change_answer(const struct fr_change *);

#endif
