/* bindings/wait.h - between task.c and coroutine.c: waits that pass through
 * coroutines which a script made itself.
 *
 *   scheduler -- resumes --> task's coroutine -- resumes --> generator
 *       ^                          |    ^                       |
 *       +------- wait tag ---------+    +------ wait tag -------+
 */
#ifndef FRL_WAIT_H
#define FRL_WAIT_H

#include <lua.h>
#include <stdbool.h>

/* Body of every coroutine: runs function-and-arguments protected, so that
 * <close> handlers can wait while an error unwinds it. Results: true and
 * the function's, or false and the error. */
int frl_body(lua_State *L);

/* True when what `co` yielded is a wait; it is popped then. */
bool frl_took_wait(lua_State *co, int nres);
/* Hands the wait on to whoever resumed L; k continues. */
int frl_pass_wait(lua_State *L, lua_KContext ctx, lua_KFunction k);
/* The wait that was taken cannot be handed on: it will raise at its place. */
void frl_refuse_wait(lua_State *L);

/* The coroutine on top is the scheduler's: scripts can neither resume nor
 * close it.                                                  [-0, +0, m] */
void frl_keep_thread(lua_State *L);

/* Why a plain coroutine.yield is not possible in L, or NULL. */
const char *frl_yield_obstacle(lua_State *L);
/* Closes a suspended or failed coroutine; its handlers cannot wait. LUA_OK,
 * or an error with its object on top of co. */
int frl_close_thread(lua_State *L, lua_State *co);

#endif
