/* host/main.c - the program: --version, --help, or a command, with what the
 * config file says of it, once or for many accounts. */
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "host/command.h"
#include "host/console.h"
#include "host/jobs.h"
#include "host/options.h"
#include "host/run.h"
#include "host/setup.h"
#include "host/version.h"

/* Before the options are known whole: as far as they are. */
static int fail(const struct fr_options *options, int code,
                const char *sentence)
{
  struct fr_console console;

  fr_console_open(&console, fr_option_is(options, "log-format", "json"),
                  FR_LOG_INFO);
  fr_console_say(&console, FR_LOG_ERROR, sentence);
  fr_console_close(&console);
  return code;
}

/* The operation that a line of `falrun call` names, or NULL. */
static const char *operation_of(const struct fr_options *options)
{
  size_t i;

  if (!options->command || strcmp(options->command, "call") != 0)
    return NULL;
  for (i = 0; i < options->nwords && options->words[i][0] == '-'; i++)
    ;
  return i < options->nwords ? options->words[i] : NULL;
}

/* Help is a command like any other, so that it reads the same tables. */
static void turn_into_help(struct fr_options *options)
{
  const char *about = options->command;
  const char *operation = operation_of(options);

  options->nwords = 0;
  if (about && strcmp(about, "help") != 0)
    options->words[options->nwords++] = about;
  if (operation)
    options->words[options->nwords++] = operation;
  options->words[options->nwords] = NULL;
  options->command = "help";
  options->policy = NULL;
}

/* Only `falrun config check` starts with a file that is not sound: to tell
 * all of it. */
static bool only_checks(const struct fr_options *options)
{
  return !strcmp(options->command, "config") && options->nwords &&
         !strcmp(options->words[0], "check");
}

static enum fr_err prepare(struct fr_options *options,
                           struct fr_profile *profile, struct fr_jobs *jobs,
                           struct fr_buf *why)
{
  enum fr_err err;

  if (fr_command_find(options->command)->bare)
    return fr_setup_bare(options, why);
  err = fr_profile_open(options, why, profile);
  if (!err && only_checks(options)) {
    options->profile = profile;
    return fr_profile_check(profile);
  }
  if (!err)
    err = fr_setup_sound(profile, why);
  if (!err)
    err = fr_setup_apply(profile, options, why);
  return err ? err : fr_jobs_plan(profile, options, why, jobs);
}

static int start(struct fr_options *options)
{
  struct fr_profile profile = { .path = "" };
  struct fr_jobs jobs = { .count = 0 };
  struct fr_buf why;
  enum fr_err err;
  int code;

  fr_buf_init(&why, 2048);
  err = prepare(options, &profile, &jobs, &why);
  if (err)
    code = fail(options, err == FR_ENOMEM ? 9 : 2,
                why.len ? fr_buf_text(&why) : fr_err_message(err));
  else
    code = jobs.count ? fr_jobs_run(&jobs, options) : fr_run(options);
  options->profile = NULL;
  fr_jobs_done(&jobs);
  fr_profile_done(&profile);
  fr_buf_done(&why);
  return code;
}

static int dispatch(struct fr_options *options)
{
  if (fr_option_flag(options, "version")) {
    fr_version_print(fr_option_flag(options, "verbose"));
    return 0;
  }
  if (fr_option_flag(options, "help"))
    turn_into_help(options);
  if (!options->command)
    return fail(options, 2, "no command and no policy: falrun POLICY.lua "
                "runs one; falrun --help shows all");
  return start(options);
}

/* A core of this process would hold the keys. */
static void forbid_cores(void)
{
  struct rlimit none = { 0, 0 };

  (void)setrlimit(RLIMIT_CORE, &none);
}

static void heard(int number)
{
  (void)number;
}

/* SIGUSR1 asks for the state, and must end nothing: not before there is one
 * (host/signals.h), and not after. A handler, because what is ignored would
 * be ignored by every program that this one starts, too. */
static void survive_questions(void)
{
  struct sigaction action = { .sa_handler = heard, .sa_flags = SA_RESTART };

  sigaction(SIGUSR1, &action, NULL);
}

int main(int argc, char **argv)
{
  struct fr_options options;
  struct fr_buf why;
  enum fr_err err;
  int code;

  survive_questions();
  forbid_cores();
  fr_buf_init(&why, 2048);
  err = fr_options_parse(argc, argv, &why, &options);
  if (err == FR_ENOMEM)
    code = fail(&options, 9, fr_err_message(err));
  else if (err)
    code = fail(&options, 2, fr_buf_text(&why));
  else
    code = dispatch(&options);
  fr_options_done(&options);
  fr_buf_done(&why);
  return code;
}
