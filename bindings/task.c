/* bindings/task.c - the scheduler. See task.h for the contract.
 *
 * A task is a userdata: its coroutine is its user value, and the registry
 * holds it while it is alive, so handles may outlive it and results stay on
 * the coroutine's own stack until somebody asks for them.
 *
 * The end of a task is never a dropped coroutine. Closing hard resumes it
 * with a "cancelled" error at its wait, and from then on every wait fails at
 * once; so all levels of nested coroutines unwind in order, which
 * lua_resetthread on the outermost one alone would not do.
 *
 * An error that nobody waits for must not get lost: it is reported when the
 * handle is collected, or when the last task is over, whichever is first.
 */
#include "bindings/task.h"

#include <lauxlib.h>
#include <string.h>

#include "bindings/env.h"
#include "bindings/internal.h"
#include "bindings/wait.h"

#define TASK "fal.task"
#define WAITER "frl.waiter"
#define BATCH_MS 1000u

static const char wait_tag;     /* its address marks our own yields */

struct frl_task {
  struct fr_list all;           /* of the scheduler: all, or failed */
  struct fr_list ready;
  struct fr_list waiters;
  struct frl_tasks *tasks;
  lua_State *co;
  uint64_t serial;              /* grows from task to task */
  int nargs, nres;
  struct fr_op *op;             /* what it waits for, or NULL */
  frl_push_fn push;
  bool over, failed, cancel, refuse;
  bool cancelled;               /* it was asked to end, ever */
  bool ending;                  /* by frl_tasks_cancel */
};

struct frl_tasks {
  lua_State *L;
  struct fr_loop *loop;
  struct fr_list all, ready, failed;
  struct frl_task *current;
  lua_State *closing;           /* a coroutine under frl_close_thread */
  uint64_t serial;              /* of the latest task */
  bool hard;                    /* waits fail at once */
};

struct waiter {                 /* one task:wait() */
  struct fr_op op;
  struct fr_list link;
  struct frl_task *task;
};

static struct frl_tasks *tasks_of(lua_State *L)
{
  return *(struct frl_tasks **)lua_getextraspace(L);
}

lua_State *frl_task_thread(lua_State *L)
{
  struct frl_tasks *tasks = tasks_of(L);

  return tasks && tasks->current ? tasks->current->co : NULL;
}

static void make_ready(struct frl_task *task)
{
  if (!task->over && fr_list_empty(&task->ready))
    fr_list_add(&task->tasks->ready, &task->ready);
}

/* ---- waiting ----------------------------------------------------------- */

static void op_done(struct fr_op *op, void *arg)
{
  (void)op;
  make_ready(arg);
}

static int raise_cancelled(lua_State *L, struct frl_task *task)
{
  task->cancel = false;
  frl_push_error(L, FR_ECANCELLED, "the task was cancelled");
  return lua_error(L);
}

static int refuse(lua_State *L)
{
  frl_where(L);
  lua_pushliteral(L, "cannot wait here: a callback of sort, gsub or another "
                     "C function cannot be suspended");
  lua_concat(L, 2);
  return lua_error(L);
}

static int await_k(lua_State *L, int status, lua_KContext ctx)
{
  struct frl_tasks *tasks = tasks_of(L);
  struct frl_task *task = tasks->current;
  struct fr_op *op = (struct fr_op *)ctx;

  (void)status;
  task->op = NULL;
  if (task->refuse) {
    task->refuse = false;
    return refuse(L);
  }
  if (task->cancel || tasks->hard)
    return raise_cancelled(L, task);
  return task->push(L, op);
}

int frl_await(lua_State *L, struct fr_op *op, frl_push_fn push)
{
  struct frl_tasks *tasks = tasks_of(L);
  struct frl_task *task = tasks->current;

  if (!task || tasks->closing || !lua_isyieldable(L)) {
    fr_op_abandon(op);
    return refuse(L);
  }
  if (task->cancel || tasks->hard) {
    fr_op_abandon(op);
    return raise_cancelled(L, task);
  }
  luaL_checkstack(L, 1, NULL);
  task->op = op;
  task->push = push;
  fr_op_wait(op, op_done, task);
  lua_pushlightuserdata(L, (void *)&wait_tag);
  return lua_yieldk(L, 1, (lua_KContext)op, await_k);
}

bool frl_took_wait(lua_State *co, int nres)
{
  if (nres != 1 || lua_touserdata(co, -1) != &wait_tag)
    return false;
  lua_pop(co, 1);
  return true;
}

int frl_pass_wait(lua_State *L, lua_KContext ctx, lua_KFunction k)
{
  lua_pushlightuserdata(L, (void *)&wait_tag);
  return lua_yieldk(L, 1, ctx, k);
}

void frl_refuse_wait(lua_State *L)
{
  struct frl_task *task = tasks_of(L)->current;

  fr_op_abandon(task->op);
  task->refuse = true;
}

const char *frl_yield_obstacle(lua_State *L)
{
  struct frl_tasks *tasks = tasks_of(L);

  if (!tasks->current || L == tasks->current->co)
    return "coroutine.yield outside of a coroutine: a policy itself cannot "
           "yield, to wait use fal.sleep";
  if (L == tasks->closing)
    return "coroutine.yield in a <close> handler of a coroutine that is "
           "being closed";
  if (!lua_isyieldable(L))
    return "coroutine.yield inside a callback of sort, gsub or another C "
           "function";
  return NULL;
}

int frl_close_thread(lua_State *L, lua_State *co)
{
  struct frl_tasks *tasks = tasks_of(L);
  lua_State *before = tasks->closing;
  lua_State *running = frl_caps_running(L, co);
  int status;

  tasks->closing = co;
#if LUA_VERSION_RELEASE_NUM >= 50406
  status = lua_closethread(co, L);
#else
  status = lua_resetthread(co);
#endif
  tasks->closing = before;
  frl_caps_running(L, running);
  return status;
}

/* ---- the life of a task ------------------------------------------------ */

static int body_end(lua_State *L, int status, lua_KContext ctx)
{
  bool ok = status == LUA_OK || status == LUA_YIELD;

  (void)ctx;
  lua_pushboolean(L, ok);
  lua_replace(L, 1);            /* where the message handler was */
  return lua_gettop(L);         /* the function's results, or the error */
}

int frl_body(lua_State *L)
{
  int nargs = lua_gettop(L) - 1;

  lua_pushcfunction(L, frl_note_raise);
  lua_insert(L, 1);
  return body_end(L, lua_pcallk(L, nargs, LUA_MULTRET, 1, 0, body_end), 0);
}

/* is_cancelled(error) -> boolean                              [-1, +1, m] */
static int is_cancelled(lua_State *L)
{
  bool asked = false;

  if (!lua_istable(L, 1))
    return 0;
  lua_pushliteral(L, "code");
  if (lua_rawget(L, 1) == LUA_TSTRING)
    asked = strcmp(lua_tostring(L, -1), fr_err_name(FR_ECANCELLED)) == 0;
  lua_pushboolean(L, asked);
  return 1;
}

static bool push_error_of(lua_State *L, struct frl_task *task)
{
  if (!lua_checkstack(L, 4) || !lua_checkstack(task->co, 1))
    return false;
  lua_pushvalue(task->co, -1);
  if (L != task->co)
    lua_xmove(task->co, L, 1);
  return true;
}

/* Whether the task ended because somebody had asked it to. */
static bool ended_as_asked(struct frl_task *task)
{
  lua_State *L = task->tasks->L;
  bool asked;

  if (!task->cancelled || !push_error_of(L, task))
    return false;
  lua_pushcfunction(L, is_cancelled);
  lua_insert(L, -2);
  asked = lua_pcall(L, 1, 1, 0) == LUA_OK && lua_toboolean(L, -1);
  lua_pop(L, 1);
  return asked;
}

/* An error object may have a __tostring that spins: it needs a hook, and
 * finalizers run without. There the object is not asked. */
static void report(lua_State *L, struct frl_task *task, bool finalizing)
{
  struct frl *frl = frl_of(L);

  fr_list_del(&task->all);
  if (!finalizing)
    frl_caps_turn(frl, L);
  frl->finalizing = finalizing;
  frl->of_task = true;          /* fal.spawn(math.abs) has no script's frame */
  if (push_error_of(L, task))
    frl_report(L);
  frl->finalizing = frl->of_task = false;
  if (!finalizing)
    frl_caps_running(L, NULL);
}

static void report_failed(struct frl_tasks *tasks)
{
  while (!fr_list_empty(&tasks->failed))
    report(tasks->L, fr_container_of(tasks->failed.next, struct frl_task, all),
           false);
}

static void end(struct frl_task *task)
{
  struct frl_tasks *tasks = task->tasks;
  bool claimed = !fr_list_empty(&task->waiters);

  task->over = true;
  task->op = NULL;
  fr_list_del(&task->ready);
  fr_list_del(&task->all);
  while (!fr_list_empty(&task->waiters)) {
    struct waiter *waiter =
      fr_container_of(task->waiters.next, struct waiter, link);
    fr_list_del(&waiter->link);
    fr_op_finish(&waiter->op, FR_OK);
  }
  if (task->failed && !claimed && !ended_as_asked(task))
    fr_list_add(&tasks->failed, &task->all);
  lua_pushnil(tasks->L);
  lua_rawsetp(tasks->L, LUA_REGISTRYINDEX, task);       /* lets it go */
}

/* The results of the coroutine, as frl_body left them. A failure outside of
 * the body (no memory for it) has its error object alone on top. */
static void take_results(struct frl_task *task, int status, int nres)
{
  if (status != LUA_OK) {
    task->failed = true;
    task->nres = 1;
    return;
  }
  task->failed = !lua_toboolean(task->co, -nres);
  task->nres = nres - 1;
}

static void resume(struct frl_task *task)
{
  struct frl_tasks *tasks = task->tasks;
  struct frl_task *before = tasks->current;
  int nres = 0, nargs = task->nargs;
  int status;

  task->nargs = 0;
  tasks->current = task;
  frl_caps_turn(frl_of(tasks->L), task->co);
  status = lua_resume(task->co, tasks->L, nargs, &nres);
  frl_caps_running(tasks->L, NULL);
  tasks->current = before;
  if (status == LUA_YIELD && frl_took_wait(task->co, nres))
    return;                     /* sleeps until op_done */
  if (status == LUA_YIELD)      /* cannot be: frl_yield_obstacle */
    status = frl_close_thread(tasks->L, task->co);
  take_results(task, status, nres);
  end(task);
}

static void close_hard(struct frl_task *task)
{
  if (task->op)
    fr_op_abandon(task->op);
  fr_list_del(&task->ready);
  if (lua_status(task->co) == LUA_YIELD) {
    task->cancelled = true;
    resume(task);
    return;
  }
  lua_settop(task->co, 0);      /* it never ran: nothing to unwind */
  task->cancelled = task->failed = true;
  lua_pushnil(task->co);
  task->nres = 1;
  end(task);
  fr_list_del(&task->all);
}

static void cancel(struct frl_task *task)
{
  task->cancel = task->cancelled = true;
  if (task->op)
    fr_op_cancel(task->op);     /* op_done makes the task ready */
}

/* ---- the scheduler ----------------------------------------------------- */

/* A thousand tasks that each compute for seconds must not keep the loop, its
 * answers, its timers and a signal from their turn. */
bool frl_tasks_run(struct frl_tasks *tasks)
{
  uint64_t began = frl_caps_now();
  struct fr_list batch;

  fr_list_take(&tasks->ready, &batch);
  while (!fr_list_empty(&batch) && frl_caps_now() - began <= BATCH_MS) {
    struct frl_task *task =
      fr_container_of(batch.next, struct frl_task, ready);
    fr_list_del(&task->ready);
    resume(task);
  }
  fr_list_prepend(&batch, &tasks->ready);       /* before what came since */
  if (!fr_list_empty(&tasks->all))
    return true;
  report_failed(tasks);
  return false;
}

bool frl_tasks_ready(const struct frl_tasks *tasks)
{
  return !fr_list_empty(&tasks->ready);
}

void frl_tasks_cancel(struct frl_tasks *tasks)
{
  struct fr_list *at;

  for (at = tasks->all.next; at != &tasks->all; at = at->next) {
    struct frl_task *task = fr_container_of(at, struct frl_task, all);
    if (!task->ending)
      cancel(task);
    task->ending = true;
  }
}

void frl_tasks_close(struct frl_tasks *tasks)
{
  tasks->hard = true;
  while (!fr_list_empty(&tasks->all))
    close_hard(fr_container_of(tasks->all.next, struct frl_task, all));
  report_failed(tasks);
}

uint64_t frl_tasks_mark(const struct frl_tasks *tasks)
{
  return tasks->serial;
}

static struct frl_task *newer_than(struct frl_tasks *tasks, uint64_t mark)
{
  struct fr_list *at;

  for (at = tasks->all.next; at != &tasks->all; at = at->next) {
    struct frl_task *task = fr_container_of(at, struct frl_task, all);

    if (task->serial > mark && task != tasks->current)
      return task;
  }
  return NULL;
}

void frl_tasks_close_since(struct frl_tasks *tasks, uint64_t mark)
{
  bool before = tasks->hard;
  struct frl_task *task;

  tasks->hard = true;
  while ((task = newer_than(tasks, mark)))
    close_hard(task);
  tasks->hard = before;
  report_failed(tasks);
}

/* ---- handles ----------------------------------------------------------- */

void frl_task_spawn(lua_State *L, int nargs)
{
  struct frl_tasks *tasks = tasks_of(L);
  struct frl_task *task;
  lua_State *co;
  int base = lua_gettop(L) - nargs;     /* function, args... */

  task = lua_newuserdatauv(L, sizeof(*task), 1);
  *task = (struct frl_task){ .tasks = tasks, .nargs = nargs + 1,
                              .serial = ++tasks->serial };
  fr_list_init(&task->all);
  fr_list_init(&task->ready);
  fr_list_init(&task->waiters);
  luaL_setmetatable(L, TASK);
  co = lua_newthread(L);
  frl_keep_thread(L);
  lua_setiuservalue(L, -2, 1);          /* function, args..., task */
  lua_insert(L, base);                  /* task, function, args... */
  if (!lua_checkstack(co, nargs + 2))
    luaL_error(L, "too many arguments for a task");
  lua_pushvalue(L, base);
  lua_rawsetp(L, LUA_REGISTRYINDEX, task);
  lua_pushcfunction(co, frl_body);
  lua_xmove(L, co, nargs + 1);          /* task */
  task->co = co;
  fr_list_add(&tasks->all, &task->all);
  make_ready(task);
}

static int push_results(lua_State *L, struct frl_task *task)
{
  int at = -task->nres;

  luaL_checkstack(L, task->nres + 1, "too many results of a task");
  if (!lua_checkstack(task->co, 1))
    return luaL_error(L, "too many results of a task");
  fr_list_del(&task->all);              /* its error is claimed */
  lua_pushboolean(L, !task->failed);
  for (int i = 0; i < task->nres; i++) {
    lua_pushvalue(task->co, at);
    lua_xmove(task->co, L, 1);
    at = -task->nres + i + 1;
  }
  return task->nres + 1;
}

static int push_wait(lua_State *L, struct fr_op *op)
{
  return push_results(L, fr_container_of(op, struct waiter, op)->task);
}

static void on_cancel_wait(struct fr_op *op)
{
  fr_list_del(&fr_container_of(op, struct waiter, op)->link);
  fr_op_finish(op, FR_ECANCELLED);
}

/* task:wait() -> true, results... | false, error              [-1, +n, ey] */
static int l_wait(lua_State *L)
{
  struct frl_task *task = luaL_checkudata(L, 1, TASK);
  struct waiter *waiter;

  if (task->over)
    return push_results(L, task);
  if (task == task->tasks->current)
    return luaL_error(L, "a task cannot wait for itself");
  waiter = lua_newuserdatauv(L, sizeof(*waiter), 0);
  *waiter = (struct waiter){ .task = task };
  fr_list_init(&waiter->link);
  luaL_setmetatable(L, WAITER);
  fr_op_start(task->tasks->loop, &waiter->op, on_cancel_wait);
  fr_list_add(&task->waiters, &waiter->link);
  return frl_await(L, &waiter->op, push_wait);
}

static int l_waiter_gc(lua_State *L)
{
  struct waiter *waiter = luaL_checkudata(L, 1, WAITER);

  fr_list_del(&waiter->link);
  fr_op_abandon(&waiter->op);
  return 0;
}

/* task:cancel()                                               [-1, +0, -] */
static int l_cancel(lua_State *L)
{
  struct frl_task *task = luaL_checkudata(L, 1, TASK);

  if (!task->over)
    cancel(task);
  return 0;
}

/* task:status() -> "running", "waiting", "done" or "failed"   [-1, +1, m] */
static int l_status(lua_State *L)
{
  struct frl_task *task = luaL_checkudata(L, 1, TASK);

  if (task->over)
    lua_pushstring(L, task->failed ? "failed" : "done");
  else
    lua_pushstring(L, task->op ? "waiting" : "running");
  return 1;
}

static int l_task_gc(lua_State *L)
{
  struct frl_task *task = luaL_checkudata(L, 1, TASK);

  if (task->over && !fr_list_empty(&task->all))
    report(L, task, true);
  fr_list_del(&task->all);
  return 0;
}

static const luaL_Reg task_methods[] = {
  { "wait", l_wait },
  { "cancel", l_cancel },
  { "status", l_status },
  { NULL, NULL },
};

enum fr_err frl_tasks_open(lua_State *L, struct fr_loop *loop,
                           struct frl_tasks **ret_tasks)
{
  struct frl_tasks *tasks = lua_newuserdatauv(L, sizeof(*tasks), 0);

  *tasks = (struct frl_tasks){ .L = L, .loop = loop };
  fr_list_init(&tasks->all);
  fr_list_init(&tasks->ready);
  fr_list_init(&tasks->failed);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &wait_tag);
  luaL_newmetatable(L, TASK);
  luaL_newlib(L, task_methods);
  lua_setfield(L, -2, "__index");
  lua_pushcfunction(L, l_task_gc);
  lua_setfield(L, -2, "__gc");
  lua_pushboolean(L, false);
  lua_setfield(L, -2, "__metatable");
  luaL_newmetatable(L, WAITER);
  lua_pushcfunction(L, l_waiter_gc);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 2);
  *(struct frl_tasks **)lua_getextraspace(L) = tasks;
  *ret_tasks = tasks;
  return FR_OK;
}
