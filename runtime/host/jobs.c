/* host/jobs.c - see jobs.h; what is to be done is found out in jobs_plan.c.
 *
 * A child is this program anew, with --account=NAME in place of what chose
 * the accounts. It has the terminal and the standard streams as they are, so
 * questions, colours and progress work; it says itself whose output it is
 * (run.c, console.c). */
#include "host/jobs.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fal/keys.h"
#include "host/console.h"

static volatile pid_t child;            /* 0: none */
static volatile sig_atomic_t stopped;   /* the signal that ends all */

static const int caught[] = { SIGINT, SIGTERM, SIGHUP, SIGUSR1 };
#define NCAUGHT (sizeof(caught) / sizeof(caught[0]))

/* What a terminal sends goes to the child by itself: twice would end it
 * without waiting for answers. */
static void handle(int number, siginfo_t *info, void *context)
{
  int saved = errno;

  (void)context;
  if (number != SIGUSR1)
    stopped = number;
  if (child > 0 && info->si_code != SI_KERNEL)
    kill(child, number);
  errno = saved;
}

static void block(int how)
{
  sigset_t set;

  sigemptyset(&set);
  for (size_t i = 0; i < NCAUGHT; i++)
    sigaddset(&set, caught[i]);
  sigprocmask(how, &set, NULL);
}

static void catch_signals(void)
{
  struct sigaction action = { .sa_flags = SA_SIGINFO };

  action.sa_sigaction = handle;
  for (size_t i = 0; i < NCAUGHT; i++)
    sigaction(caught[i], &action, NULL);
}

/* The keys of the environment are of nobody here. */
static void set_environment(void)
{
  static const char *const names[] = {
    "FALRUN_ACCOUNT", "FALRUN_ACCOUNTS", "FALRUN_LEDGER", "FAL_KEY",
    "FAL_KEY_ID", "FAL_KEY_SECRET", "FAL_KEY_FILE", "FAL_ADMIN_KEY",
    "FAL_ADMIN_KEY_FILE"
  };

  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
    unsetenv(names[i]);
  setenv(FR_JOBS_VARIABLE, "1", 1);
}

static void become(const char **argv, pid_t parent)
{
  signal(SIGINT, SIG_DFL);      /* until it has handlers of its own */
  signal(SIGTERM, SIG_DFL);
  signal(SIGHUP, SIG_DFL);
  signal(SIGUSR1, SIG_IGN);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  block(SIG_UNBLOCK);
  if (getppid() != parent)
    _exit(143);
  set_environment();
  execv("/proc/self/exe", (char *const *)(void *)argv);
  _exit(70);
}

/* falrun --account=NAME the rest of the line, the policy */
static const char **line_of(const struct fr_job *job,
                            const struct fr_options *options, char *account,
                            size_t size)
{
  const char **argv = calloc(options->nrest + 4, sizeof(*argv));
  size_t count = 0;

  if (!argv)
    return NULL;
  snprintf(account, size, "--account=%s", job->account);
  argv[count++] = "falrun";
  argv[count++] = account;
  for (size_t i = 0; i < options->nrest; i++)
    argv[count++] = options->rest[i];
  argv[count] = job->policy;
  return argv;
}

static int code_of(int status)
{
  if (WIFEXITED(status))
    return WEXITSTATUS(status);
  if (WTERMSIG(status) == SIGINT)
    return 130;
  if (WTERMSIG(status) == SIGTERM || WTERMSIG(status) == SIGHUP)
    return 143;
  return 70;
}

/* Its exit code; -1 when it could not be started. */
static int run_one(const struct fr_job *job, const struct fr_options *options)
{
  char account[FR_ACCOUNT_NAME_MAX + 20];
  const char **argv = line_of(job, options, account, sizeof(account));
  pid_t parent = getpid(), pid;
  int status = 0;

  if (!argv)
    return -1;
  block(SIG_BLOCK);
  pid = fork();
  if (pid == 0)
    become(argv, parent);
  child = pid;
  block(SIG_UNBLOCK);
  free(argv);
  if (pid < 0)
    return -1;
  while (waitpid(pid, &status, 0) < 0)
    if (errno != EINTR)
      return -1;
  child = 0;
  return code_of(status);
}

static void say(const struct fr_job *job, int code)
{
  fr_log(FR_LOG_WARN, "account %s%s%s ended with exit code %d", job->account,
         job->policy ? ", " : "", job->policy ? job->policy : "", code);
}

int fr_jobs_run(const struct fr_jobs *jobs, const struct fr_options *options)
{
  struct fr_console console;
  size_t done = 0, well = 0;
  int worst = 0;

  fr_console_open(&console, fr_option_is(options, "log-format", "json"),
                  fr_option_flag(options, "quiet") ? FR_LOG_WARN
                                                   : FR_LOG_INFO);
  if (options->note[0])
    fr_log(FR_LOG_INFO, "%s", options->note);
  catch_signals();
  while (done < jobs->count && !stopped) {
    const struct fr_job *job = &jobs->list[done++];
    int code = run_one(job, options);

    if (code < 0)
      code = 9;                 /* no process, no memory */
    if (code != 0)
      say(job, code);
    well += code == 0;
    worst = fr_jobs_worse(worst, code);
    if (code == 130 || code == 143)
      break;
  }
  if (stopped)
    worst = fr_jobs_worse(worst, stopped == SIGINT ? 130 : 143);
  if (jobs->count > 1)
    fr_log(worst ? FR_LOG_WARN : FR_LOG_INFO, "%zu of %zu went well%s", well,
           jobs->count, done < jobs->count ? "; the rest did not begin" : "");
  fr_console_close(&console);
  return worst;
}

int64_t fr_jobs_same_ms(void)
{
  return getenv(FR_JOBS_VARIABLE) ? 300 : 20;
}

/* 2 before 9: that account was not even looked at, and will not be until
 * somebody acts. 6 last of all: another run does the work. */
int fr_jobs_worse(int one, int other)
{
  static const int order[] = { 70, 8, 130, 143, 5, 4, 2, 9, 7, 1, 3, 6, 0 };

  for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
    if (order[i] == one || order[i] == other)
      return order[i];
  return 70;                    /* neither is a code of falrun */
}
