/* tests/unit/host/test_setup.c - the file joins the line: who wins, which
 * account it is, and what a line with many of them means. */
#include <unistd.h>

#include "host/config.h"
#include "host/jobs.h"
#include "host/setup.h"
#include "line.h"

struct try {
  struct line line;
  struct fr_profile profile;
  struct fr_jobs jobs;
};

static const char text[] =
  "max-deletes = 100\n"                 /* 1 */
  "rate = 1\n"
  "ledger = /l/top.db\n"
  "admin-key = file:/k/top\n"
  "quiet = yes\n"                       /* 5 */
  "[account prod]\n"
  "rate = 2\n"
  "admin-key = file:/k/prod\n"
  "policies = /p/a.lua\n"
  "quiet = no\n"                        /* 10 */
  "[account test]\n"
  "ledger = /l/test.db\n"
  "key = file:/k/test\n"
  "policies = /p/a.lua /p/b.lua\n"
  "[account bare]\n";                   /* 15 */

static const char *const keys[] = { "FAL_KEY", "FAL_KEY_ID", "FAL_KEY_FILE",
                                    "FAL_ADMIN_KEY", "FAL_ADMIN_KEY_FILE",
                                    "CREDENTIALS_DIRECTORY",
                                    "STATE_DIRECTORY", "XDG_STATE_HOME" };

static int set_up(void **state)
{
  no_variables(state);
  for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
    unsetenv(keys[i]);
  return setenv("HOME", "/home/x", 1);
}

static enum fr_err apply(struct try *try, const char *const *words)
{
  enum fr_err err;

  *try = (struct try){ .profile = { .path = "/c" } };
  parse(&try->line, words);
  assert_int_equal(fr_profile_read(&try->profile, text, strlen(text)), 0);
  assert_int_equal(try->profile.nproblems, 0);
  err = fr_setup_apply(&try->profile, &try->line.options, &try->line.why);
  return err ? err : fr_jobs_plan(&try->profile, &try->line.options,
                                  &try->line.why, &try->jobs);
}

static void over(struct try *try)
{
  fr_jobs_done(&try->jobs);
  done(&try->line);
  fr_profile_done(&try->profile);
}

#define APPLY(try, ...) fine(try, WORDS(__VA_ARGS__))

static void fine(struct try *try, const char *const *words)
{
  if (apply(try, words))
    fail_msg("%s", fr_buf_text(&try->line.why));
}

#define BAD(part, ...) bad(part, WORDS(__VA_ARGS__))

static void bad(const char *part, const char *const *words)
{
  struct try try;

  assert_int_equal(apply(&try, words), FR_ECONFIG);
  is_sentence(fr_buf_text(&try.line.why), part);
  over(&try);
}

static void from(const struct try *try, const char *name, const char *value,
                 const char *title)
{
  char shown[FR_TITLE_MAX];

  has(&try->line, name, value);
  fr_option_title(&try->line.options, name, shown);
  assert_string_equal(shown, title);
}

static void who_wins(void **state)
{
  struct try try;

  (void)state;
  setenv("FALRUN_MAX_DELETES", "50", 1);
  APPLY(&try, "--account", "prod", "history", "--min-age=3h");
  from(&try, "min-age", "3h", "--min-age");
  from(&try, "max-deletes", "50", "FALRUN_MAX_DELETES");
  from(&try, "rate", "2", "/c:7: rate");
  assert_false(fr_option_flag(&try.line.options, "quiet"));
  over(&try);
  unsetenv("FALRUN_MAX_DELETES");
  APPLY(&try, "history");
  from(&try, "max-deletes", "100", "/c:1: max-deletes");
  from(&try, "rate", "1", "/c:2: rate");
  from(&try, "quiet", "true", "/c:5: quiet");
  over(&try);
  APPLY(&try, "history", "--quiet=no", "--rate=9");
  assert_false(fr_option_flag(&try.line.options, "quiet"));
  from(&try, "rate", "9", "--rate");
  over(&try);
  setenv("FALRUN_QUIET", "0", 1);
  APPLY(&try, "history");
  assert_false(fr_option_flag(&try.line.options, "quiet"));
  over(&try);
}

/* What is wrong with a value is said with file, line and key. */
static void title_of_a_value(void **state)
{
  static const struct fr_source source = { FR_FROM_FILE, "/c", 2 };
  struct fr_config config;
  struct line line;

  (void)state;
  LINE(&line, "history");
  fr_option_default(&line.options, "rate", "fast", &source);
  assert_int_equal(fr_config_read(&line.options, &line.why, &config),
                   FR_ECONFIG);
  assert_string_equal(fr_buf_text(&line.why), "/c:2: rate is \"fast\": "
                      "write requests per second, like 20/s");
  done(&line);
}

static void ledger_is(const struct try *try, const char *path)
{
  struct fr_config config;
  struct fr_buf why;

  fr_buf_init(&why, 2048);
  if (fr_config_read(&try->line.options, &why, &config))
    fail_msg("%s", fr_buf_text(&why));
  assert_string_equal(config.ledger, path);
  fr_buf_done(&why);
}

/* Neither the top nor a variable puts two accounts into one ledger. */
static void ledgers(void **state)
{
  struct try try;

  (void)state;
  APPLY(&try, "history");
  ledger_is(&try, "/l/top.db");
  over(&try);
  setenv("FALRUN_LEDGER", "/l/variable.db", 1);
  APPLY(&try, "history");
  ledger_is(&try, "/l/variable.db");
  assert_string_equal(try.line.options.note, "");
  over(&try);
  APPLY(&try, "--account=prod", "history");
  ledger_is(&try, "/home/x/.local/state/falrun/prod/ledger.db");
  assert_non_null(strstr(try.line.options.note, "FALRUN_LEDGER"));
  over(&try);
  APPLY(&try, "--account=test", "history");
  ledger_is(&try, "/l/test.db");
  over(&try);
  APPLY(&try, "--account=test", "history", "--ledger=/l/line.db");
  ledger_is(&try, "/l/line.db");
  over(&try);
  unsetenv("FALRUN_LEDGER");
  APPLY(&try, "--account=test", "x.lua", "--sandbox");
  ledger_is(&try, "");
  over(&try);
}

static void keys_of(const struct try *try, const char *api,
                    const char *admin, bool alone)
{
  struct fr_setup_keys named;
  struct fr_buf why;

  fr_buf_init(&why, 2048);
  if (fr_setup_keys(&try->line.options, &why, &named))
    fail_msg("%s", fr_buf_text(&why));
  assert_int_equal(named.refs.alone, alone);
  assert_string_equal(named.refs.api.text ? named.refs.api.text : "", api);
  assert_string_equal(named.refs.admin.text ? named.refs.admin.text : "",
                      admin);
  fr_buf_done(&why);
}

static void keys_are_the_accounts(void **state)
{
  struct fr_setup_keys named;
  struct try try;

  (void)state;
  setenv("FAL_KEY", "a:b", 1);
  setenv("FAL_ADMIN_KEY_FILE", "/k", 1);
  APPLY(&try, "--account=prod", "history");
  keys_of(&try, "", "file:/k/prod", true);
  is_sentence(try.line.options.note, "FAL_KEY, FAL_ADMIN_KEY_FILE of the "
              "environment: not heeded");
  over(&try);
  APPLY(&try, "--account=test", "history");
  keys_of(&try, "file:/k/test", "", true);      /* not that of the top */
  over(&try);
  APPLY(&try, "history");
  keys_of(&try, "", "file:/k/top", false);
  over(&try);
  APPLY(&try, "--account=bare", "history");
  assert_int_equal(fr_setup_keys(&try.line.options, &try.line.why, &named),
                   FR_ECONFIG);
  is_sentence(fr_buf_text(&try.line.why), "account bare (/c:15) names no key");
  over(&try);
}

static void which_account(void **state)
{
  struct try try;

  (void)state;
  BAD("--account: /c has no account \"prd\"; did you mean prod?",
      "--account=prd", "history");
  BAD("--accounts: /c has no account \"tst\"", "--accounts=prod,tst",
      "history");
  BAD("leave out one", "--account=prod", "--accounts=all", "history");
  BAD("need a name", "--account=", "history");
  BAD("need a name", "--accounts=", "x.lua");
  setenv("FALRUN_ACCOUNT", "prod", 1);
  APPLY(&try, "history");
  assert_string_equal(try.line.options.account, "prod");
  over(&try);
  APPLY(&try, "history", "--account=test");
  assert_string_equal(try.line.options.account, "test");
  over(&try);
  APPLY(&try, "history", "--accounts=bare");
  assert_null(try.line.options.account);
  assert_int_equal(try.jobs.count, 1);
  over(&try);
  setenv("FALRUN_ACCOUNTS", "all", 1);
  BAD("leave out one", "history");
  setenv("FALRUN_ACCOUNT", "", 1);
  APPLY(&try, "history");
  assert_int_equal(try.jobs.count, 3);
  over(&try);
}

static void a_variable_alone_starts_nothing(void **state)
{
  struct line line;

  (void)state;
  setenv("FALRUN_ACCOUNT", "prod", 1);
  parse(&line, (const char *[]){ "falrun", NULL });
  assert_null(line.options.command);
  done(&line);
  LINE(&line, "--account=prod");
  assert_string_equal(line.options.command, "run");
  done(&line);
}

#define JOBS(try, ...) jobs_are(try, (const char *[]){ __VA_ARGS__, NULL })

static void jobs_are(struct try *try, const char *const *wanted)
{
  size_t i;
  char shown[100];

  for (i = 0; wanted[i] && i < try->jobs.count; i++) {
    snprintf(shown, sizeof(shown), "%s %s", try->jobs.list[i].account,
             try->jobs.list[i].policy ? try->jobs.list[i].policy : "-");
    assert_string_equal(shown, wanted[i]);
  }
  assert_null(wanted[i]);
  assert_int_equal(i, try->jobs.count);
  over(try);
}

static void what_is_to_be_done(void **state)
{
  struct try try;

  (void)state;
  APPLY(&try, "--account=prod", "plan");
  assert_string_equal(try.line.options.policy, "/p/a.lua");
  JOBS(&try, NULL);
  APPLY(&try, "--account=test");
  JOBS(&try, "test /p/a.lua", "test /p/b.lua");
  APPLY(&try, "--account=test", "x.lua");
  JOBS(&try, NULL);
  APPLY(&try, "--accounts=all");
  JOBS(&try, "prod /p/a.lua", "test /p/a.lua", "test /p/b.lua", "bare -");
  APPLY(&try, "--accounts", "test,prod,test", "plan", "x.lua", "--quiet");
  same(try.line.options.rest, try.line.options.nrest,
       WORDS("plan", "x.lua", "--quiet") + 1);
  JOBS(&try, "test -", "prod -");
  APPLY(&try, "--accounts=test,prod", "history");
  JOBS(&try, "test -", "prod -");
  BAD("falrun run needs a policy, and account bare (/c:15) names none",
      "--account=bare");
  BAD("--ledger is of one run", "--accounts=all", "history", "--ledger=/x");
  BAD("--output is of one run", "--accounts=all", "plan", "x.lua", "-o", "f");
  BAD("--output is of one run", "--account=test", "plan", "-o", "f");
  BAD("--textfile is of one run", "--accounts=all", "history",
      "--textfile=/x");
  setenv("FALRUN_TEXTFILE", "/x", 1);
  BAD("FALRUN_TEXTFILE is of one run", "--accounts=all", "history");
  unsetenv("FALRUN_TEXTFILE");
  BAD("--ping is of one run", "--accounts=all", "history", "--ping=https://x");
  BAD("standard input", "--accounts=all", "delete", "-");
  APPLY(&try, "--account=test", "--ledger=/x");
  JOBS(&try, "test /p/a.lua", "test /p/b.lua");
}

static void of_no_account(void **state)
{
  struct line line;

  (void)state;
  setenv("FALRUN_ACCOUNT", "prod", 1);
  LINE(&line, "types");
  assert_int_equal(fr_setup_bare(&line.options, &line.why), FR_OK);
  done(&line);
  LINE(&line, "types", "--account=prod");
  assert_int_equal(fr_setup_bare(&line.options, &line.why), FR_ECONFIG);
  is_sentence(fr_buf_text(&line.why), "leave out --account");
  done(&line);
}

/* README: 70, 8, 130 or 143, 5, 4, 2, 9, 7, 1, 3, 6, 0. */
static void the_worse_of_two(void **state)
{
  static const int order[] = { 70, 8, 130, 143, 5, 4, 2, 9, 7, 1, 3, 6, 0 };

  (void)state;
  for (size_t i = 0; i < 13; i++)
    for (size_t j = i; j < 13; j++) {
      assert_int_equal(fr_jobs_worse(order[i], order[j]), order[i]);
      assert_int_equal(fr_jobs_worse(order[j], order[i]), order[i]);
    }
  assert_int_equal(fr_jobs_worse(99, 98), 70);
}

/* What --help and config show say of values that nobody gives is true. */
static void presets(void **state)
{
  const struct frl_option_spec *row = fr_option_table;
  struct fr_config plain, given;
  struct line line;

  (void)state;
  LINE(&line, "history");
  assert_int_equal(fr_config_read(&line.options, &line.why, &plain), 0);
  for (; row->name; row++)
    if (row->preset)
      fr_option_set(&line.options, row->name, row->preset, FR_FROM_LINE);
  assert_int_equal(fr_config_read(&line.options, &line.why, &given), 0);
  assert_int_equal(plain.limits.max_deletes, given.limits.max_deletes);
  assert_int_equal(plain.limits.min_age_ms, given.limits.min_age_ms);
  assert_int_equal(plain.concurrency, given.concurrency);
  assert_int_equal(plain.lock_wait_ms, given.lock_wait_ms);
  assert_string_equal(plain.origin.base, given.origin.base);
  done(&line);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(who_wins, set_up),
    cmocka_unit_test_setup(title_of_a_value, set_up),
    cmocka_unit_test_setup(ledgers, set_up),
    cmocka_unit_test_setup(keys_are_the_accounts, set_up),
    cmocka_unit_test_setup(which_account, set_up),
    cmocka_unit_test_setup(a_variable_alone_starts_nothing, set_up),
    cmocka_unit_test_setup(what_is_to_be_done, set_up),
    cmocka_unit_test_setup(of_no_account, set_up),
    cmocka_unit_test_setup(the_worse_of_two, set_up),
    cmocka_unit_test_setup(presets, set_up),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
