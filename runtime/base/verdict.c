/* base/verdict.c - see verdict.h. The sentence lives in the struct, because
 * the run may be ending for want of memory. */
#include "base/verdict.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/plain.h"

void fr_verdict_say(struct fr_verdict *verdict, const char *format, ...)
{
  va_list args;

  if (verdict->why[0])
    return;
  va_start(args, format);
  vsnprintf(verdict->why, sizeof(verdict->why), format, args);
  va_end(args);
  (void)fr_plain(verdict->why, strlen(verdict->why));
}

int fr_verdict_exit_code(const struct fr_verdict *verdict)
{
  const struct { int set, code; } order[] = {
    { verdict->bug, 70 },
    { verdict->ledger, 8 },
    { verdict->signal, verdict->signal == SIGINT ? 130 : 143 },
    { verdict->auth, 5 },
    { verdict->safety, 4 },
    { verdict->cap, 9 },
    { verdict->unavailable, 7 },
    { verdict->config, 2 },
    { verdict->policy, 1 },
    { verdict->failed, 3 },
  };

  for (unsigned i = 0; i < sizeof(order) / sizeof(order[0]); i++)
    if (order[i].set)
      return order[i].code;
  return 0;
}
