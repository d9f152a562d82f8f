/* tests/unit/host/test_profile.c - the config file: what it says, and every
 * way in which it can be wrong. */
#include <sys/stat.h>
#include <unistd.h>

#include "host/config.h"
#include "host/profile.h"
#include "line.h"

static struct fr_profile profile;

static int set_up(void **state)
{
  no_variables(state);
  unsetenv("STATE_DIRECTORY");
  unsetenv("XDG_STATE_HOME");
  unsetenv("XDG_CONFIG_HOME");
  return setenv("HOME", "/home/x", 1);
}

static void read_text(const char *text)
{
  profile = (struct fr_profile){ .path = "/etc/f/config" };
  assert_int_equal(fr_profile_read(&profile, text, strlen(text)), FR_OK);
}

static void sound(const char *text)
{
  struct fr_buf why;

  read_text(text);
  fr_buf_init(&why, 2048);
  if (profile.nproblems)
    fr_profile_say(&profile, &profile.problems[0], &why);
  if (why.len)
    fail_msg("%s", fr_buf_text(&why));
  fr_buf_done(&why);
}

/* Exactly these problems, in this order; each begins with its place. */
#define WRONG(text, ...) \
  wrong(text, (const char *[]){ __VA_ARGS__, NULL })

static void wrong(const char *text, const char *const *starts)
{
  struct fr_buf why;
  size_t i;

  read_text(text);
  fr_buf_init(&why, 2048);
  for (i = 0; starts[i]; i++) {
    if (i == profile.nproblems)
      fail_msg("no problem \"%s\"", starts[i]);
    fr_profile_say(&profile, &profile.problems[i], &why);
    if (strncmp(fr_buf_text(&why), starts[i], strlen(starts[i])) != 0)
      fail_msg("\"%s\" does not begin \"%s\"", fr_buf_text(&why), starts[i]);
    is_sentence(fr_buf_text(&why), "");
  }
  assert_int_equal(profile.nproblems, i);
  fr_buf_done(&why);
  fr_profile_done(&profile);
}

static void says(const char *account, const char *name, const char *value,
                 unsigned line)
{
  const struct fr_setting *found =
    fr_profile_find(&profile, fr_profile_account(&profile, account), name);

  assert_non_null(found);
  assert_string_equal(found->value, value);
  assert_int_equal(found->line, line);
}

static void what_it_says(void **state)
{
  (void)state;
  sound("\xef\xbb\xbf# of the night\r\n"
        "max-deletes=5000\r\n"
        "  min-age  =  36h  \n"
        "\n"
        "; another comment\n"
        "ca-file = tls/ca.pem\n"
        "[account prod]\n"
        "admin-key = file:keys/prod\n"
        "key = credential:fal_key\n"
        "ledger = ~/prod.db\n"
        "policies = a.lua   /p/b.lua\n"
        "[ account  stag.ing_2 ]\n"
        "admin-key = command:pass show 'fal # admin' = x\n"
        "proxy = http://127.0.0.1:3128");
  says("", "max-deletes", "5000", 2);
  says("", "min-age", "36h", 3);
  says("", "ca-file", "/etc/f/tls/ca.pem", 6);
  says("prod", "admin-key", "file:/etc/f/keys/prod", 8);
  says("prod", "key", "credential:fal_key", 9);
  says("prod", "ledger", "/home/x/prod.db", 10);
  says("prod", "policies", "/etc/f/a.lua /p/b.lua", 11);
  says("stag.ing_2", "admin-key", "command:pass show 'fal # admin' = x", 13);
  says("stag.ing_2", "proxy", "http://127.0.0.1:3128", 14);
  assert_int_equal(profile.naccounts, 2);
  assert_int_equal(fr_profile_account(&profile, "Prod"), FR_TOP);
  fr_profile_done(&profile);
}

static void nothing_is_fine(void **state)
{
  static const char *const texts[] = { "", "\n", "# x", "\xef\xbb\xbf",
                                       "[account a]" };

  (void)state;
  for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
    sound(texts[i]);
    assert_int_equal(profile.nsettings, 0);
    fr_profile_done(&profile);
  }
}

static void names(void **state)
{
  (void)state;
  WRONG("max-delets = 5\n", "/etc/f/config:1: max-delets: there is no such "
        "key; did you mean max-deletes?");
  WRONG("\nadminkey = file:/x\n", "/etc/f/config:2: adminkey: there is no "
        "such key; did you mean admin-key?");
  WRONG("qqqqq = 1\n", "/etc/f/config:1: qqqqq: there is no such key; "
        "falrun --help");
  WRONG("dry-run = yes\nsandbox=1\nyes = 1\noutput = x\naccount = a\n",
        "/etc/f/config:1: dry-run: this is said on the command line only",
        "/etc/f/config:2: sandbox: this", "/etc/f/config:3: yes: this",
        "/etc/f/config:4: output: this", "/etc/f/config:5: account: this");
  WRONG("policies = a.lua\n", "/etc/f/config:1: policies: policies belong");
  WRONG("rate = 5\nrate = 6\n[account a]\nrate = 7\nrate = 7\n",
        "/etc/f/config:2: rate: line 1 says it already",
        "/etc/f/config:5: rate: line 4 says it already");
}

static void sections(void **state)
{
  (void)state;
  WRONG("[acount prod]\nledger = x\n",
        "/etc/f/config:1: acount prod: there is no such section");
  WRONG("[account prod]\n[account prod]\n",
        "/etc/f/config:2: account prod: line 1 has this account already");
  WRONG("[account all]\n", "/etc/f/config:1: account all: the name of an");
  WRONG("[account ../x]\n", "/etc/f/config:1: account ../x: the name of an");
  WRONG("[account a b]\n", "/etc/f/config:1: account a b: the name of an");
  WRONG("[account a] # x\n", "/etc/f/config:1: a section is [account NAME]");
  WRONG("[account a\n", "/etc/f/config:1: a section is [account NAME]");
}

static void lines(void **state)
{
  static char text[6000];

  (void)state;
  WRONG("hello\n", "/etc/f/config:1: this is no line of a config file");
  WRONG("Rate = 5\n", "/etc/f/config:1: what stands before the = is no name");
  WRONG("= 5\n", "/etc/f/config:1: what stands before the = is no name");
  WRONG("rate =\n", "/etc/f/config:1: rate: nothing stands behind the =");
  WRONG("rate = 5 # few\nledger = /a ; b\n",
        "/etc/f/config:1: rate: a comment stands on a line of its own",
        "/etc/f/config:2: ledger: a comment stands on a line of its own");
  WRONG("quiet = maybe\n", "/etc/f/config:1: quiet: write yes or no");
  WRONG("rate = \x1b[31m\n", "/etc/f/config:1: the line has a control");
  WRONG("rate = \xff\nrate=1\n", "/etc/f/config:1: the line has a control");
  memset(text, 'a', sizeof(text) - 1);
  WRONG(text, "/etc/f/config:1: the line is longer than 4096");
  profile = (struct fr_profile){ .path = "/etc/f/config" };
  assert_int_equal(fr_profile_read(&profile, "a\0b", 3), FR_OK);
  assert_int_equal(profile.nproblems, 1);
  fr_profile_done(&profile);
}

/* No sentence repeats what could be a key. */
static void keys_themselves(void **state)
{
#define ID "0198a2b3-1111-4222-8333-444455556666"
#define SECRET "0123456789abcdef0123456789abcdef"
  static const char *const texts[] = {
    "admin-key = " ID ":" SECRET "\n",
    "admin-key = file:" ID ":" SECRET "\n",
    "admin-key = command:curl -H 'Authorization: Key " ID ":" SECRET "'\n",
    "# my key is " ID ":" SECRET "\n",
    "[" ID ":" SECRET "]\n",
    ID ":" SECRET "\n",
    "rate = " ID ":" SECRET "\n",
    "admin-key=\"" ID ":" SECRET "\"\n",
  };
  struct fr_buf why;

  (void)state;
  fr_buf_init(&why, 2048);
  for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
    bool seen = false;

    read_text(texts[i]);
    for (size_t j = 0; j < profile.nproblems; j++) {
      fr_profile_say(&profile, &profile.problems[j], &why);
      seen |= strstr(fr_buf_text(&why), "looks like a key") != NULL;
      assert_null(strstr(fr_buf_text(&why), SECRET));
    }
    assert_true(seen);
    fr_profile_done(&profile);
  }
  fr_buf_done(&why);
  WRONG("admin-key = /etc/key\n", "/etc/f/config:1: admin-key: a key is "
        "named, never written here");
  WRONG("key = credential:../x\n", "/etc/f/config:1: key: a credential is a");
  WRONG("key = command:  \n", "/etc/f/config:1: key: no command stands");
  WRONG("key = command:bin/x\n", "/etc/f/config:1: key: the command is a");
  WRONG("key = command:x 'y\n", "/etc/f/config:1: key: a quote of the");
  sound("# at 12:30 see http://h:8080/a1b2c3d4e5f6a7b8c9\n"
        "proxy = http://127.0.0.1:3128\n");
  fr_profile_done(&profile);
}

static void ledgers(void **state)
{
  char path[200];

  (void)state;
  sound("ledger = /l/top.db\n[account a]\n[account b]\nledger = b.db\n");
  assert_true(fr_profile_ledger(&profile, FR_TOP, path, sizeof(path)) > 0);
  assert_string_equal(path, "/l/top.db");
  fr_profile_ledger(&profile, 0, path, sizeof(path));
  assert_string_equal(path, "/home/x/.local/state/falrun/a/ledger.db");
  fr_profile_ledger(&profile, 1, path, sizeof(path));
  assert_string_equal(path, "/etc/f/b.db");
  setenv("STATE_DIRECTORY", "/var/lib/falrun:/y", 1);
  fr_profile_ledger(&profile, 0, path, sizeof(path));
  assert_string_equal(path, "/var/lib/falrun/a/ledger.db");
  unsetenv("STATE_DIRECTORY");
  fr_profile_done(&profile);
  WRONG("[account a]\nledger = /l\n[account b]\n\nledger = /l\n",
        "/etc/f/config:5: ledger: account a has the same ledger");
  WRONG("[account a]\n[account b]\n"
        "ledger = ~/.local/state/falrun/a/ledger.db\n",
        "/etc/f/config:3: ledger: account a has the same ledger");
}

/* ---- the file ----------------------------------------------------------- */

static char folder[] = "/tmp/fr_profile.XXXXXX", file[200];

static void write_file(const char *text, mode_t mode)
{
  FILE *out;

  snprintf(file, sizeof(file), "%s/falrun/config", folder);
  unlink(file);
  out = fopen(file, "w");
  assert_non_null(out);
  fputs(text, out);
  fclose(out);
  assert_int_equal(chmod(file, mode), 0);
}

static enum fr_err open_it(const char *part, const char *const *words)
{
  struct line line;
  enum fr_err err;

  parse(&line, words);
  err = fr_profile_open(&line.options, &line.why, &profile);
  is_sentence(fr_buf_text(&line.why), part);
  done(&line);
  return err;
}

static void the_file(void **state)
{
  char below[200];

  (void)state;
  assert_non_null(mkdtemp(folder));
  snprintf(below, sizeof(below), "%s/falrun", folder);
  mkdir(below, 0700);
  setenv("XDG_CONFIG_HOME", folder, 1);
  assert_int_equal(open_it("", WORDS("history")), FR_OK);
  assert_string_equal(profile.path, "");
  fr_profile_done(&profile);
  write_file("rate = 5\n", 0644);
  assert_int_equal(open_it("", WORDS("history")), FR_OK);
  assert_string_equal(profile.path, file);
  says("", "rate", "5", 1);
  fr_profile_done(&profile);
  assert_int_equal(open_it("", WORDS("history", "--config=/dev/null")), 0);
  assert_int_equal(profile.nsettings, 0);
  fr_profile_done(&profile);
  for (mode_t bit = 020; bit; bit = bit == 020 ? 02 : 0) {
    write_file("rate = 5\n", 0644 | bit);
    assert_int_equal(open_it("chmod go-w", WORDS("history")), FR_ECONFIG);
    fr_profile_done(&profile);
  }
  if (geteuid() == 0) {
    write_file("rate = 5\n", 0644);
    assert_int_equal(chown(file, 12345, 0), 0);
    assert_int_equal(open_it("belongs to user 12345", WORDS("history")),
                     FR_ECONFIG);
    fr_profile_done(&profile);
  }
  assert_int_equal(open_it("cannot be opened", WORDS("history", "--config",
                           "/nowhere/x")), FR_ECONFIG);
  assert_int_equal(open_it("has no name", WORDS("history", "--config=")),
                   FR_ECONFIG);
  assert_int_equal(open_it("not a regular file", WORDS("history", "--config",
                           "/tmp")), FR_ECONFIG);
  fr_profile_done(&profile);
  unlink(file);
  rmdir(below);
  rmdir(folder);
}

/* All of them, each where the command line would have said the same. */
static void all_that_is_wrong_with_values(void **state)
{
  static const char *const wanted[] = {
    ":1: max-deletes: is \"10k\": write a whole number",
    ":2: min-age: is \"5\": write a duration",
    ":3: ca-file: is /nowhere/ca, which cannot be read",
    ":4: api-url: ", ":5: account a: the account names no key",
    ":6: rate: is \"fast\"",
    ":7: policies: /nowhere/p.lua cannot be read",
    ":7: policies: /etc/f/q.lua cannot be read",
    ":9: key: the key file /nowhere/k cannot be opened",
    ":10: admin-key: there are no credentials here",
  };
  char start[100];
  struct fr_buf why;

  (void)state;
  unsetenv("CREDENTIALS_DIRECTORY");
  sound("max-deletes = 10k\nmin-age = 5\nca-file = /nowhere/ca\n"
        "api-url = http://example.com\n[account a]\nrate = fast\n"
        "policies = /nowhere/p.lua q.lua\n[account b]\nkey = file:/nowhere/k\n"
        "admin-key = credential:x\nconcurrency = 4\n[account c]\n"
        "key = command:false\n");
  fr_buf_init(&why, 2048);
  assert_int_equal(fr_profile_check(&profile), FR_OK);
  for (size_t i = 0; i < profile.nproblems && i < 10; i++) {
    snprintf(start, sizeof(start), "/etc/f/config%s", wanted[i]);
    fr_profile_say(&profile, &profile.problems[i], &why);
    if (strncmp(fr_buf_text(&why), start, strlen(start)) != 0)
      fail_msg("\"%s\" does not begin \"%s\"", fr_buf_text(&why), start);
  }
  assert_int_equal(profile.nproblems, 10);
  fr_buf_done(&why);
  fr_profile_done(&profile);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(what_it_says, set_up),
    cmocka_unit_test_setup(nothing_is_fine, set_up),
    cmocka_unit_test_setup(names, set_up),
    cmocka_unit_test_setup(sections, set_up),
    cmocka_unit_test_setup(lines, set_up),
    cmocka_unit_test_setup(keys_themselves, set_up),
    cmocka_unit_test_setup(ledgers, set_up),
    cmocka_unit_test_setup(the_file, set_up),
    cmocka_unit_test_setup(all_that_is_wrong_with_values, set_up),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
