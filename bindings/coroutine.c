/* bindings/coroutine.c - Lua's coroutine library, for scripts that wait.
 *
 * A generator may call fal.sleep or page through a listing: the wait then
 * travels outwards, from each coroutine to whoever resumed it, up to the
 * scheduler, and back in the same way. While it is under way the coroutine
 * counts as running, so nobody else can resume or close it.
 *
 * Which coroutines are taken is kept in a table with weak keys, entered
 * before the resume: after it, nothing may raise for lack of memory. Those of
 * tasks are in it for ever: coroutine.running hands them out, and only the
 * scheduler may resume or close them.
 */
#include <lauxlib.h>
#include <lualib.h>

#include "bindings/internal.h"
#include "bindings/wait.h"

static const char taken_key;

static lua_State *check_coroutine(lua_State *L)
{
  lua_State *co = lua_tothread(L, 1);

  luaL_argexpected(L, co, 1, "coroutine");
  return co;
}

/* In what follows the coroutine is at `index` of L: the first argument, or
 * the upvalue of a wrapped one. */
static bool is_taken(lua_State *L, int index)
{
  bool taken;

  lua_rawgetp(L, LUA_REGISTRYINDEX, &taken_key);
  lua_pushvalue(L, index);
  taken = lua_rawget(L, -2) != LUA_TNIL;
  lua_pop(L, 2);
  return taken;
}

static void set_taken(lua_State *L, int index, bool taken)
{
  lua_rawgetp(L, LUA_REGISTRYINDEX, &taken_key);
  lua_pushvalue(L, index);
  if (taken)
    lua_pushboolean(L, true);
  else
    lua_pushnil(L);
  lua_rawset(L, -3);
  lua_pop(L, 1);
}

void frl_keep_thread(lua_State *L)
{
  set_taken(L, lua_gettop(L), true);
}

/* coroutine.create(f) -> coroutine                            [-1, +1, m] */
static int l_create(lua_State *L)
{
  lua_State *co;

  luaL_checktype(L, 1, LUA_TFUNCTION);
  co = lua_newthread(L);
  lua_pushcfunction(co, frl_body);
  lua_pushvalue(L, 1);
  lua_xmove(L, co, 1);
  return 1;
}

/* Why it cannot be resumed, or NULL. */
static const char *obstacle(lua_State *L, int index)
{
  lua_State *co = lua_tothread(L, index);

  if (co == L || is_taken(L, index))
    return "cannot resume non-suspended coroutine";
  if (lua_status(co) == LUA_YIELD)
    return NULL;
  if (lua_status(co) == LUA_OK && lua_gettop(co) > 0)
    return NULL;
  return "cannot resume dead coroutine";
}

/* Moves what co gave to L: true and values, or false and the error. */
static int take_values(lua_State *L, lua_State *co, int status, int nres)
{
  bool ok = status == LUA_YIELD;

  if (status != LUA_YIELD && status != LUA_OK) {
    lua_pushboolean(L, false);
    lua_xmove(co, L, 1);
    return 2;
  }
  if (status == LUA_OK) {               /* frl_body's: ok, values... */
    ok = lua_toboolean(co, -nres);
    nres--;
  }
  if (!lua_checkstack(L, nres + 1)) {
    lua_pop(co, nres);
    return luaL_error(L, "too many results of a coroutine");
  }
  lua_pushboolean(L, ok);
  lua_xmove(co, L, nres);
  if (status == LUA_OK)
    lua_settop(co, 0);
  return nres + 1;
}

static int resume(lua_State *L, lua_State *co, int nargs, int *ret_nres)
{
  lua_State *before = frl_caps_running(L, co);
  int status = lua_resume(co, L, nargs, ret_nres);

  frl_caps_running(L, before);
  return status;
}

/* Resumes it with nargs values of its own stack until it yields to the
 * script, ends, or waits. */
static int advance(lua_State *L, int index, int nargs, lua_KFunction k)
{
  lua_State *co = lua_tothread(L, index);
  int nres = 0;
  int status = resume(L, co, nargs, &nres);

  while (status == LUA_YIELD && frl_took_wait(co, nres)) {
    if (lua_isyieldable(L))
      return frl_pass_wait(L, index, k);
    frl_refuse_wait(L);
    status = resume(L, co, 0, &nres);
  }
  frl_caps_follow(L);
  set_taken(L, index, false);
  return take_values(L, co, status, nres);
}

static int begin(lua_State *L, int index, int nargs, lua_KFunction k)
{
  lua_State *co = lua_tothread(L, index);
  const char *why = obstacle(L, index);

  if (!why && !lua_checkstack(co, nargs + 1))
    why = "too many arguments to resume";
  if (why) {
    lua_pushboolean(L, false);
    lua_pushstring(L, why);
    return 2;
  }
  luaL_checkstack(L, 4, NULL);
  set_taken(L, index, true);
  frl_caps_follow(co);
  lua_xmove(L, co, nargs);
  if (lua_status(co) == LUA_OK)
    nargs++;                            /* the function, for frl_body */
  return advance(L, index, nargs, k);
}

static int resume_k(lua_State *L, int status, lua_KContext ctx)
{
  (void)status;
  return advance(L, (int)ctx, 0, resume_k);
}

/* coroutine.resume(co, ...) -> true, values | false, error    [-n, +n, ey] */
static int l_resume(lua_State *L)
{
  check_coroutine(L);
  return begin(L, 1, lua_gettop(L) - 1, resume_k);
}

static int unwrap(lua_State *L, int n)
{
  if (lua_toboolean(L, -n))
    return n - 1;
  return lua_error(L);
}

static int wrapped_k(lua_State *L, int status, lua_KContext ctx)
{
  (void)status;
  return unwrap(L, advance(L, (int)ctx, 0, wrapped_k));
}

static int l_wrapped(lua_State *L)
{
  const char *why = obstacle(L, lua_upvalueindex(1));

  if (why) {
    frl_where(L);
    lua_pushstring(L, why);
    lua_concat(L, 2);
    return lua_error(L);
  }
  return unwrap(L, begin(L, lua_upvalueindex(1), lua_gettop(L), wrapped_k));
}

/* coroutine.wrap(f) -> function                               [-1, +1, m] */
static int l_wrap(lua_State *L)
{
  l_create(L);
  lua_pushcclosure(L, l_wrapped, 1);
  return 1;
}

static int l_yield(lua_State *L)
{
  const char *why = frl_yield_obstacle(L);

  if (why)
    return luaL_error(L, "%s", why);
  return lua_yield(L, lua_gettop(L));
}

/* coroutine.close(co) -> true | false, error                  [-1, +n, e] */
static int l_close(lua_State *L)
{
  lua_State *co = check_coroutine(L);

  if (co == L || is_taken(L, 1))
    return luaL_error(L, "cannot close a running coroutine");
  if (frl_close_thread(L, co) == LUA_OK) {
    lua_pushboolean(L, true);
    return 1;
  }
  lua_pushboolean(L, false);
  lua_xmove(co, L, 1);
  return 2;
}

static const luaL_Reg functions[] = {
  { "create", l_create }, { "resume", l_resume }, { "wrap", l_wrap },
  { "yield", l_yield },   { "close", l_close },   { NULL, NULL },
};

int frl_open_coroutine(lua_State *L)
{
  lua_newtable(L);
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "k");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &taken_key);
  lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
  frl_keep_thread(L);
  lua_pop(L, 1);
  luaopen_coroutine(L);
  luaL_setfuncs(L, functions, 0);
  return 1;
}
