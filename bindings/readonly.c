/* bindings/readonly.c - views of library tables, for policies.
 *
 * A view is an empty table whose metatable forwards reads, so pairs works,
 * writes raise, and what the library itself uses cannot be replaced. One
 * view per table: views compare equal. A table that is filled late has the
 * function that does it as `__open` in its metatable: called before its view.
 *
 * A Lua function of the library is handed out behind a C function, its door.
 * `return fal.requests {...}` is a tail call: made to a Lua function it takes
 * the policy's line off the stack, and no error could name that line.
 */
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "bindings/internal.h"

static const char views_key;

enum { TARGET = lua_upvalueindex(1), NAME = lua_upvalueindex(2) };

static int raise_here(lua_State *L)
{
  frl_where(L);
  lua_insert(L, -2);
  lua_concat(L, 2);
  return lua_error(L);
}

/* Pushes the table of views by target. */
static void push_views(lua_State *L)
{
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &views_key) == LUA_TTABLE)
    return;
  lua_pop(L, 1);
  lua_newtable(L);
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "k");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &views_key);
}

static int call_k(lua_State *L, int status, lua_KContext ctx)
{
  (void)status;
  (void)ctx;
  return lua_gettop(L);
}

static int l_door(lua_State *L)
{
  lua_pushvalue(L, TARGET);
  lua_insert(L, 1);
  lua_callk(L, lua_gettop(L) - 1, LUA_MULTRET, 0, call_k);
  return call_k(L, LUA_OK, 0);
}

/* Replaces the Lua function on top by its door, always the same one. */
static void wrap_function(lua_State *L)
{
  luaL_checkstack(L, 8, NULL);
  push_views(L);
  lua_pushvalue(L, -2);
  if (lua_rawget(L, -2) == LUA_TNIL) {
    lua_pop(L, 1);
    lua_pushvalue(L, -2);
    lua_pushcclosure(L, l_door, 1);
    lua_pushvalue(L, -3);
    lua_pushvalue(L, -2);
    lua_rawset(L, -4);                  /* views[function] = door */
  }
  lua_replace(L, -3);
  lua_pop(L, 1);
}

/* Replaces the table on top by its view, named after the key at index 2, and
 * a Lua function by its door. */
static void wrap_value(lua_State *L)
{
  const char *key;

  if (lua_isfunction(L, -1) && !lua_iscfunction(L, -1))
    wrap_function(L);
  if (!lua_istable(L, -1))
    return;
  key = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "?";
  lua_pushfstring(L, "%s.%s", lua_tostring(L, NAME), key);
  frl_readonly(L, -2, lua_tostring(L, -1));
}

static int by_name(const void *a, const void *b)
{
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Pushes the sentence with `what` in it, and the names that there are. */
static void push_missing(lua_State *L, const char *format, const char *what)
{
  enum { MOST = 32 };
  const char *names[MOST] = { NULL };
  int count = 0;
  luaL_Buffer text;

  for (lua_pushnil(L); lua_next(L, TARGET); lua_pop(L, 1))
    if (lua_type(L, -2) == LUA_TSTRING && count < MOST)
      names[count++] = lua_tostring(L, -2);
  qsort(names, (size_t)count, sizeof(*names), by_name);
  lua_pushfstring(L, format, what);
  luaL_buffinit(L, &text);
  luaL_addstring(&text, "; ");
  luaL_addstring(&text, lua_tostring(L, NAME));
  luaL_addstring(&text, " has ");
  for (int i = 0; i < count; i++) {
    luaL_addstring(&text, i ? ", " : "");
    luaL_addstring(&text, names[i]);
  }
  luaL_pushresult(&text);
  lua_concat(L, 2);
}

static int l_index(lua_State *L)
{
  const char *word, *nearest, *name = lua_tostring(L, NAME);

  lua_settop(L, 2);
  lua_pushvalue(L, 2);
  if (lua_gettable(L, TARGET) != LUA_TNIL) {
    wrap_value(L);
    return 1;
  }
  word = luaL_tolstring(L, 2, NULL);
  nearest = frl_nearest_key(L, TARGET, word);
  if (nearest)
    lua_pushfstring(L, "%s.%s does not exist (did you mean '%s.%s'?)", name,
                    word, name, nearest);
  else
    push_missing(L, "%s does not exist",
                 lua_pushfstring(L, "%s.%s", name, word));
  return raise_here(L);
}

static int l_newindex(lua_State *L)
{
  lua_pushfstring(L, "%s.%s cannot be set: the library is read-only",
                  lua_tostring(L, NAME), luaL_tolstring(L, 2, NULL));
  return raise_here(L);
}

static int l_next(lua_State *L)
{
  lua_settop(L, 2);
  if (!lua_next(L, TARGET)) {
    lua_pushnil(L);
    return 1;
  }
  lua_pushvalue(L, -2);
  lua_replace(L, 2);                    /* names the value's view */
  wrap_value(L);
  lua_pushvalue(L, 2);
  lua_insert(L, -2);
  return 2;
}

static int l_pairs(lua_State *L)
{
  lua_pushvalue(L, TARGET);
  lua_pushvalue(L, NAME);
  lua_pushcclosure(L, l_next, 2);
  lua_pushvalue(L, 1);
  lua_pushnil(L);
  return 3;
}

static int l_call(lua_State *L)
{
  lua_pushvalue(L, TARGET);
  if (luaL_getmetafield(L, -1, "__call") == LUA_TNIL) {
    push_missing(L, "%s is a table, not a function", lua_tostring(L, NAME));
    return raise_here(L);
  }
  lua_pop(L, 1);
  lua_replace(L, 1);
  lua_callk(L, lua_gettop(L) - 1, LUA_MULTRET, 0, call_k);
  return call_k(L, LUA_OK, 0);
}

static const luaL_Reg forwards[] = {
  { "__index", l_index }, { "__newindex", l_newindex },
  { "__pairs", l_pairs }, { "__call", l_call },
  { NULL, NULL },
};

void frl_readonly(lua_State *L, int index, const char *name)
{
  index = lua_absindex(L, index);
  luaL_checkstack(L, 8, NULL);
  push_views(L);
  lua_pushvalue(L, index);
  if (lua_rawget(L, -2) == LUA_TTABLE) {
    lua_remove(L, -2);
    return;
  }
  lua_pop(L, 1);
  if (luaL_getmetafield(L, index, "__open") != LUA_TNIL)
    lua_call(L, 0, 0);                  /* it fills the table, late */
  lua_newtable(L);                      /* views, view */
  lua_createtable(L, 0, 6);
  lua_pushboolean(L, false);
  lua_setfield(L, -2, "__metatable");
  lua_pushvalue(L, index);
  lua_pushstring(L, name);
  luaL_setfuncs(L, forwards, 2);
  lua_setmetatable(L, -2);
  lua_pushvalue(L, index);
  lua_pushvalue(L, -2);
  lua_rawset(L, -4);                    /* views[target] = view */
  lua_remove(L, -2);
}
