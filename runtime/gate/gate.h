/* gate/gate.h - the only door through which falrun deletes anything.
 *
 *   start --> 1 id  2 hold  3 ledger  4 limits  5 mode --> QUEUED
 *               |                                             |
 *               |            barrier: one synced commit  6 <--+
 *               |                                             |
 *               |         7 throttle, 8 DELETE, 9 answer <----+
 *               |                                             |
 *               +--> held, refused, already    10 outcome <---+
 *                    deleted, planned             |
 *                          +---> done <-----------+
 *
 * Promise: not one byte of a DELETE leaves the process before the intent
 * behind it is durable in the ledger, and no result says "deleted" before
 * its outcome is. No id has two requests in flight: a second deletion of it
 * shares the first one's result. Step 1 is the type: see fr_uuid_parse.
 *
 * Ownership: a deletion belongs to whoever made it and embeds its operation.
 * Specs are copied. Results are borrowed and live as long as the deletion.
 * Freeing a deletion in flight leaves the work with the gate, which still
 * records how it ended.
 */
#ifndef FR_GATE_GATE_H
#define FR_GATE_GATE_H

#include "base/verdict.h"
#include "fal/client.h"
#include "ledger/story.h"

struct fr_gate;
struct fr_deletion;
enum fr_mode { FR_MODE_PLAN, FR_MODE_RUN };
struct fr_limits {
  uint64_t max_deletes;         /* in one run; 0 refuses all */
  int64_t min_age_ms;           /* the age floor, where the age is known */
  unsigned max_percent;         /* of what was scanned; 0: no such limit */
};
#define FR_MAX_DELETES_DEFAULT 10000u
#define FR_MIN_AGE_DEFAULT_MS (24 * 3600 * 1000)
#define FR_CLOCK_SKEW_MAX_MS (5 * 60 * 1000)
struct fr_gate_config {
  struct fr_loop *loop;
  struct fr_fal *fal;
  struct fr_ledger *ledger;
  struct fr_verdict *verdict;   /* safety, ledger, failed, bug marked here */
  enum fr_mode mode;
  struct fr_limits limits;
};
enum fr_err fr_gate_new(const struct fr_gate_config *config,
                        struct fr_gate **ret_gate);
void fr_gate_free(struct fr_gate *gate); /* what is in flight: unrecorded */
/* One synced commit: outcomes that came in, then the intents that are queued,
 * which are sent then. Once per turn; a group may wait for the next one. */
void fr_gate_barrier(struct fr_gate *gate);
/* Work that a further turn and barrier move on. */
bool fr_gate_busy(const struct fr_gate *gate);
/* Number and age floor can only become tighter. */
void fr_gate_tighten(struct fr_gate *gate, const struct fr_limits *limits);
/* Nothing new is sent: what is queued ends as refused, its intents are closed
 * as unsent, what is in flight is recorded. `err`: FR_EINTERRUPTED, FR_ELIMIT,
 * FR_EUNAVAILABLE, ...; the first wins. */
void fr_gate_stop(struct fr_gate *gate, enum fr_err err, const char *why);
enum fr_err fr_gate_stopped(const struct fr_gate *gate);
const char *fr_gate_stop_sentence(const struct fr_gate *gate);
/* Sends again what earlier runs left open, through holds, limits, throttle;
 * once per gate. Done when nothing of it can be moved on. */
struct fr_op *fr_gate_settle(struct fr_gate *gate);
struct fr_counts {
  uint64_t deleted, already_deleted, planned, partial, held, refused, failed;
  uint64_t settled;             /* open before, and closed by this run */
  uint64_t open;                /* intents this run leaves open */
  uint64_t age_unknown;         /* of deleted and planned */
  uint64_t changed, unchanged;  /* mutations: done; with an error */
};
void fr_gate_counts(const struct fr_gate *gate, struct fr_counts *ret_counts);
uint64_t fr_gate_room(const struct fr_gate *gate); /* still allowed */
/* How many to start ahead, so that groups are large and the throttle is never
 * dry: half a second's, at least twice what may be in flight, at most 1024. */
size_t fr_gate_ahead(struct fr_gate *gate);

/* ---- one deletion ------------------------------------------------------ */

struct fr_deletion_spec {
  struct fr_uuid id;
  const char *reason;           /* or NULL */
  const char *idempotency_key;  /* 1 to 200 printable ASCII; NULL: made */
  uint32_t timeout_ms;          /* per attempt; 0: 60 s */
  int retries;                  /* after the first attempt; -1: 4 */
  bool dry_run;                 /* plan this one, whatever the mode */
  const char *policy;           /* whose rule it is, for the ledger; or NULL */
};

enum fr_fate {
  FR_FATE_DELETED, FR_FATE_ALREADY_DELETED, FR_FATE_PLANNED,   /* result */
  FR_FATE_PARTIAL, FR_FATE_HELD, FR_FATE_REFUSED, FR_FATE_FAILED /* error */
};
const char *fr_fate_name(enum fr_fate fate);    /* "already_deleted" */
struct fr_deletion_result {
  enum fr_fate fate;
  enum fr_err err;              /* FR_OK for the first three fates */
  bool retryable;
  const char *message;          /* one clear sentence; "" without error */
  int http_status;              /* 0: nothing was answered */
  unsigned attempts;
  const char *idempotency_key;  /* as last sent; "" when nothing was */
  const char *evidence;         /* "answered", "replayed", "inferred", "" */
  uint64_t elapsed_ms;
  bool age_known;
  int64_t age_ms;
  size_t nfiles;
  const struct fr_file_result *files;
};
/* FR_EINVALID: a key that is malformed or of another id; else it failed. */
enum fr_err fr_deletion_new(struct fr_gate *gate,
                            const struct fr_deletion_spec *spec,
                            struct fr_buf *why, struct fr_deletion **ret_d);
/* The op ends FR_OK with a result, whatever the fate; FR_ECANCELLED when
 * the wait was cancelled: the deletion itself goes on. */
void fr_deletion_start(struct fr_deletion *deletion);
struct fr_op *fr_deletion_op(struct fr_deletion *deletion);
const struct fr_deletion_result *
fr_deletion_result(const struct fr_deletion *deletion);
void fr_deletion_free(struct fr_deletion *deletion);    /* NULL is fine */
/* What the gate would say now, without doing anything: PLANNED, it would be
 * sent; ALREADY_DELETED; HELD (`why`: the reason, cut); REFUSED (*ret_err);
 * PARTIAL or FAILED: not sent again in this run. */
enum fr_fate fr_gate_preview(struct fr_gate *gate, const struct fr_uuid *id,
                             enum fr_err *ret_err, char *why, size_t size);

#endif
