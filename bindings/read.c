/* bindings/read.c - core.read: a reading call of the Platform API.
 *
 * Stack while it waits:  1 call, 2 box. The box owns the read and the text
 * of its query. */
#include <stdio.h>
#include <string.h>

#include "bindings/json.h"
#include "bindings/callspec.h"
#include "bindings/nouns.h"
#include "bindings/window.h"
#include "fal/read.h"

#define FUNCTION "core.read"
#define BOX "falrun.read"

enum { CALL = 1, READ };

enum accept { AS_JSON, AS_TEXT, AS_BOTH };

struct box {
  struct frl_box box;           /* first */
  struct fr_read *read;
  struct fr_buf query;
  enum accept accept;
};

static void drop(struct frl_box *link)
{
  struct box *box = (struct box *)link;

  fr_read_free(box->read);
  box->read = NULL;
  fr_buf_done(&box->query);
}

static struct box *push_box(lua_State *L)
{
  struct box *box = frl_box_push(L, sizeof(*box), BOX, drop);

  fr_buf_init(&box->query, FRL_QUERY_MAX);
  return box;
}

/* ---- the call ------------------------------------------------------------ */

static enum accept check_accept(lua_State *L)
{
  static const char *const names[] = { "json", "text", "both", NULL };
  const char *accept = frl_field_text(L, CALL, FUNCTION, "accept", 0, 20);

  for (int i = 0; accept && names[i]; i++)
    if (strcmp(accept, names[i]) == 0)
      return (enum accept)i;
  if (accept)
    frl_bad_argument(L, FUNCTION, "accept", "\"json\", \"text\" or \"both\" "
                     "expected, got \"%s\"", accept);
  return AS_JSON;
}

/* What it points at stays on the stack above the box. */
static void check_spec(lua_State *L, struct box *box,
                       struct fr_read_spec *spec)
{
  static const char *const known[] = {
    "method", "path", "query", "body", "key", "timeout", "window",
    "accept", "trial", "list", NULL
  };

  if (!lua_istable(L, CALL))
    frl_bad_argument(L, FUNCTION, "call", "table expected, got %s",
                     luaL_typename(L, CALL));
  frl_check_options(L, CALL, FUNCTION, known);
  spec->method = frl_field_text(L, CALL, FUNCTION, "method", 1, 20);
  if (!spec->method)
    spec->method = "GET";
  spec->path = frl_field_text(L, CALL, FUNCTION, "path", 1, 4000);
  if (!spec->path)
    frl_bad_argument(L, FUNCTION, "path", "string expected, got nil");
  spec->query = frl_call_query(L, CALL, FUNCTION, &box->query);
  spec->body = frl_call_body(L, CALL, FUNCTION);
  spec->key = frl_call_key(L, CALL, FUNCTION);
  spec->timeout_ms = frl_call_timeout(L, CALL, FUNCTION);
  box->accept = check_accept(L);
  spec->any_body = box->accept == AS_TEXT;
  (void)frl_field(L, CALL, FUNCTION, "trial", LUA_TBOOLEAN);
  spec->trial = lua_toboolean(L, -1);
  lua_pop(L, 1);
}

/* ---- results ------------------------------------------------------------- */

/* Decoded, {} is as empty as []: the text tells. */
static bool is_object(const char *body, size_t len, const char *list)
{
  const char *at = body, *end = body + len;
  char name[64];

  snprintf(name, sizeof(name), "\"%.60s\"", list);
  while ((at = memmem(at, (size_t)(end - at), name, strlen(name)))) {
    at += strlen(name);
    at += strspn(at, " \t\r\n");
    if (*at++ == ':' && at[strspn(at, " \t\r\n")] == '{')
      return true;
  }
  return false;
}

/* Whether the list, by its name at 3, of the value on top is {}. */
static bool lists_nothing(lua_State *L, const char *body, size_t len)
{
  bool empty = false;

  if (!lua_isstring(L, 3) || !lua_istable(L, -1))
    return false;
  lua_pushvalue(L, 3);
  if (lua_rawget(L, -2) == LUA_TTABLE) {
    lua_pushnil(L);
    empty = !lua_next(L, -2);
    if (!empty)
      lua_pop(L, 2);
  }
  lua_pop(L, 1);
  return empty && is_object(body, len, lua_tostring(L, 3));
}

/* decode(box, window?, list?) -> value, what is in the window?
 *                                                             [-3, +n, e] */
static int decode(lua_State *L)
{
  struct box *box = lua_touserdata(L, 1);
  size_t len;
  const char *body = fr_read_body(box->read, &len);

  if (box->accept == AS_TEXT) {
    lua_pushlstring(L, body, len);
    lua_pushstring(L, fr_read_type(box->read));
    return 2;
  }
  if (!lua_isnil(L, 2) && frl_window_take(L, 2, fr_read_page(box->read)))
    return 2;
  frl_json_decode(L, body, len);
  if (lists_nothing(L, body, len))
    return frl_fail(L, FR_EPROTOCOL, lua_pushfstring(
      L, "the answer is not what the API documents: %s is an object, not a "
      "list; nothing of it was used", lua_tostring(L, 3)));
  if (box->accept != AS_BOTH)
    return 1;
  lua_pushlstring(L, body, len);
  return 2;
}

static int push_decoded(lua_State *L)
{
  int status;

  lua_pushcfunction(L, decode);
  lua_pushvalue(L, READ);
  lua_pushliteral(L, "window");
  lua_rawget(L, CALL);
  lua_pushliteral(L, "list");
  lua_rawget(L, CALL);
  status = lua_pcall(L, 3, 2, 0);
  if (status == LUA_OK)
    return 2;
  if (status == LUA_ERRMEM || frl_of(L)->caps.hit != FRL_CAP_NONE)
    return lua_error(L);
  lua_pushfstring(L, "the answer could not be read: %s",
                  luaL_tolstring(L, -1, NULL));
  return frl_fail(L, FR_EPROTOCOL, lua_tostring(L, -1));
}

static int push_read(lua_State *L, struct fr_op *op)
{
  struct box *box = lua_touserdata(L, READ);
  int nresults;

  luaL_checkstack(L, 8, NULL);
  if (!op->err)
    return push_decoded(L);
  nresults = frl_fail(L, op->err, fr_read_message(box->read));
  if (fr_read_status(box->read)) {
    lua_pushinteger(L, fr_read_status(box->read));
    lua_setfield(L, -2, "http_status");
  }
  return nresults;
}

/* core.read(call) -> value, reach? | text, type | nil, err    [-1, +n, ey] */
static int l_read(lua_State *L)
{
  struct fr_fal *fal = frl_of(L)->config.fal;
  struct fr_read_spec spec = { 0 };
  struct box *box;
  enum fr_err err;

  lua_settop(L, CALL);
  box = push_box(L);
  check_spec(L, box, &spec);
  if (!fal)
    return frl_fail_network(L);
  err = fr_read_new(fal, &spec, &box->read);
  if (err == FR_EINVALID)
    return frl_bad_argument(L, FUNCTION, "path", "it is no path of the API, "
                            "or the call is too long");
  if (err)
    return frl_fail(L, err, NULL);
  lua_settop(L, READ);
  fr_list_add(&frl_of(L)->boxes, &box->box.link);
  fr_read_start(box->read);
  return frl_await(L, fr_read_op(box->read), push_read);
}

const luaL_Reg frl_read_functions[] = {
  { "read", l_read },
  { NULL, NULL },
};
