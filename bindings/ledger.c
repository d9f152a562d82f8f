/* bindings/ledger.c - the table `host.ledger`: the record, for commands.
 *
 * A walk that fails raises: it must never look like an empty one. Events are
 * read in pages, so that a long history takes a bounded part of memory. */
#include <string.h>
#include <unistd.h>

#include "base/digest.h"
#include "bindings/nouns.h"
#include "bindings/rows.h"
#include "ledger/history.h"
#include "ledger/holds.h"
#include "ledger/story.h"

#define ROWS_MAX ((size_t)128 << 20)
#define PAGE_ROWS 1000
#define RUNS_MAX 100000
#define HOLDS_MAX 1000000
#define REASON_MAX 1000u

static struct fr_ledger *ledger_of(lua_State *L)
{
  return frl_of(L)->config.ledger;
}

/* What only the ledger's state can mean is a fact about the run. */
static void mark(struct frl *frl, enum fr_err err, const char *detail)
{
  if (err != FR_ECORRUPT && err != FR_EIO)
    return;
  frl->config.verdict->ledger = true;
  fr_verdict_say(frl->config.verdict, "the ledger failed: %s", detail);
}

static void push_failure(lua_State *L, enum fr_err err)
{
  const char *detail = fr_ledger_detail(ledger_of(L));

  if (!detail || !*detail)
    detail = fr_err_message(err);
  mark(frl_of(L), err, detail);
  lua_pushfstring(L, "the ledger failed: %s", detail);
  frl_push_error(L, err, lua_tostring(L, -1));
}

int frl_fail_ledger(lua_State *L, enum fr_err err)
{
  lua_pushnil(L);
  push_failure(L, err);
  lua_remove(L, -2);                            /* the sentence */
  return 2;
}

/* Raises unless the walk went well. */
void frl_check_walk(lua_State *L, const struct frl_rows *rows,
                    enum fr_err err)
{
  if (rows->err == FR_ETOO_BIG)
    luaL_error(L, "the ledger has more rows than fit into memory");
  if (rows->err)
    luaL_error(L, "%s", fr_err_message(rows->err));
  if (err) {
    push_failure(L, err);
    lua_error(L);
  }
}

/* ---- runs, residue, holds ------------------------------------------------ */

static int put_run(void *arg, const struct fr_run_row *row)
{
  struct frl_rows *rows = arg;

  frl_rows_integer(rows, "run", row->run);
  frl_rows_time(rows, "began_at", row->began_at_ms);
  if (row->ended_at_ms) {
    frl_rows_time(rows, "ended_at", row->ended_at_ms);
    frl_rows_integer(rows, "exit_code", row->exit_code);
  }
  frl_rows_text(rows, "command", row->command);
  frl_rows_text(rows, "policy", row->policy);
  frl_rows_text(rows, "policy_sha256", row->policy_sha256);
  frl_rows_json(rows, "options", row->options);
  frl_rows_json(rows, "summary", row->summary);
  frl_rows_end(rows);
  return rows->err != FR_OK;
}

/* ledger.runs(most) -> rows, newest first                     [-1, +1, e] */
static int l_runs(lua_State *L)
{
  lua_Integer most = luaL_optinteger(L, 1, RUNS_MAX);
  struct frl_rows *rows;

  if (most < 1 || most > RUNS_MAX)
    return frl_bad_argument(L, "ledger.runs", "most", "1 to %d expected",
                            RUNS_MAX);
  rows = frl_rows_new(L, ROWS_MAX);
  frl_check_walk(L, rows, fr_history_runs(ledger_of(L), (size_t)most,
                                          put_run, rows));
  frl_rows_push(L, rows);
  return 1;
}

static int put_residue(void *arg, const struct fr_residue_row *row)
{
  struct frl_rows *rows = arg;

  frl_rows_id(rows, "request_id", &row->id);
  frl_rows_text(rows, "link", row->link);
  frl_rows_text(rows, "exception", row->exception);
  frl_rows_end(rows);
  return rows->err != FR_OK;
}

/* ledger.residue(id?) -> rows                                 [-1, +1, e] */
static int l_residue(lua_State *L)
{
  bool all = lua_isnoneornil(L, 1);
  struct frl_rows *rows;
  struct fr_uuid id;

  if (!all)
    frl_check_id(L, 1, "ledger.residue", &id);
  rows = frl_rows_new(L, ROWS_MAX);
  frl_check_walk(L, rows, fr_history_residue(ledger_of(L), all ? NULL : &id,
                                             put_residue, rows));
  frl_rows_push(L, rows);
  return 1;
}

static int put_open(void *arg, const struct fr_open_intent *open)
{
  struct frl_rows *rows = arg;

  frl_rows_id(rows, "request_id", &open->id);
  frl_rows_end(rows);
  return rows->err != FR_OK;
}

/* ledger.open() -> rows, oldest first                         [-0, +1, e] */
static int l_open(lua_State *L)
{
  struct frl_rows *rows = frl_rows_new(L, ROWS_MAX);

  frl_check_walk(L, rows, fr_ledger_each_open(ledger_of(L), put_open, rows));
  frl_rows_push(L, rows);
  return 1;
}

static int put_hold(void *arg, const struct fr_hold *hold)
{
  struct frl_rows *rows = arg;

  frl_rows_id(rows, "request_id", &hold->id);
  frl_rows_time(rows, "at", hold->at_ms);
  frl_rows_text(rows, "reason", hold->reason);
  frl_rows_end(rows);
  return rows->err != FR_OK;
}

/* ledger.holds() -> rows                                      [-0, +1, e] */
static int l_holds(lua_State *L)
{
  struct frl_rows *rows = frl_rows_new(L, ROWS_MAX);

  frl_check_walk(L, rows, fr_hold_each(ledger_of(L), put_hold, rows));
  frl_rows_push(L, rows);
  return 1;
}

/* ---- events -------------------------------------------------------------- */

enum { FILTER = 1, EACH, WALK, ROWS };  /* the stack of ledger.events */

struct walk {
  struct fr_event_filter filter;
  struct fr_uuid id;
  struct frl_rows *rows;
  size_t paged;                 /* rows in this page */
  bool over;
};

static int put_event(void *arg, const struct fr_event_row *row)
{
  struct walk *walk = arg;
  struct frl_rows *rows = walk->rows;
  char hash[FR_SHA256_TEXT];

  fr_hex(row->hash, FR_SHA256_SIZE, hash);
  frl_rows_integer(rows, "seq", row->seq);
  frl_rows_integer(rows, "run", row->run);
  frl_rows_time(rows, "at", row->at_ms);
  frl_rows_text(rows, "kind", row->kind);
  if (row->has_id)
    frl_rows_id(rows, "request_id", &row->id);
  frl_rows_json(rows, "data", row->data);
  frl_rows_text(rows, "hash", hash);
  frl_rows_end(rows);
  walk->filter.after_seq = row->seq;
  walk->paged++;
  return rows->err != FR_OK || walk->paged == PAGE_ROWS;
}

static void read_page(lua_State *L, struct walk *walk)
{
  enum fr_err err;

  frl_rows_clear(walk->rows);
  walk->paged = 0;
  err = fr_history_events(ledger_of(L), &walk->filter, put_event, walk);
  frl_check_walk(L, walk->rows, err);
  walk->over = walk->paged < PAGE_ROWS;
}

/* Calls f for row after row; f may wait, so this is a continuation too. */
static int go_on(lua_State *L, int status, lua_KContext ctx)
{
  struct walk *walk = lua_touserdata(L, WALK);

  (void)status;
  (void)ctx;
  while (!lua_toboolean(L, ROWS + 1)) {         /* f wants more */
    lua_settop(L, ROWS);
    lua_pushvalue(L, EACH);
    while (!frl_rows_next(L, walk->rows)) {
      if (walk->over)
        return 0;
      read_page(L, walk);
    }
    lua_callk(L, 1, 1, 0, go_on);
  }
  return 0;
}

static void check_filter(lua_State *L, struct walk *walk)
{
  static const char *const known[] = { "run", "request_id", "after_seq",
                                       NULL };
  lua_Integer number;

  if (!lua_istable(L, FILTER))
    frl_bad_argument(L, "ledger.events", "filter", "table expected, "
                     "got %s", luaL_typename(L, FILTER));
  frl_check_options(L, FILTER, "ledger.events", known);
  if (frl_field_integer(L, FILTER, "ledger.events", "run", &number))
    walk->filter.run = number;
  if (frl_field_integer(L, FILTER, "ledger.events", "after_seq", &number))
    walk->filter.after_seq = number;
  if (frl_field(L, FILTER, "ledger.events", "request_id", LUA_TSTRING)) {
    frl_check_id(L, lua_gettop(L), "ledger.events", &walk->id);
    walk->filter.id = &walk->id;
  }
  lua_pop(L, 1);
}

/* ledger.events(filter, f)                                    [-2, +0, ey] */
static int l_events(lua_State *L)
{
  struct walk *walk;

  lua_settop(L, EACH);
  luaL_checktype(L, EACH, LUA_TFUNCTION);
  walk = lua_newuserdatauv(L, sizeof(*walk), 0);
  *walk = (struct walk){ .over = false };
  check_filter(L, walk);
  walk->rows = frl_rows_new(L, ROWS_MAX);
  return go_on(L, LUA_OK, 0);
}

/* ---- writing holds ------------------------------------------------------- */

/* The ids of the list at index 1, in a userdata on top.      [-0, +1, e] */
static struct fr_uuid *check_ids(lua_State *L, const char *function,
                                 size_t *ret_count)
{
  struct fr_uuid *ids;
  lua_Unsigned count;

  if (!lua_istable(L, 1))
    frl_bad_argument(L, function, "ids", "a list of ids expected, got %s",
                     luaL_typename(L, 1));
  count = lua_rawlen(L, 1);
  if (count < 1 || count > HOLDS_MAX)
    frl_bad_argument(L, function, "ids", "1 to %d ids expected", HOLDS_MAX);
  ids = lua_newuserdatauv(L, (size_t)count * sizeof(*ids), 0);
  for (lua_Unsigned i = 0; i < count; i++) {
    lua_rawgeti(L, 1, (lua_Integer)i + 1);
    frl_check_id(L, lua_gettop(L), function, &ids[i]);
    lua_pop(L, 1);
  }
  *ret_count = (size_t)count;
  return ids;
}

/* ledger.hold_add(ids, reason) -> true | nil, err             [-2, +n, e] */
static int l_hold_add(lua_State *L)
{
  const char *reason = frl_check_text(L, 2, "ledger.hold_add", "reason");
  struct fr_uuid *ids;
  enum fr_err err;
  size_t count;

  if (!*reason || strlen(reason) > REASON_MAX)
    return frl_bad_argument(L, "ledger.hold_add", "reason", "1 to %d bytes "
                            "expected", (int)REASON_MAX);
  lua_settop(L, 2);
  ids = check_ids(L, "ledger.hold_add", &count);
  err = fr_hold_add(ledger_of(L), ids, count, reason);
  if (err)
    return frl_fail_ledger(L, err);
  lua_pushboolean(L, true);
  return 1;
}

/* ledger.hold_remove(ids) -> true | nil, err, id?             [-1, +n, e] */
static int l_hold_remove(lua_State *L)
{
  struct fr_uuid *ids;
  enum fr_err err;
  size_t count, index = 0;
  char text[FR_UUID_TEXT];

  lua_settop(L, 1);
  ids = check_ids(L, "ledger.hold_remove", &count);
  err = fr_hold_remove(ledger_of(L), ids, count, &index);
  if (!err) {
    lua_pushboolean(L, true);
    return 1;
  }
  if (err != FR_ENOT_FOUND)
    return frl_fail_ledger(L, err);
  fr_uuid_format(&ids[index], text);
  lua_pushfstring(L, "there is no hold on %s; nothing was removed", text);
  frl_fail(L, err, lua_tostring(L, -1));
  lua_pushstring(L, text);
  return 3;
}

static const luaL_Reg functions[] = {
  { "runs", l_runs },
  { "events", l_events },
  { "residue", l_residue },
  { "holds", l_holds },
  { "open", l_open },
  { "probes", frl_probes },
  { NULL, NULL },
};

static const luaL_Reg hold_functions[] = {
  { "hold_add", l_hold_add },
  { "hold_remove", l_hold_remove },
  { NULL, NULL },
};

int frl_open_ledger(lua_State *L)
{
  const struct frl_config *config = &frl_of(L)->config;

  lua_createtable(L, 0, 16);
  luaL_setfuncs(L, functions, 0);
  luaL_setfuncs(L, frl_fact_functions, 0);
  luaL_setfuncs(L, frl_proof_functions, 0);
  luaL_setfuncs(L, frl_tally_functions, 0);
  if (config->may_hold)
    luaL_setfuncs(L, hold_functions, 0);
  lua_pushstring(L, fr_ledger_path(config->ledger));
  lua_setfield(L, -2, "path");
  lua_pushboolean(L, !access(fr_ledger_path(config->ledger), F_OK));
  lua_setfield(L, -2, "there");
  return 1;
}
