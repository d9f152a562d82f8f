/* base/log.c - see log.h. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

static struct fr_log_sink state;

void fr_log_set(fr_log_fn sink, void *arg, enum fr_log_level most)
{
  state = (struct fr_log_sink){ sink, arg, most };
}

void fr_log_swap(struct fr_log_sink *sink)
{
  struct fr_log_sink before = state;

  state = *sink;
  *sink = before;
}

enum fr_log_level fr_log_most(void)
{
  return state.most;
}

void fr_log(enum fr_log_level level, const char *format, ...)
{
  char line[4096];
  va_list args;

  if (!state.fn || level > state.most)
    return;
  va_start(args, format);
  vsnprintf(line, sizeof(line), format, args);
  va_end(args);
  state.fn(state.arg, level, line);
}
