/* bindings/deletion.c - fal.delete_payloads: a deletion of the gate.
 *
 * Stack while it waits:  1 id, 2 opts, 3 box, 4 reason, 5 idempotency key,
 * 6 policy.
 * The box owns the deletion and the buffer for the gate's words, so that no
 * error of Lua can leak either. */
#include <string.h>

#include "base/log.h"
#include "bindings/json.h"
#include "bindings/nouns.h"

#define FUNCTION "fal.delete_payloads"
#define BOX "falrun.deletion"
#define REASON_MAX 1000u
#define POLICY_MAX 64u
#define KEY_MAX 200u            /* the gate says what else a good key is */
#define TIMEOUT_MAX_MS (10 * 60 * 1000)
#define RETRIES_MAX 10

enum { ID = 1, OPTS, DELETION, REASON, KEY, POLICY, SLOTS = POLICY };

struct box {
  struct frl_box box;           /* first */
  struct fr_deletion *deletion;
  struct fr_buf why;
};

static void drop(struct frl_box *link)
{
  struct box *box = (struct box *)link;

  fr_deletion_free(box->deletion);
  box->deletion = NULL;
  fr_buf_done(&box->why);
}

static struct box *push_box(lua_State *L)
{
  struct box *box = frl_box_push(L, sizeof(*box), BOX, drop);

  fr_buf_init(&box->why, 2048);
  return box;
}

/* ---- options ------------------------------------------------------------- */

static void check_timeout(lua_State *L, int index,
                          struct fr_deletion_spec *spec)
{
  uint64_t ms;

  lua_pushliteral(L, "timeout");
  if (lua_rawget(L, index) != LUA_TNIL) {
    ms = frl_check_duration(L, lua_gettop(L), FUNCTION, "timeout");
    if (ms < 1 || ms > TIMEOUT_MAX_MS)
      frl_bad_argument(L, FUNCTION, "timeout", "\"1ms\" to \"10m\" is "
                       "needed, got \"%s\"",
                       lua_tostring(L, -1));
    spec->timeout_ms = (uint32_t)ms;
  }
  lua_pop(L, 1);
}

static void check_retries(lua_State *L, int index,
                          struct fr_deletion_spec *spec)
{
  lua_Integer retries;

  if (!frl_field_integer(L, index, FUNCTION, "retries", &retries))
    return;
  if (retries < 0 || retries > RETRIES_MAX)
    frl_bad_argument(L, FUNCTION, "retries", "a whole number from 0 to %d is "
                     "needed, got %lld",
                     RETRIES_MAX, (long long)retries);
  spec->retries = (int)retries;
}

static bool check_flag(lua_State *L, int index, const char *name)
{
  bool flag;

  frl_field(L, index, FUNCTION, name, LUA_TBOOLEAN);
  flag = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return flag;
}

void frl_check_spec(lua_State *L, int index,
                    struct fr_deletion_spec *ret_spec)
{
  ret_spec->reason = frl_field_text(L, index, FUNCTION, "reason", 1,
                                    REASON_MAX);
  ret_spec->policy = frl_field_text(L, index, FUNCTION, "policy", 1,
                                    POLICY_MAX);
  check_timeout(L, index, ret_spec);
  check_retries(L, index, ret_spec);
  ret_spec->dry_run = check_flag(L, index, "dry_run");
}

/* Fills spec from the arguments, and the stack up to POLICY. */
static void check_spec(lua_State *L, struct fr_deletion_spec *spec)
{
  static const char *const known[] = {
    "reason", "idempotency_key", "timeout", "retries", "dry_run", "verify",
    "policy", NULL
  };

  frl_check_id(L, ID, FUNCTION, &spec->id);
  if (lua_isnil(L, OPTS))
    return;
  if (!lua_istable(L, OPTS))
    frl_bad_argument(L, FUNCTION, "options", "a table is needed, got %s",
                     luaL_typename(L, OPTS));
  frl_check_options(L, OPTS, FUNCTION, known);
  frl_check_spec(L, OPTS, spec);
  lua_replace(L, POLICY);
  lua_replace(L, REASON);
  spec->idempotency_key = frl_field_text(L, OPTS, FUNCTION,
                                          "idempotency_key", 1, KEY_MAX);
  lua_replace(L, KEY);
  check_flag(L, OPTS, "verify");        /* the library's: fal/erasure.lua */
}

/* ---- results ------------------------------------------------------------- */

static void set_files(lua_State *L, const struct fr_deletion_result *result)
{
  lua_createtable(L, (int)result->nfiles, 0);
  luaL_setmetatable(L, FRL_JSON_ARRAY);         /* [], also when empty */
  for (size_t i = 0; i < result->nfiles; i++) {
    lua_createtable(L, 0, 2);
    frl_set_text(L, "link", result->files[i].link);
    if (result->files[i].exception) {   /* "" too: only null is "gone" */
      lua_pushstring(L, result->files[i].exception);
      lua_setfield(L, -2, "exception");
    }
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_setfield(L, -2, "cdn_delete_results");
}

/* Sets what results and errors both carry in the table on top. */
static void set_facts(lua_State *L, const struct fr_deletion_result *result,
                      int id, int reason)
{
  frl_set_text(L, "status", fr_fate_name(result->fate));
  lua_pushvalue(L, id);
  lua_setfield(L, -2, "request_id");
  set_files(L, result);
  if (result->http_status) {
    lua_pushinteger(L, result->http_status);
    lua_setfield(L, -2, "http_status");
  }
  lua_pushinteger(L, result->attempts);
  lua_setfield(L, -2, "attempts");
  frl_set_text(L, "idempotency_key", result->idempotency_key);
  frl_set_text(L, "evidence", result->evidence);
  lua_pushnumber(L, (lua_Number)result->elapsed_ms / 1000);
  lua_setfield(L, -2, "elapsed");
  lua_pushvalue(L, reason);
  lua_setfield(L, -2, "reason");
  if (result->age_known) {
    lua_pushnumber(L, (lua_Number)result->age_ms / 1000);
    lua_setfield(L, -2, "age");
  }
}

/* Calls the observer, which is below its arguments. Its failure is falrun's,
 * not the policy's. A cap or a lack of memory is neither, and goes on.
 *                                                          [-n-1, +0, e] */
static void call_observer(lua_State *L, int nargs)
{
  struct frl *frl = frl_of(L);
  int status = lua_pcall(L, nargs, 0, 0);

  if (status == LUA_OK)
    return;
  if (status == LUA_ERRMEM || frl->caps.hit != FRL_CAP_NONE)
    lua_error(L);
  frl->config.verdict->bug = true;
  fr_verdict_say(frl->config.verdict, "the observer of deletions failed: %s",
                 luaL_tolstring(L, -1, NULL));
  fr_log(FR_LOG_ERROR, "the observer of deletions failed: %s",
         lua_tostring(L, -1));
  lua_pop(L, 2);
}

bool frl_observes_all(lua_State *L)
{
  struct frl *frl = frl_of(L);

  return frl->observer != LUA_NOREF && !frl->brief;
}

/* The result, or nil and the error, are on top.              [-0, +0, e] */
static void observe(lua_State *L, int id, int nresults)
{
  struct frl *frl = frl_of(L);
  int top = lua_gettop(L);

  if (frl->observer == LUA_NOREF || (nresults == 1 && frl->brief))
    return;
  lua_rawgeti(L, LUA_REGISTRYINDEX, frl->observer);
  lua_pushvalue(L, id);
  lua_pushvalue(L, nresults == 1 ? top : top - 1);
  if (nresults == 2)
    lua_pushvalue(L, top);
  call_observer(L, nresults + 1);
}

int frl_push_outcome(lua_State *L, const struct fr_deletion_result *result,
                     int id, int reason)
{
  int nresults = 1;

  luaL_checkstack(L, 8, NULL);
  if (result->err) {
    nresults = frl_fail(L, result->err, result->message);
    lua_pushboolean(L, result->retryable);
    lua_setfield(L, -2, "retryable");
    set_facts(L, result, id, reason);
  }
  lua_createtable(L, 0, 10);
  set_facts(L, result, id, reason);
  if (result->err)
    lua_setfield(L, -2, "result");
  observe(L, id, nresults);
  return nresults;
}

struct fr_deletion_result frl_unmade(enum fr_err err, const char *message)
{
  return (struct fr_deletion_result){
    .fate = err == FR_ECONFIG ? FR_FATE_REFUSED : FR_FATE_FAILED,
    .err = err,
    .retryable = fr_err_retryable(err),
    .message = message,
    .idempotency_key = "",
    .evidence = "",
  };
}

static int push_deletion(lua_State *L, struct fr_op *op)
{
  struct box *box = lua_touserdata(L, DELETION);

  (void)op;
  return frl_push_outcome(L, fr_deletion_result(box->deletion), ID, REASON);
}

/* A deletion that could not even be made; the gate knows nothing of it. */
static int push_unmade(lua_State *L, enum fr_err err, const char *message)
{
  struct fr_deletion_result result = frl_unmade(err, message);

  return frl_push_outcome(L, &result, ID, REASON);
}

/* fal.delete_payloads(id, opts) -> result | nil, err         [-2, +n, ey] */
static int l_delete_payloads(lua_State *L)
{
  struct fr_gate *gate = frl_of(L)->config.gate;
  struct fr_deletion_spec spec = { .retries = -1 };
  struct box *box;
  enum fr_err err;

  lua_settop(L, OPTS);
  box = push_box(L);
  lua_settop(L, SLOTS);
  check_spec(L, &spec);
  if (!gate)
    return push_unmade(L, FR_ECONFIG, "this command has no network");
  err = fr_deletion_new(gate, &spec, &box->why, &box->deletion);
  if (err == FR_EINVALID)
    return frl_bad_argument(L, FUNCTION, "idempotency_key", "%s",
                            fr_buf_text(&box->why));
  if (err)
    return push_unmade(L, err, fr_buf_text(&box->why));
  fr_list_add(&frl_of(L)->boxes, &box->box.link);
  fr_deletion_start(box->deletion);
  return frl_await(L, fr_deletion_op(box->deletion), push_deletion);
}

const luaL_Reg frl_deletion_functions[] = {
  { "delete_payloads", l_delete_payloads },
  { NULL, NULL },
};
