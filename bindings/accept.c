/* bindings/accept.c - the acceptor: requests become tasks. See serve.h. */
#include <stdlib.h>

#include "bindings/serve.h"

#define READY_MAX 10000u

static struct frl_request *first_of(struct fr_list *list)
{
  return fr_container_of(list->next, struct frl_request, link);
}

/* ---- in the loop's turn: no Lua here ------------------------------------- */

static void wake(struct frl_acceptor *acceptor)
{
  if (acceptor->waiting)
    fr_op_finish(&acceptor->op, FR_OK);
  acceptor->waiting = false;
}

struct frl_request *frl_accept(struct frl_acceptor *acceptor, void *peer)
{
  struct frl_request *request = NULL;

  if (!acceptor->deaf && !acceptor->closed && acceptor->nready < READY_MAX)
    request = calloc(1, sizeof(*request));
  if (!request)
    return NULL;
  request->acceptor = acceptor;
  request->peer = peer;
  fr_list_add(&acceptor->ready, &request->link);
  acceptor->nready++;
  wake(acceptor);
  return request;
}

void frl_request_gone(struct frl_request *request)
{
  struct frl_acceptor *acceptor = request->acceptor;

  request->peer = NULL;
  if (!request->taken) {
    fr_list_del(&request->link);
    acceptor->nready--;
    free(request);
    return;
  }
  request->gone = acceptor->some_gone = true;
  wake(acceptor);
}

static void on_cancel(struct fr_op *op)
{
  struct frl_acceptor *acceptor =
    fr_container_of(op, struct frl_acceptor, op);

  acceptor->waiting = false;
  acceptor->deaf = true;
  fr_op_finish(op, FR_ECANCELLED);
}

/* ---- life ---------------------------------------------------------------- */

/* A table node -> request whose values are weak.             [-0, +1, m] */
static void push_requests(lua_State *L)
{
  lua_newtable(L);
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "v");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
}

void frl_acceptor_init(lua_State *L, struct frl_acceptor *acceptor,
                       const struct frl_transport *how)
{
  *acceptor = (struct frl_acceptor){ .how = how };
  fr_list_init(&acceptor->ready);
  fr_list_init(&acceptor->taken);
  push_requests(L);
  lua_setiuservalue(L, -2, 1);
}

/* The tasks of what was taken are cancelled by the acceptor's task. */
void frl_acceptor_close(struct frl_acceptor *acceptor)
{
  struct fr_list *at, *next;

  acceptor->closed = true;
  for (at = acceptor->ready.next; at != &acceptor->ready; at = next) {
    next = at->next;
    free(fr_container_of(at, struct frl_request, link));
  }
  fr_list_init(&acceptor->ready);
  acceptor->nready = 0;
  for (at = acceptor->taken.next; at != &acceptor->taken; at = at->next) {
    struct frl_request *request =
      fr_container_of(at, struct frl_request, link);

    request->gone = request->gone || request->peer;
    acceptor->some_gone = acceptor->some_gone || request->gone;
    request->peer = NULL;
  }
  wake(acceptor);
}

void frl_acceptor_done(struct frl_acceptor *acceptor)
{
  frl_acceptor_close(acceptor);
  fr_op_abandon(&acceptor->op);
  while (!fr_list_empty(&acceptor->taken))
    fr_list_del(acceptor->taken.next);
}

/* ---- the acceptor's task ------------------------------------------------- */

enum { SERVING = 1, HANDLER, REQUESTS };        /* its stack */

/* Starts the task of the first ready request.                [-0, +0, e] */
static void spawn_first(lua_State *L, struct frl_acceptor *acceptor)
{
  struct frl_request_box *box = lua_newuserdatauv(L, sizeof(*box), 1);
  struct frl_request *request;
  int at = lua_gettop(L);

  box->request = NULL;
  luaL_setmetatable(L, FRL_REQUEST);
  if (fr_list_empty(&acceptor->ready)) {          /* a collection closed it */
    lua_pop(L, 1);
    return;
  }
  request = first_of(&acceptor->ready);
  fr_list_del(&request->link);
  acceptor->nready--;
  fr_list_add(&acceptor->taken, &request->link);
  request->taken = true;
  box->request = request;
  lua_pushvalue(L, at);
  lua_rawsetp(L, REQUESTS, request);
  lua_pushcfunction(L, frl_serve_request);
  lua_pushvalue(L, at);
  lua_pushvalue(L, HANDLER);
  frl_task_spawn(L, 2);
  lua_setiuservalue(L, at, 1);
  lua_pop(L, 1);
}

static struct frl_request *find_gone(struct frl_acceptor *acceptor)
{
  struct fr_list *at;

  for (at = acceptor->taken.next; at != &acceptor->taken; at = at->next) {
    struct frl_request *request =
      fr_container_of(at, struct frl_request, link);

    if (request->gone)
      return request;
  }
  return NULL;
}

/* Each Lua call may run the collector, which may free nodes; so the search
 * starts anew every time.                                     [-0, +0, e] */
static void cancel_gone(lua_State *L, struct frl_acceptor *acceptor)
{
  struct frl_request *request;

  acceptor->some_gone = false;
  while ((request = find_gone(acceptor))) {
    request->gone = false;
    if (lua_rawgetp(L, REQUESTS, request) == LUA_TUSERDATA &&
        lua_getiuservalue(L, -1, 1) == LUA_TUSERDATA) {
      lua_getfield(L, -1, "cancel");
      lua_insert(L, -2);
      lua_call(L, 1, 0);
    }
    lua_settop(L, REQUESTS);
  }
}

static int accept_more(lua_State *L, struct fr_op *op)
{
  struct frl_acceptor *acceptor = lua_touserdata(L, SERVING);

  (void)op;
  lua_settop(L, REQUESTS);
  while (!fr_list_empty(&acceptor->ready) || acceptor->some_gone) {
    cancel_gone(L, acceptor);
    if (!fr_list_empty(&acceptor->ready))
      spawn_first(L, acceptor);
  }
  if (acceptor->closed)
    return 0;
  acceptor->op = (struct fr_op){ 0 };
  acceptor->waiting = true;
  fr_op_start(frl_of(L)->config.loop, &acceptor->op, on_cancel);
  return frl_await(L, &acceptor->op, accept_more);
}

/* accept(acceptor, handler)                                   [-2, +0, ey] */
static int accept_all(lua_State *L)
{
  lua_getiuservalue(L, SERVING, 1);
  return accept_more(L, NULL);
}

void frl_acceptor_start(lua_State *L)
{
  lua_pushcfunction(L, accept_all);
  lua_insert(L, -3);
  frl_task_spawn(L, 2);
  lua_pop(L, 1);
}
