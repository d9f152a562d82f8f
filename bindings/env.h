/* bindings/env.h - how chunks are told apart: embedded or the user's own. */
#ifndef FRL_ENV_H
#define FRL_ENV_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

/* Chunk names of embedded files: "=falrun/fal/requests.lua". */
#define FRL_EMBEDDED_CHUNK "falrun/"

bool frl_is_embedded_source(const char *source);  /* with the '=' */
bool frl_is_embedded_chunk(const char *chunk);    /* without */

/* The coroutine of the task that runs now, or NULL (task.c). */
lua_State *frl_task_thread(lua_State *L);

/* Loads text (no bytecode) as a chunk; a BOM and a first line that begins
 * with '#' are skipped. Remembers the source for reports when `remember`.
 * Pushes the function, or raises the syntax error.          [-0, +1, e] */
void frl_load_text(lua_State *L, const char *text, size_t len,
                   const char *chunk, bool remember);

/* Pushes a regular file's text as a string. False: there is none, nothing
 * is pushed. Raises when it cannot be read or is too big. [-0, +(0|1), e] */
bool frl_push_file(lua_State *L, const char *path);

/* Pushes the folder of FALRUN_PATH after `list`, and moves list on. */
bool frl_push_folder(lua_State *L, const char **list);

/* The policies' `require`, with the environment on top as its upvalue;
 * `path` is of the file beside which modules lie, or NULL (require.c).
 *                                                            [-1, +1, m] */
void frl_push_policy_require(lua_State *L, const char *path);

#endif
