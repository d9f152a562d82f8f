/* ledger/proof.h - checkpoints, and proofs that events are in the record.
 *
 *   checkpoint   which ledger, its newest event, when: kept elsewhere, it
 *                shows later that nothing was cut off or rewritten
 *   proof        the bytes of some events, and of the tree (tree.h) what is
 *                needed to come from them to its root
 *
 * Promise: a checkpoint is never ahead of what is synced.
 */
#ifndef FR_LEDGER_PROOF_H
#define FR_LEDGER_PROOF_H

#include "base/digest.h"
#include "ledger/history.h"

struct fr_checkpoint {
  int64_t seq, at_ms;           /* of the newest event */
  uint8_t hash[FR_SHA256_SIZE];
  char ledger[FR_UUID_TEXT];    /* the id in its first event */
};
/* Outside of a group. FR_ENOT_FOUND: there are no events. */
enum fr_err fr_history_checkpoint(struct fr_ledger *ledger,
                                  struct fr_checkpoint *ret_checkpoint);
/* "checkpoint seq=7 hash=... ledger=... at=...", and " root=..." where it is
 * known: as people and logs keep it. */
enum fr_err fr_checkpoint_words(const struct fr_checkpoint *checkpoint,
                                const uint8_t *root, struct fr_buf *words);

struct fr_proof {
  const int64_t *seqs;          /* of the events to be proven, rising */
  size_t count;
  int64_t size;                 /* of the tree: the first so many events */
  int (*event)(void *arg, const struct fr_event_row *event,
               const uint8_t *before);  /* the hash of the one before */
  void (*rest)(void *arg, int64_t first, const uint8_t *hash);  /* tree.h */
  void *arg;
};
/* Walks the chain up to `size`; FR_ECORRUPT when it does not fit or ends
 * before. A nonzero result of event() ends it with FR_ETOO_BIG. */
enum fr_err fr_history_prove(struct fr_ledger *ledger,
                             const struct fr_proof *proof,
                             uint8_t ret_root[FR_SHA256_SIZE]);

#endif
