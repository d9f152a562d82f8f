/* bindings/internal.h - what the files of bindings/ share.
 *
 * Two Lua worlds share one state. Embedded files (scripts/) see Lua's safe
 * library and `require`, which gives them "core" (core.c: what the standard
 * library is built on) and, in scripts/commands and scripts/sandbox only,
 * "host" (host.c: input, output, the ledger, the server). Policies and the
 * modules beside them see the restricted environment of env.c, whose
 * `require` knows neither. scripts/types/core.lua documents both tables.
 */
#ifndef FRL_INTERNAL_H
#define FRL_INTERNAL_H

#include <lauxlib.h>
#include <lua.h>

#include "bindings/bindings.h"
#include "bindings/caps.h"
#include "bindings/phase.h"
#include "bindings/task.h"

struct frl {
  struct frl_config config;
  lua_State *L;
  struct frl_tasks *tasks;
  struct frl_policy named;      /* by host.use_policy */
  struct fr_buf notes;          /* what frl_notes tells */
  struct frl_phase phase;
  int observer;                 /* registry reference, or LUA_NOREF */
  bool brief;                   /* it wants to know of failures only */
  size_t heap;                  /* bytes in use by Lua */
  struct frl_caps caps;
  struct fr_list boxes;         /* what holds a part of fal or the gate */
  struct fr_buf *capture;       /* takes what print and log say, or NULL */
  struct fr_verdict *verdict;   /* of the process; config's: of a run */
  uint64_t run_mark;            /* a stage's run: its tasks are newer; or 0 */
  struct frl_coverage *coverage; /* notes what runs, or NULL */
  bool ending;                  /* frl_cancel was called */
  bool library_raised;          /* the last error in a long call was its own */
  bool of_task;                 /* a report of what fal.spawn started */
  bool finalizing;              /* a report from a finalizer: no hooks */
};
struct frl *frl_of(lua_State *L);       /* of any coroutine of the state */

/* ---- errors (error.c) --------------------------------------------------- */

void frl_open_errors(lua_State *L);                        /* [-0, +0, m] */
/* Pushes nil and an error table {code, kind, message, retryable} whose
 * tostring is the message. `detail` NULL: fr_err_message.   [-0, +2, m] */
int frl_fail(lua_State *L, enum fr_err err, const char *detail);
/* Pushes only the error table.                              [-0, +1, m] */
void frl_push_error(lua_State *L, enum fr_err err, const char *message);
/* Whether such an error is at `index`: a script cannot make one. [-0,+0,-] */
bool frl_is_error(lua_State *L, int index);
/* Raises "bad argument 'name' (...)" at the caller of the current C
 * function, in the same words everywhere.                   [-0, +0, e] */
int frl_bad_argument(lua_State *L, const char *function, const char *argument,
                     const char *format, ...);
/* Pushes "file:line: " of the innermost code that is not embedded, or "".
 *                                                           [-0, +1, m] */
void frl_where(lua_State *L);
/* A message handler: keeps the error object, notes where it was raised, for
 * frl_report.                                               [-1, +1, m] */
int frl_note_raise(lua_State *L);
/* The nearest string key of the table at `index`, or NULL.   [-0, +0, m] */
const char *frl_nearest_key(lua_State *L, int index, const char *word);
/* Marks the verdict (policy, config, cap: as the error says) and logs it:
 * file, line, source line, hint. Pops the error object.     [-1, +0, -] */
void frl_report(lua_State *L);
/* Pushes a hint for the message, by the lines that are shown with it and the
 * whole source, or nil (hints.c).                            [-0, +1, e] */
void frl_push_hint(lua_State *L, const char *message, const char *lines,
                   const char *source);

/* ---- the two environments (env.c) -------------------------------------- */

/* Opens the safe part of Lua's library, the embedded files' environment and
 * `require`, and the policies' environment.                  [-0, +0, e] */
void frl_env_open(lua_State *L);
/* Pushes the embedded module's result, loading it once.      [-0, +1, e] */
void frl_env_require(lua_State *L, const char *name);
/* Pushes the policy's main chunk, or raises its syntax error; `arg` is set
 * from the words. It sees the environment that is in use.    [-0, +1, e] */
void frl_env_load_policy(lua_State *L, const struct frl_policy *policy);

/* Environments of user code: each has globals, loaded modules and a folder
 * of its own. New ones are pushed as a value; the one in use, likewise; and
 * a value can be put to use, or be given a further name.               */
void frl_env_new(lua_State *L, const char *path);          /* [-0, +1, e] */
void frl_env_push(lua_State *L);                           /* [-0, +1, -] */
void frl_env_use(lua_State *L);                            /* [-1, +0, m] */
void frl_env_give(lua_State *L, const char *name);         /* [-1, +0, m] */
/* Pushes `core`, `host` or an embedded file's table, or nil. [-0, +1, m] */
bool frl_env_cached(lua_State *L, const char *name);

/* Pushes a read-only view (readonly.c) of the table at `index`, and of those
 * in it; unknown names raise with the nearest.               [-0, +1, e] */
void frl_readonly(lua_State *L, int index, const char *name);
/* Replaces what of Lua's library would let a script out (safe_lib.c); the
 * coroutine library's waits pass through (coroutine.c).      [-0, +0, e] */
void frl_open_safe_lib(lua_State *L);
/* Marks calls of the library that may never end (long_call.c). [-0, +0, e] */
void frl_open_long_calls(lua_State *L);
int frl_open_coroutine(lua_State *L);
/* Pushes the source text of a chunk by its short name, or nil. */
void frl_push_source(lua_State *L, const char *chunk);

/* ---- tables, each pushed by its opener                    [-0, +1, m] --- */
int frl_open_json(lua_State *L);        /* json.c */
int frl_open_log(lua_State *L);         /* log.c */
int frl_open_policy_log(lua_State *L);  /* the same, with a cap */
int frl_open_core(lua_State *L);        /* core.c */
int frl_open_fal(lua_State *L);         /* fal.c: delete_payloads, read */
int frl_open_host(lua_State *L);        /* host.c, only for commands */
int frl_open_ledger(lua_State *L);      /* ledger.c, part of host */
int frl_open_server(lua_State *L);      /* server.c, part of host */
/* ---- checking arguments (check.c) --------------------------------------- */

/* A canonical request id at `index`, or raises naming the argument. */
void frl_check_id(lua_State *L, int index, const char *function,
                  struct fr_uuid *ret_id);
/* A duration string ("30d") in ms, or raises; a bare number is refused with
 * the hint to write a unit. */
uint64_t frl_check_duration(lua_State *L, int index, const char *function,
                            const char *argument);
/* Raises for a key of the table at `index` that is not in `known`
 * (NULL-ended), with the nearest known one. */
void frl_check_options(lua_State *L, int index, const char *function,
                       const char *const *known);

#endif
