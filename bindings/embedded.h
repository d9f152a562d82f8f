/* bindings/embedded.h - the Lua files that are part of the program.
 *
 * Made at build time by bindings/embed.c from scripts/fal,
 * scripts/commands, scripts/sandbox and scripts/types. The last row is all
 * zeros. Text is NUL-terminated; `len` does not count the NUL.
 * Lua does not check bytecode, so `code` is loaded only by the very Lua that
 * made it; else, and where there is none, the text is.
 */
#ifndef FRL_EMBEDDED_H
#define FRL_EMBEDDED_H

#include <stddef.h>

struct frl_embedded {
  const char *name;             /* "fal.requests", "commands.plan" */
  const char *path;             /* "scripts/fal/requests.lua" */
  const unsigned char *text;
  size_t len;
  const unsigned char *code;
  size_t code_len;
  const char *by;               /* the lua_ident of what made the code */
};

extern const struct frl_embedded frl_embedded[];

#endif
