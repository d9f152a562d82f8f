/* gate/mutation.h - everything else that changes something, through the gate.
 *
 *   start --> mode, stop --> QUEUED --barrier: one commit--> SENDING --+
 *               |              |  a hold covers its request            |
 *               +--> planned,  +--> refused                  answer    |
 *                    refused         done <--commit-- ENDING <---------+
 *
 * Promise: as with deletions, not one byte leaves the process before the
 * event that announces it is durable, and no result says "done" before its
 * outcome is. One that left without an answer is "unknown", and is repeated
 * only under an Idempotency-Key. A file that changes is never sent whole
 * (http/upload.h). Deletions of payloads are refused: they are gate.h's
 * alone.
 *
 * Ownership: a mutation belongs to whoever made it and embeds its operation.
 * Specs are copied. Results are borrowed and live as long as the mutation.
 * Freeing one in flight leaves the work with the gate, which records its end.
 */
#ifndef FR_GATE_MUTATION_H
#define FR_GATE_MUTATION_H

#include "gate/gate.h"

struct fr_mutation;

struct fr_mutation_spec {
  const char *operation;        /* "compute.create" */
  const char *method, *path;    /* fal/act.h */
  const char *query, *body;     /* escaped; JSON text; or NULL */
  const char *file, *field;     /* a file sent in place of a body, and the
                                 * part of the form that it is; or NULL */
  enum fr_key key;
  bool idempotent;              /* the API takes an Idempotency-Key */
  const char *idempotency_key;  /* NULL: one is made where it is idempotent */
  uint32_t timeout_ms;          /* fal/act.h */
  const char *reason, *policy;  /* or NULL */
  const char *target;           /* what it is about, in words; or NULL. The
                                 * name and size of a file are added */
  const struct fr_uuid *id;     /* the request that it is about, or NULL */
  bool irreversible;            /* then a hold on that request forbids it */
  bool dry_run;                 /* plan this one, whatever the mode */
};

struct fr_mutation_result {
  /* "done", "planned"; with an error "refused" (nothing was done), "failed"
   * (fal said no), "unknown" (it may have happened). */
  const char *status;
  enum fr_err err;
  bool retryable;
  const char *message;          /* one clear sentence; "" without error */
  int http_status;              /* 0: nothing was answered */
  unsigned attempts;
  const char *evidence;         /* "answered", "replayed", "" */
  const char *idempotency_key;  /* "" when there is none */
  const char *body;             /* JSON; "" when there was none */
  size_t body_len;
};

/* FR_EINVALID and why: what no mode would send. FR_ECONFIG and why: the file
 * cannot be sent; it is opened here, once. */
enum fr_err fr_mutation_new(struct fr_gate *gate,
                            const struct fr_mutation_spec *spec,
                            struct fr_buf *why, struct fr_mutation **ret_m);
/* The op ends FR_OK with a result, whatever it is; FR_ECANCELLED when the
 * wait was cancelled: the mutation itself goes on. */
void fr_mutation_start(struct fr_mutation *mutation);
struct fr_op *fr_mutation_op(struct fr_mutation *mutation);
const struct fr_mutation_result *
fr_mutation_result(const struct fr_mutation *mutation);
void fr_mutation_free(struct fr_mutation *mutation);    /* NULL is fine */

/* Closes as unknown what killed runs announced and never closed, once, in a
 * group of its own; never sent again. *ret_count: how many; `words` gets what
 * they were. Nothing unless the mode is RUN. */
enum fr_err fr_mutations_recover(struct fr_gate *gate, struct fr_buf *words,
                                 size_t *ret_count);

#endif
