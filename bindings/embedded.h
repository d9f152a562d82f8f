/* bindings/embedded.h - the Lua files that are part of the program.
 *
 * Made at build time by bindings/embed.cmake from scripts/fal,
 * scripts/commands, scripts/sandbox and scripts/types. The last row is all
 * zeros. Text is NUL-terminated; `len` does not count the NUL.
 */
#ifndef FRL_EMBEDDED_H
#define FRL_EMBEDDED_H

#include <stddef.h>

struct frl_embedded {
  const char *name;             /* "fal.requests", "commands.plan" */
  const char *path;             /* "scripts/fal/requests.lua" */
  const unsigned char *text;
  size_t len;
};

extern const struct frl_embedded frl_embedded[];

#endif
