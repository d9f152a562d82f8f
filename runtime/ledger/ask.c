/* ledger/ask.c - questions about the present state.
 *
 * Where the state of an id lies is known to index.c; what it is, to the two
 * statements that share FR_SQL_RECORD. A run asks without a transaction,
 * for nobody else changes deletions; others must not be told of a place
 * that is gone when they look there.
 */
#include <string.h>

#include "base/plain.h"
#include "ledger/event.h"

/* The columns of FR_SQL_RECORD. */
enum column {
  STATE, RUN, INTENT_AT, KEY_AT, OUTCOME_AT, GENERATION, USER_KEY,
  UNANSWERED, ENDED_AT, KEY, REQUEST_ID, REASON
};

static enum fr_err read_record(struct fr_ledger *ledger,
                               sqlite3_stmt *statement,
                               struct fr_record *ret_record)
{
  const char *key = fr_sql_text(statement, KEY);
  struct fr_record record = {
    .state = fr_state_parse(fr_sql_text(statement, STATE)),
    .run = sqlite3_column_int64(statement, RUN),
    .intent_at_ms = sqlite3_column_int64(statement, INTENT_AT),
    .key_at_ms = sqlite3_column_int64(statement, KEY_AT),
    .outcome_at_ms = sqlite3_column_int64(statement, OUTCOME_AT),
    .generation = (unsigned)sqlite3_column_int64(statement, GENERATION),
    .user_key = sqlite3_column_int(statement, USER_KEY) != 0,
    .unanswered = sqlite3_column_int(statement, UNANSWERED) != 0,
    .ended_at_ms = -1
  };

  if (!key || record.state == FR_STATE_NONE || strlen(key) >= FR_KEY_TEXT)
    return fr_sql_odd(ledger, "a deletion has no intent");
  if (sqlite3_column_type(statement, ENDED_AT) != SQLITE_NULL)
    record.ended_at_ms = sqlite3_column_int64(statement, ENDED_AT);
  fr_text_copy(record.key, sizeof(record.key), key);
  *ret_record = record;
  return FR_OK;
}

static enum fr_err find_at(struct fr_ledger *ledger, const struct fr_uuid *id,
                           int64_t seq, struct fr_record *ret_record)
{
  sqlite3_stmt *statement;
  enum fr_err err = fr_sql_get(ledger, FR_SQL_FIND, &statement);

  if (err)
    return err;
  sqlite3_bind_int64(statement, 2, seq);
  err = fr_sql_ask(ledger, FR_SQL_FIND, id, &statement);
  if (err == FR_ENOT_FOUND)
    return fr_sql_odd(ledger, "a deletion is not where it should be");
  if (err)
    return err;
  err = read_record(ledger, statement, ret_record);
  sqlite3_reset(statement);
  return err;
}

enum fr_err fr_ledger_find(struct fr_ledger *ledger, const struct fr_uuid *id,
                           struct fr_record *ret_record)
{
  bool enter = !ledger->index.alone && !fr_group_steady(ledger);
  struct fr_place place;
  enum fr_err err = enter ? fr_ledger_glimpse(ledger) : FR_OK;

  if (!err)
    err = fr_index_find(ledger, id, &place);
  if (!err)
    err = find_at(ledger, id, place.seq, ret_record);
  if (enter)
    fr_ledger_glimpse_over(ledger);
  return err;
}

enum fr_err fr_ledger_key_owner(struct fr_ledger *ledger, const char *key,
                                struct fr_uuid *ret_id)
{
  sqlite3_stmt *statement;
  enum fr_err err = fr_sql_get(ledger, FR_SQL_KEY_OWNER, &statement);
  bool row;

  if (err)
    return err;
  fr_sql_bind_text(statement, 1, key);
  err = fr_sql_step(ledger, statement, &row);
  if (err)
    return err;
  if (!row)
    err = FR_ENOT_FOUND;
  else if (!fr_sql_id(statement, 0, ret_id))
    err = fr_sql_odd(ledger, "a key belongs to nothing");
  sqlite3_reset(statement);
  return err;
}

static enum fr_err read_open(struct fr_ledger *ledger,
                             sqlite3_stmt *statement,
                             struct fr_open_intent *open)
{
  const char *reason = fr_sql_text(statement, REASON);

  if (!fr_sql_id(statement, REQUEST_ID, &open->id))
    return fr_sql_odd(ledger, "a deletion has no request id");
  fr_text_copy(open->reason, sizeof(open->reason), reason ? reason : "");
  return read_record(ledger, statement, &open->record);
}

enum fr_err fr_ledger_each_open(struct fr_ledger *ledger,
                                int (*each)(void *,
                                            const struct fr_open_intent *),
                                void *arg)
{
  sqlite3_stmt *statement;
  struct fr_open_intent open;
  enum fr_err err = fr_sql_get(ledger, FR_SQL_EACH_OPEN, &statement);
  bool row = true;

  if (err)
    return err;
  for (;;) {
    err = fr_sql_step(ledger, statement, &row);
    if (!err && row)
      err = read_open(ledger, statement, &open);
    if (err || !row || each(arg, &open))
      break;
  }
  sqlite3_reset(statement);
  return err;
}
