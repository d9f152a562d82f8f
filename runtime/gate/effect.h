/* gate/effect.h - the work on one id, whoever asked for it.
 *
 * An effect is the work on one id; a deletion (gate.h) is a handle that
 * waits for one. Effects move between these lists, and only the barrier
 * takes them from `queued` to `sending`:
 *
 *   NEW --> waiting (for the clock) --> queued --> sending --> answered
 *    |                                    ^           |           |
 *    |                                    +--new generation-------+
 *    +--> closing (an outcome or a skip to write) <---------------+
 *            +--> over
 *
 * Ownership: the gate holds one reference while an effect is in motion, each
 * deletion (the handle of gate.h) another; the last one frees it.
 */
#ifndef FR_GATE_EFFECT_H
#define FR_GATE_EFFECT_H

#include "base/list.h"
#include "fal/change.h"
#include "gate/gate.h"
#include "gate/table.h"

enum fr_phase {
  FR_PHASE_NEW, FR_PHASE_WAITING, FR_PHASE_QUEUED, FR_PHASE_SENDING,
  FR_PHASE_ANSWERED, FR_PHASE_CLOSING, FR_PHASE_OVER, FR_PHASES
};

/* What the next barrier writes of an effect. */
enum {
  FR_WRITE_INTENT = 1 << 0, FR_WRITE_UNANSWERED = 1 << 1,
  FR_WRITE_GENERATION = 1 << 2, FR_WRITE_OUTCOME = 1 << 3,
  FR_WRITE_SKIP = 1 << 4
};

struct fr_effect {
  struct fr_gate *gate;
  unsigned refs;
  enum fr_phase phase;
  struct fr_list link;          /* in the list of its phase */
  struct fr_list recall;        /* in gate->recall: to be withdrawn */
  struct fr_list handles;       /* deletions that wait for it */
  struct fr_entry by_id, by_key;
  struct fr_uuid id;
  char *reason, *policy;        /* or NULL */
  char key[FR_KEY_TEXT];        /* as sent: the base, ".n" from n = 2 on */
  size_t base_len;
  bool user_key, dry_run, settling;
  bool announced, closed;       /* its intent, its outcome is durable */
  bool earlier;                 /* an earlier intent may have had effect */
  bool unanswered;              /* some attempt of the intent is unknown */
  bool doubtful;                /* a 5xx left open what was done */
  bool lost;                    /* one that is still to be recorded */
  bool lost_generation;         /* an older generation is unknown */
  bool held;                    /* a hold came while it was under way */
  unsigned generation, attempts, left, write;
  uint32_t timeout_ms;
  int last_status;
  const char *lost_kind;        /* err name of the attempt that was lost */
  const char *endpoint;         /* of a list of this run, or NULL; borrowed */
  int64_t key_at_ms, ended_at_ms;
  uint64_t started_ms;
  struct fr_change *change;     /* in flight or answered, or NULL */
  enum fr_err failure;          /* in place of an answer without a change */
  enum fr_state state;          /* the outcome to write */
  char *note;                   /* a hold's reason */
  struct fr_file_result *files; /* one block with their strings */
  struct fr_buf words;
  struct fr_deletion_result result;
};

struct fr_effect *fr_effect_new(struct fr_gate *gate,
                                const struct fr_uuid *id);
void fr_effect_unref(struct fr_effect *effect);         /* NULL is fine */
struct fr_effect *fr_effect_find(struct fr_gate *gate,
                                 const struct fr_uuid *id);
/* Puts it in motion, findable by its id; takes the gate's reference. */
void fr_effect_begin(struct fr_effect *effect);
void fr_effect_move(struct fr_effect *effect, enum fr_phase phase);
void fr_effect_generation(struct fr_effect *effect, unsigned generation);
void fr_effect_say(struct fr_effect *effect, enum fr_fate fate,
                   enum fr_err err, const char *format, ...)
  __attribute__((format(printf, 4, 5)));
/* An end that needs no words. */
void fr_effect_well(struct fr_effect *effect, enum fr_fate fate);
/* Its result is final: counts it, tells who waits, drops the reference. */
void fr_effect_end(struct fr_effect *effect);

#endif
