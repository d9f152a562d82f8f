/* fal/act.h - requests that change something, other than deleting payloads,
 * on the wire. Only runtime/gate may include this header (scripts/dev/layers
 * checks): whoever holds it can change things without a record.
 *
 *   start --> WAITING --throttle--> SENT --answer--> done
 *                ^                     |  transient, and it has a key or
 *                +---- retry law <-----+  has not left
 *
 * Promise: without an Idempotency-Key no second request leaves after one that
 * may have. Payloads are never deleted here, however the path is spelled:
 * that is fal/change.h.
 *
 * Ownership: an act belongs to whoever made it and embeds its operation; the
 * spec is copied, but for an upload, which outlives the act; the answer is
 * borrowed and lives as long as the act.
 */
#ifndef FR_FAL_ACT_H
#define FR_FAL_ACT_H

#include "fal/client.h"
#include "http/upload.h"

struct fr_act;

struct fr_act_spec {
  const char *method;           /* "POST", "PUT", "PATCH", "DELETE" */
  const char *path;             /* below the base: "/compute/instances" */
  const char *query;            /* escaped, without '?'; or NULL */
  const char *body;             /* JSON text, or NULL */
  struct fr_upload *upload;     /* in its place, borrowed; or NULL */
  enum fr_key key;
  const char *idempotency_key;  /* NULL: sent once */
  int64_t key_at_ms;            /* wall clock: when it was announced */
  uint32_t timeout_ms;          /* per attempt; 0: 60 s. Of an upload: in
                                 * which not a byte moves */
};

struct fr_act_answer {
  /* FR_OK: a 2xx came whole, its body is empty or JSON, and it does not say
   * that nothing was done. Else as in fal/change.h. */
  enum fr_err err;
  bool retryable;
  int http_status;              /* of the last attempt; 0: no answer */
  unsigned attempts;            /* requests that may have left */
  bool unanswered;              /* it may have had an effect, and no answer
                                 * says which: one that left and has none
                                 * since, or a 5xx other than 501, 503 */
  bool replayed;                /* the answer came to a repeat of a request
                                 * that had stayed unanswered */
  const char *message;          /* one clear sentence about the failure */
  const char *body;             /* of a 2xx; "" without one */
  size_t body_len;
};

/* FR_EINVALID and why: the method, the path, or that it deletes payloads. */
enum fr_err fr_act_check(const struct fr_act_spec *spec, struct fr_buf *why);
/* What fr_act_check lets pass. */
enum fr_err fr_act_new(struct fr_fal *fal, const struct fr_act_spec *spec,
                       struct fr_act **ret_act);
void fr_act_start(struct fr_act *act);
/* Ends it if no request of it is in flight: it then answers CANCELLED. */
bool fr_act_withdraw(struct fr_act *act);
/* Breaks off one whose file is still being sent, which may take hours. */
void fr_act_break(struct fr_act *act);
void fr_act_free(struct fr_act *act);           /* NULL is fine; abandons */

struct fr_op *fr_act_op(struct fr_act *act);
struct fr_act_answer fr_act_answer(const struct fr_act *act);

#endif
