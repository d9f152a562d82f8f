/* ledger/facts.c - one event for each fact, and one walk for all tables.
 *
 * The walks share their columns (sqlfacts.h), so that a row of any of them
 * is read in one place. */
#include <stdio.h>

#include "base/date.h"
#include "ledger/event.h"
#include "ledger/facts.h"

/* ---- telling ------------------------------------------------------------- */

/* `told` NULL: its deletion is looked for, because the event changes it. */
static enum fr_err tell_of(struct fr_ledger *ledger, struct fr_data *data,
                           const char *kind, const struct fr_uuid *id,
                           const struct fr_told *told)
{
  bool own = !ledger->grouped;
  enum fr_err err = fr_data_end(data);

  if (err)
    return fr_ledger_fail(ledger, err, "an event of the ledger could not be "
                          "made: %s", fr_err_message(err));
  err = own ? fr_ledger_begin(ledger) : fr_group_check(ledger);
  if (err)
    return err;
  err = fr_event_add(ledger, kind, id, told);
  return own ? fr_group_end(ledger, err) : err;
}

static enum fr_err tell(struct fr_ledger *ledger, struct fr_data *data,
                        const char *kind, const struct fr_uuid *id)
{
  const struct fr_told nothing = { .looked = true };

  return tell_of(ledger, data, kind, id, &nothing);
}

enum fr_err fr_ledger_looked(struct fr_ledger *ledger,
                             const struct fr_looked *looked)
{
  struct fr_data data;

  fr_data_begin(&data, &ledger->data);
  fr_data_text(&data, "endpoint", looked->endpoint, FR_LEDGER_REASON);
  fr_data_number(&data, "from_ms", looked->from_ms);
  fr_data_number(&data, "to_ms", looked->to_ms);
  fr_data_number(&data, "rows", looked->rows);
  return tell(ledger, &data, "looked", NULL);
}

enum fr_err fr_ledger_quarantine(struct fr_ledger *ledger,
                                 const struct fr_quarantine *quarantine)
{
  struct fr_data data;

  fr_data_begin(&data, &ledger->data);
  fr_data_links(&data, "files", quarantine->files, quarantine->nfiles);
  if (quarantine->acls)
    fr_data_links(&data, "acl", quarantine->acls, quarantine->nfiles);
  fr_data_number(&data, "delete_after_ms", quarantine->delete_after_ms);
  fr_data_text(&data, "reason", quarantine->reason, FR_LEDGER_REASON);
  return tell(ledger, &data, "quarantine", &quarantine->id);
}

enum fr_err fr_ledger_release(struct fr_ledger *ledger,
                              const struct fr_uuid *id, const char *reason)
{
  struct fr_data data;

  fr_data_begin(&data, &ledger->data);
  fr_data_text(&data, "reason", reason, FR_LEDGER_REASON);
  return tell(ledger, &data, "release", id);
}

enum fr_err fr_ledger_probe(struct fr_ledger *ledger,
                            const struct fr_probe_note *probe)
{
  struct fr_data data;

  fr_data_begin(&data, &ledger->data);
  fr_data_link(&data, "link", probe->link);
  fr_data_text(&data, "seen", probe->seen, FR_LEDGER_REASON);
  fr_data_number(&data, "http_status", probe->http_status);
  if (probe->age_s >= 0)
    fr_data_number(&data, "age_s", probe->age_s);
  if (probe->cache)
    fr_data_text(&data, "cache", probe->cache, FR_LEDGER_REASON);
  if (probe->why)
    fr_data_text(&data, "why", probe->why, FR_LEDGER_REASON);
  if (probe->input)
    fr_data_raw(&data, "input", "true");
  return tell_of(ledger, &data, "probe", &probe->id, NULL);
}

enum fr_err fr_ledger_inputs(struct fr_ledger *ledger,
                             const struct fr_uuid *id,
                             const char *const *files, size_t nfiles)
{
  struct fr_data data;

  fr_data_begin(&data, &ledger->data);
  fr_data_links(&data, "files", files, nfiles);
  return tell(ledger, &data, "input_files", id);
}

void fr_grace_say(int64_t since_ms, int64_t due_ms, char *ret_words,
                  size_t size)
{
  char since[FR_DATE_TEXT], due[FR_DATE_TEXT];

  fr_date_format(since_ms / 1000 * 1000, since);
  fr_date_format(due_ms / 1000 * 1000, due);
  (void)snprintf(ret_words, size, "in quarantine since %s, to be erased from "
                 "%s on; falrun release lifts it", since, due);
}

/* ---- asking -------------------------------------------------------------- */

/* The columns of FR_SQL_FACT. */
enum column {
  SEQ, RUN, AT, REQUEST_ID, NAME, FROM, TO, DATA, END, END_AT
};

static void read_fact(sqlite3_stmt *statement, struct fr_fact_row *ret_fact)
{
  *ret_fact = (struct fr_fact_row){
    .seq = sqlite3_column_int64(statement, SEQ),
    .run = sqlite3_column_int64(statement, RUN),
    .at_ms = sqlite3_column_int64(statement, AT),
    .from_ms = sqlite3_column_int64(statement, FROM),
    .to_ms = sqlite3_column_int64(statement, TO),
    .end_at_ms = sqlite3_column_int64(statement, END_AT),
    .name = fr_sql_text(statement, NAME),
    .data = fr_sql_text(statement, DATA),
    .end = fr_sql_text(statement, END)
  };
  ret_fact->has_id = fr_sql_id(statement, REQUEST_ID, &ret_fact->id);
}

enum fr_err fr_facts_each(struct fr_ledger *ledger, enum fr_facts which,
                          const struct fr_fact_filter *filter,
                          int (*each)(void *, const struct fr_fact_row *),
                          void *arg)
{
  static const enum fr_sql walks[] = {
    [FR_FACTS_LOOKED] = FR_SQL_LOOKED_EACH,
    [FR_FACTS_QUARANTINED] = FR_SQL_QUARANTINED_EACH,
    [FR_FACTS_PROBES] = FR_SQL_PROBES_EACH,
    [FR_FACTS_INPUTS] = FR_SQL_INPUTS_EACH,
    [FR_FACTS_CHANGES] = FR_SQL_CHANGES_EACH,
    [FR_FACTS_LEFT] = FR_SQL_CHANGES_LEFT
  };
  sqlite3_stmt *statement;
  struct fr_fact_row fact;
  enum fr_err err = fr_sql_get(ledger, walks[which], &statement);
  bool row = true;

  if (err)
    return err;
  fr_sql_bind_text(statement, 1, filter->endpoint);
  fr_sql_bind_id(statement, 2, filter->id);
  sqlite3_bind_int64(statement, 3, filter->run);
  while (!(err = fr_sql_step(ledger, statement, &row)) && row) {
    read_fact(statement, &fact);
    if (each(arg, &fact))
      break;
  }
  sqlite3_reset(statement);
  return err;
}
