/* host/textfile.c - see textfile.h.
 *
 * A second Lua in this process was rejected: it would have to run on top of
 * one that is lost in the middle of a call. */
#include "host/textfile.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"

#define PATIENCE_MS 60000       /* a ledger of ten million takes some seconds */
#define STEP_MS 5

/* All that the other process is to know: no key, and no option of this run. */
static const char *const handed_on[] = {
  "PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "NO_COLOR", "TERM",
  "JOURNAL_STREAM", "FALRUN_PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS",
  "LSAN_OPTIONS"
};
#define NHANDED (sizeof(handed_on) / sizeof(handed_on[0]))

/* Both in one; what cannot be made ends the child, which is no harm. */
static char *join(const char *head, const char *tail)
{
  size_t size = strlen(head) + strlen(tail) + 1;
  char *text = malloc(size);

  if (!text)
    _exit(1);
  (void)snprintf(text, size, "%s%s", head, tail);
  return text;
}

static void become(const struct fr_parts *parts, const char *after,
                   pid_t parent)
{
  const char *format = fr_option(parts->options, "log-format");
  char *env[NHANDED + 1], *argv[8] = { 0 };
  size_t count = 0;

  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent)
    _exit(1);
  argv[0] = join("falrun", "");
  argv[1] = join("status", "");
  argv[2] = join("--textfile=", parts->config.textfile);
  argv[3] = join("--ledger=", parts->config.ledger);
  argv[4] = join("--after=", after);
  argv[5] = join("--log-format=", format ? format : "text");
  argv[6] = join("--config=", "/dev/null");
  for (size_t i = 0; i < NHANDED; i++) {
    const char *value = getenv(handed_on[i]);

    if (!value)
      continue;
    env[count++] = join(join(handed_on[i], "="), value);
  }
  env[count] = NULL;
  execve("/proc/self/exe", argv, env);
  _exit(127);
}

/* Its exit code, or -1. */
static int wait_for(pid_t pid)
{
  const struct timespec step = { .tv_nsec = STEP_MS * 1000000 };
  int status, left = PATIENCE_MS / STEP_MS;
  pid_t done;

  while ((done = waitpid(pid, &status, left > 0 ? WNOHANG : 0)) != pid) {
    if (done < 0 && errno != EINTR)
      return -1;
    if (left-- == 1)
      kill(pid, SIGKILL);
    nanosleep(&step, NULL);
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Of a sandbox only where the line asks for it: a variable that stands for
 * every run would say of real data what became of made-up one. */
static bool wanted(const struct fr_parts *parts)
{
  const struct fr_config *config = &parts->config;

  if (!config->textfile || config->command.ledger != FR_NEED_RUN ||
      !config->ledger[0])
    return false;
  if (!config->sandbox ||
      fr_option_source(parts->options, "textfile")->place == FR_FROM_LINE)
    return true;
  fr_log(FR_LOG_INFO, "no metrics were written to %s: a sandbox is no run to "
         "watch", config->textfile);
  return false;
}

void fr_textfile_write(const struct fr_parts *parts, bool began, int code)
{
  pid_t parent = getpid(), pid;
  char after[32] = "end";
  int done;

  if (!wanted(parts))
    return;
  if (!began)
    (void)snprintf(after, sizeof(after), "start:%d", code);
  pid = fork();
  if (pid == 0)
    become(parts, after, parent);
  done = pid > 0 ? wait_for(pid) : -1;
  if (done == 0)
    return;
  fr_log(FR_LOG_WARN, "the metrics were not written to %s%s%s",
         parts->config.textfile, pid < 0 ? ": " : "; the file is as it was",
         pid < 0 ? strerror(errno) : "");
}
