/* bindings/core.c - the table `core`: what the standard library stands on. */
#include <string.h>

#include "bindings/nouns.h"

#define WORDS_MAX 10000

/* ---- the gate ------------------------------------------------------------ */

/* core.preview(id) -> fate, code?, a hold's reason?           [-1, +3, e] */
static int l_preview(lua_State *L)
{
  struct fr_gate *gate = frl_of(L)->config.gate;
  enum fr_err err = FR_OK;
  enum fr_fate fate;
  struct fr_uuid id;
  char why[512];

  frl_check_id(L, 1, "preview", &id);
  if (!gate)
    return frl_fail_network(L);
  fate = fr_gate_preview(gate, &id, &err, why, sizeof(why));
  lua_pushstring(L, fr_fate_name(fate));
  if (fate == FR_FATE_REFUSED)
    lua_pushstring(L, fr_err_name(err));
  else
    lua_pushnil(L);
  if (fate == FR_FATE_HELD)
    lua_pushstring(L, why);
  else
    lua_pushnil(L);
  return 3;
}

static int l_room(lua_State *L)
{
  struct fr_gate *gate = frl_of(L)->config.gate;
  uint64_t room = gate ? fr_gate_room(gate) : 0;

  lua_pushinteger(L, room > LUA_MAXINTEGER ? LUA_MAXINTEGER
                                           : (lua_Integer)room);
  return 1;
}

/* core.stop(sentence): the gate marks the verdict, or, without one, we. */
static int l_stop(lua_State *L)
{
  struct frl *frl = frl_of(L);
  const char *sentence = frl_check_text(L, 1, "stop", "sentence");

  frl->config.verdict->safety = true;
  fr_verdict_say(frl->config.verdict, "%s", sentence);
  if (frl->config.gate)
    fr_gate_stop(frl->config.gate, FR_ELIMIT, sentence);
  return 0;
}

#define LIMITS "fal.limits"

/* fal.limits{max =, min_age =}                              [-1, +0, e] */
static int l_tighten(lua_State *L)
{
  static const char *const known[] = { "max", "min_age", NULL };
  struct fr_gate *gate = frl_of(L)->config.gate;
  struct fr_limits limits = { .max_deletes = UINT64_MAX };
  lua_Integer max = 0;

  lua_settop(L, 1);
  if (!lua_istable(L, 1))
    return frl_bad_argument(L, LIMITS, "limits", "a table is needed, got %s",
                            luaL_typename(L, 1));
  frl_check_options(L, 1, LIMITS, known);
  if (frl_field_integer(L, 1, LIMITS, "max", &max)) {
    if (max < 0)
      return frl_bad_argument(L, LIMITS, "max",
                              "0 or more is needed, got %lld", (long long)max);
    limits.max_deletes = (uint64_t)max;
  }
  lua_pushliteral(L, "min_age");
  if (lua_rawget(L, 1) != LUA_TNIL)
    limits.min_age_ms =
      (int64_t)frl_check_duration(L, 2, LIMITS, "min_age");
  if (gate)
    fr_gate_tighten(gate, &limits);
  return 0;
}

/* ---- tasks and words ----------------------------------------------------- */

/* core.loaded(name) -> true, false                            [-1, +1, m] */
static int l_loaded(lua_State *L)
{
  lua_pushboolean(L, frl_env_cached(L, luaL_checkstring(L, 1)));
  return 1;
}

static int l_spawn(lua_State *L)
{
  luaL_checktype(L, 1, LUA_TFUNCTION);
  frl_task_spawn(L, lua_gettop(L) - 1);
  return 1;
}

/* core.nearest(word, words) -> word | nil                     [-2, +1, e] */
static int l_nearest(lua_State *L)
{
  const char *word = luaL_checkstring(L, 1);
  const char **words, *nearest;
  lua_Integer count;
  int n = 0;

  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  count = (lua_Integer)lua_rawlen(L, 2);
  luaL_argcheck(L, count <= WORDS_MAX, 2, "too many words");
  words = lua_newuserdatauv(L, (size_t)(count + 1) * sizeof(*words), 0);
  for (lua_Integer i = 1; i <= count; i++) {
    if (lua_rawgeti(L, 2, i) == LUA_TSTRING)
      words[n++] = lua_tostring(L, -1);         /* the table holds it */
    lua_pop(L, 1);
  }
  words[n] = NULL;
  nearest = frl_nearest(word, words);
  lua_pushstring(L, nearest);
  return 1;
}

/* ---- errors -------------------------------------------------------------- */

static enum fr_err err_named(const char *name)
{
  static const enum fr_err all[] = {
#define ROW(code, name, text, again) FR_E##code,
    FR_ERR_MAP(ROW)
#undef ROW
  };

  for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
    if (strcmp(fr_err_name(all[i]), name) == 0)
      return all[i];
  return FR_OK;
}

static void copy_fields(lua_State *L, int from, int to)
{
  lua_pushnil(L);
  while (lua_next(L, from)) {
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, to);
  }
}

/* core.error(code, message, fields) -> error table            [-3, +1, m] */
static int l_error(lua_State *L)
{
  const char *code = luaL_checkstring(L, 1);
  const char *message = luaL_checkstring(L, 2);
  enum fr_err err = err_named(code);

  lua_settop(L, 3);
  if (!lua_isnil(L, 3))
    luaL_checktype(L, 3, LUA_TTABLE);
  frl_push_error(L, err ? err : FR_EINVALID, message);
  lua_pushvalue(L, 1);
  lua_setfield(L, 4, "code");
  lua_pushvalue(L, 1);
  lua_setfield(L, 4, "kind");
  if (!lua_isnil(L, 3))
    copy_fields(L, 3, 4);
  return 1;
}

/* core.bad_argument(level, func, argument, why). The caller is whoever is
 * not embedded, however many embedded frames lie between, so `level` is
 * there for readers alone.                                    [-4, +0, e] */
static int l_bad_argument(lua_State *L)
{
  luaL_checkinteger(L, 1);
  return frl_bad_argument(L, luaL_checkstring(L, 2), luaL_checkstring(L, 3),
                          "%s", luaL_checkstring(L, 4));
}

/* core.where() -> "policy.lua:12: ", or ""                    [-0, +1, m] */
static int l_where(lua_State *L)
{
  frl_where(L);
  return 1;
}

/* core.mark(what, sentence): a fact about the run, for its exit code.
 *                                                            [-2, +0, e] */
static int l_mark(lua_State *L)
{
  static const char *const names[] = {
    "ledger", "auth", "safety", "unavailable", "config", "failed", NULL
  };
  struct fr_verdict *verdict = frl_of(L)->config.verdict;
  bool *const marks[] = {
    &verdict->ledger, &verdict->auth, &verdict->safety,
    &verdict->unavailable, &verdict->config, &verdict->failed
  };
  const char *sentence = frl_check_text(L, 2, "mark", "sentence");

  *marks[luaL_checkoption(L, 1, NULL, names)] = true;
  fr_verdict_say(verdict, "%s", sentence);
  return 0;
}

static const luaL_Reg functions[] = {
  { "mark", l_mark },
  { "preview", l_preview },
  { "flight", frl_flight },
  { "id_set", frl_id_set },
  { "id_list", frl_id_list },
  { "look_ahead", frl_look_ahead },
  { "where", l_where },
  { "room", l_room },
  { "stop", l_stop },
  { "tighten", l_tighten },
  { "loaded", l_loaded },
  { "spawn", l_spawn },
  { "record", frl_record },
  { "nearest", l_nearest },
  { "sha256", frl_sha256 },
  { "error", l_error },
  { "bad_argument", l_bad_argument },
  { NULL, NULL },
};

int frl_open_core(lua_State *L)
{
  const struct frl_config *config = &frl_of(L)->config;

  lua_createtable(L, 0, 64);
  luaL_setfuncs(L, functions, 0);
  luaL_setfuncs(L, frl_deletion_functions, 0);
  luaL_setfuncs(L, frl_hold_functions, 0);
  luaL_setfuncs(L, frl_read_functions, 0);
  luaL_setfuncs(L, frl_stream_functions, 0);
  luaL_setfuncs(L, frl_download_functions, 0);
  luaL_setfuncs(L, frl_time_functions, 0);
  luaL_setfuncs(L, frl_window_functions, 0);
  luaL_setfuncs(L, frl_phase_functions, 0);
  luaL_setfuncs(L, frl_change_functions, 0);
  luaL_setfuncs(L, frl_fact_functions, 0);
  luaL_setfuncs(L, frl_probe_functions, 0);
  luaL_setfuncs(L, frl_net_functions, 0);
  luaL_setfuncs(L, frl_mail_functions, 0);
  lua_pushboolean(L, config->prober != NULL);
  lua_setfield(L, -2, "probes");
  lua_pushboolean(L, config->sendmail != NULL);
  lua_setfield(L, -2, "mails");
  lua_pushstring(L, config->mode == FR_MODE_RUN ? "run" : "plan");
  lua_setfield(L, -2, "mode");
  lua_pushstring(L, config->version);
  lua_setfield(L, -2, "version");
  if (config->account && *config->account) {
    lua_pushstring(L, config->account);
    lua_setfield(L, -2, "account");
  }
  frl_open_fal(L);
  lua_setfield(L, -2, "fal");
  frl_open_json(L);
  lua_setfield(L, -2, "json");
  frl_open_log(L);
  lua_setfield(L, -2, "log");
  return 1;
}
