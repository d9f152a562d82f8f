/* bindings/change.c - core.change: a call that changes something, through the
 * gate and its ledger.
 *
 * Stack while it waits:  1 call, 2 box. The box owns the mutation, the text
 * of its query and the gate's words. */
#include <limits.h>
#include <string.h>

#include "bindings/callspec.h"
#include "bindings/json.h"
#include "bindings/nouns.h"
#include "gate/mutation.h"

#define FUNCTION "core.change"
#define BOX "falrun.change"
#define TEXT_MAX 1000u
#define KEY_MAX 200u

enum { CALL = 1, CHANGE };

struct box {
  struct frl_box box;           /* first */
  struct fr_mutation *mutation;
  struct fr_buf query, why;
};

static void drop(struct frl_box *link)
{
  struct box *box = (struct box *)link;

  fr_mutation_free(box->mutation);
  box->mutation = NULL;
  fr_buf_done(&box->query);
  fr_buf_done(&box->why);
}

static struct box *push_box(lua_State *L)
{
  struct box *box = frl_box_push(L, sizeof(*box), BOX, drop);

  fr_buf_init(&box->query, FRL_QUERY_MAX);
  fr_buf_init(&box->why, 1024);
  return box;
}

/* ---- the call ------------------------------------------------------------ */

static bool check_flag(lua_State *L, const char *name)
{
  bool flag;

  frl_field(L, CALL, FUNCTION, name, LUA_TBOOLEAN);
  flag = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return flag;
}

static const char *need_text(lua_State *L, const char *name, size_t most)
{
  const char *text = frl_field_text(L, CALL, FUNCTION, name, 1, most);

  if (!text)
    frl_bad_argument(L, FUNCTION, name, "it is missing");
  return text;
}

/* Changes are the account's: there is a key to every one of them. */
static enum fr_key check_key(lua_State *L)
{
  enum fr_key key = frl_call_key(L, CALL, FUNCTION);

  if (key != FR_KEY_API && key != FR_KEY_ADMIN)
    frl_bad_argument(L, FUNCTION, "key", "\"api\" or \"admin\" is needed");
  return key;
}

static const struct fr_uuid *check_request(lua_State *L, struct fr_uuid *id)
{
  if (!frl_field(L, CALL, FUNCTION, "request_id", LUA_TSTRING))
    return NULL;
  frl_check_id(L, lua_gettop(L), FUNCTION, id);
  return id;
}

/* What it points at stays on the stack above the box. */
static void check_spec(lua_State *L, struct box *box, struct fr_uuid *id,
                       struct fr_mutation_spec *spec)
{
  static const char *const known[] = {
    "operation", "method", "path", "query", "body", "key", "idempotent",
    "idempotency_key", "timeout", "reason", "policy", "irreversible",
    "request_id", "target", "dry_run", "file", "field", NULL
  };

  if (!lua_istable(L, CALL))
    frl_bad_argument(L, FUNCTION, "call", "table expected, got %s",
                     luaL_typename(L, CALL));
  frl_check_options(L, CALL, FUNCTION, known);
  spec->operation = need_text(L, "operation", 200);
  spec->method = need_text(L, "method", 20);
  spec->path = need_text(L, "path", 2000);
  spec->query = frl_call_query(L, CALL, FUNCTION, &box->query);
  spec->body = frl_call_body(L, CALL, FUNCTION);
  spec->file = frl_field_text(L, CALL, FUNCTION, "file", 1, PATH_MAX - 1);
  spec->field = frl_field_text(L, CALL, FUNCTION, "field", 1, 200);
  spec->key = check_key(L);
  spec->idempotent = check_flag(L, "idempotent");
  spec->idempotency_key = frl_field_text(L, CALL, FUNCTION,
                                         "idempotency_key", 1, KEY_MAX);
  spec->timeout_ms = frl_call_timeout(L, CALL, FUNCTION);
  spec->reason = frl_field_text(L, CALL, FUNCTION, "reason", 1, TEXT_MAX);
  spec->policy = frl_field_text(L, CALL, FUNCTION, "policy", 1, 64);
  spec->target = frl_field_text(L, CALL, FUNCTION, "target", 1, TEXT_MAX);
  spec->id = check_request(L, id);
  spec->irreversible = check_flag(L, "irreversible");
  spec->dry_run = check_flag(L, "dry_run");
}

/* ---- results ------------------------------------------------------------- */

static void set_facts(lua_State *L, const struct fr_mutation_result *result)
{
  frl_set_text(L, "status", result->status);
  frl_set_text(L, "evidence", result->evidence);
  frl_set_text(L, "idempotency_key", result->idempotency_key);
  lua_pushinteger(L, result->attempts);
  lua_setfield(L, -2, "attempts");
  if (!result->http_status)
    return;
  lua_pushinteger(L, result->http_status);
  lua_setfield(L, -2, "http_status");
}

/* decode(box) -> value                                        [-1, +1, e] */
static int decode(lua_State *L)
{
  const struct box *box = lua_touserdata(L, 1);
  const struct fr_mutation_result *result = fr_mutation_result(box->mutation);

  frl_json_decode(L, result->body, result->body_len);
  return 1;
}

/* Stack: ..., result. What was done stays done when its answer is one that
 * Lua cannot hold (numbers, depth): `unread` says why there is no value. Its
 * text is there, too: a decoded one is not the same when it is encoded. */
static int add_value(lua_State *L, const struct fr_mutation_result *result)
{
  int status;

  lua_pushcfunction(L, decode);
  lua_pushvalue(L, CHANGE);
  status = lua_pcall(L, 1, 1, 0);
  if (status == LUA_ERRMEM || frl_of(L)->caps.hit != FRL_CAP_NONE)
    return lua_error(L);
  lua_setfield(L, -2, status == LUA_OK ? "value" : "unread");
  lua_pushlstring(L, result->body, result->body_len);
  lua_setfield(L, -2, "text");
  return 1;
}

static int push_change(lua_State *L, struct fr_op *op)
{
  struct box *box = lua_touserdata(L, CHANGE);
  const struct fr_mutation_result *result = fr_mutation_result(box->mutation);

  (void)op;
  luaL_checkstack(L, 8, NULL);
  if (result->err) {
    frl_fail(L, result->err, result->message);
    lua_pushboolean(L, result->retryable);
    lua_setfield(L, -2, "retryable");
    set_facts(L, result);
    return 2;
  }
  lua_createtable(L, 0, 8);
  set_facts(L, result);
  return result->body_len ? add_value(L, result) : 1;
}

/* A file that cannot be sent: nothing was done, nor announced.
 *                                                             [-0, +2, e] */
static int fail_file(lua_State *L, enum fr_err err, const struct box *box)
{
  frl_fail(L, err, box->why.len ? fr_buf_text(&box->why) : NULL);
  frl_set_text(L, "status", "refused");
  return 2;
}

/* core.change(call) -> result | nil, err                      [-1, +n, ey] */
static int l_change(lua_State *L)
{
  struct fr_gate *gate = frl_of(L)->config.gate;
  struct fr_mutation_spec spec = { 0 };
  struct fr_uuid id;
  struct box *box;
  enum fr_err err;

  lua_settop(L, CALL);
  box = push_box(L);
  luaL_checkstack(L, 32, NULL);
  check_spec(L, box, &id, &spec);
  if (!gate)
    return frl_fail_network(L);
  err = fr_mutation_new(gate, &spec, &box->why, &box->mutation);
  if (err == FR_EINVALID)
    return frl_bad_argument(L, FUNCTION, "call", "%s %s: %s", spec.method,
                            spec.path, fr_buf_text(&box->why));
  if (err)
    return fail_file(L, err, box);
  lua_settop(L, CHANGE);
  fr_list_add(&frl_of(L)->boxes, &box->box.link);
  fr_mutation_start(box->mutation);
  return frl_await(L, fr_mutation_op(box->mutation), push_change);
}

const luaL_Reg frl_change_functions[] = {
  { "change", l_change },
  { NULL, NULL },
};
