/* ledger/acts.h - changes that are no deletion of payloads, in the record.
 *
 *   fr_ledger_act --> open --fr_ledger_act_end--> DONE FAILED REFUSED
 *                       |                         UNKNOWN UNSENT
 *                       +-- killed: the next run says UNKNOWN
 *
 * Promise: as with a deletion, what was announced and never closed is found
 * again (fr_facts_each, FR_FACTS_LEFT). No body of a request is recorded.
 *
 * Ownership: texts are copied into the file. Both calls are made within a
 * group (ledger.h).
 */
#ifndef FR_LEDGER_ACTS_H
#define FR_LEDGER_ACTS_H

#include "ledger/ledger.h"

struct fr_act_note {
  const char *operation;        /* "compute.create" */
  const char *method, *path;    /* "POST", "/compute/instances" */
  const char *target;           /* what it is about, in words; or NULL */
  const char *key;              /* the Idempotency-Key, or NULL */
  const char *reason, *policy;  /* or NULL */
  const struct fr_uuid *id;     /* the request it is about, or NULL */
  bool irreversible;
};
/* *ret_seq names the change from here on. */
enum fr_err fr_ledger_act(struct fr_ledger *ledger,
                          const struct fr_act_note *note, int64_t *ret_seq);

enum fr_act_state {
  FR_ACT_DONE, FR_ACT_FAILED, FR_ACT_REFUSED,
  FR_ACT_UNKNOWN,               /* it left, no answer: it may have happened */
  FR_ACT_UNSENT                 /* announced, and never sent */
};
const char *fr_act_state_name(enum fr_act_state state); /* "done" */

struct fr_act_end {
  int64_t seq;                  /* of the change */
  enum fr_act_state state;
  const struct fr_uuid *id;     /* as of the change */
  const char *kind;             /* err name, or NULL */
  const char *evidence;         /* "answered", "replayed", "" */
  int http_status;              /* 0: none */
  unsigned attempts;
};
/* FR_EINVALID when no change of this number is open. */
enum fr_err fr_ledger_act_end(struct fr_ledger *ledger,
                              const struct fr_act_end *end);

#endif
