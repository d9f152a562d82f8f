/* bindings/server.c - host.serve: requests become tasks. */
#include <stdlib.h>

#include "bindings/nouns.h"
#include "bindings/serve.h"

#define SERVER "falrun.server"
#define READY_MAX 10000u
#define BODY_MAX ((lua_Integer)64 << 20)

struct server {
  struct fr_server *server;     /* NULL once closed */
  struct fr_list ready, taken;
  size_t nready;
  struct fr_op op;              /* the acceptor's wait */
  bool waiting;
  bool deaf;                    /* the acceptor is over: take nothing more */
  bool some_gone;
  struct fr_buf why;
};

static struct frl_request *first_of(struct fr_list *list)
{
  return fr_container_of(list->next, struct frl_request, link);
}

/* ---- in the loop's turn: no Lua here ------------------------------------- */

static void wake(struct server *server)
{
  if (server->waiting)
    fr_op_finish(&server->op, FR_OK);
  server->waiting = false;
}

static void on_request(void *arg, struct fr_exchange *exchange)
{
  struct server *server = arg;
  struct frl_request *request = NULL;

  if (!server->deaf && server->nready < READY_MAX)
    request = calloc(1, sizeof(*request));
  if (!request) {
    (void)fr_exchange_reply(exchange, &(struct fr_server_reply){
      .status = 503, .body = ""
    });
    return;
  }
  request->exchange = exchange;
  fr_exchange_set(exchange, request);
  fr_list_add(&server->ready, &request->link);
  server->nready++;
  wake(server);
}

static void on_gone(void *arg, struct fr_exchange *exchange)
{
  struct server *server = arg;
  struct frl_request *request = fr_exchange_get(exchange);

  if (!request)
    return;
  request->exchange = NULL;
  if (!request->taken) {
    fr_list_del(&request->link);
    server->nready--;
    free(request);
    return;
  }
  request->gone = server->some_gone = true;
  wake(server);
}

static void on_cancel(struct fr_op *op)
{
  struct server *server = fr_container_of(op, struct server, op);

  server->waiting = false;
  server->deaf = true;
  fr_op_finish(op, FR_ECANCELLED);
}

/* ---- closing ------------------------------------------------------------- */

/* Idempotent. The tasks of open requests are cancelled by the acceptor. */
static void close_server(struct server *server)
{
  struct fr_list *at, *next;

  fr_server_free(server->server);
  server->server = NULL;
  for (at = server->ready.next; at != &server->ready; at = next) {
    next = at->next;
    free(fr_container_of(at, struct frl_request, link));
  }
  fr_list_init(&server->ready);
  server->nready = 0;
  for (at = server->taken.next; at != &server->taken; at = at->next) {
    struct frl_request *request =
      fr_container_of(at, struct frl_request, link);

    request->gone = server->some_gone = request->exchange != NULL ||
                                        request->gone;
    request->exchange = NULL;
  }
  wake(server);
}

static int l_server_gc(lua_State *L)
{
  struct server *server = luaL_checkudata(L, 1, SERVER);

  close_server(server);
  fr_op_abandon(&server->op);
  while (!fr_list_empty(&server->taken))
    fr_list_del(server->taken.next);
  fr_buf_done(&server->why);
  return 0;
}

/* server.close(), or the end of a <close> variable            [-n, +0, -] */
static int l_close(lua_State *L)
{
  close_server(lua_touserdata(L, lua_upvalueindex(1)));
  return 0;
}

/* ---- the acceptor's task ------------------------------------------------- */

enum { SERVING = 1, HANDLER, REQUESTS };        /* its stack */

/* Starts the task of the first ready request.                [-0, +0, e] */
static void spawn_first(lua_State *L, struct server *server)
{
  struct frl_request_box *box = lua_newuserdatauv(L, sizeof(*box), 1);
  struct frl_request *request;
  int at = lua_gettop(L);

  box->request = NULL;
  luaL_setmetatable(L, FRL_REQUEST);
  if (fr_list_empty(&server->ready)) {          /* a collection closed it */
    lua_pop(L, 1);
    return;
  }
  request = first_of(&server->ready);
  fr_list_del(&request->link);
  server->nready--;
  fr_list_add(&server->taken, &request->link);
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

static struct frl_request *find_gone(struct server *server)
{
  struct fr_list *at;

  for (at = server->taken.next; at != &server->taken; at = at->next) {
    struct frl_request *request =
      fr_container_of(at, struct frl_request, link);

    if (request->gone)
      return request;
  }
  return NULL;
}

/* Each Lua call may run the collector, which may free nodes; so the search
 * starts anew every time.                                     [-0, +0, e] */
static void cancel_gone(lua_State *L, struct server *server)
{
  struct frl_request *request;

  server->some_gone = false;
  while ((request = find_gone(server))) {
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
  struct server *server = lua_touserdata(L, SERVING);

  (void)op;
  lua_settop(L, REQUESTS);
  while (!fr_list_empty(&server->ready) || server->some_gone) {
    cancel_gone(L, server);
    if (!fr_list_empty(&server->ready))
      spawn_first(L, server);
  }
  if (!server->server)
    return 0;
  server->op = (struct fr_op){ 0 };
  server->waiting = true;
  fr_op_start(frl_of(L)->config.loop, &server->op, on_cancel);
  return frl_await(L, &server->op, accept_more);
}

/* acceptor(server, handler)                                   [-2, +0, ey] */
static int acceptor(lua_State *L)
{
  lua_getiuservalue(L, SERVING, 1);
  return accept_more(L, NULL);
}

/* ---- host.serve ---------------------------------------------------------- */

/* A table node -> request whose values are weak.             [-0, +1, m] */
static void push_requests(lua_State *L)
{
  lua_newtable(L);
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "v");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
}

static struct server *push_server(lua_State *L)
{
  struct server *server = lua_newuserdatauv(L, sizeof(*server), 1);

  *server = (struct server){ .server = NULL };
  fr_list_init(&server->ready);
  fr_list_init(&server->taken);
  fr_buf_init(&server->why, 1024);
  if (luaL_newmetatable(L, SERVER)) {
    lua_pushcfunction(L, l_server_gc);
    lua_setfield(L, -2, "__gc");
  }
  lua_setmetatable(L, -2);
  push_requests(L);
  lua_setiuservalue(L, -2, 1);
  return server;
}

static void check_config(lua_State *L, struct fr_server_config *config)
{
  static const char *const known[] = { "port", "max_body", "handler", NULL };
  lua_Integer port = 0, max_body = 1 << 20;

  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  frl_check_options(L, 1, "serve", known);
  frl_field_integer(L, 1, "serve", "port", &port);
  frl_field_integer(L, 1, "serve", "max_body", &max_body);
  if (port < 0 || port > 65535)
    frl_bad_argument(L, "serve", "port", "0 to 65535 expected");
  if (max_body < 0 || max_body > BODY_MAX)
    frl_bad_argument(L, "serve", "max_body", "0 to 64 MiB expected");
  if (!frl_field(L, 1, "serve", "handler", LUA_TFUNCTION))
    frl_bad_argument(L, "serve", "handler", "function expected, got nil");
  config->port = (unsigned)port;
  config->max_body = (size_t)max_body;
}

/* Stack: config, handler, server.                             [-0, +1, m] */
static int push_handle(lua_State *L, const struct server *server)
{
  lua_createtable(L, 0, 2);
  lua_pushinteger(L, fr_server_port(server->server));
  lua_setfield(L, -2, "port");
  lua_pushvalue(L, 3);
  lua_pushcclosure(L, l_close, 1);
  lua_pushvalue(L, -1);
  lua_setfield(L, -3, "close");
  lua_createtable(L, 0, 1);
  lua_insert(L, -2);
  lua_setfield(L, -2, "__close");
  lua_setmetatable(L, -2);
  return 1;
}

/* host.serve(config) -> {port, close} | nil, err              [-1, +n, e] */
static int l_serve(lua_State *L)
{
  struct fr_server_config config = {
    .on_request = on_request, .on_gone = on_gone
  };
  struct server *server;
  enum fr_err err;

  check_config(L, &config);
  server = push_server(L);
  config.arg = server;
  err = fr_server_new(frl_of(L)->config.loop, &config, &server->why,
                      &server->server);
  if (err)
    return frl_fail(L, err, fr_buf_text(&server->why));
  lua_pushcfunction(L, acceptor);
  lua_pushvalue(L, 3);
  lua_pushvalue(L, 2);
  frl_task_spawn(L, 2);
  return push_handle(L, server);
}

int frl_open_server(lua_State *L)
{
  frl_open_requests(L);
  lua_pushcfunction(L, l_serve);
  return 1;
}
