/* tests/unit/bindings/test_report.c - what is said when a policy fails. */
#include "harness.h"

static void runtime_errors_show_the_line(void **state)
{
  (void)state;
  expect_failure("local request = {}\nlocal x = request.foo.bar", 1,
    "policies/p.lua:2: attempt to index a nil value (field 'foo')\n"
    "     2 | local x = request.foo.bar\n"
    "         hint: a request has no 'foo'; it has request_id, endpoint_id");
  expect_failure("if 1 > 0 then\n  fal.say(1)\n", 1,
    "policies/p.lua:3: 'end' expected (to close 'if' at line 1) near <eof>\n"
    "     1 | if 1 > 0 then\n"
    "         hint: the 'if' of line 1 has no 'end'");
  expect_failure("local t = {\n  a = 1\n\n  -- of b\n  b = 2 }", 1,
    "near 'b'\n     1 | local t = {\n     2 |   a = 1\n"
    "     5 |   b = 2 }\n");
  expect_failure("error('p.lua:3: x at line 2 of near <eof>')", 1,
    "     1 | error(");
}

static void hints_fit(void **state)
{
  static const char *const cases[][2] = {
    { "if 1 != 2 then end", "written ~=" },
    { "local x = 1\nx += 1", "no += or -=" },
    { "local x\nif x = 1 then end", "== compares" },
    { "if true\n  fal.say(1)\nend", "'then' is missing" },
    { "while true\n  fal.say(1)\nend", "'do' is missing" },
    { "if true then\nfal.say(1)\n", "the 'if' of line 1 has no 'end'" },
    { "local t = { 1, 2\n\n", "the '{' of line 1 is not closed" },
    { "end", "one 'end' more" },
    { "return 1\nlocal x", "must be the last statement" },
    { "local x = null", "nothing is nil in Lua" },
    { "local x = 30d", "a duration is text" },
    { "let x = 1", "declared with local" },
    { "// note", "begins with --" },
    { "if true && false then end", "written with the word: a and b" },
    { "if true || false then end", "written with the word: a or b" },
    { "if nil > 1 then end", "one side is nil" },
    { "local t = {}\nif '1' < 2 then end", "tonumber" },
    { "local t = {}\nlocal n = t.count + 1", "'count' is nil here" },
    { "local t = {}\nlocal n = 'a' .. t.name", "'name' is nil here" },
    { "local t = {}\nfor _, x in t do end", "ipairs(list)" },
    { "for _, x in ipairs(nil) do end", "pairs and ipairs need a table" },
    { "local t = {}\nt.go()", "no function 'go'" },
    { "local function f() return f() + 1 end f()", "without an end" },
    { "local s = 'abc", "closing quote" },
    { "local f = io.open('x')", "falrun hold add" },
  };

  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
    expect_failure(cases[i][0], 1, cases[i][1]);
}

static void error_tables_get_a_place(void **state)
{
  struct world world;

  (void)state;
  expect_failure("\nassert(fal.fail('timeout', 'no answer from fal'))", 1,
                 "policies/p.lua:2: no answer from fal\n");
  expect_failure("error({ 1, 2 })", 1,
                 "policies/p.lua:1: an error was raised that is a table "
                 "without a message, not text\n");
  expect_failure("error(setmetatable({}, { __tostring = function() "
                 "error('again') end }))", 1,
                 "policies/p.lua:1: an error was raised whose __tostring "
                 "failed: policies/p.lua:1: again\n");
  expect_failure("error(setmetatable({}, { __tostring = function() "
                 "return 'stale' end }))", 1, "policies/p.lua:1: stale\n");
  expect_failure("local function f()\n  error('deep')\nend\n"
                 "assert(pcall(f))", 1, "policies/p.lua:2: deep\n");
  run(&world, "assert(fal.fail('config', 'no key'))");
  assert_int_equal(fr_verdict_exit_code(&world.verdict), 2);
  assert_string_equal(world.verdict.why, "policies/p.lua:1: no key");
  done(&world);
}

static void what_is_known_is_not_repeated(void **state)
{
  struct world world;

  (void)state;
  prepare(&world, "assert(fal.fail('stopped'))");
  world.verdict.safety = true;
  start(&world);
  assert_false(turn(&world, 10));
  assert_string_equal(world.log, "");
  assert_false(world.verdict.policy);
  done(&world);
  expect_failure("assert(fal.fail('stopped'))", 1, "the run was stopped");
}

static void sources_are_the_users_own_only(void **state)
{
  struct world world;

  (void)state;
  run(&world, "load('\\nerror(\"x\")', '@/etc/passwd')()");
  assert_non_null(strstr(world.log, "/etc/passwd:2: x\n"));
  assert_null(strstr(world.log, " | "));
  done(&world);
}

static void a_bug_of_the_library_is_no_policy_failure(void **state)
{
  (void)state;
  expect_failure("local peek = fal.peek()\npeek.undefined()", 1,
                 "policies/p.lua:2: undefined global 'strng'");
}

static void arguments_are_named(void **state)
{
  static const char *const cases[][2] = {
    { "fal.check_id()", "p.lua:1: bad argument 'id' to 'fal.check_id' (a "
                        "request id is needed, a string like" },
    { "fal.check_id('ab\\n')", "(not a request id: \"ab?\"; a UUID in lower "
                               "case like 019e6d0a-" },
    { "fal.check_id(('x'):rep(5000))", "xxx\"...;" },
    { "fal.check_id('019E6D0A-E5BE-7B82-B329-35AE64296902')", "id:lower()" },
    { "fal.each({ 1 }, fal.check_id)", "p.lua:1: bad argument 'id'" },
    { "fal.check_duration(30)", "bad argument 'older_than' to "
      "'fal.check_duration' (a duration needs a unit: \"30d\"" },
    { "fal.check_duration('30 days')", "not a duration: \"30 days\"" },
    { "fal.check_duration()", "got nothing" },
    { "fal.check_options { reasn = 1 }", "there is no option \"reasn\"; did "
                                         "you mean 'reason'?" },
    { "fal.check_options { zzz = 1 }",
      "the options are: reason, timeout, retries" },
    { "fal.check_options { 'x' }", "a value without a name" },
    { "fal.check_options(3)", "a table is needed, got number" },
  };

  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
    expect_failure(cases[i][0], 1, cases[i][1]);
  expect("fal.say(fal.check_duration '30d')\n"
         "fal.check_options() fal.check_options { reason = 'x' }\n"
         "fal.check_id '019e6d0a-e5be-7b82-b329-35ae64296902'",
         "2592000000\n");
}

static void log_writes_one_line(void **state)
{
  struct world world;

  (void)state;
  run(&world, "log.info('left\\nover', { id = 7, why = 'a b', e = '' })\n"
              "log.debug('no') log.warn(('x'):rep(9000), { a = true })");
  assert_true(strstr(world.log, "left?over e=\"\" id=7 why=\"a b\"\n") ==
              world.log);
  assert_null(strstr(world.log, "no\n"));
  assert_non_null(strstr(world.log, " a=true\n"));
  done(&world);
  expect_failure("log.inof('x')", 1, "(did you mean 'log.info'?)");
}

static void nearest_words(void **state)
{
  static const char *const words[] = { "requests", "reason", "older_than",
                                       "id", NULL };

  (void)state;
  assert_string_equal(frl_nearest("request", words), "requests");
  assert_string_equal(frl_nearest("Reason", words), "reason");
  assert_string_equal(frl_nearest("raeson", words), "reason");
  assert_string_equal(frl_nearest("olderthan", words), "older_than");
  assert_null(frl_nearest("season_of_mists", words));
  assert_null(frl_nearest("x", words));
  assert_null(frl_nearest("", words));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(runtime_errors_show_the_line),
    cmocka_unit_test(hints_fit),
    cmocka_unit_test(error_tables_get_a_place),
    cmocka_unit_test(what_is_known_is_not_repeated),
    cmocka_unit_test(sources_are_the_users_own_only),
    cmocka_unit_test(a_bug_of_the_library_is_no_policy_failure),
    cmocka_unit_test(arguments_are_named),
    cmocka_unit_test(log_writes_one_line),
    cmocka_unit_test(nearest_words),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
