/* bindings/exchange.c - one served request as a Lua table, and its reply.
 *
 * The client may be gone at any moment while the handler waits, so the
 * exchange is looked at anew each time and never kept in a local across a
 * call into Lua. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "bindings/nouns.h"
#include "bindings/rows.h"
#include "bindings/serve.h"

#define QUERY_MAX ((size_t)1 << 20)

/* The stack of a handler's call. */
enum { REQUEST = 1, HANDLER, REPLY, BODY, GATHERED };

/* What was begun is cut; who got nothing is hung up on. */
static void leave(struct frl_request *request)
{
  const struct frl_transport *how = request->acceptor->how;

  if (request->open)
    how->end(request->peer, true);
  else
    how->reply(request->peer, &(struct fr_server_reply){
      .status = 500, .body = "", .fault = FR_FAULT_DROP
    });
}

void frl_request_end(struct frl_request_box *box)
{
  struct frl_request *request = box->request;

  box->request = NULL;
  if (!request)
    return;
  fr_list_del(&request->link);
  if (request->peer)
    leave(request);
  free(request);
}

static int l_request_gc(lua_State *L)
{
  frl_request_end(luaL_checkudata(L, 1, FRL_REQUEST));
  return 0;
}

void frl_open_requests(lua_State *L)
{
  luaL_newmetatable(L, FRL_REQUEST);
  lua_pushcfunction(L, l_request_gc);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
}

/* NULL when there is nobody left to reply to. */
static struct frl_request *peer_of(lua_State *L, int index)
{
  struct frl_request_box *box = luaL_checkudata(L, index, FRL_REQUEST);

  return box->request && box->request->peer ? box->request : NULL;
}

static const struct frl_transport *how(const struct frl_request *request)
{
  return request->acceptor->how;
}

/* ---- the request as a table --------------------------------------------- */

/* request.header(name) -> value | nil                         [-1, +1, m] */
static int l_header(lua_State *L)
{
  const char *name = luaL_checkstring(L, 1);
  struct frl_request *request = peer_of(L, lua_upvalueindex(1));

  lua_pushstring(L, request ? how(request)->header(request->peer, name)
                            : NULL);
  return 1;
}

/* Runs on top of the server's frames: no Lua. */
static void put_pair(void *arg, const char *name, const char *value)
{
  struct frl_rows *rows = arg;

  frl_rows_text(rows, "name", name);
  frl_rows_text(rows, "value", value ? value : "");
  frl_rows_end(rows);
}

/* Pushes {{name, value}...}; `name`, a query's key, may repeat. [-0, +1, e] */
static void push_query(lua_State *L)
{
  struct frl_rows *rows = frl_rows_new(L, QUERY_MAX);
  struct frl_request *request = peer_of(L, REQUEST);
  enum fr_err err = FR_OK;
  lua_Integer count = 0;

  if (request)
    err = how(request)->each_query(request->peer, put_pair, rows);
  if (err || rows->err)
    luaL_error(L, "the query: %s", fr_err_message(err ? err : rows->err));
  lua_newtable(L);
  while (frl_rows_next(L, rows)) {
    lua_createtable(L, 2, 0);
    lua_getfield(L, -2, "name");
    lua_rawseti(L, -2, 1);
    lua_getfield(L, -2, "value");
    lua_rawseti(L, -2, 2);
    lua_remove(L, -2);
    lua_rawseti(L, -2, ++count);
  }
  lua_remove(L, -2);                            /* the rows */
}

static void push_request(lua_State *L)
{
  struct frl_request *request;
  const char *path = "", *body = "";
  size_t path_len = 0, body_len = 0;

  lua_createtable(L, 0, 5);
  push_query(L);
  lua_setfield(L, -2, "query");
  lua_pushvalue(L, REQUEST);
  lua_pushcclosure(L, l_header, 1);
  lua_setfield(L, -2, "header");
  request = peer_of(L, REQUEST);
  lua_pushstring(L, request ? how(request)->method(request->peer) : "");
  lua_setfield(L, -2, "method");
  if (request)
    path = how(request)->path(request->peer, &path_len);
  lua_pushlstring(L, path, path_len);
  lua_setfield(L, -2, "path");
  if (request)
    body = how(request)->body(request->peer, &body_len);
  lua_pushlstring(L, body, body_len);
  lua_setfield(L, -2, "body");
}

/* ---- its reply ---------------------------------------------------------- */

/* The header table on top as name, value, ..., NULL in a userdata. Names and
 * values are held by that table, which the reply holds.      [-0, +1, e] */
static const char *const *check_headers(lua_State *L)
{
  const char **texts = lua_newuserdatauv(
    L, (2 * FRL_HEADERS_MAX + 1) * sizeof(*texts), 0);
  int table = lua_gettop(L) - 1, n = 0;

  lua_pushnil(L);
  while (lua_next(L, table)) {
    if (n == 2 * FRL_HEADERS_MAX)
      luaL_error(L, "the handler's reply has too many headers");
    if (lua_type(L, -2) != LUA_TSTRING || lua_type(L, -1) != LUA_TSTRING)
      luaL_error(L, "the headers of the handler's reply are not all text");
    texts[n++] = lua_tostring(L, -2);
    texts[n++] = lua_tostring(L, -1);
    lua_pop(L, 1);
  }
  texts[n] = NULL;
  return texts;
}

static enum fr_fault check_fault(lua_State *L)
{
  static const char *const names[] = { "drop", "truncate", "stall", NULL };
  static const enum fr_fault faults[] = {
    FR_FAULT_DROP, FR_FAULT_TRUNCATE, FR_FAULT_STALL
  };
  const char *name = frl_field_text(L, REPLY, "serve", "fault", 0, 20);

  for (int i = 0; name && names[i]; i++)
    if (strcmp(name, names[i]) == 0)
      return faults[i];
  if (name)
    luaL_error(L, "there is no fault \"%s\"", name);
  return FR_FAULT_NONE;
}

/* What it points at stays on the stack above the reply. */
static void check_reply(lua_State *L, struct fr_server_reply *reply)
{
  lua_Integer status = 0;

  if (!lua_istable(L, REPLY))
    luaL_error(L, "the handler returned no reply but %s",
               luaL_typename(L, REPLY));
  frl_field_integer(L, REPLY, "serve", "status", &status);
  if (status < 200 || status > 599)
    luaL_error(L, "the status of the handler's reply is not in 200 to 599");
  reply->status = (int)status;
  if (frl_field(L, REPLY, "serve", "headers", LUA_TTABLE))
    reply->headers = check_headers(L);
  lua_pushliteral(L, "body");
  if (lua_rawget(L, REPLY) != LUA_TFUNCTION) {
    lua_pop(L, 1);
    if (frl_field(L, REPLY, "serve", "body", LUA_TSTRING))
      reply->body = lua_tolstring(L, -1, &reply->body_len);
  }
  reply->fault = check_fault(L);
  frl_field(L, REPLY, "serve", "no_date", LUA_TBOOLEAN);
  reply->no_date = lua_toboolean(L, -1);
}

static void send_reply(struct frl_request_box *box,
                       const struct fr_server_reply *reply)
{
  struct frl_request *request = box->request;
  void *peer = request ? request->peer : NULL;

  if (!peer)
    return;
  if (!reply->open)
    request->peer = NULL;
  if (request->open)
    how(request)->end(peer, true);
  else
    how(request)->reply(peer, reply);
  request->open = reply->open;
}

/* ---- a body that is a function ------------------------------------------ */

/* Stack from here on: request, handler, reply, body, gathered (texts of a
 * peer that wants them whole, or nil). */

static void open_reply(lua_State *L)
{
  struct fr_server_reply reply = { .body = "", .open = true };
  const struct frl_request *request = peer_of(L, REQUEST);

  lua_pushliteral(L, "body");
  lua_rawget(L, REPLY);
  if (request && !how(request)->send) {
    lua_newtable(L);
    return;
  }
  lua_pushnil(L);
  check_reply(L, &reply);
  reply.fault = FR_FAULT_NONE;
  send_reply(lua_touserdata(L, REQUEST), &reply);
  lua_settop(L, GATHERED);
}

/* The text on top, which it pops.                            [-1, +0, e] */
static void send_text(lua_State *L)
{
  struct frl_request *request = peer_of(L, REQUEST);
  size_t len;
  const char *text = lua_tolstring(L, -1, &len);

  if (!text)
    luaL_error(L, "the handler's body gave no text but %s",
               luaL_typename(L, -1));
  if (!lua_isnil(L, GATHERED)) {
    lua_rawseti(L, GATHERED, (lua_Integer)lua_rawlen(L, GATHERED) + 1);
    return;
  }
  if (request && how(request)->send(request->peer, text, len))
    luaL_error(L, "the client takes nothing more");
  lua_pop(L, 1);
}

/* All texts as one.                                           [-0, +1, e] */
static void push_gathered(lua_State *L)
{
  lua_Integer count = (lua_Integer)lua_rawlen(L, GATHERED);
  luaL_Buffer text;

  luaL_buffinit(L, &text);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_rawgeti(L, GATHERED, i);
    luaL_addvalue(&text);
  }
  luaL_pushresult(&text);
}

static int end_reply(lua_State *L)
{
  struct fr_server_reply reply = { .body = "" };
  struct frl_request *request;

  check_reply(L, &reply);
  if (!lua_isnil(L, GATHERED)) {
    push_gathered(L);
    reply.body = lua_tolstring(L, -1, &reply.body_len);
    send_reply(lua_touserdata(L, REQUEST), &reply);
    return 0;
  }
  request = peer_of(L, REQUEST);
  if (request) {
    void *peer = request->peer;

    request->peer = NULL;
    how(request)->end(peer, reply.fault != FR_FAULT_NONE);
  }
  return 0;
}

/* After each text; what comes of the body is on top. */
static int pump(lua_State *L, int status, lua_KContext ctx)
{
  (void)status;
  (void)ctx;
  while (!lua_isnil(L, -1)) {
    send_text(L);
    lua_pushvalue(L, BODY);
    lua_callk(L, 0, 1, 0, pump);
  }
  lua_pop(L, 1);
  return end_reply(L);
}

static int stream(lua_State *L)
{
  open_reply(L);
  lua_pushvalue(L, BODY);
  lua_callk(L, 0, 1, 0, pump);
  return pump(L, LUA_OK, 0);
}

/* Stack: request, handler, reply. */
static int handled(lua_State *L, int status, lua_KContext ctx)
{
  struct fr_server_reply reply = { .body = "" };

  (void)status;
  (void)ctx;
  lua_settop(L, REPLY);
  if (lua_istable(L, REPLY)) {
    lua_pushliteral(L, "body");
    if (lua_rawget(L, REPLY) == LUA_TFUNCTION) {
      lua_settop(L, REPLY);
      return stream(L);
    }
    lua_settop(L, REPLY);
  }
  check_reply(L, &reply);
  send_reply(lua_touserdata(L, REQUEST), &reply);
  return 0;
}

/* run_handler(request, handler)                               [-2, +0, ey] */
static int run_handler(lua_State *L)
{
  lua_pushvalue(L, HANDLER);
  push_request(L);
  lua_callk(L, 1, 1, 0, handled);
  return handled(L, LUA_OK, 0);
}

/* ---- the task ----------------------------------------------------------- */

static bool is_cancelled(lua_State *L)
{
  bool cancelled = false;

  if (lua_istable(L, -1)) {
    lua_pushliteral(L, "code");
    lua_rawget(L, -2);
    cancelled = lua_type(L, -1) == LUA_TSTRING &&
                strcmp(lua_tostring(L, -1), "cancelled") == 0;
    lua_pop(L, 1);
  }
  return cancelled;
}

static void log_failure(lua_State *L, const struct frl_request *request)
{
  const char *path = "whose client is gone";
  size_t len = strlen(path);

  if (request)
    path = how(request)->path(request->peer, &len);
  fr_log(FR_LOG_ERROR, "the handler of %s %.*s failed: %s",
         request ? how(request)->method(request->peer) : "a request",
         (int)(len < 2000 ? len : 2000), path,
         luaL_tolstring(L, -1, NULL));
}

/* Stack: request, handler, and the error after a failure. */
static int served(lua_State *L, int status, lua_KContext ctx)
{
  static const char text[] = "the handler failed\n";
  struct frl_request_box *box = lua_touserdata(L, REQUEST);
  struct frl_request *request = peer_of(L, REQUEST);

  (void)ctx;
  if (status != LUA_OK && status != LUA_YIELD) {
    if (!is_cancelled(L))
      log_failure(L, request);
    send_reply(box, &(struct fr_server_reply){
      .status = 500, .body = text, .body_len = sizeof(text) - 1
    });
  }
  frl_request_end(box);
  return 0;
}

int frl_serve_request(lua_State *L)
{
  lua_pushcfunction(L, run_handler);
  lua_pushvalue(L, REQUEST);
  lua_pushvalue(L, HANDLER);
  return served(L, lua_pcallk(L, 2, 0, 0, 0, served), 0);
}
