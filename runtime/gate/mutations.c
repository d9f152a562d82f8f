/* gate/mutations.c - the barrier's part in changes.
 *
 *   asked --write--> (commit) --send--> acting --answer--> acted
 *                                        acted --write--> (commit) --> told
 *
 * They share the group of the deletions, but never wait for company: a
 * script waits for each. */
#include <inttypes.h>

#include "gate/doing.h"
#include "ledger/facts.h"

static struct fr_mutation *of(struct fr_list *link)
{
  return fr_container_of(link, struct fr_mutation, link);
}

bool fr_mutations_wait(const struct fr_gate *gate)
{
  return !fr_list_empty(&gate->asked) || !fr_list_empty(&gate->acted);
}

/* ---- within the group ---------------------------------------------------- */

static enum fr_err find_hold(struct fr_mutation *mutation)
{
  struct fr_gate *gate = mutation->gate;
  char reason[1024];
  const char *way_out;
  enum fr_err err;

  if (!mutation->spec.irreversible || !mutation->spec.id)
    return FR_OK;
  err = fr_gate_covers(gate, &mutation->id, reason, sizeof(reason),
                       &way_out);
  mutation->held = !err;
  return err == FR_ENOT_FOUND ? FR_OK : err;
}

static enum fr_err announce(struct fr_mutation *mutation)
{
  const struct fr_mutation_spec *spec = &mutation->spec;
  struct fr_act_note note = {
    .operation = spec->operation, .method = spec->method,
    .path = spec->path, .target = spec->target, .reason = spec->reason,
    .policy = spec->policy, .id = spec->id,
    .key = mutation->key[0] ? mutation->key : NULL,
    .irreversible = spec->irreversible
  };
  enum fr_err err = find_hold(mutation);

  if (err || mutation->held)
    return err;
  return fr_ledger_act(mutation->gate->config.ledger, &note,
                       &mutation->seq);
}

static enum fr_err conclude(struct fr_mutation *mutation)
{
  const struct fr_mutation_result *result = &mutation->result;
  struct fr_act_end end = {
    .seq = mutation->seq, .state = mutation->state,
    .id = mutation->spec.id, .evidence = result->evidence,
    .kind = result->err ? fr_err_name(result->err) : NULL,
    .http_status = result->http_status, .attempts = result->attempts
  };

  return fr_ledger_act_end(mutation->gate->config.ledger, &end);
}

enum fr_err fr_mutations_write(struct fr_gate *gate)
{
  struct fr_list *link;
  enum fr_err err = FR_OK;

  for (link = gate->acted.next; !err && link != &gate->acted;
       link = link->next)
    err = conclude(of(link));
  for (link = gate->asked.next; !err && link != &gate->asked;
       link = link->next)
    err = announce(of(link));
  return err;
}

/* ---- after it ------------------------------------------------------------ */

static void answered(struct fr_op *op, void *arg)
{
  struct fr_mutation *mutation = arg;

  (void)op;
  fr_mutation_judge(mutation);
  fr_list_del(&mutation->link);
  fr_list_add(&mutation->gate->acted, &mutation->link);
}

static enum fr_err make_act(struct fr_mutation *mutation)
{
  const struct fr_mutation_spec *spec = &mutation->spec;
  struct fr_act_spec act = {
    .method = spec->method, .path = spec->path, .query = spec->query,
    .body = spec->body, .key = spec->key, .timeout_ms = spec->timeout_ms,
    .upload = mutation->upload.fd < 0 ? NULL : &mutation->upload,
    .idempotency_key = spec->idempotency_key,
    .key_at_ms = fr_loop_at(mutation->gate->config.loop)
  };

  return fr_act_new(mutation->gate->config.fal, &act, &mutation->act);
}

static void send(struct fr_mutation *mutation)
{
  struct fr_gate *gate = mutation->gate;
  enum fr_err err;

  fr_list_del(&mutation->link);
  if (mutation->held) {
    fr_mutation_refuse(mutation, FR_EHELD, "a hold covers the request that "
                       "it is about; falrun hold remove lifts it");
    return;
  }
  err = make_act(mutation);
  if (err) {
    mutation->state = FR_ACT_UNSENT;
    fr_mutation_say(mutation, "failed", err, "%s was not done: %s",
                    mutation->spec.operation, fr_err_message(err));
    fr_list_add(&gate->acted, &mutation->link);
    fr_gate_kick(gate);
    return;
  }
  fr_list_add(&gate->acting, &mutation->link);
  fr_act_start(mutation->act);
  fr_op_wait(fr_act_op(mutation->act), answered, mutation);
}

void fr_mutations_send(struct fr_gate *gate)
{
  struct fr_list asked, acted;

  fr_list_take(&gate->asked, &asked);
  fr_list_take(&gate->acted, &acted);
  while (!fr_list_empty(&acted))
    fr_mutation_finish(of(acted.next));
  while (!fr_list_empty(&asked))
    send(of(asked.next));
}

void fr_mutations_fail(struct fr_gate *gate)
{
  fr_mutations_stop(gate);
  while (!fr_list_empty(&gate->acted)) {
    struct fr_mutation *mutation = of(gate->acted.next);

    mutation->result.evidence = "";
    fr_mutation_say(mutation, mutation->state == FR_ACT_UNSENT ? "refused"
                    : "unknown", FR_EIO, "%s: how it ended could not be "
                    "recorded (%s); the next run that can records it as "
                    "unknown", mutation->spec.operation,
                    fr_ledger_detail(gate->config.ledger));
    fr_mutation_finish(mutation);
  }
}

/* ---- the stop ------------------------------------------------------------ */

void fr_mutations_stop(struct fr_gate *gate)
{
  struct fr_list *link = gate->acting.next;
  bool soon = gate->stop == FR_EINTERRUPTED || gate->stop == FR_EUNAVAILABLE;

  while (!fr_list_empty(&gate->asked))
    fr_mutation_refuse(of(gate->asked.next), FR_ESTOPPED, gate->sentence);
  while (link != &gate->acting) {
    struct fr_mutation *mutation = of(link);

    link = link->next;
    if (!fr_act_withdraw(mutation->act) && soon)
      fr_act_break(mutation->act);
  }
}

void fr_mutations_drop(struct fr_gate *gate)
{
  struct fr_list *lists[] = { &gate->asked, &gate->acting, &gate->acted };

  for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
    while (!fr_list_empty(lists[i]))
      fr_mutation_refuse(of(lists[i]->next), FR_ECANCELLED,
                         "the run is over");
}

/* ---- what killed runs left ----------------------------------------------- */

#define BATCH 256u

struct left {
  size_t count;
  int64_t run;
  struct { int64_t seq; bool has_id; struct fr_uuid id; } all[BATCH];
};

static int note_left(void *arg, const struct fr_fact_row *fact)
{
  struct left *left = arg;

  left->all[left->count].seq = fact->seq;
  left->all[left->count].has_id = fact->has_id;
  left->all[left->count].id = fact->id;
  left->run = fact->run;
  return ++left->count == BATCH;
}

static enum fr_err close_batch(struct fr_ledger *ledger, struct left *left)
{
  static const struct fr_fact_filter all;
  enum fr_err err;

  left->count = 0;
  err = fr_facts_each(ledger, FR_FACTS_LEFT, &all, note_left, left);
  for (size_t i = 0; !err && i < left->count; i++) {
    struct fr_act_end end = {
      .seq = left->all[i].seq, .state = FR_ACT_UNKNOWN,
      .id = left->all[i].has_id ? &left->all[i].id : NULL,
      .kind = fr_err_name(FR_EINTERRUPTED), .evidence = ""
    };

    err = fr_ledger_act_end(ledger, &end);
  }
  return err;
}

static enum fr_err close_all(struct fr_ledger *ledger, struct left *left,
                             size_t *count)
{
  enum fr_err err;

  do {
    err = close_batch(ledger, left);
    *count += left->count;
  } while (!err && left->count == BATCH);
  return err;
}

/* Most runs find nothing, and write nothing. */
enum fr_err fr_mutations_recover(struct fr_gate *gate, struct fr_buf *words,
                                 size_t *ret_count)
{
  static const struct fr_fact_filter all;
  struct fr_ledger *ledger = gate->config.ledger;
  struct left left = { .count = 0 };
  size_t count = 0;
  enum fr_err err;

  *ret_count = 0;
  if (gate->config.mode != FR_MODE_RUN)
    return FR_OK;
  err = fr_facts_each(ledger, FR_FACTS_LEFT, &all, note_left, &left);
  if (err || left.count == 0)
    return err;
  err = fr_ledger_begin(ledger);
  if (err)
    return err;
  err = close_all(ledger, &left, &count);
  if (!err)
    err = fr_ledger_commit(ledger);
  if (err) {
    fr_ledger_rollback(ledger);
    return err;
  }
  *ret_count = count;
  fr_buf_say(words, "%zu %s of a run that was killed (run %" PRId64 ") may "
             "have happened, and nobody knows: recorded as unknown, and not "
             "sent again; falrun show %" PRId64 " says what %s", count,
             count == 1 ? "change" : "changes", left.run, left.run,
             count == 1 ? "it is" : "they are");
  return FR_OK;
}
