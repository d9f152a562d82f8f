/* fal/keycommand.c - a key that a program prints, like `pass show fal/admin`.
 *
 *   words --split--> argv --fork, exec--> its output, through a pipe --> key
 *
 * No shell reads the words: blanks part them, '...' and "..." keep blanks
 * together, and nothing else has a meaning, so no $, * or ; surprises anyone.
 * The program has the environment without keys, no input, and its errors go
 * nowhere, since nobody knows what they tell. It is a process group of its
 * own, which ends with the time: what it left behind would keep the pipe
 * open, and with it the run waiting. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/digest.h"
#include "fal/keyring.h"

#define WITHIN_MS 10000
#define WORDS_MAX 64
#define TEXT_MAX 4096

/* ---- words --------------------------------------------------------------- */

struct words {
  char text[TEXT_MAX];
  char *argv[WORDS_MAX + 1];
  const char *fault;
};

/* One word from `at` to `to`, with its NUL; returns where it ended. */
static const char *take_word(const char *at, char **to, const char **fault)
{
  char quote = 0;

  for (; *at && (quote || (*at != ' ' && *at != '\t')); at++) {
    if (quote ? *at == quote : (*at == '\'' || *at == '"'))
      quote = quote ? 0 : *at;
    else
      *(*to)++ = *at;
  }
  if (quote)
    *fault = "a quote of the command has no end";
  *(*to)++ = 0;
  return at;
}

static void split(const char *line, struct words *words)
{
  char *to = words->text;
  size_t count = 0;

  words->fault = strlen(line) >= TEXT_MAX / 2 ? "the command is too long"
                                              : NULL;
  while (!words->fault) {
    line += strspn(line, " \t");
    if (!*line)
      break;
    if (count == WORDS_MAX) {
      words->fault = "the command has too many words";
      return;
    }
    words->argv[count++] = to;
    line = take_word(line, &to, &words->fault);
  }
  words->argv[count] = NULL;
  if (!words->fault && (!count || !*words->argv[0]))
    words->fault = "no command stands behind command:";
  else if (!words->fault && *words->argv[0] != '/' &&
           strchr(words->argv[0], '/'))
    words->fault = "the command is a name on the PATH, or a path from the "
                   "root";
}

const char *fr_key_command_fault(const char *line)
{
  struct words words;

  split(line, &words);
  return words.fault;
}

/* ---- the program --------------------------------------------------------- */

static void become(const struct words *words, int out, pid_t parent)
{
  int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);

  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent || nothing < 0 || setpgid(0, 0))
    _exit(127);
  if (dup2(nothing, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
      dup2(nothing, STDERR_FILENO) < 0)
    _exit(127);
  fr_key_forget_variables();
  execvp(words->argv[0], words->argv);
  _exit(127);
}

static int64_t now_ms(void)
{
  struct timespec t;

  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* FR_ETIMEOUT, FR_ETOO_BIG. */
static enum fr_err read_all(int fd, int64_t until, char text[FR_KEY_MOST + 1],
                            size_t *ret_len)
{
  size_t len = 0;

  while (len <= FR_KEY_MOST) {
    struct pollfd wait = { .fd = fd, .events = POLLIN };
    int64_t left = until - now_ms();
    ssize_t got;

    if (left <= 0)
      return FR_ETIMEOUT;
    if (poll(&wait, 1, (int)left) <= 0)
      continue;
    got = read(fd, text + len, FR_KEY_MOST + 1 - len);
    if (got < 0 && errno != EINTR)
      return FR_EIO;
    if (got == 0) {
      *ret_len = len;
      return FR_OK;
    }
    len += got > 0 ? (size_t)got : 0;
  }
  return FR_ETOO_BIG;
}

/* Its status; -1 when it is still there when the time is over. */
static int reap(pid_t pid, int64_t until)
{
  struct timespec nap = { .tv_nsec = 2000000 };
  int status = -1;
  pid_t done = 0;

  while (done <= 0 && now_ms() < until) {
    done = waitpid(pid, &status, WNOHANG);
    if (done < 0 && errno != EINTR)
      return -1;
    if (!done)
      nanosleep(&nap, NULL);
  }
  return done > 0 ? status : -1;
}

static void end(pid_t pid)
{
  if (kill(-pid, SIGKILL))              /* it has no group of its own yet */
    kill(pid, SIGKILL);
  while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
    ;
}

static enum fr_err say(enum fr_err err, int status, const char *line,
                       struct fr_buf *why)
{
  fr_buf_say(why, "the command \"");
  fr_buf_add_plain(why, line, strlen(line), 200);
  if (err == FR_ETOO_BIG)
    fr_buf_addf(why, "\" prints more than a key");
  else if (err == FR_ETIMEOUT)
    fr_buf_addf(why, "\" did not end within %d s", WITHIN_MS / 1000);
  else if (err)
    fr_buf_addf(why, "\" could not be started: %s", strerror(errno));
  else if (WIFSIGNALED(status))
    fr_buf_addf(why, "\" was ended by signal %d", WTERMSIG(status));
  else if (WEXITSTATUS(status) == 127)
    fr_buf_addf(why, "\" could not be run: is it there, and on the PATH?");
  else
    fr_buf_addf(why, "\" ended with exit code %d", WEXITSTATUS(status));
  fr_buf_addf(why, "; run it by hand to see why");
  return FR_ECONFIG;
}

static pid_t start(const struct words *words, int *ret_fd)
{
  pid_t pid, parent = getpid();
  int ends[2];

  if (pipe2(ends, O_CLOEXEC))
    return -1;
  pid = fork();
  if (pid == 0)
    become(words, ends[1], parent);
  close(ends[1]);
  if (pid < 0)
    close(ends[0]);
  *ret_fd = ends[0];
  return pid;
}

enum fr_err fr_key_command(const char *line, char text[FR_KEY_MOST + 1],
                           size_t *ret_len, struct fr_buf *why)
{
  int64_t until = now_ms() + WITHIN_MS;
  struct words words;
  size_t len = 0;
  int fd, status = -1;
  enum fr_err err;
  pid_t pid;

  split(line, &words);
  if (words.fault) {
    fr_buf_say(why, "%s", words.fault);
    return FR_ECONFIG;
  }
  pid = start(&words, &fd);
  if (pid < 0)
    return say(FR_EIO, 0, line, why);
  err = read_all(fd, until, text, &len);
  if (!err && (status = reap(pid, until)) == -1)
    err = FR_ETIMEOUT;
  close(fd);
  if (status == -1)
    end(pid);
  if (err || status != 0)
    return say(err, status, line, why);
  while (len && memchr(" \t\r\n", text[len - 1], 4))
    len--;
  *ret_len = len;
  return FR_OK;
}
