/* gate/internal.h - what the files of the gate share.
 *
 * Promise: fr_effect_send is called from the barrier alone, after a commit.
 */
#ifndef FR_GATE_INTERNAL_H
#define FR_GATE_INTERNAL_H

#include "fal/read.h"
#include "gate/effect.h"
#include "ledger/holds.h"

#define FR_USER_KEY_MAX 200
#define FR_GROUP_MAX 1000u      /* intents, and endings, of one barrier */
#define FR_GROUP_MS 50u         /* what a group may wait for company */
#define FR_SENDING_MAX 1024u    /* announced and not answered, at most */
#define FR_SETTLING_MAX 256u    /* open intents in motion at a time */
#define FR_RETRIES_DEFAULT 4
#define FR_KEY_YOUNG_MS (9 * 60 * 1000)

struct held;
struct fr_hold_file;

struct fr_gate {
  struct fr_gate_config config;
  struct fr_counts counts;
  struct fr_table ids, keys;
  struct fr_table held;         /* by the run's own sources: sources.c */
  struct held *all_held;
  struct fr_hold_file *hold_files;
  bool glanced;                 /* at the files, in this turn */
  bool glimpsing;               /* the ledger answers from one moment */
  bool holds_changed;           /* since what is under way was asked about */
  char seal[256];               /* why nothing may be deleted yet, or "" */
  struct fr_list waiting, queued, sending, answered, closing, recall;
  struct fr_list asked, acting, acted;  /* mutations: doing.h */
  struct fr_timer kick;         /* wakes the loop when work is left over */
  uint64_t group_since;         /* what waits for the commit; 0: nothing */
  uint64_t over, over_then, then; /* ends: all, and those up to `then` */
  double pace;                  /* ends a second, lately */
  size_t active, in_phase[FR_PHASES];
  uint64_t taken;               /* of max_deletes */
  int64_t run, born_at_ms, version;   /* run: -1 until one is known */
  bool broken, seen_version;    /* broken: the ledger failed */
  enum fr_err stop;
  char sentence[512];
  bool clock_known, meta_over;
  struct fr_read *meta;         /* the question for the time, or NULL */
  struct {
    struct fr_op op;
    bool begun, active;
    struct fr_uuid *ids;
    size_t count, next, motion;
    enum fr_err err;
  } settle;
};

/* ---- deletion.c ---- */
void fr_deletion_deliver(struct fr_list *handle, struct fr_effect *effect);

/* ---- admit.c: steps 2 to 5; clock.c ---- */
void fr_gate_admit(struct fr_effect *effect);
/* True when the limits let it pass; else it has been refused. */
bool fr_gate_limits(struct fr_effect *effect);
bool fr_gate_held(struct fr_effect *effect);    /* and then says so */
/* FR_OK: a hold of the ledger, one of the run, or a grace covers the id. */
enum fr_err fr_gate_covers(struct fr_gate *gate, const struct fr_uuid *id,
                           char *ret_reason, size_t size,
                           const char **ret_way_out);
void fr_gate_refuse(struct fr_effect *effect, enum fr_err err);
void fr_gate_close(struct fr_effect *effect, unsigned write);
/* Until the next barrier the ledger's answers are of one moment. */
void fr_gate_glimpse(struct fr_gate *gate);
bool fr_clock_known(struct fr_gate *gate);      /* else it is asked for */
void fr_clock_look(struct fr_gate *gate);       /* stops when it is wrong */

/* ---- sources.c ---- */
/* The reason of a hold that the run brought along, or NULL. */
const char *fr_source_find(const struct fr_gate *gate,
                           const struct fr_uuid *id);
void fr_sources_look(struct fr_gate *gate);     /* at files that changed */
void fr_sources_glance(struct fr_gate *gate);   /* once a turn */
void fr_sources_done(struct fr_gate *gate);

/* ---- gate.c ---- */
void fr_gate_adopt(struct fr_gate *gate);       /* a stop of the client */
void fr_gate_break(struct fr_gate *gate, enum fr_err err);
void fr_gate_kick(struct fr_gate *gate);

/* ---- mutations.c: the barrier's part in changes ---- */
bool fr_mutations_wait(const struct fr_gate *gate);     /* for a group */
enum fr_err fr_mutations_write(struct fr_gate *gate);   /* within it */
void fr_mutations_send(struct fr_gate *gate);           /* after it */
void fr_mutations_fail(struct fr_gate *gate);           /* it failed */
void fr_mutations_stop(struct fr_gate *gate);   /* takes back what it can */
void fr_mutations_drop(struct fr_gate *gate);

/* ---- send.c, answer.c, settle.c ---- */
void fr_effect_send(struct fr_effect *effect);
/* Takes back what waits in the throttle, now or as soon as it can be. */
void fr_effect_recall(struct fr_effect *effect);
/* Takes back what is queued: STOPPED or HELD. */
void fr_effect_withdraw(struct fr_effect *effect, enum fr_err err);
void fr_effect_judge(struct fr_effect *effect);
/* The ledger made a PARTIAL of it: files of earlier answers are left. */
void fr_effect_residue(struct fr_effect *effect);
void fr_settle_pump(struct fr_gate *gate);
void fr_settle_over(struct fr_effect *effect);

#endif
