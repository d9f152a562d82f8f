/* ledger/facts.h - what a run found out or decided, beside deletions.
 *
 * Telling: each call is one event, in the open group or in one of its own,
 * and needs a ledger that is opened for a run. Asking: at any time.
 *
 * Ownership: texts are copied; rows handed out are borrowed, and each() must
 * not call the ledger. A nonzero result of each() ends the walk.
 */
#ifndef FR_LEDGER_FACTS_H
#define FR_LEDGER_FACTS_H

#include "ledger/ledger.h"

#define FR_FACT_FILES_MOST 1000u        /* links of one event */

/* The run has read the whole of this window of the list of an endpoint. It
 * replaces windows that lie within it. */
struct fr_looked {
  const char *endpoint;
  int64_t from_ms, to_ms, rows;
};
enum fr_err fr_ledger_looked(struct fr_ledger *ledger,
                             const struct fr_looked *looked);

/* These files of the request are hidden, and to be deleted from this moment
 * on. It ends with a release, or when the request is deleted or gone. */
struct fr_quarantine {
  struct fr_uuid id;
  const char *const *files;
  const char *const *acls;      /* of each, JSON, as it was; or NULL */
  size_t nfiles;
  int64_t delete_after_ms;      /* since 1970 */
  const char *reason;           /* or NULL */
};
enum fr_err fr_ledger_quarantine(struct fr_ledger *ledger,
                                 const struct fr_quarantine *quarantine);
enum fr_err fr_ledger_release(struct fr_ledger *ledger,
                              const struct fr_uuid *id, const char *reason);

/* What is said of a request in its grace; times since 1970. */
void fr_grace_say(int64_t since_ms, int64_t due_ms, char *ret_words,
                  size_t size);

/* What the CDN said of a link. One seen as gone leaves the residue, and the
 * input files, of its request; the last residue of a partial deletion makes
 * it deleted. One that is there becomes residue, and a deletion that counted
 * as done is partial; but not for a file of the input, which fal keeps. */
struct fr_probe_note {
  struct fr_uuid id;
  const char *link;
  const char *seen;             /* "gone", "cached", "there", "unknown" */
  int http_status;
  int64_t age_s;                /* -1: it did not say */
  const char *cache, *why;      /* or NULL */
  bool input;                   /* a file of the request's input */
};
enum fr_err fr_ledger_probe(struct fr_ledger *ledger,
                            const struct fr_probe_note *probe);

/* fal keeps these input files of the request; none: the look found none. */
enum fr_err fr_ledger_inputs(struct fr_ledger *ledger,
                             const struct fr_uuid *id,
                             const char *const *files, size_t nfiles);

/* ---- asking -------------------------------------------------------------- */

enum fr_facts {
  FR_FACTS_LOOKED,              /* of runs that ended with 0: name: endpoint,
                                 * run, from_ms, to_ms, data: its options */
  FR_FACTS_QUARANTINED,         /* id, at_ms, to_ms: delete after; data */
  FR_FACTS_PROBES,              /* of one id: seq, run, at_ms, data */
  FR_FACTS_INPUTS,              /* id, name: link, seq of the event */
  FR_FACTS_CHANGES,             /* name: state; data; end, end_at_ms */
  FR_FACTS_LEFT                 /* changes that are open */
};
struct fr_fact_row {
  int64_t seq, run, at_ms, from_ms, to_ms, end_at_ms;   /* 0: none */
  bool has_id;
  struct fr_uuid id;
  const char *name, *data, *end;        /* or NULL; the last two are JSON */
};
struct fr_fact_filter {
  const char *endpoint;         /* NULL: all */
  const struct fr_uuid *id;     /* NULL: all */
  int64_t run;                  /* of changes; 0: all */
};
enum fr_err fr_facts_each(struct fr_ledger *ledger, enum fr_facts which,
                          const struct fr_fact_filter *filter,
                          int (*each)(void *, const struct fr_fact_row *),
                          void *arg);

#endif
