/* bindings/server.c - host.serve: an HTTP server whose handler is Lua. */
#include <string.h>

#include "bindings/nouns.h"
#include "bindings/serve.h"

#define SERVER "falrun.server"
#define BODY_MAX ((lua_Integer)64 << 20)

struct server {
  struct frl_acceptor acceptor;
  struct fr_server *server;     /* NULL once closed */
  struct fr_buf why;
};

/* ---- exchanges as peers -------------------------------------------------- */

static const char *method(const void *peer)
{
  return fr_exchange_method(peer);
}

static const char *path(const void *peer, size_t *ret_len)
{
  const char *text = fr_exchange_path(peer);

  *ret_len = strlen(text);
  return text;
}

static const char *header(const void *peer, const char *name)
{
  return fr_exchange_header(peer, name);
}

static enum fr_err each_query(const void *peer,
                              void (*each)(void *arg, const char *name,
                                           const char *value), void *arg)
{
  fr_exchange_each_query(peer, each, arg);
  return FR_OK;
}

static const char *body(const void *peer, size_t *ret_len)
{
  return fr_exchange_body(peer, ret_len);
}

static void reply(void *peer, const struct fr_server_reply *answer)
{
  (void)fr_exchange_reply(peer, answer);
}

static enum fr_err send_more(void *peer, const void *data, size_t len)
{
  return fr_exchange_send(peer, data, len);
}

static void end(void *peer, bool cut)
{
  fr_exchange_end(peer, cut);
}

static const struct frl_transport transport = {
  method, path, header, each_query, body, reply, send_more, end
};

/* ---- in the loop's turn: no Lua here ------------------------------------- */

static void on_request(void *arg, struct fr_exchange *exchange)
{
  struct server *server = arg;
  struct frl_request *request = frl_accept(&server->acceptor, exchange);

  if (request)
    fr_exchange_set(exchange, request);
  else
    (void)fr_exchange_reply(exchange, &(struct fr_server_reply){
      .status = 503, .body = ""
    });
}

static void on_gone(void *arg, struct fr_exchange *exchange)
{
  struct frl_request *request = fr_exchange_get(exchange);

  (void)arg;
  if (request)
    frl_request_gone(request);
}

/* ---- closing ------------------------------------------------------------- */

static void close_server(struct server *server)
{
  fr_server_free(server->server);
  server->server = NULL;
  frl_acceptor_close(&server->acceptor);
}

static int l_server_gc(lua_State *L)
{
  struct server *server = luaL_checkudata(L, 1, SERVER);

  close_server(server);
  frl_acceptor_done(&server->acceptor);
  fr_buf_done(&server->why);
  return 0;
}

/* server.close(), or the end of a <close> variable            [-n, +0, -] */
static int l_close(lua_State *L)
{
  close_server(lua_touserdata(L, lua_upvalueindex(1)));
  return 0;
}

/* ---- host.serve ---------------------------------------------------------- */

static struct server *push_server(lua_State *L)
{
  struct server *server = lua_newuserdatauv(L, sizeof(*server), 1);

  server->server = NULL;
  fr_buf_init(&server->why, 1024);
  frl_acceptor_init(L, &server->acceptor, &transport);
  if (luaL_newmetatable(L, SERVER)) {
    lua_pushcfunction(L, l_server_gc);
    lua_setfield(L, -2, "__gc");
  }
  lua_setmetatable(L, -2);
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
  lua_pushvalue(L, 3);
  lua_pushvalue(L, 2);
  frl_acceptor_start(L);
  return push_handle(L, server);
}

int frl_open_server(lua_State *L)
{
  frl_open_requests(L);
  lua_pushcfunction(L, l_serve);
  return 1;
}
