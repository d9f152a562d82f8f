/* tests/unit/host/test_config.c - options given their types. */
#include "host/config.h"
#include "line.h"

struct read {
  struct line line;
  struct fr_config config;
};

static int plain_home(void **state)
{
  no_variables(state);
  unsetenv("STATE_DIRECTORY");
  unsetenv("XDG_STATE_HOME");
  return setenv("HOME", "/home/x", 1);
}

#define READ(read, ...) read_line(read, WORDS(__VA_ARGS__))

static void read_line(struct read *read, const char *const *words)
{
  parse(&read->line, words);
  if (fr_config_read(&read->line.options, &read->line.why, &read->config))
    fail_msg("refused: %s", fr_buf_text(&read->line.why));
}

static void read_done(struct read *read)
{
  done(&read->line);
}

/* `part` and `way` are in the one sentence; the configuration is not
 * touched. */
static void wrong(const char *part, const char *way, const char *const *words)
{
  struct fr_config config, before;
  struct line line;

  memset(&config, 0x5a, sizeof(config));
  before = config;
  parse(&line, words);
  assert_int_equal(fr_config_read(&line.options, &line.why, &config),
                   FR_ECONFIG);
  is_sentence(fr_buf_text(&line.why), part);
  is_sentence(fr_buf_text(&line.why), way);
  assert_memory_equal(&config, &before, sizeof(config));
  done(&line);
}

static void defaults(void **state)
{
  struct read read;

  (void)state;
  READ(&read, "x.lua");
  assert_true(read.config.command.deletes);
  assert_string_equal(read.config.command.name, "run");
  assert_int_equal(read.config.command.ledger, FR_NEED_RUN);
  assert_true(read.config.limits.max_deletes == FR_MAX_DELETES_DEFAULT);
  assert_true(read.config.limits.min_age_ms == FR_MIN_AGE_DEFAULT_MS);
  assert_int_equal(read.config.concurrency, 0);
  assert_true(read.config.rate == 0);
  assert_true(read.config.max_runtime_ms == 0);
  assert_true(read.config.lock_wait_ms == 0);
  assert_null(read.config.ca_file);
  assert_null(read.config.proxy);
  assert_false(read.config.sandbox);
  assert_string_equal(read.config.origin.name, "https://api.fal.ai");
  assert_string_equal(read.config.ledger,
                      "/home/x/.local/state/falrun/ledger.db");
  read_done(&read);
}

static void types(void **state)
{
  struct read read;

  (void)state;
  READ(&read, "x.lua", "--max-deletes=0", "--min-age=0s", "--concurrency=32",
       "--rate=2.5/s", "--max-runtime=5h", "--lock-wait=1m30s", "--ca-file=",
       "--proxy=", "--ledger=l.db", "--max-percent=100", "--json", "-q",
       "--no-progress");
  assert_true(read.config.limits.max_deletes == 0);
  assert_true(read.config.limits.min_age_ms == 0);
  assert_int_equal(read.config.concurrency, 32);
  assert_true(read.config.rate == 2.5);
  assert_true(read.config.max_runtime_ms == 5 * 3600000);
  assert_true(read.config.lock_wait_ms == 90000);
  assert_null(read.config.ca_file);
  assert_null(read.config.proxy);
  assert_string_equal(read.config.ledger, "l.db");
  assert_true(read.config.json && read.config.quiet);
  assert_true(read.config.no_progress && !read.config.verbose);
  read_done(&read);
  READ(&read, "x.lua", "--concurrency=auto", "--rate=20",
       "--max-deletes=1000000000");
  assert_int_equal(read.config.concurrency, 0);
  assert_true(read.config.rate == 20);
  assert_true(read.config.limits.max_deletes == 1000000000);
  read_done(&read);
}

struct bad {
  const char *name, *way;
  const char *values[16];
};

static const struct bad bad[] = {
  { "max-deletes", "a whole number",
    { "", "x", "-1", "+1", "1.5", "1e3", " 7", "7 ", "10k", "0x10",
      "1000000001", "99999999999999999999", "\033[31m" } },
  { "max-percent", "from 1 to 100", { "", "0", "101", "x", "5%", "1.5" } },
  { "min-age", "a duration with its unit",
    { "", "5", "x", "-1d", "1y", "1d x", " 1d", "99999999999d" } },
  { "max-runtime", "a duration with its unit", { "", "5", "5 h" } },
  { "max-runtime", "longer than 0s", { "0s", "0d" } },
  { "lock-wait", "a duration with its unit", { "", "5", "1y" } },
  { "concurrency", "1 to 1000, or auto",
    { "", "0", "-1", "1001", "1.5", "AUTO", "x", "4294967297" } },
  { "rate", "like 20/s",
    { "", "0", "0.0", "-1/s", "x", "5/m", "5/", "/s", "1e9", "1000001",
      "nan", "inf", "1.2.3", ".", "11111111111111111111111111111111111" } },
  { "ledger", "the path of a file", { "", ":memory:" } },
};

static void bad_values(void **state)
{
  char word[128], title[64];

  (void)state;
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
    for (size_t v = 0; bad[i].values[v]; v++) {
      snprintf(word, sizeof(word), "--%s=%s", bad[i].name, bad[i].values[v]);
      snprintf(title, sizeof(title), "--%s is \"", bad[i].name);
      wrong(title, bad[i].way, WORDS("x.lua", word));
    }
}

static void bad_variables_are_named(void **state)
{
  (void)state;
  setenv("FALRUN_MAX_DELETES", "many", 1);
  wrong("FALRUN_MAX_DELETES is \"many\"", "a whole number", WORDS("x.lua"));
  wrong("--max-deletes is \"x\"", "a whole number",
        WORDS("x.lua", "--max-deletes=x"));
  setenv("FALRUN_MAX_DELETES", "1", 1);
  setenv("FALRUN_CA_FILE", "/nonexistent/ca", 1);
  wrong("FALRUN_CA_FILE is /nonexistent/ca", "No such file",
        WORDS("x.lua"));
}

static void the_api(void **state)
{
  struct read read;

  (void)state;
  wrong("API URL", "https", WORDS("x.lua", "--api-url="));
  wrong("API URL", "https", WORDS("x.lua", "--api-url=http://x.com/v1"));
  wrong("--ca-file is /nonexistent/ca", "No such file",
        WORDS("x.lua", "--ca-file", "/nonexistent/ca"));
  wrong("--sandbox", "leave out --api-url",
        WORDS("x.lua", "--sandbox", "--api-url=http://127.0.0.1:1/v1"));
  READ(&read, "x.lua", "--api-url", "http://127.0.0.1:81/v1");
  assert_string_equal(read.config.origin.name, "http://127.0.0.1:81");
  read_done(&read);
}

static void the_ledgers_place(void **state)
{
  struct read read;

  (void)state;
  setenv("XDG_STATE_HOME", "relative", 1);      /* the XDG rules: ignored */
  READ(&read, "x.lua");
  assert_string_equal(read.config.ledger,
                      "/home/x/.local/state/falrun/ledger.db");
  read_done(&read);
  setenv("XDG_STATE_HOME", "/xdg", 1);
  READ(&read, "x.lua");
  assert_string_equal(read.config.ledger, "/xdg/falrun/ledger.db");
  read_done(&read);
  setenv("STATE_DIRECTORY", "", 1);
  READ(&read, "x.lua");
  assert_string_equal(read.config.ledger, "/xdg/falrun/ledger.db");
  read_done(&read);
  setenv("STATE_DIRECTORY", "/var/lib/falrun:/var/lib/other", 1);
  READ(&read, "history");
  assert_string_equal(read.config.ledger, "/var/lib/falrun/ledger.db");
  read_done(&read);
  READ(&read, "x.lua", "--ledger", "here.db");
  assert_string_equal(read.config.ledger, "here.db");
  read_done(&read);
}

static void no_place_for_a_ledger(void **state)
{
  struct read read;

  (void)state;
  unsetenv("HOME");
  wrong("no place for the ledger", "--ledger PATH", WORDS("x.lua"));
  setenv("HOME", "", 1);
  wrong("no place for the ledger", "--ledger PATH", WORDS("history"));
  READ(&read, "help");          /* has none, so needs no place for it */
  assert_string_equal(read.config.ledger, "");
  read_done(&read);
  READ(&read, "x.lua", "--sandbox");
  assert_string_equal(read.config.ledger, "");
  read_done(&read);
  wrong("ledger of a --sandbox", "--ledger PATH",
        WORDS("--sandbox", "history"));
}

static void a_ledgers_path_too_long(void **state)
{
  static char path[5000];
  struct read read;

  (void)state;
  memset(path, 'x', sizeof(path) - 1);
  wrong("longer than 4095 bytes", "--ledger PATH",
        WORDS("x.lua", "--ledger", path));
  path[4096] = 0;
  wrong("longer than 4095 bytes", "--ledger PATH",
        WORDS("x.lua", "--ledger", path));
  path[4095] = 0;
  READ(&read, "x.lua", "--ledger", path);
  assert_string_equal(read.config.ledger, path);
  read_done(&read);
  path[4090] = 0;
  path[0] = '/';
  setenv("XDG_STATE_HOME", path, 1);
  wrong("longer than 4095 bytes", "--ledger PATH", WORDS("x.lua"));
}

static void what_a_command_may_do(void **state)
{
  struct read read;

  (void)state;
  READ(&read, "--dry-run", "delete", "x");
  assert_false(read.config.command.deletes);
  assert_int_equal(read.config.command.ledger, FR_NEED_READ);
  read_done(&read);
  READ(&read, "--dry-run", "x.lua");
  assert_false(read.config.command.deletes);
  assert_int_equal(read.config.command.ledger, FR_NEED_READ);
  read_done(&read);
  READ(&read, "check", "x.lua");
  assert_false(read.config.command.network);
  read_done(&read);
  READ(&read, "delete", "x");
  assert_true(read.config.command.deletes);
  read_done(&read);
  READ(&read, "call", "keys.list", "--", "limit=5");
  assert_true(read.config.command.network);
  assert_false(read.config.command.deletes);
  assert_int_equal(read.config.command.ledger, FR_NEED_NONE);
  read_done(&read);
  READ(&read, "call", "keys.delete", "key_id=k");
  assert_true(read.config.command.deletes);
  assert_int_equal(read.config.command.ledger, FR_NEED_RUN);
  read_done(&read);
  READ(&read, "--dry-run", "call", "keys.delete", "key_id=k");
  assert_false(read.config.command.deletes);
  assert_int_equal(read.config.command.ledger, FR_NEED_READ);
  read_done(&read);
  assert_false(fr_command_find("of-tomorrow")->deletes);
  assert_int_equal(fr_command_find("of-tomorrow")->ledger, FR_NEED_READ);
}

static void as_json(void **state)
{
  struct fr_buf json;
  struct read read;

  (void)state;
  fr_buf_init(&json, 1024);
  READ(&read, "x.lua");
  assert_int_equal(fr_config_json(&read.config, "", &json), 0);
  assert_string_equal(fr_buf_text(&json), "{\"origin\":\"https://api.fal.ai\""
                      ",\"max_deletes\":10000,\"min_age_ms\":86400000}");
  read_done(&read);
  fr_buf_clear(&json);
  READ(&read, "x.lua", "--concurrency=3", "--rate=2.5", "--max-runtime=1s");
  assert_int_equal(fr_config_json(&read.config, "", &json), 0);
  assert_non_null(strstr(fr_buf_text(&json), ",\"concurrency\":3,\"rate\":2.5"
                         ",\"max_runtime_ms\":1000}"));
  read_done(&read);
  fr_buf_done(&json);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(defaults, plain_home),
    cmocka_unit_test_setup(types, plain_home),
    cmocka_unit_test_setup(bad_values, plain_home),
    cmocka_unit_test_setup(bad_variables_are_named, plain_home),
    cmocka_unit_test_setup(the_api, plain_home),
    cmocka_unit_test_setup(the_ledgers_place, plain_home),
    cmocka_unit_test_setup(no_place_for_a_ledger, plain_home),
    cmocka_unit_test_setup(a_ledgers_path_too_long, plain_home),
    cmocka_unit_test_setup(what_a_command_may_do, plain_home),
    cmocka_unit_test_setup(as_json, plain_home),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
