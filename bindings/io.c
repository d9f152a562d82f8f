/* bindings/io.c - the standard streams, for commands, and print for policies.
 *
 * Writing and reading block: commands read before the first deletion, and
 * what they write must be whole before the process goes on. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "bindings/nouns.h"

#define LINES "falrun.lines"
#define LINE_MAX_BYTES (64u << 10)

/* Waits for the descriptor; false when a signal ended the run meanwhile.
 * poll is never restarted after a signal, whatever the handler asked for. */
static bool wait_for(struct frl *frl, int fd, short events)
{
  struct pollfd entry = { .fd = fd, .events = events };

  do {
    if (frl->ending || frl->caps.interrupted || frl->config.verdict->signal)
      return false;
  } while (poll(&entry, 1, -1) < 0 && errno == EINTR);
  return true;
}

static int raise_interrupted(lua_State *L, struct fr_op *op)
{
  (void)op;
  frl_push_error(L, FR_EINTERRUPTED, NULL);
  return lua_error(L);
}

/* Lets the loop turn, where the host learns which signal it was and cancels
 * this task; the error is for whoever has no host.           [-0, +0, ey] */
static int end_interrupted(lua_State *L)
{
  return frl_nap(L, 1000, raise_interrupted);
}

/* 0, or an errno. */
static int write_rest(struct frl *frl, int fd, const char *data, size_t len)
{
  while (len > 0) {
    ssize_t n = write(fd, data, len);

    if (n >= 0) {
      data += n;
      len -= (size_t)n;
    } else if (errno != EINTR && errno != EAGAIN) {
      return errno;
    } else if (!wait_for(frl, fd, POLLOUT)) {
      return EINTR;
    }
  }
  return 0;
}

static int write_all(struct frl *frl, int fd, const char *data, size_t len)
{
  uint64_t since = frl_caps_pause(frl);
  int error;

  if (frl->config.before_write)
    frl->config.before_write(frl->config.write_arg, fd);
  error = write_rest(frl, fd, data, len);
  frl_caps_unpause(frl, since);
  return error;
}

/* Lines for people. Nobody can be told when standard error itself fails. */
static int say(struct frl *frl, const char *text, size_t len)
{
  uint64_t since;

  if (!frl->config.talk)
    return write_all(frl, STDERR_FILENO, text, len);
  since = frl_caps_pause(frl);
  frl->config.talk(frl->config.write_arg, text, len);
  frl_caps_unpause(frl, since);
  return 0;
}

/* host.write(text)                                            [-1, +0, e] */
static int l_write(lua_State *L)
{
  size_t len;
  const char *text = luaL_checklstring(L, 1, &len);
  int error = write_all(frl_of(L), STDOUT_FILENO, text, len);

  if (!error)
    return 0;
  if (error == EINTR)
    return end_interrupted(L);
  lua_pushfstring(L, "standard output cannot be written: %s",
                  strerror(error));
  frl_push_error(L, FR_EIO, lua_tostring(L, -1));
  return lua_error(L);
}

/* With --json, standard output is one document, which is the command's: what
 * a policy prints is talk then. */
static int print_fd(const struct frl *frl)
{
  const struct frl_option *option = frl->config.options;

  for (; option && option->name; option++)
    if (strcmp(option->name, "json") == 0)
      return option->value ? STDERR_FILENO : STDOUT_FILENO;
  return STDOUT_FILENO;
}

/* A reader that went away (`| head`) does not stop a policy half way. */
int frl_print(lua_State *L)
{
  int count = lua_gettop(L);
  struct frl *frl = frl_of(L);
  luaL_Buffer line;

  luaL_buffinit(L, &line);
  for (int i = 1; i <= count; i++) {
    if (i > 1)
      luaL_addchar(&line, '\t');
    luaL_tolstring(L, i, NULL);
    luaL_addvalue(&line);
  }
  luaL_addchar(&line, '\n');
  luaL_pushresult(&line);
  frl_caps_print(L, lua_rawlen(L, -1));
  if (frl->capture) {
    frl_capture_add(frl->capture, lua_tostring(L, -1), lua_rawlen(L, -1));
    return 0;
  }
  if (print_fd(frl) == STDERR_FILENO)
    return say(frl, lua_tostring(L, -1), lua_rawlen(L, -1));
  if (write_all(frl, STDOUT_FILENO, lua_tostring(L, -1),
                lua_rawlen(L, -1)) == EINTR)
    return end_interrupted(L);
  return 0;
}

/* Text for a terminal: nothing that a server wrote may steer it. */
static void add_plain(luaL_Buffer *line, const char *text, size_t len)
{
  for (size_t i = 0; i < len; i++) {
    unsigned char byte = (unsigned char)text[i];
    bool steers = (byte < ' ' && byte != '\n' && byte != '\t') ||
                  byte == 0x7f;

    luaL_addchar(line, steers ? '?' : text[i]);
  }
}

/* host.say(text): a line of its own.                          [-1, +0, m] */
static int l_say(lua_State *L)
{
  size_t len;
  const char *text = luaL_checklstring(L, 1, &len);
  luaL_Buffer line;

  luaL_buffinit(L, &line);
  add_plain(&line, text, len);
  luaL_addchar(&line, '\n');
  luaL_pushresult(&line);
  text = lua_tolstring(L, -1, &len);
  (void)say(frl_of(L), text, len);
  return 0;
}

/* ---- lines --------------------------------------------------------------- */

struct lines {
  size_t at, len;               /* what is left: data[at .. len) */
  lua_Integer number;           /* of the line that was read last */
  bool over;
  char data[LINE_MAX_BYTES + 2];        /* the longest line and its end */
};

/* Makes room and reads once more; raises where that fails. False when the
 * run was interrupted. */
static bool fill(lua_State *L, struct lines *lines)
{
  struct frl *frl = frl_of(L);
  ssize_t n;

  memmove(lines->data, lines->data + lines->at, lines->len - lines->at);
  lines->len -= lines->at;
  lines->at = 0;
  do {
    if (!wait_for(frl, STDIN_FILENO, POLLIN))
      return false;
    n = read(STDIN_FILENO, lines->data + lines->len,
             sizeof(lines->data) - lines->len);
  } while (n < 0 && (errno == EINTR || errno == EAGAIN));
  if (n < 0) {
    lua_pushfstring(L, "standard input cannot be read: %s", strerror(errno));
    frl_push_error(L, FR_EIO, lua_tostring(L, -1));
    lua_error(L);
  }
  lines->over = n == 0;
  lines->len += (size_t)n;
  return true;
}

static int push_line(lua_State *L, struct lines *lines, size_t len,
                     size_t end)
{
  const char *line = lines->data + lines->at;

  if (len > 0 && line[len - 1] == '\r')
    len--;
  lines->number++;
  if (len > LINE_MAX_BYTES) {
    frl_push_error(L, FR_ETOO_BIG, "a line of standard input is longer than "
                   "64 KiB");
    lua_pushinteger(L, lines->number);
    lua_setfield(L, -2, "line");
    return lua_error(L);
  }
  lines->at += end;
  lua_pushlstring(L, line, len);
  lua_pushinteger(L, lines->number);
  return 2;
}

/* Lines that are an id and nothing else go to the list at index 1; were there
 * any?                                                       [-0, +0, m] */
static bool take_ids(lua_State *L, struct lines *lines, struct frl_ids *ids)
{
  const size_t size = FR_UUID_TEXT;     /* its end is a line feed here */
  size_t began = lines->at;
  struct fr_uuid id;

  for (; lines->len - lines->at >= size; lines->at += size) {
    const char *line = lines->data + lines->at;

    if (line[size - 1] != '\n' || fr_uuid_parse(line, size - 1, &id))
      break;
    frl_ids_add(L, 1, ids, &id);
    lines->number++;
  }
  return lines->at > began;
}

/* next_line(list?) -> the next line and its number, or nothing at the end.
 * With a list, lines before it that are an id and nothing else go there.
 *                                                            [-1, +2, ey] */
static int next_line(lua_State *L)
{
  struct lines *lines = luaL_checkudata(L, lua_upvalueindex(1), LINES);
  struct frl_ids *ids = lua_isnoneornil(L, 1) ? NULL : frl_ids_check(L, 1);
  size_t searched = 0;

  for (;;) {
    size_t left;
    const char *line, *end;

    if (ids && searched < FR_UUID_TEXT && take_ids(L, lines, ids))
      searched = 0;
    left = lines->len - lines->at;
    line = lines->data + lines->at;
    end = memchr(line + searched, '\n', left - searched);
    if (end)
      return push_line(L, lines, (size_t)(end - line),
                       (size_t)(end - line) + 1);
    if (lines->over && left == 0)
      return 0;
    if (lines->over || left == sizeof(lines->data))
      return push_line(L, lines, left, left);
    searched = left;
    if (!fill(L, lines))
      return end_interrupted(L);
  }
}

/* host.lines() -> function                                    [-0, +1, m] */
static int l_lines(lua_State *L)
{
  struct lines *lines = lua_newuserdatauv(L, sizeof(*lines), 0);

  lines->at = lines->len = 0;
  lines->number = 0;
  lines->over = false;
  luaL_newmetatable(L, LINES);
  lua_setmetatable(L, -2);
  lua_pushcclosure(L, next_line, 1);
  return 1;
}

/* One line of standard input, read byte by byte so that nothing behind it
 * is taken. -1: interrupted; else its length, 0 at the end of the input. */
static ssize_t read_answer(struct frl *frl, char *line, size_t size)
{
  size_t len = 0;

  while (len + 1 < size) {
    ssize_t n;

    if (!wait_for(frl, STDIN_FILENO, POLLIN))
      return -1;
    n = read(STDIN_FILENO, line + len, 1);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
      continue;
    if (n <= 0 || line[len++] == '\n')
      break;
  }
  return (ssize_t)len;
}

/* host.ask(question) -> the line, or nil at the end of input  [-1, +1, ey] */
static int l_ask(lua_State *L)
{
  const char *question = frl_check_text(L, 1, "ask", "question");
  struct frl *frl = frl_of(L);
  char line[4096];
  ssize_t len;

  (void)tcflush(STDIN_FILENO, TCIFLUSH);  /* typed before it was asked */
  if (write_all(frl, STDERR_FILENO, question, strlen(question)) == EINTR)
    return end_interrupted(L);
  len = read_answer(frl, line, sizeof(line));
  if (len < 0)
    return end_interrupted(L);
  if (len == 0)
    return 0;
  lua_pushlstring(L, line, (size_t)len);
  return 1;
}

const luaL_Reg frl_io_functions[] = {
  { "ask", l_ask },
  { "write", l_write },
  { "say", l_say },
  { "lines", l_lines },
  { NULL, NULL },
};
