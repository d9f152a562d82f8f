/* ledger/tally.h - how the deletions of the whole ledger stand now.
 *
 * What is not deleted, not gone and not held is retention debt: a policy or
 * a person has chosen it, so it is overdue, and it is still on fal.
 */
#ifndef FR_LEDGER_TALLY_H
#define FR_LEDGER_TALLY_H

#include "ledger/story.h"

/* All deletions that have these three in common. */
struct fr_tally_row {
  const char *state;            /* "deleted", "open", ... */
  bool declared;                /* by a declared policy; of what is left */
  bool held;                    /* a hold of the ledger covers it; likewise */
  int64_t count;
  int64_t oldest_ms;            /* the earliest end of a request; -1: none is
                                 * known, or it is not left */
  int64_t since_ms;             /* its earliest intent; -1: it is not left */
};
/* Looks at all deletions. A nonzero result of each() ends it. */
enum fr_err fr_ledger_tally(struct fr_ledger *ledger,
                            int (*each)(void *, const struct fr_tally_row *),
                            void *arg);

/* Bytes of the ledger's file, without what waits in its WAL; 0: no file. */
enum fr_err fr_ledger_size(struct fr_ledger *ledger, int64_t *ret_bytes);

#endif
