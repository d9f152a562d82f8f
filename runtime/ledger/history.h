/* ledger/history.h - reading the record: runs, events, the chain.
 *
 * All walks are oldest first and hand out borrowed rows; a nonzero result of
 * each() ends the walk. each() must not call the ledger.
 */
#ifndef FR_LEDGER_HISTORY_H
#define FR_LEDGER_HISTORY_H

#include "ledger/story.h"

struct fr_run_row {
  int64_t run;
  int64_t began_at_ms, ended_at_ms;     /* ended 0: it never ended orderly */
  int exit_code;                        /* -1 while not ended */
  const char *command, *policy, *policy_sha256;         /* or NULL */
  const char *options, *summary;        /* JSON object text, or NULL */
};
/* The latest `most` runs, newest first. */
enum fr_err fr_history_runs(struct fr_ledger *ledger, size_t most,
                            int (*each)(void *, const struct fr_run_row *),
                            void *arg);

struct fr_event_row {
  int64_t seq, run, at_ms;      /* run 0: outside of any */
  const char *kind;             /* "intent", "outcome", ... docs/ledger.md */
  bool has_id;
  struct fr_uuid id;
  const char *data;             /* JSON object text */
  const uint8_t *hash;          /* 32 bytes */
};
struct fr_event_filter {
  int64_t run;                  /* 0: all */
  const struct fr_uuid *id;     /* NULL: all */
  int64_t after_seq;            /* 0: from the first; for reading in pages */
};
enum fr_err fr_history_events(struct fr_ledger *ledger,
                              const struct fr_event_filter *filter,
                              int (*each)(void *,
                                          const struct fr_event_row *),
                              void *arg);

/* Files that an answer named as not deleted and that no later answer
 * cleared. `id` NULL: of all requests. */
struct fr_residue_row {
  struct fr_uuid id;
  const char *link, *exception;
};
enum fr_err fr_history_residue(struct fr_ledger *ledger,
                               const struct fr_uuid *id,
                               int (*each)(void *,
                                           const struct fr_residue_row *),
                               void *arg);

struct fr_chain {
  int64_t events;               /* how many were checked */
  int64_t broken_seq;           /* the first that does not fit, or 0 */
  uint8_t head[32];             /* hash of the last event */
  uint8_t root[32];             /* over all hashes (tree.h); verify's alone */
};
/* Walks the whole chain and holds the derived tables against it; FR_ECORRUPT
 * and broken_seq (0: a derived table) when something does not fit. */
enum fr_err fr_history_verify(struct fr_ledger *ledger,
                              struct fr_chain *ret_chain);

#endif
