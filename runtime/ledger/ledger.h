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

/* Which process has the lock of the ledger at `path`, 0 where that cannot be
 * seen; FR_ENOT_FOUND: none; FR_EIO: nobody can say. */
enum fr_err fr_ledger_holder(const char *path, int64_t *ret_pid);

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

/* Of the library in use: "3.40.1". */
const char *fr_ledger_library(void);

/* Changes whenever what covers an id may have: another connection has
 * committed (a hold, perhaps), or this one has told a quarantine. */
enum fr_err fr_ledger_version(struct fr_ledger *ledger, int64_t *ret_version);

/* Until fr_ledger_glimpse_over all questions are answered from one moment,
 * which is cheaper; for one turn, because a glimpse that lasts keeps the WAL
 * from being emptied. Begin and version look anew. Nothing within a group. */
enum fr_err fr_ledger_glimpse(struct fr_ledger *ledger);
void fr_ledger_glimpse_over(struct fr_ledger *ledger);  /* none is fine */

#endif
