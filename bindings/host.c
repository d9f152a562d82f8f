/* bindings/host.c - the table `host`: what a command may do that no policy
 * may. Its streams, files, ledger and server have files of their own. */
#include <string.h>
#include <unistd.h>

#include "bindings/embedded.h"
#include "bindings/nouns.h"

#define COMMANDS "commands."

/* host.usage(sentence): raises what frl_report takes for a wrong call. */
static int l_usage(lua_State *L)
{
  struct frl *frl = frl_of(L);
  const char *sentence = frl_check_text(L, 1, "usage", "sentence");

  frl->config.verdict->config = true;
  fr_verdict_say(frl->config.verdict, "%s", sentence);
  frl_push_error(L, FR_ECONFIG, sentence);
  return lua_error(L);
}

/* ---- what is embedded ---------------------------------------------------- */

static int l_text(lua_State *L)
{
  const char *module = luaL_checkstring(L, 1);
  const struct frl_embedded *row = frl_embedded;

  for (; row->name; row++)
    if (strcmp(row->name, module) == 0) {
      lua_pushlstring(L, (const char *)row->text, row->len);
      return 1;
    }
  return 0;
}

static int l_commands(lua_State *L)
{
  const struct frl_embedded *row = frl_embedded;
  lua_Integer count = 0;

  lua_newtable(L);
  for (; row->name; row++) {
    const char *name = row->name + strlen(COMMANDS);

    if (strncmp(row->name, COMMANDS, strlen(COMMANDS)) != 0 ||
        strchr(name, '.'))
      continue;
    lua_pushstring(L, name);
    lua_rawseti(L, -2, ++count);
  }
  return 1;
}

/* ---- the policy ---------------------------------------------------------- */

static int l_load_policy(lua_State *L)
{
  const struct frl_policy *policy = frl_of(L)->config.policy;

  if (!policy)
    return luaL_error(L, "this command has no policy");
  frl_env_load_policy(L, policy);
  return 1;
}

/* host.hint(message, line, source) -> text | nil              [-3, +1, e] */
static int l_hint(lua_State *L)
{
  frl_push_hint(L, luaL_checkstring(L, 1), luaL_checkstring(L, 2),
                luaL_checkstring(L, 3));
  return 1;
}

/* host.use_policy(path, text): the policy of a command that had none on its
 * line. The texts live as long as the state.                 [-2, +0, e] */
static int l_use_policy(lua_State *L)
{
  static const char kept_key;
  struct frl *frl = frl_of(L);

  frl->named.path = frl_check_text(L, 1, "use_policy", "path");
  frl->named.text = luaL_checklstring(L, 2, &frl->named.len);
  lua_settop(L, 2);
  lua_createtable(L, 2, 0);
  lua_insert(L, 1);
  lua_rawseti(L, 1, 2);
  lua_rawseti(L, 1, 1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &kept_key);
  frl->config.policy = &frl->named;
  return 0;
}

/* Stack: handler, true, then results or, after a failure, the error. */
static int guarded(lua_State *L, int status, lua_KContext ctx)
{
  (void)ctx;
  if (status == LUA_OK || status == LUA_YIELD)
    return lua_gettop(L) - 1;
  frl_report(L);
  lua_pushboolean(L, false);
  return 1;
}

/* host.guard(f, ...) -> true, results... | false              [-n, +n, y] */
static int l_guard(lua_State *L)
{
  int nargs = lua_gettop(L) - 1;

  luaL_checktype(L, 1, LUA_TFUNCTION);
  luaL_checkstack(L, 3, NULL);
  lua_pushcfunction(L, frl_note_raise);
  lua_pushboolean(L, true);
  lua_rotate(L, 1, 2);                          /* handler, true, f, ... */
  return guarded(L, lua_pcallk(L, nargs, LUA_MULTRET, 1, 0, guarded), 0);
}

/* host.observe(f, brief?)                                     [-2, +0, m] */
static int l_observe(lua_State *L)
{
  struct frl *frl = frl_of(L);

  luaL_checktype(L, 1, LUA_TFUNCTION);
  frl->brief = lua_toboolean(L, 2);
  lua_settop(L, 1);
  luaL_unref(L, LUA_REGISTRYINDEX, frl->observer);
  frl->observer = LUA_NOREF;
  frl->observer = luaL_ref(L, LUA_REGISTRYINDEX);
  return 0;
}

/* ---- the run ------------------------------------------------------------- */

static int push_settled(lua_State *L, struct fr_op *op)
{
  if (op->err)
    return frl_fail(L, op->err, NULL);
  lua_pushboolean(L, true);
  return 1;
}

/* host.settle() -> true | nil, err                            [-0, +n, ey] */
static int l_settle(lua_State *L)
{
  struct fr_gate *gate = frl_of(L)->config.gate;

  if (!gate)
    return frl_fail_network(L);
  return frl_await(L, fr_gate_settle(gate), push_settled);
}

static void set_count(lua_State *L, const char *name, uint64_t value)
{
  lua_pushinteger(L, (lua_Integer)value);
  lua_setfield(L, -2, name);
}

void frl_push_counts(lua_State *L)
{
  struct fr_gate *gate = frl_of(L)->config.gate;
  struct fr_counts counts = { 0 };

  if (gate)
    fr_gate_counts(gate, &counts);
  lua_createtable(L, 0, 12);
  set_count(L, "deleted", counts.deleted);
  set_count(L, "already_deleted", counts.already_deleted);
  set_count(L, "planned", counts.planned);
  set_count(L, "partial", counts.partial);
  set_count(L, "held", counts.held);
  set_count(L, "refused", counts.refused);
  set_count(L, "failed", counts.failed);
  set_count(L, "settled", counts.settled);
  set_count(L, "open", counts.open);
  set_count(L, "age_unknown", counts.age_unknown);
  set_count(L, "changed", counts.changed);
  set_count(L, "unchanged", counts.unchanged);
}

static void set_text(lua_State *L, const char *name, const char *text)
{
  lua_pushstring(L, text);
  lua_setfield(L, -2, name);
}

/* host.option_specs() -> the host's own options, in the order of --help:
 * {name=, letter?, value?, only?, group?, help?}[]            [-0, +1, m] */
static int l_option_specs(lua_State *L)
{
  const struct frl_option_spec *row = frl_of(L)->config.option_specs;
  lua_Integer count = 0;

  lua_newtable(L);
  for (; row && row->name; row++) {
    const char letter[2] = { row->letter, 0 };

    lua_createtable(L, 0, 6);
    set_text(L, "name", row->name);
    set_text(L, "letter", row->letter ? letter : NULL);
    set_text(L, "value", row->value);
    set_text(L, "only", row->only);
    set_text(L, "group", row->group);
    set_text(L, "help", row->help);
    lua_rawseti(L, -2, ++count);
  }
  return 1;
}

static int l_counts(lua_State *L)
{
  frl_push_counts(L);
  return 1;
}

static int l_figures(lua_State *L)
{
  struct fr_fal *fal = frl_of(L)->config.fal;
  struct fr_fal_figures figures = { 0 };

  if (fal)
    fr_fal_figures(fal, &figures);
  lua_createtable(L, 0, 7);
  set_count(L, "in_flight", figures.in_flight);
  set_count(L, "waiting", figures.waiting);
  set_count(L, "concurrency", figures.concurrency);
  set_count(L, "requests", figures.requests);
  set_count(L, "retries", figures.retries);
  set_count(L, "limited", figures.limited);
  set_count(L, "paused_ms", figures.paused_ms);
  return 1;
}

/* host.verdict() -> exit code so far, why | nil               [-0, +2, m] */
static int l_verdict(lua_State *L)
{
  const struct fr_verdict *verdict = frl_of(L)->config.verdict;

  lua_pushinteger(L, fr_verdict_exit_code(verdict));
  lua_pushstring(L, verdict->why[0] ? verdict->why : NULL);
  return 2;
}

/* host.stopped() -> true, sentence, code | false              [-0, +n, m] */
static int l_stopped(lua_State *L)
{
  struct frl *frl = frl_of(L);
  const char *sentence = "";
  enum fr_err err = FR_OK;

  if (frl->config.gate)
    err = fr_gate_stopped(frl->config.gate);
  if (err)
    sentence = fr_gate_stop_sentence(frl->config.gate);
  else if (frl->config.fal && (err = fr_fal_stopped(frl->config.fal)))
    sentence = fr_fal_stop_sentence(frl->config.fal);
  lua_pushboolean(L, err != FR_OK);
  if (!err)
    return 1;
  lua_pushstring(L, sentence);
  lua_pushstring(L, fr_err_name(err));
  return 3;
}

/* ---- the table ----------------------------------------------------------- */

static const luaL_Reg functions[] = {
  { "usage", l_usage },
  { "text", l_text },
  { "commands", l_commands },
  { "option_specs", l_option_specs },
  { "stage", frl_stage },
  { "capture", frl_capture },
  { "load_test", frl_load_test },
  { "coverage", frl_cover },
  { "dump", frl_dump },
  { "sha256", frl_sha256 },
  { "load_policy", l_load_policy },
  { "use_policy", l_use_policy },
  { "guard", l_guard },
  { "hint", l_hint },
  { "observe", l_observe },
  { "note", frl_note },
  { "modules", frl_modules },
  { "timers", frl_timers },
  { "settle", l_settle },
  { "counts", l_counts },
  { "figures", l_figures },
  { "stopped", l_stopped },
  { "verdict", l_verdict },
  { NULL, NULL },
};

/* Stack now, in what follows: ..., host */

static void set_words(lua_State *L, const struct frl_config *config)
{
  const char *const *word = config->words;
  const struct frl_option *option = config->options;
  lua_Integer count = 0;

  lua_newtable(L);
  for (; word && *word; word++) {
    lua_pushstring(L, *word);
    lua_rawseti(L, -2, ++count);
  }
  lua_setfield(L, -2, "args");
  lua_newtable(L);
  for (; option && option->name; option++) {
    lua_pushstring(L, option->value);
    lua_setfield(L, -2, option->name);
  }
  lua_setfield(L, -2, "options");
}

static void set_facts(lua_State *L, const struct frl_config *config)
{
  set_text(L, "command", config->command);
  set_text(L, "version", config->version);
  set_text(L, "origin", config->origin);
  lua_pushboolean(L, config->color);
  lua_setfield(L, -2, "color");
  lua_pushinteger(L, config->columns);
  lua_setfield(L, -2, "columns");
  lua_pushboolean(L, isatty(STDERR_FILENO));
  lua_setfield(L, -2, "stderr_tty");
  lua_pushboolean(L, isatty(STDIN_FILENO));
  lua_setfield(L, -2, "stdin_tty");
}

/* __index of host.policy: its digest is made when somebody asks, because the
 * first digest of a process costs as much as opening the ledger. */
static int l_policy_fact(lua_State *L)
{
  const struct frl_policy *policy = frl_of(L)->config.policy;

  lua_settop(L, 2);
  if (!policy || lua_type(L, 2) != LUA_TSTRING ||
      strcmp(lua_tostring(L, 2), "sha256") != 0)
    return 0;
  frl_push_sha256(L, policy->text, policy->len);
  lua_pushvalue(L, 2);
  lua_pushvalue(L, -2);
  lua_rawset(L, 1);
  return 1;
}

static void set_policy(lua_State *L, const struct frl_policy *policy)
{
  if (!policy)
    return;
  lua_createtable(L, 0, 2);
  lua_pushstring(L, policy->path);
  lua_setfield(L, -2, "path");
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, l_policy_fact);
  lua_setfield(L, -2, "__index");
  lua_setmetatable(L, -2);
  lua_setfield(L, -2, "policy");
}

int frl_open_host(lua_State *L)
{
  const struct frl_config *config = &frl_of(L)->config;

  frl_open_files(L);
  lua_createtable(L, 0, 32);
  luaL_setfuncs(L, functions, 0);
  luaL_setfuncs(L, frl_io_functions, 0);
  luaL_setfuncs(L, frl_file_functions, 0);
  set_words(L, config);
  set_facts(L, config);
  set_policy(L, config->policy);
  frl_open_server(L);
  lua_setfield(L, -2, "serve");
  if (config->ledger) {
    frl_open_ledger(L);
    lua_setfield(L, -2, "ledger");
  }
  if (config->setup) {
    frl_open_setup(L);
    lua_setfield(L, -2, "setup");
  }
  if (config->health) {
    frl_open_health(L);
    lua_setfield(L, -2, "health");
  }
  return 1;
}
