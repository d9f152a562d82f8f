/* bindings/timers.c - what systemd says of falrun's timers, for status.
 *
 * The words are fixed, and nothing of a caller's is in them. Where there is
 * no systemd, systemctl says nothing on its standard output. */
#include <stdio.h>

#include "bindings/nouns.h"

#define OUTPUT_MAX ((size_t)64 << 10)

#define SHOW " show --timestamp=unix --property=Id,Unit,ExecStart," \
  "NextElapseUSecRealtime 'falrun-*.timer' 'falrun-*.service'"

/* Of the system's manager, and of the user's own. */
static const char command[] =
  "{ timeout 5 systemctl" SHOW "; echo; timeout 5 systemctl --user" SHOW
  "; } </dev/null 2>/dev/null";

/* host.timers() -> what systemctl shows of them, perhaps ""   [-0, +1, m] */
int frl_timers(lua_State *L)
{
  char *room = lua_newuserdatauv(L, OUTPUT_MAX, 0);
  FILE *pipe = popen(command, "re");    /* NOLINT(cert-env33-c) */
  size_t len = 0, n;

  if (!pipe)
    return 0;
  while (len < OUTPUT_MAX &&
         (n = fread(room + len, 1, OUTPUT_MAX - len, pipe)) > 0)
    len += n;
  (void)pclose(pipe);
  lua_pushlstring(L, room, len);
  return 1;
}
