/* host/sandbox.c - see sandbox.h. The child's environment has no key in it
 * and no FALRUN_SANDBOX, so that it can never start a sandbox of its own. */
#include "host/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define UP_WITHIN_MS 10000
#define WORDS_MAX 64

static void clean_environment(void)
{
  static const char *const names[] = {
    "FAL_KEY", "FAL_KEY_ID", "FAL_KEY_SECRET", "FAL_ADMIN_KEY",
    "FAL_KEY_FILE", "FAL_ADMIN_KEY_FILE", "CREDENTIALS_DIRECTORY",
    "FALRUN_SANDBOX", "FALRUN_DRY_RUN", "FALRUN_API_URL", "FALRUN_JSON",
    "FALRUN_LEDGER", "FALRUN_PORT", NULL
  };

  for (size_t i = 0; names[i]; i++)
    unsetenv(names[i]);
}

static void become(int out, const char *const *words, pid_t parent)
{
  const char *argv[WORDS_MAX + 6] = { "falrun", "sandbox", "--quiet",
                                      "--port", "0" };
  size_t count = 5;

  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent)
    _exit(1);
  setpgid(0, 0);                /* Ctrl-C is for the run, not for its API */
  while (*words && count < WORDS_MAX + 5)
    argv[count++] = *words++;
  argv[count] = NULL;
  clean_environment();
  if (dup2(out, STDOUT_FILENO) < 0)
    _exit(1);
  execv("/proc/self/exe", (char *const *)(void *)argv);
  _exit(127);
}

static int64_t now_ms(void)
{
  struct timespec t;

  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Reads the one line that the sandbox prints, bounded in time and size. */
static bool read_line(int fd, char *line, size_t size)
{
  int64_t until = now_ms() + UP_WITHIN_MS;
  size_t len = 0;

  while (len + 1 < size) {
    struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
    int64_t left = until - now_ms();

    if (left <= 0 || (poll(&poll_fd, 1, (int)left) < 0 && errno != EINTR))
      return false;
    if (!poll_fd.revents)
      continue;
    if (read(fd, line + len, 1) != 1)
      return false;
    if (line[len] == '\n') {
      line[len] = 0;
      return true;
    }
    len++;
  }
  return false;
}

enum fr_err fr_sandbox_start(struct fr_sandbox *sandbox,
                             const char *const *words, struct fr_buf *why)
{
  pid_t parent = getpid();
  int ends[2];
  bool up;

  if (pipe2(ends, O_CLOEXEC))
    return FR_EIO;
  sandbox->pid = fork();
  if (sandbox->pid == 0)
    become(ends[1], words, parent);
  close(ends[1]);
  up = sandbox->pid > 0 &&
       read_line(ends[0], sandbox->url, sizeof(sandbox->url)) &&
       !strncmp(sandbox->url, "http://127.0.0.1:", 17);
  close(ends[0]);
  if (up)
    return FR_OK;
  fr_buf_say(why, "the sandbox did not start; try falrun sandbox to see why");
  fr_sandbox_stop(sandbox);
  return FR_EIO;
}

enum fr_err fr_sandbox_ledger(struct fr_sandbox *sandbox, struct fr_buf *why,
                              char *ret_path, size_t size)
{
  const char *tmp = getenv("TMPDIR");
  int len;

  if (!tmp || !*tmp || strlen(tmp) > 40)
    tmp = "/tmp";
  snprintf(sandbox->folder, sizeof(sandbox->folder), "%s/falrun-XXXXXX", tmp);
  if (!mkdtemp(sandbox->folder)) {
    fr_buf_say(why, "the folder %s for the ledger of the sandbox cannot be "
               "made: %s; set TMPDIR, or name a file with --ledger PATH",
               sandbox->folder, strerror(errno));
    sandbox->folder[0] = 0;
    return FR_EIO;
  }
  len = snprintf(ret_path, size, "%s/ledger.db", sandbox->folder);
  return len > 0 && (size_t)len < size ? FR_OK : FR_ETOO_BIG;
}

static void remove_folder(struct fr_sandbox *sandbox)
{
  static const char *const files[] = { "ledger.db", "ledger.db-wal",
                                       "ledger.db-shm", "ledger.db.lock" };
  char path[128];

  for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
    snprintf(path, sizeof(path), "%s/%s", sandbox->folder, files[i]);
    unlink(path);
  }
  rmdir(sandbox->folder);
  sandbox->folder[0] = 0;
}

void fr_sandbox_stop(struct fr_sandbox *sandbox)
{
  if (sandbox->pid > 0) {
    kill(sandbox->pid, SIGKILL);        /* it keeps nothing worth a goodbye */
    while (waitpid(sandbox->pid, NULL, 0) < 0 && errno == EINTR)
      ;
  }
  sandbox->pid = 0;
  if (sandbox->folder[0])
    remove_folder(sandbox);
}
