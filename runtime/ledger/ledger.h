/* ledger/ledger.h - the durable record of what falrun did, in SQLite.
 *
 *   begin; intend(id) ...; commit  --> bytes may leave --> begin; outcome...
 *   +------ one synced group -----+                        commit
 *
 * Events are only ever appended, each with the SHA-256 of the one before;
 * the other tables are what the events add up to. docs/ledger.md describes
 * the file for strangers.
 *
 * Promise: when fr_ledger_commit returns FR_OK, what was written since
 * fr_ledger_begin survives the loss of power. No payload, prompt or key is
 * ever stored.
 *
 * Ownership: a ledger owns its file, and the lock when opened for a run.
 * Strings in records handed out are borrowed for the duration of the call.
 * Calls are short, synchronous, and fail with FR_ECORRUPT, FR_EIO, FR_ENOMEM
 * unless said otherwise; fr_ledger_detail then has the words.
 */
#ifndef FR_LEDGER_LEDGER_H
#define FR_LEDGER_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/uuid.h"

struct fr_ledger;

enum fr_ledger_access {
  FR_LEDGER_READ,         /* no lock, nothing written; no file: all empty */
  FR_LEDGER_HOLD,         /* no lock, may write holds */
  FR_LEDGER_RUN           /* the lock (PATH.lock), may write everything */
};

struct fr_ledger_config {
  const char *path;             /* ":memory:" in tests */
  enum fr_ledger_access access;
  const char *origin;           /* "https://api.fal.ai"; NULL: any */
  const struct fr_clock *clock; /* borrowed */
  uint64_t lock_wait_ms;        /* how long to wait for the lock */
};

/* FR_ELOCKED, FR_EORIGIN, FR_ECORRUPT, FR_EIO; `why` gets the sentence.
 * Creates the file 0600 and missing folders 0700, unless access is READ. */
enum fr_err fr_ledger_open(const struct fr_ledger_config *config,
                           struct fr_buf *why, struct fr_ledger **ret_ledger);
void fr_ledger_close(struct fr_ledger *ledger);         /* NULL is fine */
const char *fr_ledger_path(const struct fr_ledger *ledger);
const char *fr_ledger_detail(const struct fr_ledger *ledger);

/* ---- groups: BEGIN IMMEDIATE ... COMMIT, synced ------------------------ */

enum fr_err fr_ledger_begin(struct fr_ledger *ledger);
enum fr_err fr_ledger_commit(struct fr_ledger *ledger);
void fr_ledger_rollback(struct fr_ledger *ledger);

/* ---- runs; each call is a group of its own ----------------------------- */

struct fr_run_spec {
  const char *command;          /* "run", "delete" */
  const char *policy;           /* path, or NULL */
  const char *policy_sha256;    /* hexadecimal, or NULL */
  const char *options;          /* JSON object text: limits and modes */
};

enum fr_err fr_ledger_run_begin(struct fr_ledger *ledger,
                                const struct fr_run_spec *spec,
                                int64_t *ret_run);
/* `summary` is JSON object text: counts by outcome. */
enum fr_err fr_ledger_run_end(struct fr_ledger *ledger, int exit_code,
                              const char *summary);

/* ---- one request's story; inside a group ------------------------------- */

#define FR_KEY_TEXT 256         /* an Idempotency-Key with its NUL */

enum fr_state {
  FR_STATE_NONE,                /* the ledger has no intent for it */
  FR_STATE_OPEN,                /* announced, and how it ended is unknown */
  FR_STATE_DELETED, FR_STATE_GONE, FR_STATE_PARTIAL, FR_STATE_FAILED,
  FR_STATE_REFUSED, FR_STATE_UNSENT
};
const char *fr_state_name(enum fr_state state);         /* "deleted" */

struct fr_intent {
  struct fr_uuid id;
  const char *reason;           /* or NULL */
  const char *key;              /* base of the Idempotency-Key */
  int64_t ended_at_ms;          /* -1: the age is unknown */
  bool user_key;                /* the key came from the script */
};

/* FR_EINVALID when a user key belongs to another id already. */
enum fr_err fr_ledger_intend(struct fr_ledger *ledger,
                             const struct fr_intent *intent);

/* Announces a new generation of the key of an open intent. */
enum fr_err fr_ledger_generation(struct fr_ledger *ledger,
                                 const struct fr_uuid *id,
                                 unsigned generation);

/* Records that a request left and no answer came; the intent stays open. */
enum fr_err fr_ledger_unanswered(struct fr_ledger *ledger,
                                 const struct fr_uuid *id, const char *kind,
                                 unsigned attempts);

struct fr_file_result {
  const char *link;
  const char *exception;        /* NULL: deleted */
};

struct fr_outcome {
  struct fr_uuid id;
  enum fr_state state;          /* not NONE, not OPEN */
  const char *evidence;         /* "answered", "replayed", "inferred", "" */
  const char *kind;             /* err name, or NULL */
  int http_status;              /* 0: none */
  unsigned attempts;
  const struct fr_file_result *files;
  size_t nfiles;
};

/* Closes the open intent. Residue: every file with an exception stays known
 * until a later outcome lists it without one. A DELETED or GONE outcome for
 * an id with residue left is recorded as PARTIAL: *ret_state says what. */
enum fr_err fr_ledger_outcome(struct fr_ledger *ledger,
                              const struct fr_outcome *outcome,
                              enum fr_state *ret_state);

/* A selected id that was not sent: `what` is "held" or "refused". */
enum fr_err fr_ledger_skip(struct fr_ledger *ledger, const char *what,
                           const struct fr_uuid *id, const char *kind,
                           const char *reason);

/* ---- questions --------------------------------------------------------- */

struct fr_record {
  enum fr_state state;
  int64_t run;                  /* of the latest intent */
  int64_t intent_at_ms;
  int64_t key_at_ms;            /* when this generation was announced */
  int64_t outcome_at_ms;        /* 0: none */
  unsigned generation;          /* 1, 2, ... */
  bool user_key;
  bool unanswered;              /* some attempt of this intent had no answer */
  int64_t ended_at_ms;          /* as recorded with the intent; -1 unknown */
  char key[FR_KEY_TEXT];        /* base of the key */
};

/* FR_ENOT_FOUND when there is no intent for the id. */
enum fr_err fr_ledger_find(struct fr_ledger *ledger, const struct fr_uuid *id,
                           struct fr_record *ret_record);

/* FR_ENOT_FOUND when nobody has used the user key yet. */
enum fr_err fr_ledger_key_owner(struct fr_ledger *ledger, const char *key,
                                struct fr_uuid *ret_id);

/* Changes whenever another connection has committed (a hold, perhaps). */
enum fr_err fr_ledger_version(struct fr_ledger *ledger, int64_t *ret_version);

/* Every open intent, oldest first; each() copies what it needs and must not
 * call the ledger. A nonzero result of each() ends the walk. */
struct fr_open_intent {
  struct fr_uuid id;
  struct fr_record record;
  char reason[1024];
};
enum fr_err fr_ledger_each_open(struct fr_ledger *ledger,
                                int (*each)(void *, const struct
                                            fr_open_intent *), void *arg);

#endif
