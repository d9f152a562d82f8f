/* base/log.c - see log.h. */
#include "base/log.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

static struct fr_log_sink state;
static const char *request;     /* of the line that is being written */

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

void fr_log_about(enum fr_log_level level, const char *request_id,
                  const char *line)
{
  request = request_id;
  fr_log(level, "%s", line);
  request = NULL;
}

const char *fr_log_request(void)
{
  return request;
}
