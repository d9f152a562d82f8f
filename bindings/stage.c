/* bindings/stage.c - host.stage: an API, a ledger and a clock of its own.
 *
 *   policy --> gate --> fal --> local transport --> acceptor --> handler
 *               |                                                (Lua)
 *               +----> ledger (":memory:"), kept from run to run
 *
 * Nothing of it can leave the process: its client has no other transport,
 * its keys are made up, its ledger has no file. What core.* and host.* act
 * on is in the configuration, so a run is begun by putting its own parts
 * there, and finished by putting back what was there before.
 *
 * The order of an end: the gate is idle, the tasks that were started during
 * the run are over, reads and deletions that Lua still holds are dropped,
 * and only then gate, client and transport go. */
#include <string.h>

#include "base/digest.h"
#include "bindings/calls.h"
#include "bindings/json.h"
#include "bindings/nouns.h"
#include "gate/plan.h"

#define STAGE "falrun.stage"
#define BASE "http://127.0.0.1/v1"
#define NAME "sandbox"
#define API_KEY "api-stage:made-up-secret"
#define ADMIN_KEY "admin-stage:made-up-admin-secret"
#define WORDS_MAX 1000
#define PATH_MAX_BYTES 4096
#define TEXT_MAX ((size_t)4 << 20)
#define NAP_MAX_MS 1000u

/* Its user values; the acceptor's is the first. */
enum { HELD = 2, ENV_BEFORE, VALUES = ENV_BEFORE };

struct stage {
  struct frl_acceptor acceptor; /* first */
  struct frl *frl;
  struct fr_ledger *ledger;     /* NULL: closed */
  struct fr_keys *keys;
  struct fr_origin origin;
  struct frl_config before;     /* the configuration outside of runs */
  bool on;                      /* a run is */
  /* of a run */
  struct fr_http *http;
  struct fr_fal *fal;
  struct fr_gate *gate;
  struct fr_verdict verdict;
  struct frl_policy policy;
  int observer;                 /* the one before */
  uint64_t nap_ms;
};

static struct stage *check_stage(lua_State *L)
{
  struct stage *stage = luaL_checkudata(L, 1, STAGE);

  if (!stage->ledger)
    luaL_error(L, "the stage is closed");
  return stage;
}

static struct stage *check_run(lua_State *L)
{
  struct stage *stage = check_stage(L);

  if (!stage->on)
    luaL_error(L, "no run is on: stage:begin comes first");
  return stage;
}

/* ---- the cached tables `core` and `host` --------------------------------- */

static void set_core_mode(lua_State *L, enum fr_mode mode)
{
  if (frl_env_cached(L, "core")) {
    lua_pushstring(L, mode == FR_MODE_RUN ? "run" : "plan");
    lua_setfield(L, -2, "mode");
  }
  lua_pop(L, 1);
}

/* Sets a field of `host` to the value on top.                [-1, +0, m] */
static void set_host(lua_State *L, const char *name)
{
  if (frl_env_cached(L, "host")) {
    lua_insert(L, -2);
    lua_setfield(L, -2, name);
    lua_pop(L, 1);
  } else {
    lua_pop(L, 2);
  }
}

/* ---- the end of a run ---------------------------------------------------- */

static void free_run(struct stage *stage)
{
  fr_gate_free(stage->gate);
  fr_fal_free(stage->fal);
  fr_http_free(stage->http);
  stage->gate = NULL;
  stage->fal = NULL;
  stage->http = NULL;
}

static void close_tasks(struct frl *frl)
{
  frl_caps_hurry(frl, true);
  frl_tasks_close_since(frl->tasks, frl->run_mark);
  frl_caps_hurry(frl, false);
}

/* Puts the configuration back; no Lua is needed for it.     [-0, +0, -] */
static void leave_run(struct stage *stage)
{
  struct frl *frl = stage->frl;

  if (!stage->on)
    return;
  close_tasks(frl);
  frl_drop_boxes(frl);
  frl->run_mark = 0;
  stage->on = false;
  frl->config.fal = stage->before.fal;
  frl->config.gate = stage->before.gate;
  frl->config.verdict = stage->before.verdict;
  frl->config.mode = stage->before.mode;
  frl->config.policy = stage->before.policy;
  frl->config.words = stage->before.words;
  free_run(stage);
}

/* The same, with what belongs to Lua. Stack: 1 stage.         [-0, +0, m] */
static void end_run(lua_State *L, struct stage *stage)
{
  struct frl *frl = stage->frl;

  if (!stage->on)
    return;
  leave_run(stage);
  luaL_unref(L, LUA_REGISTRYINDEX, frl->observer);
  frl->observer = stage->observer;
  set_core_mode(L, frl->config.mode);
  frl_forget_notes(L);
  lua_pushnil(L);
  set_host(L, "policy");
  lua_getiuservalue(L, 1, ENV_BEFORE);
  frl_env_use(L);
}

/* ---- stage:begin --------------------------------------------------------- */

static enum fr_err open_run(struct stage *stage, enum fr_mode mode,
                            const struct fr_limits *limits)
{
  struct frl *frl = stage->frl;
  struct fr_fal_config fal = {
    .origin = &stage->origin, .keys = stage->keys,
    .verdict = &stage->verdict, .age_floor_ms = limits->min_age_ms
  };
  struct fr_gate_config gate = {
    .loop = frl->config.loop, .ledger = stage->ledger,
    .verdict = &stage->verdict, .mode = mode, .limits = *limits
  };
  enum fr_err err;

  err = fr_http_new_local(frl->config.loop, mode != FR_MODE_RUN,
                          frl_take_call, &stage->acceptor, &stage->http);
  if (!err)
    err = fr_fal_new(frl->config.loop, stage->http, &fal, &stage->fal);
  gate.fal = stage->fal;
  if (!err)
    err = fr_gate_new(&gate, &stage->gate);
  if (!err && limits->max_percent)
    fr_gate_seal(stage->gate, "max_percent needs a declarative policy (return"
                 " fal.policy { ... }), whose whole is known before the "
                 "first deletion; use max_deletes");
  return err;
}

/* The hexadecimal digest of the policy's text. */
static enum fr_err digest(const struct frl_policy *policy,
                          char ret_hex[FR_SHA256_TEXT])
{
  struct fr_part part = { policy->text, policy->len };
  uint8_t sum[FR_SHA256_SIZE];
  enum fr_err err = fr_sha256(&part, 1, sum);

  if (!err)
    fr_hex(sum, sizeof(sum), ret_hex);
  return err;
}

static enum fr_err write_begin(struct stage *stage, const char *sha256)
{
  struct fr_run_spec spec = {
    .command = "run", .policy = stage->policy.path,
    .policy_sha256 = sha256, .options = "{}"
  };
  int64_t number;

  return fr_ledger_run_begin(stage->ledger, &spec, &number);
}

/* Copies the texts of the list on top into an array that ends with NULL and
 * lives as long as the table `held`.                         [-1, +0, e] */
static const char *const *check_words(lua_State *L, int held)
{
  lua_Unsigned count = lua_rawlen(L, -1);
  const char **words;

  if (count > WORDS_MAX)
    frl_bad_argument(L, "begin", "args", "at most %d words", WORDS_MAX);
  words = lua_newuserdatauv(L, ((size_t)count + 1) * sizeof(*words), 0);
  for (lua_Unsigned i = 0; i < count; i++) {
    lua_rawgeti(L, -2, (lua_Integer)i + 1);
    words[i] = frl_check_text(L, lua_gettop(L), "begin", "args");
    lua_rawseti(L, held, luaL_len(L, held) + 1);
  }
  words[count] = NULL;
  lua_setfield(L, held, "words");
  lua_pop(L, 1);
  return words;
}

enum { OPTIONS = 2, NOW_HELD };         /* stack of stage:begin */

static void check_policy(lua_State *L, struct frl_policy *policy)
{
  if (!frl_field(L, OPTIONS, "begin", "policy", LUA_TTABLE))
    frl_bad_argument(L, "begin", "policy", "table expected, got nil");
  policy->path = frl_field_text(L, -1, "begin", "path", 1, PATH_MAX_BYTES);
  if (!policy->path)
    frl_bad_argument(L, "begin", "path", "string expected, got nil");
  lua_setfield(L, NOW_HELD, "path");
  if (!frl_field(L, -1, "begin", "text", LUA_TSTRING))
    frl_bad_argument(L, "begin", "text", "string expected, got nil");
  policy->text = lua_tolstring(L, -1, &policy->len);
  if (policy->len > TEXT_MAX)
    frl_bad_argument(L, "begin", "text", "larger than 4 MiB");
  lua_setfield(L, NOW_HELD, "text");
  lua_pop(L, 1);
}

static void check_limits(lua_State *L, struct fr_limits *limits)
{
  lua_Integer max = FR_MAX_DELETES_DEFAULT;
  lua_Integer min_age = FR_MIN_AGE_DEFAULT_MS, percent = 0;

  frl_field_integer(L, OPTIONS, "begin", "max_deletes", &max);
  frl_field_integer(L, OPTIONS, "begin", "min_age", &min_age);
  frl_field_integer(L, OPTIONS, "begin", "max_percent", &percent);
  if (percent < 0 || percent > 100)
    frl_bad_argument(L, "begin", "max_percent", "0 to 100 expected");
  if (max < 0)
    frl_bad_argument(L, "begin", "max_deletes", "it is negative");
  if (min_age < 0)
    frl_bad_argument(L, "begin", "min_age", "it is negative");
  limits->max_deletes = (uint64_t)max;
  limits->min_age_ms = min_age;
  limits->max_percent = (unsigned)percent;
}

static enum fr_mode check_mode(lua_State *L)
{
  const char *mode = frl_field_text(L, OPTIONS, "begin", "mode", 0, 10);

  if (mode && strcmp(mode, "run") != 0 && strcmp(mode, "plan") != 0)
    frl_bad_argument(L, "begin", "mode", "\"run\" or \"plan\" expected, got "
                     "\"%s\"", mode);
  lua_pop(L, 1);
  return mode && strcmp(mode, "plan") == 0 ? FR_MODE_PLAN : FR_MODE_RUN;
}

/* From here on the run is on: an error ends it first.        [-0, +0, m] */
static void enter_run(lua_State *L, struct stage *stage,
                      const struct frl_policy *policy,
                      const char *const *words, enum fr_mode mode)
{
  struct frl *frl = stage->frl;

  frl_forget_notes(L);
  frl_env_push(L);
  lua_setiuservalue(L, 1, ENV_BEFORE);
  frl_env_new(L, policy->path);
  stage->verdict = (struct fr_verdict){ .bug = false };
  stage->policy = *policy;
  frl->run_mark = frl_tasks_mark(frl->tasks);
  frl->caps.printed = frl->caps.logged = 0;
  stage->nap_ms = 1;
  stage->observer = frl->observer;
  stage->before = frl->config;
  frl->observer = LUA_NOREF;
  frl->config.verdict = &stage->verdict;
  frl->config.mode = mode;
  frl->config.policy = &stage->policy;
  frl->config.words = words;
  stage->on = true;
  frl_env_use(L);
  set_core_mode(L, mode);
}

static void publish(struct stage *stage)
{
  stage->frl->config.fal = stage->fal;
  stage->frl->config.gate = stage->gate;
}

static void set_host_policy(lua_State *L, const struct stage *stage,
                            const char *sha256)
{
  lua_createtable(L, 0, 2);
  lua_pushstring(L, stage->policy.path);
  lua_setfield(L, -2, "path");
  lua_pushstring(L, sha256);
  lua_setfield(L, -2, "sha256");
  set_host(L, "policy");
}

/* stage:begin(options) -> main chunk                          [-2, +1, e] */
static int l_begin(lua_State *L)
{
  static const char *const known[] = {
    "mode", "policy", "args", "max_deletes", "max_percent", "min_age", NULL
  };
  struct stage *stage = check_stage(L);
  const char *const *words = NULL;
  char sha256[FR_SHA256_TEXT] = "";
  struct frl_policy policy = { 0 };
  struct fr_limits limits;
  enum fr_mode mode;
  enum fr_err err;

  luaL_checktype(L, OPTIONS, LUA_TTABLE);
  lua_settop(L, OPTIONS);
  if (stage->on)
    return luaL_error(L, "a run is on already: one at a time on a stage");
  frl_check_options(L, OPTIONS, "begin", known);
  lua_newtable(L);                              /* NOW_HELD */
  check_policy(L, &policy);
  if (frl_field(L, OPTIONS, "begin", "args", LUA_TTABLE))
    words = check_words(L, NOW_HELD);
  mode = check_mode(L);
  check_limits(L, &limits);
  lua_pushvalue(L, NOW_HELD);
  lua_setiuservalue(L, 1, HELD);
  enter_run(L, stage, &policy, words, mode);
  err = digest(&policy, sha256);
  if (!err)
    err = open_run(stage, mode, &limits);
  if (!err && mode == FR_MODE_RUN)
    err = write_begin(stage, sha256);
  if (err) {
    end_run(L, stage);
    return luaL_error(L, "the stage cannot begin a run: %s",
                      fr_err_message(err));
  }
  publish(stage);
  set_host_policy(L, stage, sha256);
  frl_env_load_policy(L, &stage->policy);
  return 1;
}

/* ---- stage:finish -------------------------------------------------------- */

/* Pushes the counts and the notes as one JSON object.        [-0, +1, e] */
static void push_summary(lua_State *L)
{
  size_t len;
  const char *counts;

  lua_pushcfunction(L, frl_json_encode);
  frl_push_counts(L);
  lua_call(L, 1, 1);
  counts = lua_tolstring(L, -1, &len);
  lua_pushlstring(L, counts, len - 1);          /* without its brace */
  lua_pushstring(L, frl_notes(frl_of(L)));
  lua_pushliteral(L, "}");
  lua_concat(L, 3);
  lua_remove(L, -2);
}

static void write_end(lua_State *L, struct stage *stage)
{
  enum fr_err err;

  if (stage->frl->config.mode != FR_MODE_RUN)
    return;
  push_summary(L);
  err = fr_ledger_run_end(stage->ledger,
                          fr_verdict_exit_code(&stage->verdict),
                          lua_tostring(L, -1));
  if (err) {
    stage->verdict.ledger = true;
    fr_verdict_say(&stage->verdict, "the end of the run could not be written"
                   " to the ledger: %s", fr_ledger_detail(stage->ledger));
  }
  lua_pop(L, 1);
}

static int push_finished(lua_State *L, struct stage *stage)
{
  close_tasks(stage->frl);
  write_end(L, stage);
  lua_createtable(L, 0, 3);
  lua_pushinteger(L, fr_verdict_exit_code(&stage->verdict));
  lua_setfield(L, -2, "exit_code");
  if (stage->verdict.why[0]) {
    lua_pushstring(L, stage->verdict.why);
    lua_setfield(L, -2, "why");
  }
  frl_push_counts(L);
  lua_setfield(L, -2, "counts");
  end_run(L, stage);
  return 1;
}

/* What is in flight is waited for, as at the end of a real run. */
static int finish_more(lua_State *L, struct fr_op *op)
{
  struct stage *stage = check_run(L);
  uint64_t ms = stage->nap_ms;

  (void)op;
  lua_settop(L, 1);
  if (!fr_gate_busy(stage->gate))
    return push_finished(L, stage);
  if (stage->nap_ms < NAP_MAX_MS)
    stage->nap_ms *= 2;
  return frl_nap(L, ms, finish_more);
}

/* stage:finish() -> {exit_code, why, counts}                  [-1, +1, ey] */
static int l_finish(lua_State *L)
{
  (void)check_run(L);
  return finish_more(L, NULL);
}

/* ---- the clock ----------------------------------------------------------- */

static int l_at(lua_State *L)
{
  struct stage *stage = check_stage(L);

  lua_pushinteger(L, fr_clock_at(stage->frl->config.clock));
  return 1;
}

static int push_nothing(lua_State *L, struct fr_op *op)
{
  (void)L;
  (void)op;
  return 0;
}

/* stage:advance(ms): a nap, and virtual time leaps to its end. In the turn
 * that opened the stage the loop's now is a moment behind the clock's.
 *                                                            [-2, +0, ey] */
static int l_advance(lua_State *L)
{
  const struct frl_config *config = &check_stage(L)->frl->config;
  lua_Integer ms = luaL_checkinteger(L, 2);
  uint64_t behind = fr_clock_now(config->clock) - fr_loop_now(config->loop);

  luaL_argcheck(L, ms >= 0 && ms <= (lua_Integer)100 * 366 * 86400000, 2,
                "0 to 100 years expected");
  return frl_nap(L, (uint64_t)ms + behind, push_nothing);
}

/* ---- life ---------------------------------------------------------------- */

/* What needs no Lua; idempotent. */
static void close_parts(struct stage *stage)
{
  leave_run(stage);
  if (stage->ledger) {
    stage->frl->config.ledger = NULL;
    stage->frl->config.may_hold = false;
  }
  fr_ledger_close(stage->ledger);
  fr_keys_free(stage->keys);
  stage->ledger = NULL;
  stage->keys = NULL;
  frl_acceptor_close(&stage->acceptor);
}

/* stage:close() and __close                                   [-n, +0, m] */
static int l_close(lua_State *L)
{
  struct stage *stage = luaL_checkudata(L, 1, STAGE);

  lua_settop(L, 1);
  if (!stage->ledger)
    return 0;
  end_run(L, stage);
  close_parts(stage);
  lua_pushnil(L);
  set_host(L, "ledger");
  return 0;
}

static int l_gc(lua_State *L)
{
  struct stage *stage = luaL_checkudata(L, 1, STAGE);

  close_parts(stage);
  frl_acceptor_done(&stage->acceptor);
  return 0;
}

static void push_metatable(lua_State *L)
{
  static const luaL_Reg methods[] = {
    { "begin", l_begin }, { "finish", l_finish }, { "at", l_at },
    { "advance", l_advance }, { "close", l_close }, { NULL, NULL },
  };

  if (!luaL_newmetatable(L, STAGE))
    return;
  luaL_newlib(L, methods);
  lua_setfield(L, -2, "__index");
  lua_pushcfunction(L, l_close);
  lua_setfield(L, -2, "__close");
  lua_pushcfunction(L, l_gc);
  lua_setfield(L, -2, "__gc");
}

static enum fr_err open_stage(struct stage *stage, int64_t at_ms,
                              struct fr_buf *why)
{
  struct frl *frl = stage->frl;
  struct fr_ledger_config ledger = {
    .path = ":memory:", .access = FR_LEDGER_RUN, .origin = NAME,
    .clock = frl->config.clock
  };
  enum fr_err err;

  strcpy(stage->origin.base, BASE);
  strcpy(stage->origin.name, NAME);
  fr_clock_detach(frl->config.clock, at_ms);
  err = fr_keys_new(API_KEY, ADMIN_KEY, &stage->keys);
  if (!err)
    err = fr_ledger_open(&ledger, why, &stage->ledger);
  if (err)
    return err;
  frl->config.ledger = stage->ledger;
  frl->config.may_hold = true;
  return FR_OK;
}

/* Pushes an empty, closed stage. */
static struct stage *push_stage(lua_State *L)
{
  struct stage *stage = lua_newuserdatauv(L, sizeof(*stage), VALUES);

  memset(stage, 0, sizeof(*stage));
  stage->frl = frl_of(L);
  frl_acceptor_init(L, &stage->acceptor, &frl_calls);
  push_metatable(L);
  lua_setmetatable(L, -2);
  return stage;
}

/* host.stage{at, handler} -> stage | nil, err                 [-1, +n, e] */
int frl_stage(lua_State *L)
{
  static const char *const known[] = { "at", "handler", NULL };
  struct frl *frl = frl_of(L);
  struct fr_buf why;
  lua_Integer at = -1;
  struct stage *stage;
  enum fr_err err;

  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  frl_check_options(L, 1, "stage", known);
  frl_field_integer(L, 1, "stage", "at", &at);
  if (at < 0)
    return frl_bad_argument(L, "stage", "at", "ms since 1970 expected");
  if (!frl_field(L, 1, "stage", "handler", LUA_TFUNCTION))
    return frl_bad_argument(L, "stage", "handler", "function expected");
  if (frl->config.ledger)
    return luaL_error(L, "a stage needs a command without a ledger, and only"
                      " one can be open");
  stage = push_stage(L);                        /* config, handler, stage */
  fr_buf_init(&why, 512);
  err = open_stage(stage, at, &why);
  fr_buf_done(&why);
  if (err)
    return frl_fail(L, err, NULL);
  frl_open_ledger(L);
  set_host(L, "ledger");
  lua_pushvalue(L, 3);
  lua_pushvalue(L, 2);
  frl_acceptor_start(L);
  return 1;
}
