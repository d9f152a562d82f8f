/* host/console.h - standard error: log lines and the one progress line.
 *
 * A line for people takes the progress line away, is written, and the
 * progress comes back with its next update. Control characters never reach
 * the terminal.
 *
 * Promise: in the format of JSON every line is one object, valid UTF-8, and
 * of at most 9 KiB (docs/monitoring.md). Under systemd's journal each line
 * begins with its priority, which the journal takes off.
 */
#ifndef FR_HOST_CONSOLE_H
#define FR_HOST_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"

struct fr_console {
  bool tty, color;              /* not with JSON */
  bool json;
  bool journal;                 /* standard error leads to it */
  int64_t run;                  /* which the lines are of; 0: none yet */
  bool shown;                   /* a progress line is on the screen */
  const char *why;              /* the verdict's sentence, borrowed */
  bool why_said;                /* some error line contained it */
  const char *account;          /* stands before every line; or NULL */
};

/* Finds out what standard error is and makes the console the log's sink.
 * `json`: objects instead of sentences. */
void fr_console_open(struct fr_console *console, bool json,
                     enum fr_log_level most);
/* Takes the progress line away. */
void fr_console_close(struct fr_console *console);

/* Takes it away if `fd`, to which others write now, shows on the screen. */
void fr_console_yield(struct fr_console *console, int fd);

/* On a terminal in place of the one before; elsewhere a line of its own. */
void fr_console_progress(struct fr_console *console, const char *line);
/* Whole lines that are no log lines, as lines of the log: for JSON. */
void fr_console_talk(struct fr_console *console, const char *text,
                     size_t len);
/* "falrun: " and the sentence, in red for errors where there is colour. */
void fr_console_say(struct fr_console *console, enum fr_log_level level,
                    const char *line);

/* Colour for the descriptor: a terminal, NO_COLOR unset, TERM not dumb. */
bool fr_console_color(int fd);
int fr_console_columns(int fd);         /* 0: not a terminal */

#endif
