/* host/main.c - the program: --version, --help, or a command. */
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "host/console.h"
#include "host/options.h"
#include "host/run.h"
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
  return fr_run(options);
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
