/* tests/unit/bindings/harness.h - Lua chunks through the real scheduler.
 *
 *   struct world world;
 *   run(&world, "local core = require 'core' ...", NULL);
 *   assert_string_equal(world.out, "...");
 *   done(&world);
 *
 * The program's own frl_embedded[] and the openers of core and host are
 * replaced by those below (a static library yields to them). `core` here has
 * sleep, spawn and say; `say` collects what a test then compares. The clock
 * is virtual. done() fails on anything left in the loop.
 */
#ifndef TEST_HARNESS_H
#define TEST_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <lauxlib.h>
#include <lua.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "bindings/embedded.h"
#include "bindings/internal.h"
#include "loop/loop.h"

#define EMBEDDED_MOST 8
#define AT_MS 1767225600000             /* 2026-01-01T00:00:00Z */

struct world {
  struct fr_clock clock;
  struct fr_loop *loop;
  struct fr_verdict verdict;
  struct frl_policy policy;
  struct frl_config config;
  struct frl *frl;
  char out[8192], log[8192];
};

/* ---- the embedded files of the test: a program, and a small library ---- */

#define TEXT(literal) (const unsigned char *)(literal), sizeof(literal) - 1

/* Runs the policy; reports its failure as `run` does. */
static const unsigned char run_text[] =
  "local host = require 'host'\n"
  "return function() host.load_policy()() end\n";
static const unsigned char init_text[] =
  "local core = require 'core'\n"
  "local fal = { sleep = core.sleep, spawn = core.spawn, say = core.say,\n"
  "  peek = function() return require 'fal.peek' end,\n"
  "  requests = function() end, keep = { any = function() end },\n"
  "  check_id = core.check_id, check_duration = core.check_duration,\n"
  "  check_options = core.check_options, fail = core.fail,\n"
  "  each = function(list, f)\n"
  "    for _, item in ipairs(list) do f(item) end\n"
  "  end }\n"
  "return fal\n";
static const unsigned char peek_text[] =
  "return { host = function() return require 'host' end,\n"
  "  command = function() return require 'commands.run' end,\n"
  "  global = function() leaked = 1 end,\n"
  "  undefined = function() return strng end }\n";

const struct frl_embedded frl_embedded[] = {
  { "commands.run", "scripts/commands/run.lua", run_text,
    sizeof(run_text) - 1, 0, 0, 0 },
  { "fal.init", "scripts/fal/init.lua", init_text,
    sizeof(init_text) - 1, 0, 0, 0 },
  { "fal.peek", "scripts/fal/peek.lua", peek_text,
    sizeof(peek_text) - 1, 0, 0, 0 },
  { 0, 0, 0, 0, 0, 0, 0 },
};

/* ---- core and host for tests ------------------------------------------- */

static inline struct world *world_of(lua_State *L)
{
  return fr_container_of(frl_of(L)->config.verdict, struct world, verdict);
}

struct nap {
  struct fr_timer timer;
  struct fr_op op;
};

static inline void nap_due(struct fr_timer *timer)
{
  fr_op_finish(&fr_container_of(timer, struct nap, timer)->op, FR_OK);
}

static inline void nap_cancel(struct fr_op *op)
{
  struct nap *nap = fr_container_of(op, struct nap, op);

  fr_timer_stop(op->loop, &nap->timer);
  fr_op_finish(op, FR_ECANCELLED);
}

static inline int push_true(lua_State *L, struct fr_op *op)
{
  (void)op;
  lua_pushboolean(L, true);
  return 1;
}

static inline int l_nap_gc(lua_State *L)
{
  struct nap *nap = lua_touserdata(L, 1);

  fr_op_abandon(&nap->op);
  return 0;
}

static inline int l_sleep(lua_State *L)
{
  struct fr_loop *loop = frl_of(L)->config.loop;
  uint64_t ms = (uint64_t)luaL_checkinteger(L, 1);
  struct nap *nap = lua_newuserdatauv(L, sizeof(*nap), 0);

  memset(nap, 0, sizeof(*nap));
  nap->timer.on_due = nap_due;
  luaL_setmetatable(L, "test.nap");
  fr_op_start(loop, &nap->op, nap_cancel);
  fr_timer_start(loop, &nap->timer, fr_loop_now(loop) + ms);
  return frl_await(L, &nap->op, push_true);
}

static inline int l_spawn(lua_State *L)
{
  luaL_checktype(L, 1, LUA_TFUNCTION);
  frl_task_spawn(L, lua_gettop(L) - 1);
  return 1;
}

static inline int l_say(lua_State *L)
{
  struct world *world = world_of(L);

  for (int i = 1, n = lua_gettop(L); i <= n; i++) {
    size_t len = strlen(world->out);

    snprintf(world->out + len, sizeof(world->out) - len, "%s%s",
             luaL_tolstring(L, i, NULL), i < n ? " " : "\n");
  }
  return 0;
}

static inline int l_check_id(lua_State *L)
{
  struct fr_uuid id;

  frl_check_id(L, 1, "fal.check_id", &id);
  return 0;
}

static inline int l_check_duration(lua_State *L)
{
  uint64_t ms = frl_check_duration(L, 1, "fal.check_duration", "older_than");

  lua_pushinteger(L, (lua_Integer)ms);
  return 1;
}

static inline int l_check_options(lua_State *L)
{
  static const char *const known[] = { "reason", "timeout", "retries", NULL };

  frl_check_options(L, 1, "fal.check_options", known);
  return 0;
}

/* fail(code) -> nil, err */
static inline int l_fail(lua_State *L)
{
  const char *name = luaL_checkstring(L, 1);

  for (enum fr_err err = FR_ENOMEM; err <= FR_EIO; err++)
    if (strcmp(fr_err_name(err), name) == 0)
      return frl_fail(L, err, luaL_optstring(L, 2, NULL));
  return luaL_error(L, "no such code");
}

int frl_open_core(lua_State *L)
{
  static const luaL_Reg functions[] = {
    { "sleep", l_sleep },           { "spawn", l_spawn },
    { "say", l_say },               { "check_id", l_check_id },
    { "check_duration", l_check_duration },
    { "check_options", l_check_options }, { "fail", l_fail },
    { NULL, NULL },
  };

  luaL_newmetatable(L, "test.nap");
  lua_pushcfunction(L, l_nap_gc);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
  luaL_newlib(L, functions);
  return 1;
}

static inline int l_load_policy(lua_State *L)
{
  frl_env_load_policy(L, frl_of(L)->config.policy);
  return 1;
}

int frl_open_host(lua_State *L)
{
  lua_newtable(L);
  lua_pushcfunction(L, l_load_policy);
  lua_setfield(L, -2, "load_policy");
  return 1;
}

/* ---- running ----------------------------------------------------------- */

static inline void collect_log(void *arg, enum fr_log_level level,
                               const char *line)
{
  struct world *world = arg;
  size_t len = strlen(world->log);

  (void)level;
  snprintf(world->log + len, sizeof(world->log) - len, "%s\n", line);
}

/* The world before Lua; the caller may change world->config. */
static inline void prepare(struct world *world, const char *policy)
{
  memset(world, 0, sizeof(*world));
  fr_clock_virtual(&world->clock, AT_MS);
  assert_int_equal(fr_loop_new(&world->clock, &world->loop), FR_OK);
  fr_log_set(collect_log, world, FR_LOG_INFO);
  world->policy = (struct frl_policy){
    .path = "policies/p.lua", .text = policy, .len = strlen(policy),
  };
  world->config = (struct frl_config){
    .loop = world->loop, .clock = &world->clock,
    .verdict = &world->verdict, .mode = FR_MODE_RUN, .command = "run",
    .policy = &world->policy,
  };
}

static inline void start(struct world *world)
{
  assert_int_equal(frl_new(&world->config, &world->frl), FR_OK);
}

/* Steps and turns until the tasks are over, or `most` turns. */
static inline bool turn(struct world *world, int most)
{
  while (frl_step(world->frl)) {
    if (most-- == 0)
      return true;
    if (!frl_ready(world->frl) && !fr_loop_turn(world->loop, -1))
      fail_msg("tasks wait and nothing will wake them");
  }
  return false;
}

static inline void run(struct world *world, const char *policy)
{
  prepare(world, policy);
  start(world);
  assert_false(turn(world, 100000));
}

static inline void done(struct world *world)
{
  frl_free(world->frl);
  assert_int_equal(fr_loop_pending(world->loop), 0);
  fr_loop_free(world->loop);
  fr_log_set(NULL, NULL, FR_LOG_ERROR);
}

/* Runs a policy that must succeed and say exactly `expected`. */
static inline void expect(const char *policy, const char *expected)
{
  struct world world;

  run(&world, policy);
  assert_string_equal(world.log, "");
  assert_string_equal(world.out, expected);
  assert_int_equal(fr_verdict_exit_code(&world.verdict), 0);
  done(&world);
}

/* Runs a policy that must fail with `code`; its log has `words`. */
static inline void expect_failure(const char *policy, int code,
                                  const char *words)
{
  struct world world;

  run(&world, policy);
  if (!strstr(world.log, words))
    fail_msg("\"%s\" is not in:\n%s", words, world.log);
  assert_int_equal(fr_verdict_exit_code(&world.verdict), code);
  done(&world);
}

#endif
