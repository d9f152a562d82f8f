/* bindings/tally.c - how the ledger stands, for falrun status. */
#include "base/digest.h"
#include "bindings/nouns.h"
#include "bindings/rows.h"
#include "ledger/proof.h"
#include "ledger/tally.h"

#define ROWS_MAX ((size_t)1 << 20)

static int put(void *arg, const struct fr_tally_row *row)
{
  struct frl_rows *rows = arg;

  frl_rows_text(rows, "state", row->state);
  frl_rows_integer(rows, "count", row->count);
  frl_rows_integer(rows, "declared", row->declared);
  frl_rows_integer(rows, "held", row->held);
  if (row->oldest_ms >= 0)
    frl_rows_integer(rows, "oldest_ms", row->oldest_ms);
  if (row->since_ms >= 0)
    frl_rows_integer(rows, "since_ms", row->since_ms);
  frl_rows_end(rows);
  return rows->err != FR_OK;
}

/* ledger.tally() -> {state, count, declared = 0|1, held = 0|1, oldest_ms?,
 * since_ms?} each                                            [-0, +1, e] */
static int l_tally(lua_State *L)
{
  struct frl_rows *rows = frl_rows_new(L, ROWS_MAX);

  frl_check_walk(L, rows, fr_ledger_tally(frl_of(L)->config.ledger, put,
                                          rows));
  frl_rows_push(L, rows);
  return 1;
}

/* ledger.head() -> {events, head?, at_ms?, ledger?, bytes}: the newest event
 * and the size of the file                                    [-0, +1, e] */
static int l_head(lua_State *L)
{
  struct fr_ledger *ledger = frl_of(L)->config.ledger;
  struct frl_rows *rows = frl_rows_new(L, ROWS_MAX);
  struct fr_checkpoint point = { 0 };
  char hash[FR_SHA256_TEXT];
  int64_t bytes = 0;
  enum fr_err err = fr_history_checkpoint(ledger, &point);

  if (err == FR_ENOT_FOUND)
    err = FR_OK;                                /* there are no events */
  if (!err)
    err = fr_ledger_size(ledger, &bytes);
  frl_check_walk(L, rows, err);
  frl_rows_integer(rows, "events", point.seq);
  frl_rows_integer(rows, "bytes", bytes);
  if (point.seq) {
    fr_hex(point.hash, FR_SHA256_SIZE, hash);
    frl_rows_text(rows, "head", hash);
    frl_rows_integer(rows, "at_ms", point.at_ms);
    frl_rows_text(rows, "ledger", point.ledger);
  }
  frl_rows_end(rows);
  frl_check_walk(L, rows, FR_OK);
  frl_rows_next(L, rows);
  return 1;
}

/* ledger.holder() -> process that holds the lock, 0 when it is elsewhere |
 * nil                                                        [-0, +1, -] */
static int l_holder(lua_State *L)
{
  int64_t pid = 0;

  if (fr_ledger_holder(fr_ledger_path(frl_of(L)->config.ledger), &pid))
    return 0;
  lua_pushinteger(L, pid);
  return 1;
}

const luaL_Reg frl_tally_functions[] = {
  { "tally", l_tally },
  { "head", l_head },
  { "holder", l_holder },
  { NULL, NULL }
};
