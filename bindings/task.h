/* bindings/task.h - Lua functions as tasks that wait without blocking.
 *
 *   Lua code -- calls --> binding -- starts --> op -- frl_await --> yield
 *      ^                                                              |
 *      +-- results <-- push() <-- resume <-- run queue <-- on_done <--+
 *
 * One heap, one coroutine per task. Only frl_tasks_run() resumes them, so
 * Lua never runs on top of a libcurl, SQLite or loop callback, and a Lua
 * error can never jump over their frames.
 *
 * Cancelling is a request, then a deadline: the task gets a "cancelled"
 * error at its wait, and its <close> handlers may still wait; frl_tasks_close
 * ends the rest hard. A suspended coroutine that is merely dropped never
 * runs its <close> handlers, so a task is held until it is over.
 *
 * Stack effects as in the Lua manual: [-popped, +pushed, errors]; errors is
 * - (never), m (memory), e (any), y (may yield).
 */
#ifndef FRL_TASK_H
#define FRL_TASK_H

#include <lua.h>
#include <stdbool.h>

#include "loop/loop.h"

struct frl_tasks;

/* Opens the scheduler for L and stores it where every coroutine finds it;
 * call before any coroutine exists.                          [-0, +0, m] */
enum fr_err frl_tasks_open(lua_State *L, struct fr_loop *loop,
                           struct frl_tasks **ret_tasks);
bool frl_tasks_run(struct frl_tasks *tasks);           /* [-0, +0, -] */
bool frl_tasks_ready(const struct frl_tasks *tasks);
void frl_tasks_cancel(struct frl_tasks *tasks);
void frl_tasks_close(struct frl_tasks *tasks);         /* [-0, +0, -] */
/* Ends, hard, every task that was started after the mark was taken, but for
 * the one that runs; errors that nobody waited for are reported. */
uint64_t frl_tasks_mark(const struct frl_tasks *tasks);
void frl_tasks_close_since(struct frl_tasks *tasks, uint64_t mark);

/* Starts function-and-arguments on the stack as a task; pushes its handle, a
 * userdata with methods cancel, wait (-> true, results | false, error) and
 * status. An error that nobody waits for is reported as the policy's
 * failure.                                               [-(n+1), +1, e] */
void frl_task_spawn(lua_State *L, int nargs);

/* Pushes the results of a finished op and returns how many, exactly as a
 * lua_CFunction would; the arguments of the waiting function are still at
 * their stack indexes.                                       [-0, +n, e] */
typedef int (*frl_push_fn)(lua_State *L, struct fr_op *op);

/* Ends a lua_CFunction by waiting for op:
 *
 *     fr_read_start(*box);
 *     return frl_await(L, fr_read_op(*box), push_read);
 *
 * A userdata on L's stack must keep the op alive. Raises, after abandoning
 * the op, where no yield is possible (a sort or gsub callback, require), in
 * plain words.                                               [-0, +n, ey] */
int frl_await(lua_State *L, struct fr_op *op, frl_push_fn push);

#endif
