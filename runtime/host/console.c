/* host/console.c - see console.h. Each line is one write, so that lines of
 * several processes in one log do not mix. */
#include "host/console.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/plain.h"

#define LINE_MAX_BYTES 8192

static void write_all(const char *data, size_t len)
{
  while (len) {
    ssize_t n = write(STDERR_FILENO, data, len);

    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return;                   /* nobody listens: nothing to be done */
    data += n;
    len -= (size_t)n;
  }
}

bool fr_console_color(int fd)
{
  const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

  return isatty(fd) && !(no && *no) && !(term && !strcmp(term, "dumb"));
}

int fr_console_columns(int fd)
{
  struct winsize size;

  if (!isatty(fd))
    return 0;
  if (ioctl(fd, TIOCGWINSZ, &size) || !size.ws_col)
    return 80;
  return size.ws_col;
}

static void sink(void *arg, enum fr_log_level level, const char *line)
{
  fr_console_say(arg, level, line);
}

void fr_console_open(struct fr_console *console, enum fr_log_level most)
{
  *console = (struct fr_console){ .tty = isatty(STDERR_FILENO) != 0,
                                  .color = fr_console_color(STDERR_FILENO) };
  fr_log_set(sink, console, most);
}

static void clear(struct fr_console *console)
{
  if (console->shown)
    write_all("\r\033[K", 4);
  console->shown = false;
}

void fr_console_close(struct fr_console *console)
{
  clear(console);
  fr_log_set(NULL, NULL, FR_LOG_ERROR);
}

void fr_console_yield(struct fr_console *console, int fd)
{
  if (console->shown && isatty(fd))
    clear(console);
}

static unsigned add_account(const struct fr_console *console,
                            struct fr_buf *buf)
{
  return console->account ? fr_buf_addf(buf, "%s: ", console->account) : 0;
}

void fr_console_progress(struct fr_console *console, const char *line)
{
  int columns = fr_console_columns(STDERR_FILENO);
  size_t most = columns > 8 ? (size_t)columns - 4 : 1000;
  struct fr_buf buf;

  fr_buf_init(&buf, LINE_MAX_BYTES);
  fr_buf_add_text(&buf, console->tty ? "\r\033[K" : "falrun: ");
  add_account(console, &buf);
  fr_buf_add_plain(&buf, line, strlen(line), most);   /* and "..." */
  if (!console->tty)
    fr_buf_add_text(&buf, "\n");
  write_all(fr_buf_text(&buf), buf.len);
  console->shown = console->tty;
  fr_buf_done(&buf);
}

static const char *const before[] = { "falrun: ", "falrun: warning: ",
                                      "falrun: ", "falrun: debug: " };

/* Without memory, as much as fits here. */
static void say_short(enum fr_log_level level, const char *line)
{
  char text[1024];

  (void)snprintf(text, sizeof(text) - 1, "%s%s", before[level], line);
  strcpy(text + fr_plain(text, strlen(text)), "\n");
  write_all(text, strlen(text));
}

void fr_console_say(struct fr_console *console, enum fr_log_level level,
                    const char *line)
{
  static const char *const color[] = { "\033[31m", "\033[33m", "", "\033[2m" };
  struct fr_buf buf;
  unsigned bad = 0;

  clear(console);
  if (level == FR_LOG_ERROR && console->why && *console->why)
    console->why_said |= strstr(line, console->why) != NULL;
  fr_buf_init(&buf, LINE_MAX_BYTES);
  bad |= fr_buf_add_text(&buf, console->color ? color[level] : "");
  bad |= fr_buf_add_text(&buf, before[level]);
  bad |= add_account(console, &buf);
  bad |= fr_buf_add_plain(&buf, line, strlen(line), LINE_MAX_BYTES - 100);
  bad |= fr_buf_add_text(&buf, console->color && *color[level] ? "\033[0m\n"
                                                               : "\n");
  if (bad)
    say_short(level, line);
  else
    write_all(fr_buf_text(&buf), buf.len);
  fr_buf_done(&buf);
}
