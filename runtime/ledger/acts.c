/* ledger/acts.c - a change is an event, and its end is another that names
 * the first by its number: there may be many of one request, or of none. */
#include <inttypes.h>

#include "ledger/acts.h"
#include "ledger/event.h"

const char *fr_act_state_name(enum fr_act_state state)
{
  static const char *const names[] = {
    [FR_ACT_DONE] = "done", [FR_ACT_FAILED] = "failed",
    [FR_ACT_REFUSED] = "refused", [FR_ACT_UNKNOWN] = "unknown",
    [FR_ACT_UNSENT] = "unsent"
  };

  return names[state];
}

static enum fr_err add(struct fr_ledger *ledger, struct fr_data *data,
                       const char *kind, const struct fr_uuid *id)
{
  const struct fr_told nothing = { .looked = true };
  enum fr_err err = fr_data_end(data);

  if (!err)
    return fr_event_add(ledger, kind, id, &nothing);
  ledger->broken = err;
  return fr_ledger_fail(ledger, err, "a change could not be recorded: %s",
                        fr_err_message(err));
}

static void add_if(struct fr_data *data, const char *name, const char *text,
                   size_t most)
{
  if (text)
    fr_data_text(data, name, text, most);
}

enum fr_err fr_ledger_act(struct fr_ledger *ledger,
                          const struct fr_act_note *note, int64_t *ret_seq)
{
  struct fr_data data;
  enum fr_err err = fr_group_check(ledger);

  if (err)
    return err;
  fr_data_begin(&data, &ledger->data);
  fr_data_text(&data, "operation", note->operation, FR_LEDGER_REASON);
  fr_data_text(&data, "method", note->method, FR_LEDGER_REASON);
  fr_data_text(&data, "path", note->path, FR_LEDGER_LINK);
  add_if(&data, "target", note->target, FR_LEDGER_REASON);
  add_if(&data, "key", note->key, FR_LEDGER_REASON);
  add_if(&data, "reason", note->reason, FR_LEDGER_REASON);
  add_if(&data, "policy", note->policy, FR_LEDGER_POLICY);
  if (note->irreversible)
    fr_data_raw(&data, "irreversible", "true");
  err = add(ledger, &data, "change", note->id);
  if (!err)
    *ret_seq = ledger->head.seq;
  return err;
}

static enum fr_err need_open(struct fr_ledger *ledger, int64_t seq)
{
  sqlite3_stmt *statement;
  bool row = false;
  enum fr_err err = fr_group_check(ledger);

  if (!err)
    err = fr_sql_get(ledger, FR_SQL_CHANGE_OPEN, &statement);
  if (err)
    return err;
  sqlite3_bind_int64(statement, 1, seq);
  err = fr_sql_step(ledger, statement, &row);
  if (err)
    return err;
  sqlite3_reset(statement);
  return row ? FR_OK : fr_ledger_fail(ledger, FR_EINVALID, "no change %"
                                      PRId64 " is open", seq);
}

enum fr_err fr_ledger_act_end(struct fr_ledger *ledger,
                              const struct fr_act_end *end)
{
  struct fr_data data;
  enum fr_err err = need_open(ledger, end->seq);

  if (err)
    return err;
  fr_data_begin(&data, &ledger->data);
  fr_data_number(&data, "change", end->seq);
  fr_data_text(&data, "state", fr_act_state_name(end->state),
               FR_LEDGER_REASON);
  fr_data_text(&data, "kind", end->kind, FR_LEDGER_REASON);
  fr_data_number(&data, "http_status", end->http_status);
  fr_data_number(&data, "attempts", end->attempts);
  fr_data_text(&data, "evidence", end->evidence ? end->evidence : "",
               FR_LEDGER_REASON);
  return add(ledger, &data, "change_outcome", end->id);
}
