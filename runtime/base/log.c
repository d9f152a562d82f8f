/* base/log.c - see log.h. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

static struct {
  fr_log_fn sink;
  void *arg;
  enum fr_log_level most;
} state;

void fr_log_set(fr_log_fn sink, void *arg, enum fr_log_level most)
{
  state.sink = sink;
  state.arg = arg;
  state.most = most;
}

enum fr_log_level fr_log_most(void)
{
  return state.most;
}

void fr_log(enum fr_log_level level, const char *format, ...)
{
  char line[4096];
  va_list args;

  if (!state.sink || level > state.most)
    return;
  va_start(args, format);
  vsnprintf(line, sizeof(line), format, args);
  va_end(args);
  state.sink(state.arg, level, line);
}
