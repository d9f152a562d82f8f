/* bindings/json.c - the global `json`: {decode, encode, null, array}.
 *
 * Decoding is lua-cjson's, after a strict scan (json_scan.c) and before a
 * walk that makes integers of numbers. lua-cjson gives every number as a
 * double, so the rule is: integral and below 2^53 is an integer. A decoded
 * empty list cannot be told from an empty object; json.array marks one.
 */
#include <lauxlib.h>
#include <lua-cjson.h>
#include <math.h>

#include "bindings/internal.h"
#include "bindings/json.h"

#define EXACT 9007199254740992.0        /* 2^53 */

static const char decode_key;

/* Makes an integer of the number on top where it is one. */
static void fix_number(lua_State *L)
{
  lua_Number number = lua_tonumber(L, -1);

  if (lua_isinteger(L, -1) || floor(number) != number ||
      number <= -EXACT || number >= EXACT)
    return;
  lua_pop(L, 1);
  lua_pushinteger(L, (lua_Integer)number);
}

/* Makes integers inside the table on top; the depth is bounded. */
static void fix_table(lua_State *L)
{
  luaL_checkstack(L, 6, "json.decode");
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    if (lua_type(L, -1) == LUA_TNUMBER) {
      fix_number(L);
      lua_pushvalue(L, -2);
      lua_insert(L, -2);
      lua_rawset(L, -4);
      continue;
    }
    if (lua_istable(L, -1))
      fix_table(L);
    lua_pop(L, 1);
  }
}

/* Pushes the value and returns true, or pushes what is wrong. */
static bool decode(lua_State *L, const char *text, size_t len)
{
  const char *problem;
  size_t at = 0;
  int status;

  luaL_checkstack(L, 6, NULL);
  if (len > FRL_JSON_MOST) {
    lua_pushliteral(L, "the JSON text is larger than 64 MiB");
    return false;
  }
  text = lua_pushlstring(L, text, len);         /* ended by a NUL */
  problem = frl_json_scan(text, len, &at);
  if (problem) {
    lua_pushfstring(L, "the JSON text is not valid: %s at character %I",
                    problem, (LUAI_UACINT)at + 1);
    return false;
  }
  lua_rawgetp(L, LUA_REGISTRYINDEX, &decode_key);
  lua_insert(L, -2);
  status = lua_pcall(L, 1, 1, 0);
  if (status == LUA_ERRMEM)
    lua_error(L);
  if (status != LUA_OK) {             /* lua-cjson's word for the end */
    lua_pushfstring(L, "the JSON text is not valid: %s",
                    luaL_gsub(L, luaL_tolstring(L, -1, NULL), "T_END",
                              "the end of the text"));
    return false;
  }
  if (lua_type(L, -1) == LUA_TNUMBER)
    fix_number(L);
  else if (lua_istable(L, -1))
    fix_table(L);
  return true;
}

void frl_json_decode(lua_State *L, const char *text, size_t len)
{
  if (decode(L, text, len))
    return;
  frl_push_error(L, FR_EPROTOCOL, lua_tostring(L, -1));
  lua_error(L);
}

/* json.decode(text) -> value | nil, err                       [-1, +n, e] */
static int l_decode(lua_State *L)
{
  const char *text;
  size_t len;

  if (lua_type(L, 1) != LUA_TSTRING)
    return frl_bad_argument(L, "json.decode", "text",
                            "a string is needed, got %s",
                            lua_isnone(L, 1) ? "nothing"
                            : luaL_typename(L, 1));
  text = lua_tolstring(L, 1, &len);
  if (decode(L, text, len))
    return 1;
  return frl_fail(L, FR_EINVALID, lua_tostring(L, -1));
}

/* json.array(list?) -> the list, marked                       [-1, +1, e] */
static int l_array(lua_State *L)
{
  lua_settop(L, 1);
  if (lua_isnil(L, 1)) {
    lua_newtable(L);
    lua_replace(L, 1);
  }
  if (!lua_istable(L, 1))
    return frl_bad_argument(L, "json.array", "list",
                            "a table is needed, got %s",
                            luaL_typename(L, 1));
  luaL_getmetatable(L, FRL_JSON_ARRAY);
  if (lua_getmetatable(L, 1) && !lua_rawequal(L, -1, -2))
    return frl_bad_argument(L, "json.array", "list",
                            "this table has a metatable of its own");
  lua_settop(L, 2);
  lua_setmetatable(L, 1);
  return 1;
}

/* Pushes the decoder of an own instance of lua-cjson. */
static void push_decoder(lua_State *L)
{
  luaopen_cjson(L);
  lua_getfield(L, -1, "new");
  lua_call(L, 0, 1);
  lua_getfield(L, -1, "decode_max_depth");
  lua_pushinteger(L, FRL_JSON_DEPTH);
  lua_call(L, 1, 0);
  lua_getfield(L, -1, "decode_invalid_numbers");
  lua_pushboolean(L, false);
  lua_call(L, 1, 0);
  lua_getfield(L, -1, "decode");
  lua_replace(L, -3);
  lua_pop(L, 1);
}

int frl_open_json(lua_State *L)
{
  static const luaL_Reg functions[] = {
    { "decode", l_decode },
    { "encode", frl_json_encode },
    { "array", l_array },
    { NULL, NULL },
  };

  push_decoder(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &decode_key);
  frl_json_open_encoder(L);
  luaL_newlib(L, functions);
  lua_pushlightuserdata(L, NULL);
  lua_setfield(L, -2, "null");
  return 1;
}
