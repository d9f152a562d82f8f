/* bindings/stream.c - core.stream: a long answer, read as text.
 *
 *   core.stream(call) --head--> handle --read--> text, text, ... nil
 *
 * The handle owns the transfer; while a task waits for it, its own operation
 * is what the task awaits. What nobody reads makes fal wait. */
#include "bindings/callspec.h"
#include "bindings/nouns.h"
#include "fal/transfer.h"

#define FUNCTION "core.stream"
#define HANDLE "falrun.stream"
#define STALL_MAX_MS (60 * 60 * 1000)

enum { CALL = 1, STREAM };

struct stream {
  struct frl_box box;           /* first */
  struct fr_transfer *transfer; /* NULL: closed */
  struct fr_op wait;            /* of the task that waits */
  struct fr_buf query;
  bool over;
  enum fr_err err;              /* then: how it ended */
};

static void drop(struct frl_box *link)
{
  struct stream *stream = (struct stream *)link;

  fr_op_abandon(&stream->wait);
  fr_transfer_free(stream->transfer);
  stream->transfer = NULL;
  fr_buf_done(&stream->query);
}

/* ---- in the loop's turn: no Lua here ------------------------------------- */

static void wake(void *arg)
{
  struct stream *stream = arg;

  fr_op_finish(&stream->wait, FR_OK);
}

static void on_over(struct fr_op *op, void *arg)
{
  struct stream *stream = arg;

  stream->over = true;
  stream->err = op->err;
  wake(stream);
}

/* ---- the handle ---------------------------------------------------------- */

static struct stream *check_stream(lua_State *L)
{
  struct stream *stream = luaL_checkudata(L, 1, HANDLE);

  if (!stream->transfer)
    luaL_error(L, "the stream is closed");
  if (stream->wait.pending)
    luaL_error(L, "another task reads this stream");
  return stream;
}

static int fail_stream(lua_State *L, const struct stream *stream)
{
  const char *message = fr_transfer_message(stream->transfer);
  int nresults = frl_fail(L, stream->err, *message ? message : NULL);

  if (fr_transfer_status(stream->transfer)) {
    lua_pushinteger(L, fr_transfer_status(stream->transfer));
    lua_setfield(L, -2, "http_status");
  }
  lua_pushboolean(L, fr_transfer_begun(stream->transfer));
  lua_setfield(L, -2, "begun");
  return nresults;
}

/* text; nil at a whole end; nil, err; or 0 results: there is nothing yet. */
static int push_text(lua_State *L, struct stream *stream)
{
  size_t len;
  const char *text = fr_transfer_text(stream->transfer, &len);

  if (len) {
    lua_pushlstring(L, text, len);
    fr_transfer_drop(stream->transfer, len);
    return 1;
  }
  if (!stream->over)
    return 0;
  if (stream->err)
    return fail_stream(L, stream);
  lua_pushnil(L);
  return 1;
}

static int start_wait(lua_State *L, struct stream *stream, frl_push_fn push)
{
  fr_op_start(frl_of(L)->config.loop, &stream->wait, NULL);
  return frl_await(L, &stream->wait, push);
}

static int push_read(lua_State *L, struct fr_op *op)
{
  struct stream *stream = luaL_checkudata(L, 1, HANDLE);
  int nresults;

  luaL_checkstack(L, 8, NULL);
  if (op->err)
    return frl_fail(L, op->err, NULL);
  if (!stream->transfer)
    return luaL_error(L, "the stream is closed");
  nresults = push_text(L, stream);
  if (nresults)
    return nresults;
  lua_pushliteral(L, "");       /* less than a line: ask again */
  return 1;
}

/* stream:read() -> text | nil: it ended whole | nil, err; waits. The text
 * may be "".                                                 [-1, +n, ey] */
static int l_read(lua_State *L)
{
  struct stream *stream = check_stream(L);
  int nresults;

  lua_settop(L, 1);
  nresults = push_text(L, stream);
  return nresults ? nresults : start_wait(L, stream, push_read);
}

/* stream:status() -> integer                                  [-1, +1, e] */
static int l_status(lua_State *L)
{
  lua_pushinteger(L, fr_transfer_status(check_stream(L)->transfer));
  return 1;
}

/* stream:header(name) -> text | nil                           [-2, +1, e] */
static int l_header(lua_State *L)
{
  const struct stream *stream = check_stream(L);
  const char *name = luaL_checkstring(L, 2);

  lua_pushstring(L, fr_transfer_header(stream->transfer, name));
  return 1;
}

/* stream:close(), __close and __gc: once is enough            [-1, +0, e] */
static int l_close(lua_State *L)
{
  struct stream *stream = luaL_checkudata(L, 1, HANDLE);

  if (stream->wait.pending && stream->transfer) {
    fr_transfer_free(stream->transfer);         /* the reader is told */
    stream->transfer = NULL;
    fr_op_finish(&stream->wait, FR_OK);
    return 0;
  }
  fr_list_del(&stream->box.link);
  drop(&stream->box);
  return 0;
}

static const luaL_Reg methods[] = {
  { "read", l_read },
  { "status", l_status },
  { "header", l_header },
  { "close", l_close },
  { NULL, NULL },
};

static struct stream *push_stream(lua_State *L)
{
  struct stream *stream = frl_box_push(L, sizeof(*stream), HANDLE, drop);

  fr_buf_init(&stream->query, FRL_QUERY_MAX);
  lua_getmetatable(L, -1);
  if (lua_getfield(L, -1, "__index") == LUA_TNIL) {
    luaL_newlib(L, methods);
    lua_setfield(L, -3, "__index");
    lua_pushcfunction(L, l_close);
    lua_setfield(L, -3, "__close");
  }
  lua_pop(L, 2);
  return stream;
}

/* ---- core.stream --------------------------------------------------------- */

static uint32_t check_stall(lua_State *L)
{
  uint64_t ms = 0;

  lua_pushliteral(L, "stall");
  if (lua_rawget(L, CALL) == LUA_TNIL)
    return 0;
  ms = frl_check_duration(L, lua_gettop(L), FUNCTION, "stall");
  if (ms < 1 || ms > STALL_MAX_MS)
    frl_bad_argument(L, FUNCTION, "stall", "1ms to 1h expected");
  return (uint32_t)ms;
}

/* What it points at stays on the stack above the handle. */
static void check_spec(lua_State *L, struct stream *stream,
                       struct fr_transfer_spec *spec)
{
  static const char *const known[] = {
    "method", "path", "query", "body", "key", "timeout", "accept",
    "last_event_id", "attempts", "stall", NULL
  };
  lua_Integer attempts = 0;

  if (!lua_istable(L, CALL))
    frl_bad_argument(L, FUNCTION, "call", "table expected, got %s",
                     luaL_typename(L, CALL));
  frl_check_options(L, CALL, FUNCTION, known);
  spec->read.method = frl_field_text(L, CALL, FUNCTION, "method", 1, 20);
  if (!spec->read.method)
    spec->read.method = "GET";
  spec->read.path = frl_field_text(L, CALL, FUNCTION, "path", 1, 4000);
  if (!spec->read.path)
    frl_bad_argument(L, FUNCTION, "path", "string expected, got nil");
  spec->read.query = frl_call_query(L, CALL, FUNCTION, &stream->query);
  spec->read.body = frl_call_body(L, CALL, FUNCTION);
  spec->read.key = frl_call_key(L, CALL, FUNCTION);
  spec->read.timeout_ms = frl_call_timeout(L, CALL, FUNCTION);
  spec->accept = frl_field_text(L, CALL, FUNCTION, "accept", 1, 100);
  spec->last_event_id = frl_field_text(L, CALL, FUNCTION, "last_event_id", 1,
                                       1000);
  frl_field_integer(L, CALL, FUNCTION, "attempts", &attempts);
  if (attempts < 0 || attempts > 10)
    frl_bad_argument(L, FUNCTION, "attempts", "1 to 10 expected");
  spec->attempts = (unsigned)attempts;
  spec->stall_ms = check_stall(L);
}

/* The handle once the head is there. */
static int push_head(lua_State *L, struct fr_op *op)
{
  const struct stream *stream = lua_touserdata(L, STREAM);

  luaL_checkstack(L, 8, NULL);
  if (op->err)
    return frl_fail(L, op->err, NULL);
  if (!fr_transfer_begun(stream->transfer))
    return fail_stream(L, stream);
  lua_pushvalue(L, STREAM);
  return 1;
}

/* core.stream(call) -> handle | nil, err                     [-1, +n, ey] */
static int l_stream(lua_State *L)
{
  struct fr_fal *fal = frl_of(L)->config.fal;
  struct fr_transfer_spec spec = { .ready = wake };
  struct stream *stream;
  enum fr_err err;

  lua_settop(L, CALL);
  stream = push_stream(L);
  spec.arg = stream;
  check_spec(L, stream, &spec);
  if (!fal)
    return frl_fail_network(L);
  err = fr_transfer_new(fal, &spec, &stream->transfer);
  if (err == FR_EINVALID)
    return frl_bad_argument(L, FUNCTION, "path", "it is no path of the API, "
                            "or the call is too long");
  if (err)
    return frl_fail(L, err, NULL);
  lua_settop(L, STREAM);
  fr_list_add(&frl_of(L)->boxes, &stream->box.link);
  fr_transfer_start(stream->transfer);
  fr_op_wait(fr_transfer_op(stream->transfer), on_over, stream);
  return start_wait(L, stream, push_head);
}

const luaL_Reg frl_stream_functions[] = {
  { "stream", l_stream },
  { NULL, NULL },
};
