/* ledger/ledger.c - groups and runs.
 *
 * A group is one SQLite transaction, begun IMMEDIATE so that the head of the
 * chain that it read stays the head. When a write of a group fails, the
 * group is broken: it can only be rolled back, so that a half-written event
 * (its row, but not its state) can never be committed.
 */
#include <string.h>

#include "ledger/event.h"

#define OPTIONS_MAX (64 << 10)

/* ---- transactions -------------------------------------------------------- */

static enum fr_err run_kept(struct fr_ledger *ledger, enum fr_sql which)
{
  sqlite3_stmt *statement;
  enum fr_err err = fr_sql_get(ledger, which, &statement);

  return err ? err : fr_sql_run(ledger, statement);
}

static enum fr_err ask_version(struct fr_ledger *ledger, int64_t *ret_version)
{
  sqlite3_stmt *statement;
  enum fr_err err = fr_sql_get(ledger, FR_SQL_VERSION, &statement);
  bool row;

  if (!err)
    err = fr_sql_step(ledger, statement, &row);
  if (err)
    return err;
  *ret_version = sqlite3_column_int64(statement, 0);
  sqlite3_reset(statement);
  return FR_OK;
}

/* At the begin of a transaction: is what memory has of the file still so? */
static enum fr_err compare_version(struct fr_ledger *ledger)
{
  int64_t version;
  enum fr_err err = ask_version(ledger, &version);

  if (err || version == ledger->version)
    return err;
  ledger->version = version;
  ledger->holds = ledger->quarantined = FR_UNKNOWN;
  if (!ledger->index.alone)
    ledger->index.loaded = false;
  return FR_OK;
}

bool fr_group_steady(const struct fr_ledger *ledger)
{
  return ledger->grouped || ledger->glimpsing;
}

enum fr_err fr_ledger_glimpse(struct fr_ledger *ledger)
{
  sqlite3_stmt *ignored;
  enum fr_err err = FR_OK;

  if (fr_group_steady(ledger))
    return FR_OK;
  err = fr_sql_get(ledger, FR_SQL_COMMIT, &ignored);    /* for its end */
  if (!err)
    err = run_kept(ledger, FR_SQL_GLIMPSE);
  if (err)
    return err;
  ledger->glimpsing = true;
  err = compare_version(ledger);
  if (err)
    fr_ledger_glimpse_over(ledger);
  return err;
}

/* Nothing was written, so however it ends is fine; the detail is left. */
void fr_ledger_glimpse_over(struct fr_ledger *ledger)
{
  if (!ledger->glimpsing)
    return;
  ledger->glimpsing = false;
  (void)sqlite3_step(ledger->statements[FR_SQL_COMMIT]);
  (void)sqlite3_reset(ledger->statements[FR_SQL_COMMIT]);
  if (!sqlite3_get_autocommit(ledger->db))
    (void)sqlite3_exec(ledger->db, "ROLLBACK", NULL, NULL, NULL);
}

enum fr_err fr_ledger_version(struct fr_ledger *ledger, int64_t *ret_version)
{
  bool glimpsing = ledger->glimpsing;
  enum fr_err err = FR_OK;

  if (glimpsing) {
    fr_ledger_glimpse_over(ledger);
    err = fr_ledger_glimpse(ledger);
  }
  if (!err)
    err = ask_version(ledger, ret_version);
  if (!err)
    *ret_version += ledger->graces;
  return err;
}

/* ---- groups -------------------------------------------------------------- */

static enum fr_err begin(struct fr_ledger *ledger, enum fr_ledger_access need)
{
  enum fr_err err;

  if (ledger->grouped || ledger->access < need)
    return fr_ledger_fail(ledger, FR_EINVALID, ledger->grouped
                          ? "a group of the ledger is already open"
                          : "the ledger was not opened for writing this");
  fr_ledger_glimpse_over(ledger);
  err = run_kept(ledger, FR_SQL_BEGIN);
  if (err)
    return err;
  ledger->grouped = true;
  ledger->written = false;
  ledger->broken = FR_OK;
  err = compare_version(ledger);
  if (!err)
    err = fr_event_head(ledger);
  if (err)
    fr_ledger_rollback(ledger);
  return err;
}

enum fr_err fr_ledger_begin(struct fr_ledger *ledger)
{
  return begin(ledger, FR_LEDGER_RUN);
}

enum fr_err fr_group_begin(struct fr_ledger *ledger)
{
  return begin(ledger, FR_LEDGER_HOLD);
}

enum fr_err fr_ledger_commit(struct fr_ledger *ledger)
{
  enum fr_err err = ledger->broken;

  if (!ledger->grouped)
    return fr_ledger_fail(ledger, FR_EINVALID,
                          "no group of the ledger is open");
  if (!err)
    err = fr_merge_step(ledger);
  if (!err)
    err = run_kept(ledger, FR_SQL_COMMIT);
  if (err)
    fr_ledger_rollback(ledger);
  ledger->grouped = false;
  return err;
}

/* SQLite has rolled back already after some errors (a full disk). */
void fr_ledger_rollback(struct fr_ledger *ledger)
{
  if (!sqlite3_get_autocommit(ledger->db))
    (void)sqlite3_exec(ledger->db, "ROLLBACK", NULL, NULL, NULL);
  if (ledger->grouped && ledger->written) {
    fr_index_forget(&ledger->index);
    ledger->holds = ledger->residue = ledger->quarantined = FR_UNKNOWN;
  }
  ledger->grouped = false;
  ledger->glimpsing = false;
  ledger->broken = FR_OK;
}

enum fr_err fr_group_end(struct fr_ledger *ledger, enum fr_err err)
{
  if (!err)
    return fr_ledger_commit(ledger);
  fr_ledger_rollback(ledger);
  return err;
}

/* The group may have been rolled back by SQLite below us: what came now
 * would be committed by itself. */
enum fr_err fr_group_check(struct fr_ledger *ledger)
{
  if (!ledger->grouped)
    return fr_ledger_fail(ledger, FR_EINVALID,
                          "no group of the ledger is open");
  if (!ledger->broken && sqlite3_get_autocommit(ledger->db))
    ledger->broken = fr_ledger_fail(ledger, FR_EIO, "the ledger %s undid "
                                    "the group", ledger->path);
  return ledger->broken;
}

/* ---- runs ---------------------------------------------------------------- */

/* For SQLite 3.40 a text is not valid either when memory is out. */
static enum fr_err no_object(struct fr_ledger *ledger)
{
  void *probe = sqlite3_malloc(OPTIONS_MAX);

  if (!probe)
    return fr_sql_fail(ledger, SQLITE_NOMEM);
  sqlite3_free(probe);
  return fr_ledger_fail(ledger, FR_EINVALID, "options and summary of a run "
                        "are JSON objects of at most 64 KiB");
}

/* NULL is fine: there is none. */
static enum fr_err check_object(struct fr_ledger *ledger, const char *json)
{
  sqlite3_stmt *statement;
  bool row, object = true;
  enum fr_err err = FR_OK;

  if (json && strlen(json) <= OPTIONS_MAX) {
    err = fr_sql_get(ledger, FR_SQL_IS_OBJECT, &statement);
    if (err)
      return err;
    fr_sql_bind_text(statement, 1, json);
    err = fr_sql_step(ledger, statement, &row);
    object = !err && row && sqlite3_column_int(statement, 0);
    sqlite3_reset(statement);
  } else if (json) {
    object = false;
  }
  return err || object ? err : no_object(ledger);
}

static enum fr_err next_run(struct fr_ledger *ledger)
{
  sqlite3_stmt *statement;
  enum fr_err err = fr_sql_get(ledger, FR_SQL_NEXT_RUN, &statement);
  bool row;

  if (!err)
    err = fr_sql_step(ledger, statement, &row);
  if (err)
    return err;
  ledger->run = sqlite3_column_int64(statement, 0);
  sqlite3_reset(statement);
  return FR_OK;
}

static enum fr_err add_begin(struct fr_ledger *ledger,
                             const struct fr_run_spec *spec)
{
  struct fr_data data;
  enum fr_err err;

  fr_data_begin(&data, &ledger->data);
  fr_data_text(&data, "command", spec->command, FR_LEDGER_LINK);
  fr_data_text(&data, "policy", spec->policy, FR_LEDGER_LINK);
  fr_data_text(&data, "policy_sha256", spec->policy_sha256, FR_LEDGER_LINK);
  fr_data_text(&data, "origin", ledger->origin, FR_LEDGER_LINK);
  fr_data_raw(&data, "options", spec->options);
  err = fr_data_end(&data);
  if (!err)
    err = next_run(ledger);
  return err ? err : fr_event_add(ledger, "run_begin", NULL, NULL);
}

enum fr_err fr_ledger_run_begin(struct fr_ledger *ledger,
                                const struct fr_run_spec *spec,
                                int64_t *ret_run)
{
  enum fr_err err = check_object(ledger, spec->options);

  if (!err && ledger->run)
    err = fr_ledger_fail(ledger, FR_EINVALID, "a run has already begun");
  if (!err)
    err = fr_ledger_begin(ledger);
  if (err)
    return err;
  err = fr_group_end(ledger, add_begin(ledger, spec));
  if (err)
    ledger->run = 0;
  else
    *ret_run = ledger->run;
  return err;
}

static enum fr_err add_end(struct fr_ledger *ledger, int exit_code,
                           const char *summary)
{
  struct fr_data data;
  enum fr_err err;

  fr_data_begin(&data, &ledger->data);
  fr_data_number(&data, "exit_code", exit_code);
  fr_data_raw(&data, "summary", summary);
  err = fr_data_end(&data);
  return err ? err : fr_event_add(ledger, "run_end", NULL, NULL);
}

enum fr_err fr_ledger_run_end(struct fr_ledger *ledger, int exit_code,
                              const char *summary)
{
  enum fr_err err = check_object(ledger, summary);

  if (!err && !ledger->run)
    err = fr_ledger_fail(ledger, FR_EINVALID, "no run has begun");
  if (!err)
    err = fr_ledger_begin(ledger);
  if (err)
    return err;
  err = fr_group_end(ledger, add_end(ledger, exit_code, summary));
  if (!err)
    ledger->run = 0;
  return err;
}
