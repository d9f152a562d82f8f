/* ledger/probes.h - what was seen of files on the CDN, and which files are
 * not for a deletion to take.
 *
 *   "gone"  --> leaves residue; of a partial deletion the last one makes it
 *               deleted
 *   "there" --> becomes residue; a deletion that counted as done is partial
 *
 * A file of the input is fal's to keep: a probe of it changes neither.
 *
 * Promise: a deletion counts as done only as long as no file that an answer
 * named was seen after it.
 *
 * Ownership: texts are copied into the file. Inside a group (ledger.h).
 */
#ifndef FR_LEDGER_PROBES_H
#define FR_LEDGER_PROBES_H

#include "ledger/story.h"

struct fr_probe_note {
  struct fr_uuid id;
  const char *link;
  const char *seen;             /* "gone", "cached", "there", "unknown" */
  int http_status;              /* 0: no answer */
  int64_t age_s;                /* -1: none was told */
  const char *cache, *why;      /* or NULL */
  bool input;                   /* a file of the request's input */
};
/* FR_EINVALID: nothing of the sort can be seen, or there is no link. */
enum fr_err fr_ledger_probe(struct fr_ledger *ledger,
                            const struct fr_probe_note *note);

/* What a look into the input found, perhaps nothing; at most 1,000 links. */
enum fr_err fr_ledger_input_files(struct fr_ledger *ledger,
                                  const struct fr_uuid *id,
                                  const char *const *links, size_t count);

#endif
