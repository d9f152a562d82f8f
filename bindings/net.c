/* bindings/net.c - core.net: a request to a host outside fal.
 *
 * Stack while it waits:  1 call, 2 box. The box owns the request. Which host
 * may be asked, and that no key goes there, is decided in runtime/net. In a
 * plan and on a stage nothing is sent: the request is made, so that what is
 * wrong with it is told, and dropped. */
#include <string.h>

#include "bindings/nouns.h"

#define FUNCTION "fal.net.request"
#define BOX "falrun.net"
#define NAME_MOST 256

enum { CALL = 1, REQUEST };

struct box {
  struct frl_box box;           /* first */
  struct fr_net_request *request;
  struct fr_buf why;
};

static void drop(struct frl_box *link)
{
  struct box *box = (struct box *)link;

  fr_net_request_free(box->request);
  box->request = NULL;
  fr_buf_done(&box->why);
}

static struct box *push_box(lua_State *L)
{
  struct box *box = frl_box_push(L, sizeof(*box), BOX, drop);

  fr_buf_init(&box->why, 1024);
  return box;
}

/* ---- the answer ---------------------------------------------------------- */

/* Sets headers[name] = value, with the name in lower case. */
static void set_header(lua_State *L, const char *line)
{
  size_t len = strcspn(line, ":");
  char name[NAME_MOST];

  if (len >= sizeof(name) || !line[len])
    return;
  for (size_t i = 0; i < len; i++)
    name[i] = line[i] >= 'A' && line[i] <= 'Z' ? (char)(line[i] - 'A' + 'a')
                                               : line[i];
  name[len] = 0;
  lua_pushstring(L, line + len + 1);
  lua_setfield(L, -2, name);
}

static void set_headers(lua_State *L, const struct fr_net_request *request)
{
  size_t len;
  const char *at = fr_net_headers(request, &len), *end = at + len;

  lua_newtable(L);
  for (; at < end; at += strlen(at) + 1)
    set_header(L, at);
  lua_setfield(L, -2, "headers");
}

static int push_answer(lua_State *L, struct fr_op *op)
{
  struct box *box = lua_touserdata(L, REQUEST);
  const char *detail = fr_net_detail(box->request), *body;
  size_t len;

  if (op->err)
    return frl_fail(L, op->err, *detail ? detail : NULL);
  luaL_checkstack(L, 8, NULL);
  lua_createtable(L, 0, 3);
  lua_pushinteger(L, fr_net_status(box->request));
  lua_setfield(L, -2, "status");
  set_headers(L, box->request);
  body = fr_net_body(box->request, &len);
  lua_pushlstring(L, body, len);
  lua_setfield(L, -2, "body");
  return 1;
}

static int push_planned(lua_State *L)
{
  lua_createtable(L, 0, 4);
  lua_pushboolean(L, true);
  lua_setfield(L, -2, "planned");
  lua_pushinteger(L, 200);
  lua_setfield(L, -2, "status");
  lua_newtable(L);
  lua_setfield(L, -2, "headers");
  lua_pushliteral(L, "");
  lua_setfield(L, -2, "body");
  return 1;
}

/* ---- the request --------------------------------------------------------- */

/* What it points at stays on the stack above the box. */
static void check_spec(lua_State *L, struct fr_net_spec *spec)
{
  static const char *const known[] = {
    "method", "url", "headers", "body", "timeout_ms", NULL
  };
  lua_Integer ms = 0;

  luaL_checktype(L, CALL, LUA_TTABLE);
  frl_check_options(L, CALL, FUNCTION, known);
  spec->method = frl_field_text(L, CALL, FUNCTION, "method", 1, 10);
  spec->url = frl_field_text(L, CALL, FUNCTION, "url", 1, FR_NET_URL_MOST);
  spec->headers = frl_field_text(L, CALL, FUNCTION, "headers", 0,
                                 FR_NET_HEADERS_MOST);
  if (!spec->method || !spec->url)
    frl_bad_argument(L, FUNCTION, "url", "it is missing");
  if (frl_field(L, CALL, FUNCTION, "body", LUA_TSTRING))
    spec->body = lua_tolstring(L, -1, &spec->body_len);
  frl_field_integer(L, CALL, FUNCTION, "timeout_ms", &ms);
  luaL_argcheck(L, ms >= 0 && ms <= FR_NET_TIMEOUT_MOST_MS, 1,
                "timeout_ms: 0 to 30000");
  spec->timeout_ms = (uint32_t)ms;
}

/* It may not be sent, and the sentence says why not.         [-0, +2, m] */
static int fail(lua_State *L, enum fr_err err, const struct box *box)
{
  return frl_fail(L, err, box->why.len ? fr_buf_text(&box->why) : NULL);
}

/* core.net{method, url, headers?, body?, timeout_ms?}
 *   -> {status, headers, body, planned?} | nil, err           [-1, +n, ey] */
static int l_net(lua_State *L)
{
  struct frl *frl = frl_of(L);
  struct fr_net_spec spec = { .body = NULL };
  struct box *box;
  enum fr_err err;

  lua_settop(L, CALL);
  box = push_box(L);
  check_spec(L, &spec);
  if (frl->run_mark)                    /* a stage: nobody is out there */
    return push_planned(L);
  err = fr_net_check(frl->config.net, spec.url, &box->why);
  if (!err)
    err = fr_net_request_new(frl->config.net, &spec, &box->why,
                             &box->request);
  if (err)
    return fail(L, err, box);
  if (frl->config.mode != FR_MODE_RUN)
    return push_planned(L);
  lua_settop(L, REQUEST);
  fr_list_add(&frl->boxes, &box->box.link);
  fr_net_request_start(box->request);
  return frl_await(L, fr_net_request_op(box->request), push_answer);
}

/* core.net_place(url) -> "https://host": what may be shown     [-1, +1, e] */
static int l_net_place(lua_State *L)
{
  const char *url = frl_check_text(L, 1, FUNCTION, "url");
  struct box *box = push_box(L);

  fr_place_words(url, &box->why);
  lua_pushstring(L, fr_buf_text(&box->why));
  return 1;
}

/* core.net_fault(url) -> why it may not be asked, or nil       [-1, +1, e] */
static int l_net_fault(lua_State *L)
{
  const char *url = frl_check_text(L, 1, FUNCTION, "url");
  struct box *box = push_box(L);

  if (!fr_net_check(frl_of(L)->config.net, url, &box->why))
    return 0;
  lua_pushstring(L, fr_buf_text(&box->why));
  return 1;
}

const luaL_Reg frl_net_functions[] = {
  { "net", l_net },
  { "net_place", l_net_place },
  { "net_fault", l_net_fault },
  { NULL, NULL },
};
