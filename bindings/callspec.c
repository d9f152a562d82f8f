/* bindings/callspec.c - see callspec.h. */
#include "bindings/callspec.h"

#include <string.h>

#include "bindings/json.h"
#include "bindings/nouns.h"

#define PAIRS_MAX 10000
#define TIMEOUT_MAX_MS (10 * 60 * 1000)

/* ---- the query ----------------------------------------------------------- */

/* The text of the value on top, which it may replace by its text. */
static const char *check_value(lua_State *L, const char *function,
                               size_t *ret_len)
{
  if (lua_isboolean(L, -1)) {
    lua_pushstring(L, lua_toboolean(L, -1) ? "true" : "false");
    lua_replace(L, -2);
  } else if (lua_type(L, -1) != LUA_TSTRING && !lua_isinteger(L, -1)) {
    frl_bad_argument(L, function, "query", "a value is a string, an integer "
                     "or a boolean, not %s",
                     lua_isnumber(L, -1) ? "a fraction"
                                         : luaL_typename(L, -1));
  }
  return lua_tolstring(L, -1, ret_len);
}

static enum fr_err add_pair(struct fr_buf *query, const char *name,
                            const char *value, size_t len)
{
  enum fr_err err = query->len ? fr_buf_add_text(query, "&") : FR_OK;

  if (!err)
    err = fr_url_add_escaped(query, name, strlen(name));
  if (!err)
    err = fr_buf_add_text(query, "=");
  return err ? err : fr_url_add_escaped(query, value, len);
}

/* Adds the pair {name, value} on top of the stack, and pops it. */
static void check_pair(lua_State *L, const char *function,
                       struct fr_buf *query)
{
  const char *value;
  enum fr_err err;
  size_t len;

  if (!lua_istable(L, -1))
    frl_bad_argument(L, function, "query", "a list of {name, value} pairs "
                     "expected");
  if (lua_rawgeti(L, -1, 1) != LUA_TSTRING)
    frl_bad_argument(L, function, "query", "a name is a string, not %s",
                     luaL_typename(L, -1));
  lua_rawgeti(L, -2, 2);
  value = check_value(L, function, &len);
  err = add_pair(query, lua_tostring(L, -2), value, len);
  if (err == FR_ETOO_BIG)
    frl_bad_argument(L, function, "query", "longer than %d bytes",
                     (int)FRL_QUERY_MAX);
  if (err)
    luaL_error(L, "%s", fr_err_message(err));
  lua_pop(L, 3);
}

const char *frl_call_query(lua_State *L, int call, const char *function,
                           struct fr_buf *query)
{
  lua_Unsigned count;

  if (!frl_field(L, call, function, "query", LUA_TTABLE))
    return NULL;
  count = lua_rawlen(L, -1);
  if (count > PAIRS_MAX)
    frl_bad_argument(L, function, "query", "more than %d pairs", PAIRS_MAX);
  for (lua_Unsigned i = 1; i <= count; i++) {
    lua_rawgeti(L, -1, (lua_Integer)i);
    check_pair(L, function, query);
  }
  return query->len ? fr_buf_text(query) : NULL;
}

/* ---- the rest of the call ------------------------------------------------ */

const char *frl_call_body(lua_State *L, int call, const char *function)
{
  if (!frl_field(L, call, function, "body", LUA_TTABLE))
    return NULL;
  lua_pushcfunction(L, frl_json_encode);
  lua_pushvalue(L, -2);
  lua_call(L, 1, 1);
  return lua_tostring(L, -1);
}

enum fr_key frl_call_key(lua_State *L, int call, const char *function)
{
  static const char *const names[] = { "none", "api", "admin", "list",
                                       "optional", NULL };
  static const enum fr_key keys[] = {
    FR_KEY_NONE, FR_KEY_API, FR_KEY_ADMIN, FR_KEY_LIST, FR_KEY_OPTIONAL
  };
  const char *name = frl_field_text(L, call, function, "key", 0, 20);

  if (!name)
    return FR_KEY_API;
  for (int i = 0; names[i]; i++)
    if (strcmp(name, names[i]) == 0)
      return keys[i];
  frl_bad_argument(L, function, "key", "\"none\", \"api\", \"admin\", "
                   "\"list\" or \"optional\" expected, got \"%s\"", name);
  return FR_KEY_NONE;
}

uint32_t frl_call_timeout(lua_State *L, int call, const char *function)
{
  uint64_t ms;

  lua_pushliteral(L, "timeout");
  if (lua_rawget(L, call) == LUA_TNIL)
    return 0;
  ms = frl_check_duration(L, lua_gettop(L), function, "timeout");
  if (ms < 1 || ms > TIMEOUT_MAX_MS)
    frl_bad_argument(L, function, "timeout", "1ms to 10m expected, got %s",
                     lua_tostring(L, -1));
  return (uint32_t)ms;
}
