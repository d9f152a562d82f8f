/* ledger/sql.c - statements and errors of SQLite.
 *
 * A statement is prepared when it is first used and kept; a statement that
 * is left standing on a row would pin the WAL, so everybody resets.
 *
 * SQLITE_ERROR and SQLITE_CONSTRAINT count as corruption: the statements
 * are fixed and correct, so only tables that are not as falrun made them
 * (a dropped column, broken JSON, a number taken twice) lead there.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ledger/internal.h"

static const char *const texts[] = {
#define FR_SQL_STRING(name, text) text,
  FR_SQL_MAP(FR_SQL_STRING)
#undef FR_SQL_STRING
};

/* falrun has one thread, and counts no memory: without these each statement
 * takes some dozen locks. Before the library's first use, or in vain. */
void fr_sql_configure(void)
{
  static bool done;

  if (done)
    return;
  done = true;
  (void)sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
  (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

enum fr_err fr_ledger_fail(struct fr_ledger *ledger, enum fr_err err,
                           const char *format, ...)
{
  va_list args;

  va_start(args, format);
  (void)vsnprintf(ledger->detail, sizeof(ledger->detail), format, args);
  va_end(args);
  return err;
}

static enum fr_err fail_io(struct fr_ledger *ledger, const char *words)
{
  int number = sqlite3_system_errno(ledger->db);

  if (number)
    return fr_ledger_fail(ledger, FR_EIO, "the ledger %s failed: %s (%s)",
                          ledger->path, words, strerror(number));
  return fr_ledger_fail(ledger, FR_EIO, "the ledger %s failed: %s",
                        ledger->path, words);
}

enum fr_err fr_sql_fail(struct fr_ledger *ledger, int result)
{
  const char *words = ledger->db ? sqlite3_errmsg(ledger->db)
                                 : sqlite3_errstr(result);

  if (result == SQLITE_IOERR_NOMEM)
    result = SQLITE_NOMEM;
  switch (result & 0xff) {
  case SQLITE_NOMEM:
    return fr_ledger_fail(ledger, FR_ENOMEM, "out of memory in the ledger");
  case SQLITE_BUSY:
  case SQLITE_LOCKED:
    return fr_ledger_fail(ledger, FR_EIO, "the ledger %s has been locked by "
                          "another process for 5 s; try again",
                          ledger->path);
  case SQLITE_FULL:
    return fr_ledger_fail(ledger, FR_EIO, "the ledger %s cannot grow: the "
                          "disk or the file's limit is full", ledger->path);
  case SQLITE_CORRUPT:
  case SQLITE_NOTADB:
  case SQLITE_ERROR:
  case SQLITE_CONSTRAINT:
  case SQLITE_MISMATCH:
    return fr_ledger_fail(ledger, FR_ECORRUPT, "the ledger %s is damaged: "
                          "%s; restore it from a backup", ledger->path,
                          words);
  default:
    return fail_io(ledger, words);
  }
}

/* Reading a column may take memory, and then says NULL when there is none. */
enum fr_err fr_sql_odd(struct fr_ledger *ledger, const char *format, ...)
{
  char words[256];
  va_list args;

  if (sqlite3_errcode(ledger->db) == SQLITE_NOMEM)
    return fr_sql_fail(ledger, SQLITE_NOMEM);
  va_start(args, format);
  (void)vsnprintf(words, sizeof(words), format, args);
  va_end(args);
  return fr_ledger_fail(ledger, FR_ECORRUPT, "the ledger %s was changed or "
                        "is damaged: %s", ledger->path, words);
}

enum fr_err fr_sql_exec(struct fr_ledger *ledger, const char *sql)
{
  int result = sqlite3_exec(ledger->db, sql, NULL, NULL, NULL);

  return result == SQLITE_OK ? FR_OK : fr_sql_fail(ledger, result);
}

enum fr_err fr_sql_sound(struct fr_ledger *ledger, const char *pragma)
{
  sqlite3_stmt *statement = NULL;
  const char *words = NULL;
  enum fr_err err = FR_OK;
  int result = sqlite3_prepare_v2(ledger->db, pragma, -1, &statement, NULL);

  if (result == SQLITE_OK)
    result = sqlite3_step(statement);
  if (result == SQLITE_ROW)
    words = fr_sql_text(statement, 0);
  if (!words)
    err = fr_sql_fail(ledger, result == SQLITE_ROW ? SQLITE_NOMEM : result);
  else if (strcmp(words, "ok") != 0)
    err = fr_ledger_fail(ledger, FR_ECORRUPT, "the ledger %s is damaged: "
                         "%.300s; restore it from a backup", ledger->path,
                         words);
  sqlite3_finalize(statement);
  return err;
}

enum fr_err fr_sql_number(struct fr_ledger *ledger, const char *sql,
                          int64_t *ret_number)
{
  sqlite3_stmt *statement = NULL;
  int result = sqlite3_prepare_v2(ledger->db, sql, -1, &statement, NULL);
  enum fr_err err = FR_OK;

  if (result == SQLITE_OK)
    result = sqlite3_step(statement);
  if (result == SQLITE_ROW)
    *ret_number = sqlite3_column_int64(statement, 0);
  else
    err = fr_sql_fail(ledger, result == SQLITE_DONE ? SQLITE_ERROR : result);
  sqlite3_finalize(statement);
  return err;
}

enum fr_err fr_sql_get(struct fr_ledger *ledger, enum fr_sql which,
                       sqlite3_stmt **ret_statement)
{
  sqlite3_stmt **slot = &ledger->statements[which];
  int result;

  if (!*slot) {
    result = sqlite3_prepare_v3(ledger->db, texts[which], -1,
                                SQLITE_PREPARE_PERSISTENT, slot, NULL);
    if (result != SQLITE_OK)
      return fr_sql_fail(ledger, result);
  }
  *ret_statement = *slot;
  return FR_OK;
}

enum fr_err fr_sql_step(struct fr_ledger *ledger, sqlite3_stmt *statement,
                        bool *ret_row)
{
  int result = sqlite3_step(statement);
  enum fr_err err;

  if (result == SQLITE_ROW || result == SQLITE_DONE) {
    *ret_row = result == SQLITE_ROW;
    return FR_OK;
  }
  err = fr_sql_fail(ledger, result);
  sqlite3_reset(statement);
  return err;
}

enum fr_err fr_sql_any(struct fr_ledger *ledger, enum fr_sql which,
                       enum fr_known *known)
{
  sqlite3_stmt *statement = NULL;
  bool row = false;
  enum fr_err err = FR_OK;

  if (*known != FR_UNKNOWN)
    return FR_OK;
  err = fr_sql_get(ledger, which, &statement);
  if (!err)
    err = fr_sql_step(ledger, statement, &row);
  if (err)
    return err;
  *known = row ? FR_SOME : FR_NONE;
  sqlite3_reset(statement);
  return FR_OK;
}

enum fr_err fr_sql_ask(struct fr_ledger *ledger, enum fr_sql which,
                       const struct fr_uuid *id, sqlite3_stmt **ret_row)
{
  sqlite3_stmt *statement = NULL;
  enum fr_err err = fr_sql_get(ledger, which, &statement);
  bool row = false;

  if (err)
    return err;
  fr_sql_bind_id(statement, 1, id);
  err = fr_sql_step(ledger, statement, &row);
  if (err)
    return err;
  if (!row) {
    sqlite3_reset(statement);
    return FR_ENOT_FOUND;
  }
  *ret_row = statement;
  return FR_OK;
}

enum fr_err fr_sql_run(struct fr_ledger *ledger, sqlite3_stmt *statement)
{
  enum fr_err err;
  bool row = true;

  do {
    err = fr_sql_step(ledger, statement, &row);
  } while (!err && row);
  sqlite3_reset(statement);
  return err;
}

/* The bound memory outlives the step, so nothing is copied, and a bind of
 * a valid index cannot fail. */
void fr_sql_bind_id(sqlite3_stmt *statement, int index,
                    const struct fr_uuid *id)
{
  if (id)
    sqlite3_bind_blob(statement, index, id->bytes, sizeof(id->bytes),
                      SQLITE_STATIC);
  else
    sqlite3_bind_null(statement, index);
}

void fr_sql_bind_text(sqlite3_stmt *statement, int index, const char *text)
{
  sqlite3_bind_text(statement, index, text, -1, SQLITE_STATIC);
}

bool fr_sql_id(sqlite3_stmt *statement, int column, struct fr_uuid *ret_id)
{
  const void *bytes = sqlite3_column_blob(statement, column);

  if (sqlite3_column_type(statement, column) != SQLITE_BLOB || !bytes ||
      sqlite3_column_bytes(statement, column) != sizeof(ret_id->bytes))
    return false;
  memcpy(ret_id->bytes, bytes, sizeof(ret_id->bytes));
  return true;
}

const char *fr_sql_text(sqlite3_stmt *statement, int column)
{
  return (const char *)sqlite3_column_text(statement, column);
}

const char *fr_ledger_library(void)
{
  return sqlite3_libversion();
}
