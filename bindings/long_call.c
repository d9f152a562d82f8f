/* bindings/long_call.c - the calls of Lua's library that may never end.
 *
 * A pattern that explodes, or a list whose __len is 2^40, computes inside one
 * C function, where no hook runs. Such a call is marked while it is under
 * way, so that the alarm may leave it where it is (caps.h); what it calls
 * back is Lua, and ended by hooks as usual. table.sort and the like are here
 * for their metamethods.
 *
 * The mark must not outlive an error, so there is a pcall, and the messages
 * are made again where they belong: at the caller, with the caller's name
 * for the function.
 */
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <string.h>

#include "bindings/internal.h"

static bool is_c(lua_State *L, int level)
{
  lua_Debug ar;

  return lua_getstack(L, level, &ar) && lua_getinfo(L, "S", &ar) &&
         strcmp(ar.what, "C") == 0;
}

/* Notes whether the library itself raised, and not what it called back. */
static int l_note(lua_State *L)
{
  frl_of(L)->library_raised = is_c(L, 1) && is_c(L, 2);
  return 1;
}

/* Raises the error on top again, as if the library stood where we do. The
 * text of a lack of memory has no place, for frl_report knows it by heart. */
static int raise_again(lua_State *L)
{
  const char *text = lua_tostring(L, -1), *why;
  int argument = 0, at = 0;

  if (!frl_of(L)->library_raised || lua_type(L, -1) != LUA_TSTRING ||
      strcmp(text, "not enough memory") == 0)
    return lua_error(L);
  (void)sscanf(text, "bad argument #%d to '?' (%n", &argument, &at);
  if (!at)
    return luaL_error(L, "%s", text);
  why = lua_pushlstring(L, text + at, strlen(text + at) - 1);
  return luaL_argerror(L, argument, why);
}

/* Calls upvalue 1 with all arguments.                         [-n, +n, e] */
static int call_long(lua_State *L)
{
  struct frl *frl = frl_of(L);
  sig_atomic_t before = frl->caps.in_library;
  int status;

  lua_pushcfunction(L, l_note);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_rotate(L, 1, 2);                  /* note, function, arguments */
  frl->library_raised = false;
  frl->caps.in_library = 1;
  status = lua_pcall(L, lua_gettop(L) - 2, LUA_MULTRET, 1);
  frl->caps.in_library = before;
  return status == LUA_OK ? lua_gettop(L) - 1 : raise_again(L);
}

/* string.gmatch(s, pattern): the iterator is what takes long. */
static int l_gmatch(lua_State *L)
{
  call_long(L);
  lua_pushcclosure(L, call_long, 1);
  return 1;
}

static const struct {
  const char *table, *name;
  lua_CFunction function;
} calls[] = {
  { LUA_STRLIBNAME, "find", call_long },
  { LUA_STRLIBNAME, "match", call_long },
  { LUA_STRLIBNAME, "gmatch", l_gmatch },
  { LUA_STRLIBNAME, "gsub", call_long },
  { LUA_TABLIBNAME, "concat", call_long },
  { LUA_TABLIBNAME, "insert", call_long },
  { LUA_TABLIBNAME, "move", call_long },
  { LUA_TABLIBNAME, "remove", call_long },
  { LUA_TABLIBNAME, "sort", call_long },
};

void frl_open_long_calls(lua_State *L)
{
  for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
    lua_getglobal(L, calls[i].table);
    lua_getfield(L, -1, calls[i].name);
    lua_pushcclosure(L, calls[i].function, 1);
    lua_setfield(L, -2, calls[i].name);
    lua_pop(L, 1);
  }
}
