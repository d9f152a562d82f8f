/* ledger/index.h - where the deletion of a request id lies; private.
 *
 *   id --> recent ------> filter ---------> ids ------> intent_seq
 *          the newest,    "surely not"      the table
 *          in memory      spares the table
 *
 * Promise: ids holds exactly the deletions whose intent_seq is at most `seq`,
 * and those up to `next_seq` whose id is below `next_id`; recent holds all
 * that come after `seq`. Random ids are written in sorted rounds only.
 *
 * Ownership: the index lives in its ledger. A ledger that is `alone` (a run,
 * by its lock) is the only writer of deletions and trusts its memory; others
 * look again when the file has changed.
 */
#ifndef FR_LEDGER_INDEX_H
#define FR_LEDGER_INDEX_H

#include "ledger/ledger.h"

#define FR_INDEX_LEAST 4096           /* deletions before a round begins */
#define FR_INDEX_MOST (1u << 18)
#define FR_INDEX_SHARE 32             /* of the events, in between */
#define FR_INDEX_SLICE 4              /* ids indexed for each intent */

struct fr_place {
  int64_t seq;                        /* of the intent; 0: there is none */
  bool open;                          /* only where the ledger is alone */
};

/* ---- recent.c: a hash table ---------------------------------------------- */

struct fr_seat {
  struct fr_uuid id;
  struct fr_place place;              /* seq 0: the seat is free */
};
struct fr_recent {
  struct fr_seat *seats;
  size_t count, cap;
};
uint64_t fr_id_hash(uint64_t seed, const struct fr_uuid *id);
/* NULL: not there. */
struct fr_seat *fr_recent_find(const struct fr_recent *recent, uint64_t seed,
                               const struct fr_uuid *id);
/* The place replaces an earlier one of the same id. FR_ENOMEM. */
enum fr_err fr_recent_put(struct fr_recent *recent, uint64_t seed,
                          const struct fr_uuid *id, struct fr_place place);
/* Forgets what lies at `seq` or before it, as far as memory allows. */
void fr_recent_trim(struct fr_recent *recent, uint64_t seed, int64_t seq);
void fr_recent_done(struct fr_recent *recent);

/* ---- filter.c: a set that may say yes wrongly, and never no -------------- */

struct fr_filter {
  uint64_t *words;                    /* NULL: there is no filter */
  uint64_t blocks;
};
enum fr_err fr_filter_init(struct fr_filter *filter, int64_t expected);
void fr_filter_add(struct fr_filter *filter, uint64_t hash);
bool fr_filter_has(const struct fr_filter *filter, uint64_t hash);
void fr_filter_done(struct fr_filter *filter);

/* ---- index.c ------------------------------------------------------------- */

struct fr_position {                  /* the row of the table indexing */
  int64_t seq, next_seq;
  struct fr_uuid next_id;
  bool partly;                        /* in a round: next_id counts */
};
struct fr_index {
  bool alone, loaded;
  struct fr_position is;
  int64_t seen_seq;                   /* recent is filled up to it */
  uint64_t seed;
  struct fr_recent recent;
  struct fr_recent absent;            /* open: asked for, and not there */
  struct fr_filter filter;
  uint64_t asked;                     /* ids, for want of a filter */
  struct fr_seat *round;              /* sorted; NULL: not in memory */
  size_t count, at;                   /* of the round */
  size_t added;                       /* intents of this group */
  size_t least;                       /* FR_INDEX_LEAST, but in tests */
};
void fr_index_init(struct fr_index *index, bool alone);
/* Empties it: a group was undone, or the ledger is closed. */
void fr_index_forget(struct fr_index *index);
enum fr_err fr_index_position(struct fr_ledger *ledger,
                              struct fr_position *ret_position);
/* FR_ENOT_FOUND; within a transaction, unless the ledger is alone. */
enum fr_err fr_index_find(struct fr_ledger *ledger, const struct fr_uuid *id,
                          struct fr_place *ret_place);
/* After an intent (open) or an outcome. */
enum fr_err fr_index_note(struct fr_ledger *ledger, const struct fr_uuid *id,
                          struct fr_place place);

/* ---- merge.c ------------------------------------------------------------- */

/* Moves the index on by as much as the group has earned; before a commit. */
enum fr_err fr_merge_step(struct fr_ledger *ledger);

#endif
