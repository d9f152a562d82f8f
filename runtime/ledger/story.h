/* ledger/story.h - one request's story: intent, generations, outcome.
 *
 *   intend --> OPEN --outcome--> DELETED, GONE, PARTIAL, FAILED, REFUSED,
 *               |  ^              UNSENT
 *               +--+ generation, unanswered
 *
 * Promise: an intent is closed by an outcome or stays open for ever; what is
 * open is found again by fr_ledger_each_open.
 *
 * Ownership: texts handed in are copied into the file; records handed out
 * are the caller's. Words for failures: fr_ledger_detail.
 */
#ifndef FR_LEDGER_STORY_H
#define FR_LEDGER_STORY_H

#include "ledger/ledger.h"

/* ---- telling: inside a group (ledger.h) -------------------------------- */

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
  const char *policy;           /* the name of the rule, or NULL */
  const char *endpoint;         /* "fal-ai/flux/dev", or NULL: not known */
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

/* ---- asking: at any time ------------------------------------------------ */

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
