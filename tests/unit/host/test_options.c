/* tests/unit/host/test_options.c - the command line and the variables. */
#include "line.h"

static void options_stand_anywhere(void **state)
{
  struct line line;

  (void)state;
  LINE(&line, "--ledger", "a.db", "plan", "--rate=5/s", "x.lua", "--json");
  assert_string_equal(line.options.command, "plan");
  assert_string_equal(line.options.policy, "x.lua");
  has(&line, "ledger", "a.db");
  has(&line, "rate", "5/s");
  assert_true(fr_option_flag(&line.options, "json"));
  assert_false(fr_option_flag(&line.options, "quiet"));
  assert_null(fr_option(&line.options, "proxy"));
  assert_int_equal(line.options.nwords, 0);
  done(&line);
}

static void a_policy_alone_is_run(void **state)
{
  static const char *const policies[] = { "x.lua", "./x", "a/b", "/", NULL };
  struct line line;

  (void)state;
  for (size_t i = 0; policies[i]; i++) {
    LINE(&line, policies[i], "one", "-", "two.lua");
    assert_string_equal(line.options.command, "run");
    assert_string_equal(line.options.policy, policies[i]);
    HAS_WORDS(&line, "one", "-", "two.lua");
    done(&line);
  }
}

static void the_last_one_wins(void **state)
{
  struct line line;

  (void)state;
  LINE(&line, "--rate", "1", "x.lua", "--rate=2", "--rate", "3");
  has(&line, "rate", "3");
  done(&line);
  LINE(&line, "--quiet", "x.lua", "--quiet=0");
  assert_false(fr_option_flag(&line.options, "quiet"));
  done(&line);
  LINE(&line, "--quiet=no", "x.lua", "-q");
  assert_true(fr_option_flag(&line.options, "quiet"));
  done(&line);
}

static void letters(void **state)
{
  struct line line;

  (void)state;
  LINE(&line, "-q", "x.lua", "-v");
  assert_true(fr_option_flag(&line.options, "quiet"));
  assert_true(fr_option_flag(&line.options, "verbose"));
  done(&line);
  LINE(&line, "-h");
  assert_true(fr_option_flag(&line.options, "help"));
  assert_null(line.options.command);
  done(&line);
  LINE(&line, "-V");
  assert_true(fr_option_flag(&line.options, "version"));
  done(&line);
  REFUSED("no option -x", "-x", "x.lua");
  REFUSED("no option -qv", "-qv", "x.lua");
  REFUSED("no option -=", "-=", "x.lua");
}

static void values(void **state)
{
  struct line line;

  (void)state;
  LINE(&line, "--ledger=", "x.lua", "--proxy==a=b", "--ca-file=--json");
  has(&line, "ledger", "");
  has(&line, "proxy", "=a=b");
  has(&line, "ca-file", "--json");
  done(&line);
  LINE(&line, "--ledger", "-", "x.lua");
  has(&line, "ledger", "-");
  done(&line);
  REFUSED("--ledger needs a value", "x.lua", "--ledger");
  REFUSED("--quiet is \"maybe\"", "--quiet=maybe", "x.lua");
}

/* Before, this run deleted, and its ledger was a file called --dry-run. */
static void an_option_is_no_value(void **state)
{
  (void)state;
  REFUSED("--ledger=--dry-run", "--ledger", "--dry-run", "x.lua");
  REFUSED("looks like an option", "x.lua", "--max-deletes", "-q");
  REFUSED("looks like an option", "--ledger", "--", "x.lua");
  REFUSED("looks like an option", "--sandbox", "--seed", "--quiet", "x.lua");
}

static void dashes_after_a_policy_are_refused(void **state)
{
  struct line line;

  (void)state;
  REFUSED("did you mean --dry-run", "x.lua", "--dryrun");
  REFUSED("stands after --", "x.lua", "--mine");
  REFUSED("no option --mine", "plan", "--mine", "x.lua");
  REFUSED("no option -", "x.lua", "-1");
  LINE(&line, "x.lua", "a", "--", "--dry-run", "-q", "--");
  assert_string_equal(line.options.command, "run");
  assert_false(fr_option_flag(&line.options, "dry-run"));
  assert_false(fr_option_flag(&line.options, "quiet"));
  HAS_WORDS(&line, "a", "--dry-run", "-q", "--");
  done(&line);
  LINE(&line, "--", "x.lua", "-q");
  assert_string_equal(line.options.policy, "x.lua");
  HAS_WORDS(&line, "-q");
  done(&line);
}

static void unknown_options_get_a_suggestion(void **state)
{
  (void)state;
  REFUSED("did you mean --max-deletes", "--max-delete=5", "x.lua");
  REFUSED("did you mean --requests", "--request=5", "--sandbox", "x.lua");
  REFUSED("see falrun --help", "--wholly-unlike", "x.lua");
  REFUSED("no option --", "--=x", "x.lua");
  REFUSED("no option --?[31m", "--\033[31m", "x.lua");
}

static void commands(void **state)
{
  struct line line;

  (void)state;
  LINE(&line, "history", "--limit", "3", "--quiet", "-n", "--", "--quiet");
  assert_string_equal(line.options.command, "history");
  assert_true(fr_option_flag(&line.options, "quiet"));
  HAS_WORDS(&line, "--limit", "3", "-n", "--", "--quiet");
  done(&line);
  REFUSED("did you mean history", "histroy");
  REFUSED("a file whose name ends in .lua", "wholly-unlike");
  REFUSED("?[31m", "\033[31mred");
  REFUSED("falrun plan needs a policy", "plan");
  REFUSED("needs a policy", "--sandbox", "run", "-q");
  LINE(&line, "plan", "--help");
  assert_string_equal(line.options.command, "plan");
  done(&line);
}

static void no_words_at_all(void **state)
{
  struct line line;

  (void)state;
  parse(&line, (const char *[]){ "falrun", NULL });
  assert_null(line.options.command);
  done(&line);
  parse(&line, (const char *[]){ NULL });
  assert_null(line.options.command);
  done(&line);
}

static void a_dry_run_is_a_plan(void **state)
{
  struct line line;

  (void)state;
  LINE(&line, "x.lua", "--dry-run");
  assert_string_equal(line.options.command, "plan");
  done(&line);
  LINE(&line, "x.lua", "--dry-run=0");
  assert_string_equal(line.options.command, "run");
  done(&line);
  LINE(&line, "--dry-run", "delete", "x");
  assert_string_equal(line.options.command, "delete");
  assert_true(fr_option_flag(&line.options, "dry-run"));
  done(&line);
}

static void the_sandbox_gets_its_options(void **state)
{
  struct line line;

  (void)state;
  LINE(&line, "--requests", "5", "--sandbox", "x.lua", "--seed=7", "word");
  HAS_FORWARD(&line, "--requests", "5", "--seed=7");
  HAS_WORDS(&line, "word");
  done(&line);
  REFUSED("--requests is an option of the sandbox: add --sandbox",
          "--requests", "5", "x.lua");
  REFUSED("add --sandbox", "history", "--seed=7");
  REFUSED("--seed needs a value", "--sandbox", "x.lua", "--seed");
}

static void the_sandbox_command_gets_them_too(void **state)
{
  struct line line;

  (void)state;
  LINE(&line, "--seed", "7", "--requests=5", "sandbox", "--port", "0",
       "--seed", "8");
  HAS_WORDS(&line, "--seed", "7", "--requests=5", "--port", "0", "--seed",
            "8");
  assert_int_equal(line.options.nforward, 0);
  done(&line);
}

static void variables(void **state)
{
  char title[FR_TITLE_MAX];
  struct line line;

  (void)state;
  setenv("FALRUN_MAX_DELETES", "7", 1);
  setenv("FALRUN_RATE", "3", 1);
  setenv("FALRUN_DRY_RUN", "yes", 1);
  setenv("FALRUN_QUIET", "0", 1);
  setenv("FALRUN_JSON", "", 1);
  LINE(&line, "x.lua", "--rate=5");
  has(&line, "max-deletes", "7");
  has(&line, "rate", "5");
  assert_string_equal(line.options.command, "plan");
  assert_false(fr_option_flag(&line.options, "quiet"));
  assert_false(fr_option_flag(&line.options, "json"));
  fr_option_title(&line.options, "max-deletes", title);
  assert_string_equal(title, "FALRUN_MAX_DELETES");
  fr_option_title(&line.options, "rate", title);
  assert_string_equal(title, "--rate");
  fr_option_title(&line.options, "proxy", title);
  assert_string_equal(title, "--proxy");
  done(&line);
  LINE(&line, "x.lua", "--dry-run=no");
  assert_string_equal(line.options.command, "run");
  done(&line);
}

static void variables_of_flags_are_checked(void **state)
{
  static const char *const bad[] = { "2", "TRUE ", "maybe", "\033[31m",
                                     "no no", NULL };

  (void)state;
  for (size_t i = 0; bad[i]; i++) {
    setenv("FALRUN_DRY_RUN", bad[i], 1);
    REFUSED("FALRUN_DRY_RUN is \"", "x.lua");
    REFUSED("write 1 or 0", "x.lua");
  }
}

static void help_and_version_have_no_variable(void **state)
{
  struct line line;

  (void)state;
  setenv("FALRUN_HELP", "maybe", 1);
  setenv("FALRUN_VERSION", "1", 1);
  LINE(&line, "x.lua");
  assert_false(fr_option_flag(&line.options, "help"));
  assert_false(fr_option_flag(&line.options, "version"));
  done(&line);
}

/* Some options are those of one command, wherever they stand. */
static void options_of_one_command(void **state)
{
  struct line line;

  (void)state;
  LINE(&line, "--diff", "old.plan", "plan", "x.lua", "-o", "new.plan");
  has(&line, "diff", "old.plan");
  has(&line, "output", "new.plan");
  done(&line);
  LINE(&line, "x.lua", "--dry-run", "--output=new.plan");
  assert_string_equal(line.options.command, "plan");
  has(&line, "output", "new.plan");
  done(&line);
  REFUSED("falrun run has no option --output: it belongs to falrun plan",
          "x.lua", "-o", "new.plan");
  REFUSED("falrun plan has no option --every: it belongs to falrun simulate",
          "plan", "x.lua", "--every", "1d");
  REFUSED("falrun simulate has no option --diff", "--diff=a", "simulate",
          "x.lua");
}

/* A variable is set for all commands; the line is of one. */
static void variables_of_one_command(void **state)
{
  struct line line;

  (void)state;
  setenv("FALRUN_EVERY", "1d", 1);
  LINE(&line, "x.lua");
  assert_string_equal(line.options.command, "run");
  done(&line);
  REFUSED("has no option --every", "x.lua", "--every", "2d");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(options_stand_anywhere, no_variables),
    cmocka_unit_test_setup(a_policy_alone_is_run, no_variables),
    cmocka_unit_test_setup(the_last_one_wins, no_variables),
    cmocka_unit_test_setup(letters, no_variables),
    cmocka_unit_test_setup(values, no_variables),
    cmocka_unit_test_setup(an_option_is_no_value, no_variables),
    cmocka_unit_test_setup(dashes_after_a_policy_are_refused, no_variables),
    cmocka_unit_test_setup(unknown_options_get_a_suggestion, no_variables),
    cmocka_unit_test_setup(commands, no_variables),
    cmocka_unit_test_setup(no_words_at_all, no_variables),
    cmocka_unit_test_setup(a_dry_run_is_a_plan, no_variables),
    cmocka_unit_test_setup(the_sandbox_gets_its_options, no_variables),
    cmocka_unit_test_setup(the_sandbox_command_gets_them_too, no_variables),
    cmocka_unit_test_setup(variables, no_variables),
    cmocka_unit_test_setup(variables_of_flags_are_checked, no_variables),
    cmocka_unit_test_setup(help_and_version_have_no_variable, no_variables),
    cmocka_unit_test_setup(options_of_one_command, no_variables),
    cmocka_unit_test_setup(variables_of_one_command, no_variables),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
