/* bindings/safe_lib.c - the part of Lua's own library that scripts get.
 *
 * Left out: files, processes, bytecode, the debug library, finalizers (they
 * run with hooks off, so a spinning one could not be ended), and whatever
 * shows a secret of the environment. The clock is the runtime's, so that
 * os.time follows a virtual one.
 */
#include <ctype.h>
#include <lauxlib.h>
#include <lualib.h>
#include <stdlib.h>
#include <string.h>

#include "bindings/internal.h"

#define MOST_REP ((size_t)64 << 20)

/* Calls upvalue 1 with all arguments. */
static int call_original(lua_State *L)
{
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
  return lua_gettop(L);
}

static int l_setmetatable(lua_State *L)
{
  if (lua_istable(L, 2)) {
    lua_pushliteral(L, "__gc");
    if (lua_rawget(L, 2) != LUA_TNIL)
      return luaL_error(L, "__gc is not available: use a <close> variable");
    lua_pop(L, 1);
  }
  return call_original(L);
}

static int l_handler(lua_State *L)
{
  lua_settop(L, 1);
  if (frl_of(L)->caps.hit)
    return 1;
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, 1, 1);
  return 1;
}

static int xpcall_end(lua_State *L, int status, lua_KContext ctx)
{
  if (status == LUA_OK || status == LUA_YIELD)
    return lua_gettop(L) - (int)ctx;
  lua_pushboolean(L, false);
  lua_insert(L, -2);
  return 2;
}

/* xpcall(f, handler, ...): a handler runs before the stack is unwound, so
 * after an error out of a hook it would run with hooks off, and a spinning
 * one for ever. Past a cap it is therefore left out.          [-n, +n, y] */
static int l_xpcall(lua_State *L)
{
  int nargs = lua_gettop(L) - 2;

  luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_pushvalue(L, 2);
  lua_pushcclosure(L, l_handler, 1);
  lua_replace(L, 2);                    /* f, handler, args... */
  lua_pushboolean(L, true);
  lua_pushvalue(L, 1);
  lua_rotate(L, 3, 2);                  /* f, handler, true, f, args... */
  return xpcall_end(L, lua_pcallk(L, nargs, LUA_MULTRET, 2, 2, xpcall_end),
                    2);
}

static int l_collectgarbage(lua_State *L)
{
  if (strcmp(luaL_optstring(L, 1, "collect"), "count") != 0)
    return luaL_error(L, "collectgarbage can only \"count\" here");
  return call_original(L);
}

static int l_rep(lua_State *L)
{
  size_t len, sep = 0;
  lua_Integer n = luaL_checkinteger(L, 2);

  luaL_checklstring(L, 1, &len);
  luaL_optlstring(L, 3, "", &sep);
  if (len + sep == 0)           /* it would count to n all the same */
    return luaL_tolstring(L, 1, NULL) ? 1 : 0;
  if (n > 0 && len + sep > 0 && (size_t)n > MOST_REP / (len + sep))
    return luaL_error(L, "the result of string.rep would be larger than "
                         "64 MiB");
  return call_original(L);
}

static int l_time(lua_State *L)
{
  if (!lua_isnoneornil(L, 1))
    return call_original(L);
  lua_pushinteger(L, fr_clock_at(frl_of(L)->config.clock) / 1000);
  return 1;
}

static int l_date(lua_State *L)
{
  if (lua_isnoneornil(L, 2)) {
    lua_settop(L, 1);
    if (lua_isnil(L, 1)) {
      lua_pushliteral(L, "%c");
      lua_replace(L, 1);
    }
    lua_pushinteger(L, fr_clock_at(frl_of(L)->config.clock) / 1000);
  }
  return call_original(L);
}

static bool is_secret(const char *name)
{
  static const char *const marks[] = { "SECRET", "TOKEN", "PASSWORD",
                                       "PASSWD", "CREDENTIAL", NULL };
  char upper[128];
  size_t len = strlen(name);

  if (len >= sizeof(upper))
    return true;
  for (size_t i = 0; i <= len; i++)
    upper[i] = (char)toupper((unsigned char)name[i]);
  for (const char *const *mark = marks; *mark; mark++)
    if (strstr(upper, *mark))
      return true;
  return strncmp(upper, "FAL_KEY", 7) == 0 ||
         strncmp(upper, "FAL_ADMIN_KEY", 13) == 0 ||
         (len >= 4 && strcmp(upper + len - 4, "_KEY") == 0);
}

static int l_getenv(lua_State *L)
{
  const char *name = luaL_checkstring(L, 1);

  lua_pushstring(L, is_secret(name) ? NULL : getenv(name));
  return 1;
}

static const luaL_Reg libraries[] = {
  { LUA_GNAME, luaopen_base },           { "coroutine", frl_open_coroutine },
  { LUA_TABLIBNAME, luaopen_table },     { LUA_STRLIBNAME, luaopen_string },
  { LUA_MATHLIBNAME, luaopen_math },     { LUA_UTF8LIBNAME, luaopen_utf8 },
  { LUA_OSLIBNAME, luaopen_os },         { NULL, NULL },
};

static const struct {
  const char *table, *name;
  lua_CFunction function;       /* NULL: the name goes */
} changes[] = {
  { LUA_GNAME, "dofile", NULL },
  { LUA_GNAME, "loadfile", NULL },
  { LUA_GNAME, "warn", NULL },
  { LUA_GNAME, "setmetatable", l_setmetatable },
  { LUA_GNAME, "xpcall", l_xpcall },
  { LUA_GNAME, "collectgarbage", l_collectgarbage },
  { LUA_STRLIBNAME, "dump", NULL },
  { LUA_STRLIBNAME, "rep", l_rep },
  { LUA_OSLIBNAME, "execute", NULL },
  { LUA_OSLIBNAME, "exit", NULL },
  { LUA_OSLIBNAME, "remove", NULL },
  { LUA_OSLIBNAME, "rename", NULL },
  { LUA_OSLIBNAME, "setlocale", NULL },
  { LUA_OSLIBNAME, "tmpname", NULL },
  { LUA_OSLIBNAME, "time", l_time },
  { LUA_OSLIBNAME, "date", l_date },
  { LUA_OSLIBNAME, "getenv", l_getenv },
};

void frl_open_safe_lib(lua_State *L)
{
  for (const luaL_Reg *lib = libraries; lib->name; lib++) {
    luaL_requiref(L, lib->name, lib->func, 1);
    lua_pop(L, 1);
  }
  for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
    lua_getglobal(L, changes[i].table);
    if (changes[i].function) {
      lua_getfield(L, -1, changes[i].name);
      lua_pushcclosure(L, changes[i].function, 1);
    } else {
      lua_pushnil(L);
    }
    lua_setfield(L, -2, changes[i].name);
    lua_pop(L, 1);
  }
  frl_open_long_calls(L);
  lua_pushliteral(L, "");
  lua_getmetatable(L, -1);
  lua_pushboolean(L, false);
  lua_setfield(L, -2, "__metatable");
  lua_pop(L, 2);
}
