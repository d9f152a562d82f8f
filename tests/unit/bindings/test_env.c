/* tests/unit/bindings/test_env.c - the two worlds, require, read-only views. */
#include "harness.h"

#include <sys/stat.h>
#include <unistd.h>

static void policies_have_a_safe_library(void **state)
{
  (void)state;
  expect("for _, name in ipairs { 'io', 'debug', 'package', 'dofile',\n"
         "  'loadfile', 'host', 'core' } do\n"
         "  assert(rawget(_G, name) == nil, name)\n"
         "  assert(not pcall(function() return _ENV[name] end), name) end\n"
         "assert(string.dump == nil and os.execute == nil and "
         "os.exit == nil and os.remove == nil)\n"
         "assert(getmetatable('') == false and getmetatable(_G) == false)\n"
         "assert(not pcall(setmetatable, {}, { __gc = function() end }))\n"
         "assert(not pcall(collectgarbage, 'stop'))\n"
         "assert(collectgarbage('count') > 0)\n"
         "assert(not pcall(string.rep, 'x', 1 << 40))\n"
         "assert(('ab'):rep(2, '-') == 'ab-ab')\n"
         "fal.say(os.time(), os.date('!%Y', nil), select('#', ...))",
         "1767225600 2026 0\n");
}

static void xpcall_is_as_ever(void **state)
{
  (void)state;
  expect("fal.say(xpcall(function(...) fal.sleep(1) return ... end, print, "
         "1, nil, 3))\n"
         "fal.say(xpcall(error, function(e) return e .. '!' end, 'x'))\n"
         "fal.say(pcall(xpcall, print))",
         "true 1 nil 3\nfalse x!\n"
         "false bad argument #2 to 'xpcall' (function expected, got no "
         "value)\n");
}

static void load_takes_text_only(void **state)
{
  (void)state;
  expect("x = 1 fal.say(load('return x + 1')())\n"
         "fal.say(load('\\27Lua', 'n', 'b'))\n"
         "fal.say(load(function() return nil end) ~= nil)\n"
         "fal.say(pcall(load('return y', '=c', 't', { y = 7 })))",
         "2\nnil attempt to load a binary chunk (mode is 't')\ntrue\n"
         "true 7\n");
}

static void a_policy_changes_only_its_own_library(void **state)
{
  (void)state;
  expect("string.format = nil table.concat = nil ipairs = nil\n"
         "string.upper = function() return 'mine' end\n"
         "fal.say(('x'):upper(), string.upper('x'))\n"
         "fal.each({ 1, 2 }, fal.say)", "X mine\n1\n2\n");
}

static void undefined_globals_name_the_nearest(void **state)
{
  (void)state;
  expect_failure("local x = 1\nlocal y = fals", 1,
                 "policies/p.lua:2: undefined global 'fals' (did you mean "
                 "'fal'?)\n     2 | local y = fals\n");
  expect_failure("prnt('x')", 1, "(did you mean 'print'?)");
  expect_failure("local t = xyzzyplugh", 1,
                 "undefined global 'xyzzyplugh'\n");
}

static void names_of_falrun_stay(void **state)
{
  (void)state;
  expect_failure("fal = {}", 1, "'fal' is falrun's own");
  expect_failure("fal.requests = 1", 1,
                 "fal.requests cannot be set: the library is read-only");
  expect_failure("fal.keep.any = 1", 1, "fal.keep.any cannot be set");
  expect_failure("local x = fal.request", 1,
                 "p.lua:1: fal.request does not exist (did you mean "
                 "'fal.requests'?)");
  expect("mine = 3 fal.say(mine, fal.keep == fal.keep)\n"
         "local names = {} for k, v in pairs(fal) do names[#names + 1] = k\n"
         "  if k == 'keep' then fal.say(v == fal.keep) end end\n"
         "fal.say(#names > 5, getmetatable(fal))",
         "3 true\ntrue\ntrue false\n");
}

static void arguments_arrive(void **state)
{
  static const char *const words[] = { "a", "b c", NULL };
  struct world world;

  (void)state;
  prepare(&world, "#!/usr/bin/env falrun\nfal.say(arg[0], arg[1], arg[2], "
                  "#arg)\nfal.say(os.getenv('FAL_KEY'), "
                  "os.getenv('MY_TOKEN'), os.getenv('X_KEY'), "
                  "os.getenv('PLAIN'))");
  setenv("FAL_KEY", "secret", 1);
  setenv("MY_TOKEN", "secret", 1);
  setenv("X_KEY", "secret", 1);
  setenv("PLAIN", "seen", 1);
  world.config.words = words;
  start(&world);
  assert_false(turn(&world, 10));
  assert_string_equal(world.out, "policies/p.lua a b c 2\n"
                                 "nil nil nil seen\n");
  done(&world);
}

/* ---- require ----------------------------------------------------------- */

static char folder[] = "/tmp/falrun-env-XXXXXX";

static void put(const char *name, const char *text)
{
  char path[128];
  FILE *file;

  snprintf(path, sizeof(path), "%s/%s", folder, name);
  file = fopen(path, "w");
  assert_non_null(file);
  fputs(text, file);
  fclose(file);
}

static int make_folder(void **state)
{
  char path[128];

  (void)state;
  assert_non_null(mkdtemp(folder));
  for (const char *const *name = (const char *const[]){ "lib", "sub", "fal",
                                                        NULL }; *name; name++) {
    snprintf(path, sizeof(path), "%s/%s", folder, *name);
    assert_int_equal(mkdir(path, 0700), 0);
  }
  put("beside.lua", "count = (rawget(_G, 'count') or 0) + 1 "
                    "return { name = ..., env = _G }");
  put("sub/deep.lua", "fal.sleep(1) return 'waited'");
  put("lib/far.lua", "fal.say('far')");
  put("ring_a.lua", "return require 'ring_b'");
  put("ring_b.lua", "return require 'ring_a'");
  put("broken.lua", "local x =\n= 2\n");
  put("failing.lua", "local t = nil\nreturn t.x");
  put("bytecode.lua", "\033Lua");
  put("fal/peek.lua", "return { host = function() return require 'host' end, "
                      "from = 'override' }");
  return 0;
}

static int drop_folder(void **state)
{
  char command[160];

  (void)state;
  snprintf(command, sizeof(command), "rm -r '%s'", folder);
  return system(command);
}

static void run_beside(struct world *world, const char *text, bool path)
{
  static char file[128], lib[128];

  snprintf(file, sizeof(file), "%s/p.lua", folder);
  snprintf(lib, sizeof(lib), ":/nowhere:%s/lib:%s", folder, folder);
  prepare(world, text);
  world->policy.path = file;
  world->config.module_path = path ? lib : NULL;
  start(world);
  assert_false(turn(world, 1000));
}

static void modules_beside_the_policy(void **state)
{
  struct world world;

  (void)state;
  run_beside(&world, "local m = require 'beside' require 'beside'\n"
             "fal.say(count, m.name, m.env == _G, require 'sub.deep', "
             "require 'far', require 'fal' == fal)", true);
  assert_string_equal(world.log, "");
  assert_string_equal(world.out, "far\n1 beside true waited true true\n");
  done(&world);
}

static void require_explains(void **state)
{
  static const char *const cases[][2] = {
    { "require 'ring_a'", "still being loaded" },
    { "require 'missing'", "module 'missing' was not found: there is no /tmp" },
    { "require '../p'", "bad argument 'name' to 'require'" },
    { "require '/etc/passwd'", "bad argument 'name' to 'require'" },
    { "require 'a..b'", "bad argument 'name' to 'require'" },
    { "require 'a\\0b'", "bad argument 'name' to 'require'" },
    { "require 'host'", "module 'host' was not found" },
    { "require 'core'", "module 'core' was not found" },
    { "require 'commands.run'", "module 'commands.run' was not found" },
    { "require 'broken'", "broken.lua:2: unexpected symbol near '='" },
    { "require 'failing'", "failing.lua:2: attempt to index a nil value" },
    { "require 'bytecode'", "binary chunk" },
    { "pcall(require, 'failing') require 'failing'", "failing.lua:2:" },
  };

  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    struct world world;

    run_beside(&world, cases[i][0], false);
    if (!strstr(world.log, cases[i][1]))
      fail_msg("%s: \"%s\" is not in:\n%s", cases[i][0], cases[i][1],
               world.log);
    assert_int_equal(fr_verdict_exit_code(&world.verdict), 1);
    done(&world);
  }
}

static void only_commands_have_the_host(void **state)
{
  struct world world;

  (void)state;
  expect("local peek = fal.peek()\n"
         "fal.say(pcall(peek.host)) fal.say(pcall(peek.command))\n"
         "fal.say(pcall(peek.global)) fal.say(pcall(peek.undefined))",
         "false falrun/fal/peek.lua:1: module 'host' is for commands only\n"
         "false falrun/fal/peek.lua:2: module 'commands.run' is for commands "
         "only\n"
         "false falrun/fal/peek.lua:3: assignment to the global 'leaked': "
         "write local\n"
         "false falrun/fal/peek.lua:4: undefined global 'strng' (did you "
         "mean 'string'?)\n");
  expect("fal.say(pcall(require, 'fal.peek'))", "false "
         "module 'fal.peek' is falrun's own: what a policy may call is in "
         "fal\n");
  run_beside(&world, "local peek = fal.peek() "
                     "fal.say(peek.from, pcall(peek.host))", true);
  assert_string_equal(world.out, "override false falrun/fal/peek.lua:1: "
                                 "module 'host' is for commands only\n");
  done(&world);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(policies_have_a_safe_library),
    cmocka_unit_test(xpcall_is_as_ever),
    cmocka_unit_test(load_takes_text_only),
    cmocka_unit_test(a_policy_changes_only_its_own_library),
    cmocka_unit_test(undefined_globals_name_the_nearest),
    cmocka_unit_test(names_of_falrun_stay),
    cmocka_unit_test(arguments_arrive),
    cmocka_unit_test(modules_beside_the_policy),
    cmocka_unit_test(require_explains),
    cmocka_unit_test(only_commands_have_the_host),
  };

  return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
