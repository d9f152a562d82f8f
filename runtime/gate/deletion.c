/* Handles: a deletion holds a reference to an effect. Until it is started
 * the effect is its own; a start may exchange it for the one that is under
 * way already, and from then on both wait for the same end. */
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/pool.h"
#include "gate/internal.h"

#define MADE_KEY "falrun-"
#define MADE_BYTES 8

struct fr_deletion {
  struct fr_op op;
  struct fr_list link;          /* in effect->handles while it waits */
  struct fr_gate *gate;
  struct fr_effect *effect;
  uint64_t started_ms;
  struct fr_deletion_result result;
};

static struct fr_pool pool = FR_POOL(struct fr_deletion);

/* ---- user keys ----------------------------------------------------------- */

/* Whose key it is: of the ledger, or of a deletion not yet committed. */
static enum fr_err owner_of(struct fr_gate *gate, const char *key,
                            size_t len, const struct fr_uuid *id,
                            struct fr_uuid *ret_owner)
{
  char text[FR_KEY_TEXT];
  struct fr_entry *entry;
  enum fr_err err;

  memcpy(text, key, len);
  text[len] = '\0';
  entry = fr_table_first(&gate->keys, fr_table_hash(&gate->keys, key, len));
  for (; entry; entry = fr_table_next(entry)) {
    struct fr_effect *other =
      fr_container_of(entry, struct fr_effect, by_key);

    if (other->base_len == len && memcmp(other->key, key, len) == 0 &&
        fr_uuid_compare(&other->id, id) != 0) {
      *ret_owner = other->id;
      return FR_OK;
    }
  }
  err = fr_ledger_key_owner(gate->config.ledger, text, ret_owner);
  if (!err && fr_uuid_compare(ret_owner, id) == 0)
    return FR_ENOT_FOUND;
  return err;
}

/* The length before ".N": generation N of that key looks the same on the
 * wire, and fal would answer for the wrong request. 0: no such ending. */
static size_t stem_of(const char *key)
{
  const char *dot = strrchr(key, '.');

  if (!dot || dot == key || !dot[1])
    return 0;
  return dot[1 + strspn(dot + 1, "0123456789")] ? 0 : (size_t)(dot - key);
}

/* A made key names its request, "falrun-<id>-<random>", so that one which a
 * script takes from a result and gives to another request is known at once. */
static bool made_for_another(const char *key, const struct fr_uuid *id,
                             struct fr_uuid *ret_owner)
{
  size_t before = sizeof(MADE_KEY) - 1;

  return !strncmp(key, MADE_KEY, before) &&
         strlen(key) >= before + FR_UUID_TEXT - 1 &&
         !fr_uuid_parse(key + before, FR_UUID_TEXT - 1, ret_owner) &&
         fr_uuid_compare(ret_owner, id) != 0;
}

static enum fr_err make_key(struct fr_effect *effect)
{
  char *at = effect->key + sizeof(MADE_KEY) - 1;
  uint8_t random[MADE_BYTES];
  enum fr_err err = fr_random(random, sizeof(random));

  if (err)
    return err;
  memcpy(effect->key, MADE_KEY, sizeof(MADE_KEY) - 1);
  fr_uuid_format(&effect->id, at);
  at += FR_UUID_TEXT - 1;
  *at++ = '-';
  fr_hex(random, sizeof(random), at);
  effect->base_len = (size_t)(at - effect->key) + 2 * (size_t)MADE_BYTES;
  return FR_OK;
}

static enum fr_err check_key(struct fr_gate *gate, const char *key,
                             const struct fr_uuid *id, struct fr_buf *why)
{
  char mine[FR_UUID_TEXT], theirs[FR_UUID_TEXT];
  size_t len = strlen(key), stem = 0;
  struct fr_uuid owner;
  enum fr_err err;

  for (size_t i = 0; i < len; i++)
    if (key[i] < 0x21 || key[i] > 0x7e)
      stem = len;
  if (len < 1 || len > FR_USER_KEY_MAX || stem) {
    fr_buf_say(why, "an idempotency_key is 1 to %d printable ASCII "
               "characters without blanks", FR_USER_KEY_MAX);
    return FR_EINVALID;
  }
  err = made_for_another(key, id, &owner)
    ? FR_OK : owner_of(gate, key, len, id, &owner);
  stem = stem_of(key);
  if (err == FR_ENOT_FOUND && stem)
    err = owner_of(gate, key, stem, id, &owner);
  if (err == FR_ENOT_FOUND)
    return FR_OK;
  if (err) {
    fr_buf_say(why, "the ledger could not be asked about a key: %s",
               fr_ledger_detail(gate->config.ledger));
    return err;
  }
  fr_uuid_format(id, mine);
  fr_uuid_format(&owner, theirs);
  fr_buf_say(why, "the idempotency_key \"%s\" belongs to %s and cannot be "
             "used for %s; give each request its own key", key, theirs, mine);
  return FR_EINVALID;
}

static enum fr_err choose_key(struct fr_effect *effect, const char *key,
                              struct fr_buf *why)
{
  struct fr_gate *gate = effect->gate;
  enum fr_err err;

  if (!key)
    return make_key(effect);
  err = check_key(gate, key, &effect->id, why);
  if (err)
    return err;
  effect->base_len = strlen(key);
  memcpy(effect->key, key, effect->base_len + 1);
  effect->user_key = true;
  fr_table_add(&gate->keys, &effect->by_key,
               fr_table_hash(&gate->keys, key, effect->base_len));
  return FR_OK;
}

/* ---- life ---------------------------------------------------------------- */

static enum fr_err fill(struct fr_effect *effect,
                        const struct fr_deletion_spec *spec,
                        struct fr_buf *why)
{
  int retries = spec->retries < 0 ? FR_RETRIES_DEFAULT : spec->retries;

  effect->left = (unsigned)retries + 1;
  effect->timeout_ms = spec->timeout_ms;
  effect->dry_run = spec->dry_run;
  if (spec->reason) {
    effect->reason = strdup(spec->reason);
    if (!effect->reason)
      return FR_ENOMEM;
  }
  if (spec->policy) {
    effect->policy = strdup(spec->policy);
    if (!effect->policy)
      return FR_ENOMEM;
  }
  return choose_key(effect, spec->idempotency_key, why);
}

enum fr_err fr_deletion_new(struct fr_gate *gate,
                            const struct fr_deletion_spec *spec,
                            struct fr_buf *why,
                            struct fr_deletion **ret_d)
{
  struct fr_deletion *deletion = fr_pool_new(&pool);
  enum fr_err err = FR_ENOMEM;

  if (!deletion)
    goto out;
  deletion->gate = gate;
  fr_list_init(&deletion->link);
  deletion->effect = fr_effect_new(gate, &spec->id);
  if (!deletion->effect)
    goto out;
  deletion->result = deletion->effect->result;
  err = fill(deletion->effect, spec, why);
  if (err)
    goto out;
  *ret_d = deletion;
  return FR_OK;

out:
  if (err != FR_EINVALID) {     /* no misuse: it is left undone */
    gate->config.verdict->failed = true;
    gate->counts.failed++;
    if (!fr_buf_text(why)[0])
      fr_buf_say(why, "%s", fr_err_message(err));
  }
  fr_deletion_free(deletion);
  return err;
}

static struct fr_deletion *deletion_of(struct fr_op *op)
{
  return fr_container_of(op, struct fr_deletion, op);
}

static void cancel(struct fr_op *op)
{
  struct fr_deletion *deletion = deletion_of(op);

  fr_list_del(&deletion->link);
  deletion->result.fate = FR_FATE_REFUSED;
  deletion->result.err = FR_ECANCELLED;
  deletion->result.message = "the wait was cancelled; the gate records how "
                             "the deletion ends";
  fr_op_finish(op, FR_ECANCELLED);
}

void fr_deletion_start(struct fr_deletion *deletion)
{
  struct fr_gate *gate = deletion->gate;
  struct fr_effect *effect = deletion->effect;
  struct fr_effect *leader = fr_effect_find(gate, &effect->id);

  fr_op_start(gate->config.loop, &deletion->op, cancel);
  deletion->started_ms = fr_loop_now(gate->config.loop);
  if (leader) {
    leader->refs++;
    deletion->effect = leader;
    fr_effect_unref(effect);
    fr_list_add(&leader->handles, &deletion->link);
    return;
  }
  fr_list_add(&effect->handles, &deletion->link);
  fr_effect_begin(effect);
  fr_gate_admit(effect);
}

void fr_deletion_deliver(struct fr_list *handle, struct fr_effect *effect)
{
  struct fr_deletion *deletion =
    fr_container_of(handle, struct fr_deletion, link);
  uint64_t now = fr_loop_now(effect->gate->config.loop);

  fr_list_del(handle);
  deletion->result = effect->result;
  deletion->result.elapsed_ms = now - deletion->started_ms;
  fr_op_finish(&deletion->op, FR_OK);
}

struct fr_op *fr_deletion_op(struct fr_deletion *deletion)
{
  return &deletion->op;
}

const struct fr_deletion_result *
fr_deletion_result(const struct fr_deletion *deletion)
{
  return &deletion->result;
}

void fr_deletion_free(struct fr_deletion *deletion)
{
  if (!deletion)
    return;
  fr_op_abandon(&deletion->op);
  fr_list_del(&deletion->link);
  fr_effect_unref(deletion->effect);
  fr_pool_free(&pool, deletion);
}

const char *fr_fate_name(enum fr_fate fate)
{
  static const char *const names[] = {
    [FR_FATE_DELETED] = "deleted",
    [FR_FATE_ALREADY_DELETED] = "already_deleted",
    [FR_FATE_PLANNED] = "planned", [FR_FATE_PARTIAL] = "partial",
    [FR_FATE_HELD] = "held", [FR_FATE_REFUSED] = "refused",
    [FR_FATE_FAILED] = "failed"
  };

  return names[fate];
}
