/* gate/mutation.c - from the call to the queue, and from the answer to the
 * result. What the barrier does with them is in mutations.c.
 *
 * Two hold a mutation: whoever made it, and, from the start to the end, the
 * gate. The last one frees it. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gate/doing.h"

#define WORDS_MAX 1024
#define TARGET_MAX 4096
#define KEY_PREFIX "falrun-"

/* ---- life ---------------------------------------------------------------- */

static void unref(struct fr_mutation *mutation)
{
  if (--mutation->refs > 0)
    return;
  fr_list_del(&mutation->link);
  fr_act_free(mutation->act);           /* it borrows the upload */
  fr_upload_close(&mutation->upload);
  fr_buf_done(&mutation->target);
  fr_buf_done(&mutation->words);
  free(mutation->texts);
  free(mutation);
}

static size_t size_of(const char *text)
{
  return text ? strlen(text) + 1 : 0;
}

static const char *keep(char **at, const char *text)
{
  char *copy = *at;

  if (!text)
    return NULL;
  *at = stpcpy(copy, text) + 1;
  return copy;
}

/* One block with all texts of the spec. */
static enum fr_err copy_spec(struct fr_mutation *mutation,
                             const struct fr_mutation_spec *from)
{
  struct fr_mutation_spec *spec = &mutation->spec;
  size_t size = size_of(from->operation) + size_of(from->method) +
                size_of(from->path) + size_of(from->query) +
                size_of(from->body) + size_of(from->reason) +
                size_of(from->policy) + size_of(from->target);
  char *at = malloc(size + 1);

  if (!at)
    return FR_ENOMEM;
  mutation->texts = at;
  *spec = *from;
  spec->operation = keep(&at, from->operation);
  spec->method = keep(&at, from->method);
  spec->path = keep(&at, from->path);
  spec->query = keep(&at, from->query);
  spec->body = keep(&at, from->body);
  spec->reason = keep(&at, from->reason);
  spec->policy = keep(&at, from->policy);
  spec->target = keep(&at, from->target);
  if (from->id) {
    mutation->id = *from->id;
    spec->id = &mutation->id;
  }
  return FR_OK;
}

/* The record has the file's name and size, and never what is in it. */
static enum fr_err open_file(struct fr_mutation *mutation,
                             struct fr_buf *why)
{
  struct fr_mutation_spec *spec = &mutation->spec;
  struct fr_upload *upload = &mutation->upload;
  enum fr_err err = fr_upload_open(spec->file, spec->field, why, upload);

  if (!err && spec->target)
    err = fr_buf_addf(&mutation->target, "%s, ", spec->target);
  if (!err)
    err = fr_buf_addf(&mutation->target, "from the file %s of %lld bytes",
                      fr_buf_text(&upload->name),
                      (long long)upload->seen.st_size);
  spec->target = fr_buf_text(&mutation->target);
  spec->file = spec->field = NULL;
  return err;
}

static enum fr_err choose_key(struct fr_mutation *mutation, const char *key)
{
  struct fr_mutation_spec *spec = &mutation->spec;
  struct fr_uuid id;
  enum fr_err err;

  if (!key && !spec->idempotent)
    return FR_OK;
  spec->idempotency_key = mutation->key;
  if (key) {
    (void)snprintf(mutation->key, sizeof(mutation->key), "%s", key);
    return FR_OK;
  }
  err = fr_uuid_random(&id);
  memcpy(mutation->key, KEY_PREFIX, sizeof(KEY_PREFIX));
  fr_uuid_format(&id, mutation->key + sizeof(KEY_PREFIX) - 1);
  return err;
}

static enum fr_err check(const struct fr_mutation_spec *spec,
                         struct fr_buf *why)
{
  struct fr_act_spec act = {
    .method = spec->method, .path = spec->path, .query = spec->query,
    .body = spec->body, .idempotency_key = spec->idempotency_key
  };

  if (spec->idempotency_key && !spec->idempotent)
    fr_buf_say(why, "the API takes no Idempotency-Key for %s",
               spec->operation);
  else if (spec->file && (spec->body || !spec->field))
    fr_buf_say(why, "a file is a field of a form, in place of a body");
  else
    return fr_act_check(&act, why);
  return FR_EINVALID;
}

enum fr_err fr_mutation_new(struct fr_gate *gate,
                            const struct fr_mutation_spec *spec,
                            struct fr_buf *why, struct fr_mutation **ret_m)
{
  struct fr_mutation *mutation;
  enum fr_err err = check(spec, why);

  if (err)
    return err;
  mutation = calloc(1, sizeof(*mutation));
  if (!mutation)
    return FR_ENOMEM;
  mutation->gate = gate;
  mutation->refs = 1;
  fr_list_init(&mutation->link);
  fr_buf_init(&mutation->words, WORDS_MAX);
  fr_buf_init(&mutation->target, TARGET_MAX);
  mutation->upload.fd = -1;
  mutation->result = (struct fr_mutation_result){
    .message = "", .evidence = "", .idempotency_key = "", .body = ""
  };
  err = copy_spec(mutation, spec);
  if (!err && spec->file)
    err = open_file(mutation, why);
  if (!err)
    err = choose_key(mutation, spec->idempotency_key);
  if (err) {
    unref(mutation);
    return err;
  }
  *ret_m = mutation;
  return FR_OK;
}

static void cancel(struct fr_op *op)
{
  struct fr_mutation *mutation = fr_container_of(op, struct fr_mutation, op);

  mutation->left = true;
  fr_op_finish(op, FR_ECANCELLED);
}

struct fr_op *fr_mutation_op(struct fr_mutation *mutation)
{
  return &mutation->op;
}

const struct fr_mutation_result *
fr_mutation_result(const struct fr_mutation *mutation)
{
  static const struct fr_mutation_result cancelled = {
    .status = "unknown", .err = FR_ECANCELLED, .evidence = "",
    .message = "the wait was cancelled; the gate records how the change "
               "ends", .idempotency_key = "", .body = ""
  };

  return mutation->left ? &cancelled : &mutation->result;
}

void fr_mutation_free(struct fr_mutation *mutation)
{
  if (!mutation)
    return;
  fr_op_abandon(&mutation->op);
  mutation->left = true;
  unref(mutation);
}

/* ---- the way in ---------------------------------------------------------- */

void fr_mutation_say(struct fr_mutation *mutation, const char *status,
                     enum fr_err err, const char *format, ...)
{
  char text[WORDS_MAX];
  va_list args;

  va_start(args, format);
  (void)vsnprintf(text, sizeof(text), format, args);
  va_end(args);
  fr_buf_say(&mutation->words, "%s", text);
  mutation->result.status = status;
  mutation->result.err = err;
  mutation->result.retryable = fr_err_retryable(err);
  mutation->result.message = fr_buf_text(&mutation->words);
  if (err && !mutation->result.message[0])
    mutation->result.message = fr_err_message(err);
}

void fr_mutation_finish(struct fr_mutation *mutation)
{
  struct fr_gate *gate = mutation->gate;
  struct fr_verdict *verdict = gate->config.verdict;
  const char *status = mutation->result.status;

  fr_list_del(&mutation->link);
  fr_upload_close(&mutation->upload);
  verdict->failed |= !strcmp(status, "failed") || !strcmp(status, "unknown");
  gate->counts.changed += !strcmp(status, "done");
  gate->counts.unchanged += mutation->result.err != FR_OK;
  if (!mutation->left)
    fr_op_finish(&mutation->op, FR_OK);
  gate->active--;
  unref(mutation);
}

void fr_mutation_refuse(struct fr_mutation *mutation, enum fr_err err,
                        const char *why)
{
  fr_mutation_say(mutation, "refused", err, "%s was not done: %s",
                  mutation->spec.operation, why);
  fr_mutation_finish(mutation);
}

void fr_mutation_start(struct fr_mutation *mutation)
{
  struct fr_gate *gate = mutation->gate;

  mutation->refs++;
  gate->active++;
  fr_op_start(gate->config.loop, &mutation->op, cancel);
  fr_gate_adopt(gate);
  if (gate->config.mode != FR_MODE_RUN || mutation->spec.dry_run) {
    fr_mutation_say(mutation, "planned", FR_OK, "%s", "");
    fr_mutation_finish(mutation);
  } else if (gate->stop) {
    fr_mutation_refuse(mutation, FR_ESTOPPED, gate->sentence);
  } else {
    fr_list_add(&gate->asked, &mutation->link);
  }
}

/* ---- the answer ---------------------------------------------------------- */

static void say_unknown(struct fr_mutation *mutation,
                        const struct fr_act_answer *answer)
{
  mutation->state = FR_ACT_UNKNOWN;
  fr_mutation_say(mutation, "unknown", answer->err, "%s: %s; it may have "
                  "happened: look before you do it again, falrun does not "
                  "repeat it", mutation->spec.operation, answer->message);
  mutation->result.retryable = false;
}

static void say_unsent(struct fr_mutation *mutation,
                       const struct fr_act_answer *answer)
{
  struct fr_gate *gate = mutation->gate;
  bool stopped = answer->err == FR_ECANCELLED || answer->err == FR_ESTOPPED;

  mutation->state = FR_ACT_UNSENT;
  fr_mutation_say(mutation, stopped ? "refused" : "failed",
                  stopped ? FR_ESTOPPED : answer->err, "%s was not done: %s",
                  mutation->spec.operation,
                  stopped && gate->stop ? gate->sentence : answer->message);
}

void fr_mutation_judge(struct fr_mutation *mutation)
{
  struct fr_act_answer answer = fr_act_answer(mutation->act);
  struct fr_mutation_result *result = &mutation->result;

  result->http_status = answer.http_status;
  result->attempts = answer.attempts;
  result->idempotency_key = mutation->key;
  if (!answer.err) {
    mutation->state = FR_ACT_DONE;
    fr_mutation_say(mutation, "done", FR_OK, "%s", "");
    result->body = answer.body;
    result->body_len = answer.body_len;
  } else if (answer.unanswered) {
    say_unknown(mutation, &answer);
  } else if (answer.attempts == 0) {
    say_unsent(mutation, &answer);
  } else {
    mutation->state = answer.err == FR_EAUTH ? FR_ACT_REFUSED
                                             : FR_ACT_FAILED;
    fr_mutation_say(mutation, "failed", answer.err, "%s: %s",
                    mutation->spec.operation, answer.message);
  }
  if (answer.http_status)
    result->evidence = answer.replayed ? "replayed" : "answered";
}
