/* bindings/window.c - see window.h.
 *
 * Rows become tables one by one, when a policy asks for the next: what Lua
 * has just made is still in the cache, and its collector finds little alive.
 */
#include "bindings/window.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bindings/nouns.h"
#include "gate/looked.h"

#define WINDOW "falrun.window"
#define LOOKED "falrun.looked"

static struct fr_window *check_window(lua_State *L, int index)
{
  struct fr_window **box = luaL_checkudata(L, index, WINDOW);

  if (!*box)
    luaL_error(L, "this window is closed");
  return *box;
}

static int l_close(lua_State *L)
{
  struct fr_window **box = luaL_checkudata(L, 1, WINDOW);

  fr_window_free(*box);
  *box = NULL;
  return 0;
}

/* ---- a page goes in ------------------------------------------------------ */

static bool has_documented_ends(const struct fr_page *page)
{
  return page->more.kind == FR_SPAN_OTHER && page->more.at &&
         page->more.at[-1] != '"' &&
         (page->cursor.kind <= FR_SPAN_NULL ||
          page->cursor.kind == FR_SPAN_TEXT);
}

static void push_page(lua_State *L, const struct fr_page *page)
{
  lua_createtable(L, 0, 3);
  lua_newtable(L);
  lua_setfield(L, -2, "items");
  lua_pushboolean(L, *page->more.at == 't');
  lua_setfield(L, -2, "has_more");
  if (page->cursor.kind != FR_SPAN_TEXT)
    return;
  lua_pushlstring(L, page->cursor.at, page->cursor.len);
  lua_setfield(L, -2, "next_cursor");
}

static void set_time(lua_State *L, const char *name, int64_t ms)
{
  lua_pushinteger(L, ms);
  lua_setfield(L, -2, name);
}

static void push_reach(lua_State *L, const struct fr_reach *reach)
{
  lua_createtable(L, 0, 5);
  if (!reach->count)
    return;
  set_time(L, "first", reach->first);
  set_time(L, "last", reach->last);
  set_time(L, "oldest", reach->oldest);
  set_time(L, "newest", reach->newest);
}

static bool is_same(const struct fr_row *row, const struct fr_row *other)
{
  const struct fr_span *a = &row->facts[FR_FACT_ENDPOINT_ID];
  const struct fr_span *b = &other->facts[FR_FACT_ENDPOINT_ID];

  return a->len == b->len && !memcmp(a->at, b->at, a->len);
}

/* Pushes {place = endpoint}: of each row whose endpoint is another one than
 * that of the row before it. */
static void push_endpoints(lua_State *L, const struct fr_page *page)
{
  size_t count;
  const struct fr_row *rows = fr_page_rows(page, &count);

  lua_newtable(L);
  for (size_t i = 0; i < count; i++) {
    const struct fr_span *id = &rows[i].facts[FR_FACT_ENDPOINT_ID];

    if (i > 0 && is_same(&rows[i], &rows[i - 1]))
      continue;
    lua_pushlstring(L, id->at, id->len);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
}

bool frl_window_take(lua_State *L, int index, const struct fr_page *page)
{
  struct fr_window *window = check_window(L, index);
  enum fr_err err;

  if (!page || !has_documented_ends(page))
    return false;
  err = fr_window_add(window, page);
  if (err == FR_EPROTOCOL)
    return false;
  if (err && err != FR_EINVALID)
    luaL_error(L, "%s", fr_err_message(err));
  luaL_checkstack(L, 8, NULL);
  frl_of(L)->phase.scanned += page->rows.len / sizeof(struct fr_row);
  push_page(L, page);
  push_reach(L, fr_window_reach(window));
  push_endpoints(L, page);
  lua_setfield(L, -2, "endpoints");
  lua_pushboolean(L, err == FR_EINVALID);
  lua_setfield(L, -2, "twice");
  return true;
}

/* ---- rows come out ------------------------------------------------------- */

/* As json.decode does: what is integral is an integer. What follows a number
 * in the body ends it for strtod. */
static void push_number(lua_State *L, const struct fr_span *span)
{
  double number = strtod(span->at, NULL);

  if (floor(number) == number && fabs(number) < 9007199254740992.0)
    lua_pushinteger(L, (lua_Integer)number);
  else
    lua_pushnumber(L, number);
}

/* Stack: ..., row. */
static void set_fact(lua_State *L, const struct fr_row *row, enum fr_fact fact)
{
  const struct fr_span *span = &row->facts[fact];

  if (span->kind == FR_SPAN_NUMBER)
    push_number(L, span);
  else if (span->kind == FR_SPAN_TEXT)
    lua_pushlstring(L, span->at, span->len);
  else
    return;
  lua_setfield(L, -2, fr_fact_name(fact));
}

/* window:next(before?) -> row, when it ended in ms (-1: it has not) | nil.
 * Rows that the window `before` has are left out.            [-2, +2, e] */
static int l_next(lua_State *L)
{
  struct fr_window *window = check_window(L, 1);
  const struct fr_window *before = lua_isnoneornil(L, 2) ? NULL
                                   : check_window(L, 2);
  const struct fr_window_row *row;

  do
    row = fr_window_next(window);
  while (row && before && fr_window_has(before, &row->id));
  if (!row)
    return 0;
  lua_createtable(L, 0, FR_FACTS);
  for (enum fr_fact i = 0; i < FR_FACTS; i++)
    set_fact(L, &row->row, i);
  lua_pushinteger(L, row->ended_ms);
  return 2;
}

static int l_sort(lua_State *L)
{
  fr_window_sort(check_window(L, 1));
  return 0;
}

/* window:has(id) -> boolean                                  [-2, +1, e] */
static int l_has(lua_State *L)
{
  const struct fr_window *window = check_window(L, 1);
  struct fr_uuid id;

  frl_check_id(L, 2, "has", &id);
  lua_pushboolean(L, fr_window_has(window, &id));
  return 1;
}

/* A pointer in a userdata with these methods, NULL at first. [-0, +1, m] */
static void *push_box(lua_State *L, const char *type, const luaL_Reg *methods)
{
  void **box = lua_newuserdatauv(L, sizeof(*box), 0);

  *box = NULL;
  if (luaL_newmetatable(L, type)) {
    luaL_setfuncs(L, methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
  }
  lua_setmetatable(L, -2);
  return box;
}

/* core.window() -> an empty window                           [-0, +1, m] */
static int l_window(lua_State *L)
{
  static const luaL_Reg methods[] = {
    { "next", l_next }, { "sort", l_sort }, { "has", l_has },
    { "close", l_close }, { "__gc", l_close }, { NULL, NULL },
  };
  struct fr_window **box = push_box(L, WINDOW, methods);
  enum fr_err err = fr_window_new(box);

  return err ? luaL_error(L, "%s", fr_err_message(err)) : 1;
}

/* ---- what nothing is left of --------------------------------------------- */

static struct fr_looked_list *check_looked(lua_State *L)
{
  return *(struct fr_looked_list **)luaL_checkudata(L, 1, LOOKED);
}

static int l_looked_gc(lua_State *L)
{
  struct fr_looked_list **box = luaL_checkudata(L, 1, LOOKED);

  fr_looked_free(*box);
  *box = NULL;
  return 0;
}

/* looked:take(window, from, to)                               [-4, +0, e] */
static int l_take(lua_State *L)
{
  enum fr_err err = fr_looked_take(check_looked(L), check_window(L, 2),
                                   luaL_checkinteger(L, 3),
                                   luaL_checkinteger(L, 4));

  return err ? luaL_error(L, "%s", fr_err_message(err)) : 0;
}

/* looked:pieces() -> {from_ms, to_ms, rows}...                [-1, +1, e] */
static int l_pieces(lua_State *L)
{
  struct fr_ledger *ledger = frl_of(L)->config.ledger;
  const struct fr_looked_piece *pieces;
  size_t count = 0;
  enum fr_err err = fr_looked_pieces(check_looked(L), ledger, &pieces, &count);

  if (err)
    return frl_fail_ledger(L, err);
  lua_createtable(L, (int)count, 0);
  for (size_t i = 0; i < count; i++) {
    lua_createtable(L, 0, 4);
    set_time(L, "from_ms", pieces[i].from_ms);
    set_time(L, "to_ms", pieces[i].to_ms);
    set_time(L, "rows", (int64_t)pieces[i].rows);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

/* core.looked_list() -> nothing looked at yet                 [-0, +1, m] */
static int l_looked_list(lua_State *L)
{
  static const luaL_Reg methods[] = {
    { "take", l_take }, { "pieces", l_pieces }, { "__gc", l_looked_gc },
    { NULL, NULL },
  };
  struct fr_looked_list **box = push_box(L, LOOKED, methods);
  enum fr_err err = fr_looked_new(box);

  return err ? luaL_error(L, "%s", fr_err_message(err)) : 1;
}

const luaL_Reg frl_window_functions[] = {
  { "window", l_window },
  { "looked_list", l_looked_list },
  { NULL, NULL },
};
