/* ledger/holds.c - legal holds.
 *
 * A hold is an event like any other, so that who was covered when can be
 * shown later; the run of such an event is 0. Its group waits for a running
 * group of falrun (milliseconds) and not for the run.
 */
#include <string.h>

#include "base/plain.h"
#include "ledger/event.h"
#include "ledger/facts.h"

/* A row of a table; FR_ENOT_FOUND, often without looking: within a
 * transaction it is enough to ask once whether the table has any row. */
static enum fr_err find(struct fr_ledger *ledger, enum fr_sql any,
                        enum fr_known *known, enum fr_sql which,
                        const struct fr_uuid *id, sqlite3_stmt **ret_row)
{
  bool steady = fr_group_steady(ledger);
  enum fr_err err = steady ? fr_sql_any(ledger, any, known) : FR_OK;

  if (!err && steady && *known == FR_NONE)
    err = FR_ENOT_FOUND;
  return err ? err : fr_sql_ask(ledger, which, id, ret_row);
}

enum fr_err fr_hold_find(struct fr_ledger *ledger, const struct fr_uuid *id,
                         char *ret_reason, size_t size)
{
  sqlite3_stmt *statement;
  const char *reason;
  enum fr_err err = find(ledger, FR_SQL_ANY_HOLD, &ledger->holds,
                         FR_SQL_HOLD_FIND, id, &statement);

  if (err)
    return err;
  reason = fr_sql_text(statement, 0);
  fr_text_copy(ret_reason, size, reason ? reason : "");
  sqlite3_reset(statement);
  return FR_OK;
}

enum fr_err fr_grace_find(struct fr_ledger *ledger, const struct fr_uuid *id,
                          int64_t at_ms, char *ret_words, size_t size)
{
  sqlite3_stmt *statement;
  int64_t due_ms;
  enum fr_err err = find(ledger, FR_SQL_ANY_QUARANTINED,
                         &ledger->quarantined, FR_SQL_GRACE_FIND, id,
                         &statement);

  if (err)
    return err;
  due_ms = sqlite3_column_int64(statement, 1);
  if (due_ms > at_ms)
    fr_grace_say(sqlite3_column_int64(statement, 0), due_ms, ret_words,
                 size);
  sqlite3_reset(statement);
  return due_ms > at_ms ? FR_OK : FR_ENOT_FOUND;
}

static enum fr_err add_event(struct fr_ledger *ledger, const char *kind,
                             const struct fr_uuid *id, const char *reason)
{
  const struct fr_told nothing = { .looked = true };
  struct fr_data data;
  enum fr_err err;

  fr_data_begin(&data, &ledger->data);
  if (reason)
    fr_data_text(&data, "reason", reason, FR_LEDGER_REASON);
  err = fr_data_end(&data);
  if (err)
    return fr_ledger_fail(ledger, err, "a hold could not be recorded: %s",
                          fr_err_message(err));
  return fr_event_add(ledger, kind, id, &nothing);
}

enum fr_err fr_hold_add(struct fr_ledger *ledger, const struct fr_uuid *ids,
                        size_t count, const char *reason)
{
  enum fr_err err = fr_group_begin(ledger);
  size_t i;

  if (err)
    return err;
  for (i = 0; !err && i < count; i++)
    err = add_event(ledger, "hold_add", &ids[i], reason ? reason : "");
  return fr_group_end(ledger, err);
}

static enum fr_err remove_one(struct fr_ledger *ledger,
                              const struct fr_uuid *id)
{
  char ignored[1], text[FR_UUID_TEXT];
  enum fr_err err = fr_hold_find(ledger, id, ignored, sizeof(ignored));

  if (err == FR_ENOT_FOUND) {
    fr_uuid_format(id, text);
    return fr_ledger_fail(ledger, err, "no hold covers %s", text);
  }
  return err ? err : add_event(ledger, "hold_remove", id, NULL);
}

enum fr_err fr_hold_remove(struct fr_ledger *ledger,
                           const struct fr_uuid *ids, size_t count,
                           size_t *ret_index)
{
  enum fr_err err = fr_group_begin(ledger);
  size_t i;

  if (err)
    return err;
  for (i = 0; !err && i < count; i++)
    err = remove_one(ledger, &ids[i]);
  if (err == FR_ENOT_FOUND)
    *ret_index = i - 1;
  return fr_group_end(ledger, err);
}

enum fr_err fr_hold_each(struct fr_ledger *ledger,
                         int (*each)(void *, const struct fr_hold *),
                         void *arg)
{
  sqlite3_stmt *statement;
  struct fr_hold hold;
  enum fr_err err = fr_sql_get(ledger, FR_SQL_HOLD_EACH, &statement);
  bool row = true;

  if (err)
    return err;
  for (;;) {
    err = fr_sql_step(ledger, statement, &row);
    if (!err && row && !fr_sql_id(statement, 0, &hold.id))
      err = fr_sql_odd(ledger, "a hold has no request id");
    if (err || !row)
      break;
    hold.at_ms = sqlite3_column_int64(statement, 1);
    hold.reason = fr_sql_text(statement, 2);
    if (!hold.reason)
      hold.reason = "";
    if (each(arg, &hold))
      break;
  }
  sqlite3_reset(statement);
  return err;
}
