/* story.h - runs of the ledger that are recorded, and what they were told.
 *
 * A promise is the head of the chain, and how many intents there were, when
 * a call returned that says "this survives the loss of power". Between two
 * promises there is one commit.
 */
#ifndef POWER_STORY_H
#define POWER_STORY_H

#include "ledger/acts.h"
#include "ledger/event.h"
#include "ledger/facts.h"

#define PROMISES 1024
#define INTENTS 8192

struct promise {
  int64_t seq;                  /* of the newest event */
  uint8_t hash[FR_SHA256_SIZE];
  unsigned intents;             /* of story->intents, from its begin */
  bool seen;                    /* it was there, and promised by nobody: what
                                 * a killed process wrote and did not sync */
};

struct story {
  const char *level;            /* what synchronous is lowered to, or NULL */
  struct fr_clock clock;
  char root[128];
  const char *name;             /* of the ledger, below a root */
  char path[256];               /* below which root it is just now */
  struct fr_ledger *ledger;
  unsigned next;                /* id that has not been used */
  unsigned intents[INTENTS], nintents, settled;
  bool plain;                   /* nothing but deletions */
  bool old;                     /* its images may be of an older format */
  struct promise promises[PROMISES];
  int npromises;
};

/* Each records a whole log (tap.h) of what it does below story->root. */
void story_life(struct story *story);           /* from the first byte on */
void story_old(struct story *story, int format); /* 1 or 2, and upgraded */
/* Another process goes on after one that was killed; the tap is on. */
void story_next(struct story *story);

void story_place(struct story *story, const char *root);
enum fr_err story_open(struct story *story, enum fr_ledger_access access,
                       struct fr_ledger **ret_ledger);
struct fr_uuid story_id(unsigned number);
void story_must(bool fine, const char *what, int line);
#define MUST(fine) story_must((fine), #fine, __LINE__)

#endif
