/* gate/doing.h - a mutation from within: what mutation.c and the barrier's
 * part, mutations.c, share. Private to runtime/gate.
 *
 * Promise: fr_mutations_send is called from the barrier alone, after a
 * commit.
 */
#ifndef FR_GATE_DOING_H
#define FR_GATE_DOING_H

#include "fal/act.h"
#include "gate/internal.h"
#include "gate/mutation.h"
#include "ledger/acts.h"

struct fr_mutation {
  struct fr_gate *gate;
  struct fr_op op;
  unsigned refs;
  bool left;                    /* nobody waits for it any more */
  bool held;                    /* by a hold that its group saw */
  struct fr_list link;          /* gate->asked, acting or acted */
  struct fr_mutation_spec spec;
  struct fr_uuid id;
  char *texts;                  /* of the spec, one block */
  char key[FR_KEY_TEXT];        /* or "" */
  struct fr_upload upload;      /* the file, where there is one */
  struct fr_buf target;         /* with the file's name and size */
  int64_t seq;                  /* of its event, once it is durable */
  struct fr_act *act;           /* in flight or answered, or NULL */
  enum fr_act_state state;      /* the outcome to write */
  struct fr_buf words;
  struct fr_mutation_result result;
};

void fr_mutation_say(struct fr_mutation *mutation, const char *status,
                     enum fr_err err, const char *format, ...)
  __attribute__((format(printf, 4, 5)));
void fr_mutation_refuse(struct fr_mutation *mutation, enum fr_err err,
                        const char *why);
/* Turns the answer into a result and a state. */
void fr_mutation_judge(struct fr_mutation *mutation);
/* Its result is final: counts it, tells who waits. */
void fr_mutation_finish(struct fr_mutation *mutation);

#endif
