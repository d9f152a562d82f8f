/* ledger/tally.c - see tally.h. The events of what is deleted are not looked
 * at: it is almost all there is. */
#include "ledger/internal.h"
#include "ledger/tally.h"

static int64_t time_of(sqlite3_stmt *statement, int column)
{
  return sqlite3_column_type(statement, column) == SQLITE_NULL
           ? -1 : sqlite3_column_int64(statement, column);
}

enum fr_err fr_ledger_tally(struct fr_ledger *ledger,
                            int (*each)(void *, const struct fr_tally_row *),
                            void *arg)
{
  sqlite3_stmt *statement;
  struct fr_tally_row row;
  enum fr_err err = fr_sql_get(ledger, FR_SQL_TALLY, &statement);
  bool more = true;

  if (err)
    return err;
  while (!(err = fr_sql_step(ledger, statement, &more)) && more) {
    row.state = fr_sql_text(statement, 0);
    row.declared = sqlite3_column_int(statement, 1) != 0;
    row.held = sqlite3_column_int(statement, 2) != 0;
    row.count = sqlite3_column_int64(statement, 3);
    row.oldest_ms = time_of(statement, 4);
    row.since_ms = time_of(statement, 5);
    if (each(arg, &row))
      break;
  }
  sqlite3_reset(statement);
  return err;
}

enum fr_err fr_ledger_size(struct fr_ledger *ledger, int64_t *ret_bytes)
{
  sqlite3_stmt *statement;
  enum fr_err err = fr_sql_get(ledger, FR_SQL_SIZE, &statement);
  bool row = false;

  if (!err)
    err = fr_sql_step(ledger, statement, &row);
  if (err)
    return err;
  *ret_bytes = row ? sqlite3_column_int64(statement, 0) : 0;
  sqlite3_reset(statement);
  return FR_OK;
}
