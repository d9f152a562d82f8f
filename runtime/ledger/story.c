/* ledger/story.c - one request's story: intent, attempts, outcome.
 *
 *   NONE --intend--> OPEN --outcome--> DELETED GONE PARTIAL FAILED ...
 *                     ^ generation, unanswered     |
 *                     +---------- intend ----------+
 *
 * What can be refused is refused before anything is written, so that a
 * refusal (FR_EINVALID) leaves the group as it was.
 */
#include <inttypes.h>
#include <string.h>

#include "base/plain.h"
#include "ledger/event.h"

static const char *const names[] = {
  "none", "open", "deleted", "gone", "partial", "failed", "refused", "unsent"
};

const char *fr_state_name(enum fr_state state)
{
  size_t count = sizeof(names) / sizeof(names[0]);

  return (size_t)state < count ? names[state] : "none";
}

enum fr_state fr_state_parse(const char *name)
{
  size_t i;

  for (i = 1; name && i < sizeof(names) / sizeof(names[0]); i++)
    if (strcmp(names[i], name) == 0)
      return (enum fr_state)i;
  return FR_STATE_NONE;
}

static enum fr_err refuse(struct fr_ledger *ledger, const struct fr_uuid *id,
                          const char *words)
{
  char text[FR_UUID_TEXT];

  fr_uuid_format(id, text);
  return fr_ledger_fail(ledger, FR_EINVALID, "%s: %s", text, words);
}

static enum fr_err look(struct fr_ledger *ledger, const struct fr_uuid *id,
                        struct fr_told *told)
{
  enum fr_err err = fr_group_check(ledger);

  if (!err)
    err = fr_index_find(ledger, id, &told->place);
  told->looked = true;
  return err == FR_ENOT_FOUND ? FR_OK : err;
}

static enum fr_err need_open(struct fr_ledger *ledger,
                             const struct fr_uuid *id, struct fr_told *told)
{
  enum fr_err err = look(ledger, id, told);

  if (!err && !told->place.open)
    err = refuse(ledger, id, "no intent is open for this request");
  return err;
}

/* Adds the event, or breaks the group when its data could not be made. */
static enum fr_err add(struct fr_ledger *ledger, struct fr_data *data,
                       const char *kind, const struct fr_uuid *id,
                       const struct fr_told *told)
{
  enum fr_err err = fr_data_end(data);

  if (!err)
    return fr_event_add(ledger, kind, id, told);
  ledger->broken = err;
  return fr_ledger_fail(ledger, err, "an event of the ledger could not be "
                        "made: %s", fr_err_message(err));
}

/* ---- before the answer --------------------------------------------------- */

/* A key is a header's value: visible ASCII, so it is one text in every
 * encoding, and the key that is read back is the key that was given. */
static bool is_key(const char *key)
{
  size_t len = key ? strnlen(key, FR_KEY_TEXT) : 0;

  return len > 0 && len < FR_KEY_TEXT && fr_printable(key, len);
}

static enum fr_err check_intent(struct fr_ledger *ledger,
                                const struct fr_intent *intent,
                                struct fr_told *told)
{
  struct fr_uuid owner;
  enum fr_err err = look(ledger, &intent->id, told);

  if (err)
    return err;
  if (told->place.open)
    return refuse(ledger, &intent->id, "an intent is open already");
  if (!is_key(intent->key))
    return refuse(ledger, &intent->id, "the Idempotency-Key must be 1 to 255 "
                  "visible ASCII characters");
  if (!intent->user_key)
    return FR_OK;
  err = fr_ledger_key_owner(ledger, intent->key, &owner);
  if (err)
    return err == FR_ENOT_FOUND ? FR_OK : err;
  if (fr_uuid_compare(&owner, &intent->id) != 0)
    return refuse(ledger, &intent->id, "the idempotency_key belongs to "
                  "another request");
  return FR_OK;
}

enum fr_err fr_ledger_intend(struct fr_ledger *ledger,
                             const struct fr_intent *intent)
{
  struct fr_told told = { 0 };
  enum fr_err err = check_intent(ledger, intent, &told);
  struct fr_data data;

  if (err)
    return err;
  fr_data_begin(&data, &ledger->data);
  fr_data_text(&data, "key", intent->key, FR_KEY_TEXT);
  fr_data_raw(&data, "user_key", intent->user_key ? "true" : "false");
  if (intent->ended_at_ms >= 0)
    fr_data_number(&data, "ended_at_ms", intent->ended_at_ms);
  else
    fr_data_raw(&data, "ended_at_ms", NULL);
  fr_data_text(&data, "reason", intent->reason, FR_LEDGER_REASON);
  if (intent->policy)
    fr_data_text(&data, "policy", intent->policy, FR_LEDGER_POLICY);
  if (intent->endpoint)
    fr_data_text(&data, "endpoint", intent->endpoint, FR_LEDGER_REASON);
  return add(ledger, &data, "intent", &intent->id, &told);
}

enum fr_err fr_ledger_generation(struct fr_ledger *ledger,
                                 const struct fr_uuid *id,
                                 unsigned generation)
{
  struct fr_told told = { 0 };
  enum fr_err err = need_open(ledger, id, &told);
  struct fr_data data;

  if (err)
    return err;
  fr_data_begin(&data, &ledger->data);
  fr_data_number(&data, "generation", generation);
  return add(ledger, &data, "generation", id, &told);
}

enum fr_err fr_ledger_unanswered(struct fr_ledger *ledger,
                                 const struct fr_uuid *id, const char *kind,
                                 unsigned attempts)
{
  struct fr_told told = { 0 };
  enum fr_err err = need_open(ledger, id, &told);
  struct fr_data data;

  if (err)
    return err;
  fr_data_begin(&data, &ledger->data);
  fr_data_text(&data, "kind", kind, FR_LEDGER_REASON);
  fr_data_number(&data, "attempts", attempts);
  return add(ledger, &data, "unanswered", id, &told);
}

enum fr_err fr_ledger_skip(struct fr_ledger *ledger, const char *what,
                           const struct fr_uuid *id, const char *kind,
                           const char *reason)
{
  const struct fr_told nothing = { .looked = true };
  enum fr_err err = fr_group_check(ledger);
  struct fr_data data;

  if (!err && strcmp(what, "held") != 0 && strcmp(what, "refused") != 0)
    err = refuse(ledger, id, "a skip is \"held\" or \"refused\"");
  if (err)
    return err;
  fr_data_begin(&data, &ledger->data);
  fr_data_text(&data, "kind", kind, FR_LEDGER_REASON);
  fr_data_text(&data, "reason", reason, FR_LEDGER_REASON);
  return add(ledger, &data, what, id, &nothing);
}

/* ---- the outcome --------------------------------------------------------- */

static size_t count_exceptions(const struct fr_outcome *outcome)
{
  size_t count = 0, i;

  for (i = 0; i < outcome->nfiles; i++)
    count += outcome->files[i].exception != NULL;
  return count;
}

/* Would residue be left once this answer's files are taken into account? */
static enum fr_err left_over(struct fr_ledger *ledger,
                             const struct fr_uuid *id, bool *ret_left)
{
  sqlite3_stmt *statement;
  enum fr_err err = fr_sql_any(ledger, FR_SQL_ANY_RESIDUE, &ledger->residue);

  if (err || ledger->residue == FR_NONE)
    return err;
  err = fr_sql_get(ledger, FR_SQL_LEFT_OVER, &statement);
  if (err)
    return err;
  fr_sql_bind_id(statement, 1, id);
  fr_sql_bind_text(statement, 2, fr_buf_text(&ledger->files));
  err = fr_sql_step(ledger, statement, ret_left);
  sqlite3_reset(statement);
  return err;
}

static enum fr_err judge(struct fr_ledger *ledger,
                         const struct fr_outcome *outcome, size_t exceptions,
                         enum fr_state *state)
{
  bool left = exceptions > 0;
  enum fr_err err = FR_OK;

  *state = outcome->state;
  if (outcome->state != FR_STATE_DELETED && outcome->state != FR_STATE_GONE)
    return FR_OK;
  err = fr_sql_any(ledger, FR_SQL_ANY_QUARANTINED, &ledger->quarantined);
  if (!err && !left)
    err = left_over(ledger, &outcome->id, &left);
  if (!err && left)
    *state = FR_STATE_PARTIAL;
  return err;
}

static enum fr_err add_outcome(struct fr_ledger *ledger,
                               const struct fr_outcome *outcome,
                               const struct fr_told *told,
                               enum fr_state state, size_t exceptions)
{
  struct fr_data data;

  fr_data_begin(&data, &ledger->data);
  fr_data_text(&data, "state", fr_state_name(state), FR_LEDGER_REASON);
  if (state != outcome->state)
    fr_data_text(&data, "answer", fr_state_name(outcome->state),
                 FR_LEDGER_REASON);
  fr_data_text(&data, "evidence", outcome->evidence ? outcome->evidence : "",
               FR_LEDGER_REASON);
  fr_data_text(&data, "kind", outcome->kind, FR_LEDGER_REASON);
  fr_data_number(&data, "http_status", outcome->http_status);
  fr_data_number(&data, "attempts", outcome->attempts);
  fr_data_raw(&data, "files", fr_buf_text(&ledger->files));
  if (outcome->nfiles > FR_LEDGER_FILES)
    fr_data_number(&data, "files_left_out",
                   (int64_t)(outcome->nfiles - FR_LEDGER_FILES));
  if (exceptions > FR_LEDGER_FILES)
    fr_data_number(&data, "exceptions_left_out",
                   (int64_t)(exceptions - FR_LEDGER_FILES));
  return add(ledger, &data, "outcome", &outcome->id, told);
}

enum fr_err fr_ledger_outcome(struct fr_ledger *ledger,
                              const struct fr_outcome *outcome,
                              enum fr_state *ret_state)
{
  size_t exceptions = count_exceptions(outcome);
  enum fr_state state = FR_STATE_NONE;
  struct fr_told told = { 0 };
  enum fr_err err = need_open(ledger, &outcome->id, &told);

  if (!err && (outcome->state <= FR_STATE_OPEN ||
               outcome->state > FR_STATE_UNSENT))
    err = refuse(ledger, &outcome->id, "this state is no outcome");
  if (err)
    return err;
  err = fr_data_files(&ledger->files, outcome);
  if (err)
    return fr_ledger_fail(ledger, err, "the files of an answer could not be "
                          "recorded: %s", fr_err_message(err));
  err = judge(ledger, outcome, exceptions, &state);
  told.state = fr_state_name(state);
  if (!err)
    err = add_outcome(ledger, outcome, &told, state, exceptions);
  if (!err)
    *ret_state = state;
  return err;
}
