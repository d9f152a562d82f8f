/* ledger/history.c - walks over runs, events and residue. */
#include "ledger/event.h"

static void read_run(sqlite3_stmt *statement, struct fr_run_row *row)
{
  bool ended = sqlite3_column_type(statement, 2) != SQLITE_NULL;

  row->run = sqlite3_column_int64(statement, 0);
  row->began_at_ms = sqlite3_column_int64(statement, 1);
  row->ended_at_ms = sqlite3_column_int64(statement, 2);
  row->exit_code = ended ? sqlite3_column_int(statement, 3) : -1;
  row->command = fr_sql_text(statement, 4);
  row->policy = fr_sql_text(statement, 5);
  row->policy_sha256 = fr_sql_text(statement, 6);
  row->options = fr_sql_text(statement, 7);
  row->summary = fr_sql_text(statement, 8);
}

enum fr_err fr_history_runs(struct fr_ledger *ledger, size_t most,
                            int (*each)(void *, const struct fr_run_row *),
                            void *arg)
{
  sqlite3_stmt *statement;
  struct fr_run_row row;
  enum fr_err err = fr_sql_get(ledger, FR_SQL_RUNS, &statement);
  bool more = true;

  if (err)
    return err;
  sqlite3_bind_int64(statement, 1, most > INT64_MAX ? INT64_MAX
                                                    : (int64_t)most);
  while (!(err = fr_sql_step(ledger, statement, &more)) && more) {
    read_run(statement, &row);
    if (each(arg, &row))
      break;
  }
  sqlite3_reset(statement);
  return err;
}

static enum fr_err bind_id(struct fr_ledger *ledger,
                           const struct fr_event_filter *filter,
                           sqlite3_stmt *statement)
{
  struct fr_place place = { 0 };
  enum fr_err err = fr_index_find(ledger, filter->id, &place);

  if (err && err != FR_ENOT_FOUND)
    return err;
  fr_sql_bind_id(statement, 1, filter->id);
  sqlite3_bind_int64(statement, 2, filter->run);
  sqlite3_bind_int64(statement, 3, filter->after_seq);
  sqlite3_bind_int64(statement, 4, place.seq);
  return FR_OK;
}

static enum fr_err choose(struct fr_ledger *ledger,
                          const struct fr_event_filter *filter,
                          sqlite3_stmt **ret_statement)
{
  enum fr_sql which = filter->id ? FR_SQL_EVENTS_OF_ID
                    : filter->run ? FR_SQL_EVENTS_OF_RUN
                    : FR_SQL_EVENTS_AFTER;
  enum fr_err err = fr_sql_get(ledger, which, ret_statement);

  if (err)
    return err;
  if (filter->id)
    return bind_id(ledger, filter, *ret_statement);
  if (filter->run) {
    sqlite3_bind_int64(*ret_statement, 1, filter->run);
    sqlite3_bind_int64(*ret_statement, 2, filter->after_seq);
  } else {
    sqlite3_bind_int64(*ret_statement, 1, filter->after_seq);
  }
  return FR_OK;
}

static enum fr_err walk(struct fr_ledger *ledger,
                        const struct fr_event_filter *filter,
                        int (*each)(void *, const struct fr_event_row *),
                        void *arg)
{
  sqlite3_stmt *statement;
  struct fr_event_row event;
  enum fr_err err = choose(ledger, filter, &statement);
  bool row = true;

  if (err)
    return err;
  while (!(err = fr_sql_step(ledger, statement, &row)) && row) {
    err = fr_event_read(ledger, statement, &event);
    if (err || each(arg, &event))
      break;
  }
  sqlite3_reset(statement);
  return err;
}

/* Two statements answer for an id: in between nothing may move. */
enum fr_err fr_history_events(struct fr_ledger *ledger,
                              const struct fr_event_filter *filter,
                              int (*each)(void *,
                                          const struct fr_event_row *),
                              void *arg)
{
  bool enter = filter->id && !fr_group_steady(ledger);
  enum fr_err err = enter ? fr_ledger_glimpse(ledger) : FR_OK;

  if (!err)
    err = walk(ledger, filter, each, arg);
  if (enter)
    fr_ledger_glimpse_over(ledger);
  return err;
}

enum fr_err fr_history_residue(struct fr_ledger *ledger,
                               const struct fr_uuid *id,
                               int (*each)(void *,
                                           const struct fr_residue_row *),
                               void *arg)
{
  sqlite3_stmt *statement;
  struct fr_residue_row file;
  enum fr_err err = fr_sql_get(ledger, id ? FR_SQL_RESIDUE_OF_ID
                                          : FR_SQL_RESIDUE, &statement);
  bool row = true;

  if (err)
    return err;
  if (id)
    fr_sql_bind_id(statement, 1, id);
  while (!(err = fr_sql_step(ledger, statement, &row)) && row) {
    file.link = fr_sql_text(statement, 1);
    file.exception = fr_sql_text(statement, 2);
    if (!fr_sql_id(statement, 0, &file.id) || !file.link || !file.exception)
      err = fr_sql_odd(ledger, "a residue belongs to nothing");
    if (err || each(arg, &file))
      break;
  }
  sqlite3_reset(statement);
  return err;
}
