/* host/console.c - see console.h. Each line is one write, so that lines of
 * several processes in one log do not mix. */
#include "host/console.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/date.h"
#include "base/plain.h"

#define LINE_MAX_BYTES 8192
#define MESSAGE_MAX 4000        /* of JSON, where '"' and '\\' take two */

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

/* systemd names the device and the inode of the journal's socket, so that a
 * process whose standard error leads elsewhere is not fooled. */
static bool is_journal(void)
{
  const char *text = getenv("JOURNAL_STREAM");
  unsigned long long device, inode;
  struct stat st;
  char end;

  return text && sscanf(text, "%llu:%llu%c", &device, &inode, &end) == 2 &&
         !fstat(STDERR_FILENO, &st) && st.st_dev == device &&
         st.st_ino == inode;
}

static void sink(void *arg, enum fr_log_level level, const char *line)
{
  fr_console_say(arg, level, line);
}

void fr_console_open(struct fr_console *console, bool json,
                     enum fr_log_level most)
{
  bool journal = is_journal();

  *console = (struct fr_console){
    .tty = !json && isatty(STDERR_FILENO), .json = json, .journal = journal,
    .color = !json && !journal && fr_console_color(STDERR_FILENO)
  };
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

  if (!console->tty) {
    fr_console_say(console, FR_LOG_INFO, line);
    return;
  }
  fr_buf_init(&buf, LINE_MAX_BYTES);
  fr_buf_add_text(&buf, "\r\033[K");
  add_account(console, &buf);
  fr_buf_add_plain(&buf, line, strlen(line), most);   /* and "..." */
  write_all(fr_buf_text(&buf), buf.len);
  console->shown = true;
  fr_buf_done(&buf);
}

/* ---- one line ----------------------------------------------------------- */

static const char *const before[] = { "falrun: ", "falrun: warning: ",
                                      "falrun: ", "falrun: debug: " };
static const char *const names[] = { "error", "warn", "info", "debug" };
static const char *const priorities[] = { "<3>", "<4>", "<6>", "<7>" };

static enum fr_err add_text(const struct fr_console *console,
                            enum fr_log_level level, const char *line,
                            struct fr_buf *buf)
{
  static const char *const color[] = { "\033[31m", "\033[33m", "", "\033[2m" };
  unsigned bad = 0;

  bad |= fr_buf_add_text(buf, console->color ? color[level] : "");
  bad |= fr_buf_add_text(buf, before[level]);
  bad |= add_account(console, buf);
  bad |= fr_buf_add_plain(buf, line, strlen(line), LINE_MAX_BYTES - 100);
  bad |= fr_buf_add_text(buf, console->color && *color[level] ? "\033[0m\n"
                                                              : "\n");
  return bad ? FR_ENOMEM : FR_OK;
}

/* {"time":"...","level":"warn","account":"a","run":7,"request_id":"...",
 * "message":"..."} */
static enum fr_err add_object(const struct fr_console *console,
                              enum fr_log_level level, const char *line,
                              struct fr_buf *buf)
{
  const char *id = fr_log_request();
  struct fr_clock clock;
  char at[FR_DATE_TEXT];
  struct fr_buf plain;
  unsigned bad = 0;

  fr_clock_real(&clock);
  fr_date_format(fr_clock_at(&clock), at);
  fr_buf_init(&plain, LINE_MAX_BYTES);
  bad |= fr_buf_add_plain(&plain, line, strlen(line), MESSAGE_MAX);
  bad |= fr_buf_addf(buf, "{\"time\":\"%s\",\"level\":\"%s\"", at,
                     names[level]);
  if (console->account)
    bad |= fr_buf_addf(buf, ",\"account\":\"%s\"", console->account);
  if (console->run)
    bad |= fr_buf_addf(buf, ",\"run\":%lld", (long long)console->run);
  if (id)
    bad |= fr_buf_addf(buf, ",\"request_id\":\"%.40s\"", id);
  bad |= fr_buf_add_text(buf, ",\"message\":");
  bad |= fr_buf_add_json(buf, fr_buf_text(&plain));
  bad |= fr_buf_add_text(buf, "}\n");
  fr_buf_done(&plain);
  return bad ? FR_ENOMEM : FR_OK;
}

/* Without memory, as much as fits here. */
static void say_short(const struct fr_console *console,
                      enum fr_log_level level, const char *line)
{
  const char *priority = console->journal ? priorities[level] : "";
  char text[1024], whole[1200];

  (void)snprintf(text, sizeof(text), "%s", line);
  fr_plain(text, strlen(text));
  for (char *at = text; console->json && *at; at++)
    if (*at == '"' || *at == '\\')
      *at = '\'';
  if (console->json)
    (void)snprintf(whole, sizeof(whole), "%s{\"level\":\"%s\",\"message\":"
                   "\"%s\"}\n", priority, names[level], text);
  else
    (void)snprintf(whole, sizeof(whole), "%s%s%s\n", priority, before[level],
                   text);
  write_all(whole, strlen(whole));
}

void fr_console_say(struct fr_console *console, enum fr_log_level level,
                    const char *line)
{
  struct fr_buf buf;
  enum fr_err err = FR_OK;

  clear(console);
  if (level == FR_LOG_ERROR && console->why && *console->why)
    console->why_said |= strstr(line, console->why) != NULL;
  fr_buf_init(&buf, 2 * LINE_MAX_BYTES);
  if (console->journal)
    err = fr_buf_add_text(&buf, priorities[level]);
  if (!err)
    err = console->json ? add_object(console, level, line, &buf)
                        : add_text(console, level, line, &buf);
  if (err)
    say_short(console, level, line);
  else
    write_all(fr_buf_text(&buf), buf.len);
  fr_buf_done(&buf);
}

void fr_console_talk(struct fr_console *console, const char *text,
                     size_t len)
{
  while (len > 0) {
    const char *end = memchr(text, '\n', len);
    size_t most = end ? (size_t)(end - text) : len;
    size_t kept = most < MESSAGE_MAX + 99 ? most : MESSAGE_MAX + 99;
    char line[MESSAGE_MAX + 100];

    for (size_t i = 0; i < kept; i++)
      line[i] = text[i] == '\t' ? ' ' : text[i] ? text[i] : '?';
    line[kept] = '\0';
    fr_console_say(console, FR_LOG_INFO, line);
    most += end != NULL;
    text += most;
    len -= most;
  }
}
