/* bindings/bindings.c - the state, its first task, and its end. */
#include "bindings/bindings.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "bindings/embedded.h"
#include "bindings/internal.h"

/* Percent. What has a finalizer lives through the collection that finds it
 * dead, and counts as in use then; with Lua's 200, a script that makes little
 * else (waits, reads, deletions) grows without end, by the square root. */
#define GC_PAUSE 150
#define NOTES_MAX ((size_t)1 << 20)

struct frl *frl_of(lua_State *L)
{
  void *ud;

  lua_getallocf(L, &ud);
  return ud;
}

bool frl_has_command(const char *name)
{
  static const char prefix[] = "commands.";
  const struct frl_embedded *file;

  for (file = frl_embedded; file->name; file++)
    if (strncmp(file->name, prefix, sizeof(prefix) - 1) == 0 &&
        strcmp(file->name + sizeof(prefix) - 1, name) == 0)
      return true;
  return false;
}

/* lua_ident is "$LuaVersion: Lua 5.4.4  Copyright (C) ...": the library's own,
 * where the macros of lua.h are those of the build. lua-cjson is linked in. */
const char *frl_version(void)
{
  static char text[64];
  const char *at = strstr(lua_ident, "Lua 5");

  at = at ? at + strlen("Lua ") : LUA_VERSION_MAJOR "." LUA_VERSION_MINOR;
  snprintf(text, sizeof(text), "lua %.*s, lua-cjson 2.1.0",
           (int)strcspn(at, " "), at);
  return text;
}

/* ---- the first task ---------------------------------------------------- */

static int nothing_k(lua_State *L, int status, lua_KContext ctx)
{
  (void)L;
  (void)status;
  (void)ctx;
  return 0;
}

/* command(): the module's function, or its `run`                [-0, +0, ey] */
static int l_command(lua_State *L)
{
  lua_pushfstring(L, "commands.%s", frl_of(L)->config.command);
  frl_env_require(L, lua_tostring(L, -1));
  if (lua_istable(L, -1))
    lua_getfield(L, -1, "run");
  lua_callk(L, 0, 0, 0, nothing_k);
  return 0;
}

static int main_end(lua_State *L, int status, lua_KContext ctx)
{
  (void)ctx;
  if (status == LUA_OK || status == LUA_YIELD)
    return 0;
  frl_report(L);
  frl_tasks_cancel(frl_of(L)->tasks);   /* what it began ends with it */
  return 0;
}

static int l_main(lua_State *L)
{
  lua_pushcfunction(L, frl_note_raise);
  lua_pushcfunction(L, l_command);
  return main_end(L, lua_pcallk(L, 0, 0, 1, 0, main_end), 0);
}

/* ---- the state --------------------------------------------------------- */

static int l_open(lua_State *L)
{
  struct frl *frl = frl_of(L);

  lua_gc(L, LUA_GCSETPAUSE, GC_PAUSE);
  frl_tasks_open(L, frl->config.loop, &frl->tasks);
  frl_open_errors(L);
  frl_env_open(L);
  lua_pushcfunction(L, l_main);
  frl_task_spawn(L, 0);
  return 0;
}

static int panic(lua_State *L)
{
  fr_log(FR_LOG_ERROR, "a Lua error outside of every protected call: %s",
         lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "no text");
  return 0;                             /* Lua aborts the process */
}

enum fr_err frl_new(const struct frl_config *config, struct frl **ret_frl)
{
  struct frl *frl;

  if (!frl_has_command(config->command))
    return FR_EINVALID;
  frl = calloc(1, sizeof(*frl));
  if (!frl)
    return FR_ENOMEM;
  frl->config = *config;
  frl->verdict = config->verdict;
  frl->observer = LUA_NOREF;
  fr_list_init(&frl->boxes);
  fr_buf_init(&frl->notes, NOTES_MAX);
  frl_caps_init(frl);
  frl->L = lua_newstate(frl_caps_alloc, frl);
  if (!frl->L)
    goto fail;
  *(void **)lua_getextraspace(frl->L) = NULL;
  lua_atpanic(frl->L, panic);
  lua_pushcfunction(frl->L, l_open);
  if (lua_pcall(frl->L, 0, 0, 0) != LUA_OK) {
    fr_log(FR_LOG_DEBUG, "Lua does not open: %s", lua_tostring(frl->L, -1));
    goto fail;
  }
  *ret_frl = frl;
  return FR_OK;
fail:
  frl_free(frl);
  return FR_ENOMEM;
}

/* A cap ends the run, even if the script hid the error. */
static void end_capped(struct frl *frl)
{
  frl_tasks_close(frl->tasks);
  frl_caps_rest();
  frl_caps_tell(frl, "");
}

/* The same for a run on a stage, which its command outlives. */
static void end_capped_run(struct frl *frl)
{
  frl_caps_tell(frl, "");
  frl_tasks_close_since(frl->tasks, frl->run_mark);
  frl_caps_rest();
  lua_gc(frl->L, LUA_GCCOLLECT);
  frl_caps_renew(&frl->caps);
}

bool frl_step(struct frl *frl)
{
  bool left = frl_tasks_run(frl->tasks);

  frl_caps_rest();
  if (!frl_caps_over(&frl->caps))
    return left;
  if (frl->run_mark) {
    end_capped_run(frl);
    return true;
  }
  end_capped(frl);
  return false;
}

bool frl_ready(const struct frl *frl)
{
  return frl_tasks_ready(frl->tasks);
}

struct fr_gate *frl_gate(const struct frl *frl)
{
  return frl->config.gate;
}

void frl_cancel(struct frl *frl)
{
  frl->ending = true;
  frl_tasks_cancel(frl->tasks);
}

const char *frl_notes(const struct frl *frl)
{
  return fr_buf_text(&frl->notes);
}

void frl_interrupt(struct frl *frl)
{
  frl_caps_interrupt(&frl->caps);
}

void frl_free(struct frl *frl)
{
  if (!frl)
    return;
  frl->ending = true;
  if (frl->tasks)
    frl_tasks_close(frl->tasks);
  if (frl->L)
    lua_close(frl->L);
  frl_caps_rest();
  fr_buf_done(&frl->notes);
  free(frl);
}
