/* tests/unit/bindings/test_caps.c - nothing goes on past a cap. */
#include "harness.h"

/* lua-cjson keeps the buffer of a text for which the memory ends midway; the
 * run ends with it. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
  return "leak:strbuf_new\n";
}

static void capped(const char *policy, const char *words, uint32_t turn_ms)
{
  struct world world;

  prepare(&world, policy);
  world.config.max_heap = (size_t)(turn_ms < 1000 ? 64 : 8) << 20;
  world.config.max_turn_ms = turn_ms;
  start(&world);
  assert_false(turn(&world, 1000));
  if (!strstr(world.log, words))
    fail_msg("%s: \"%s\" is not in:\n%s", policy, words, world.log);
  assert_int_equal(fr_verdict_exit_code(&world.verdict), 9);
  assert_non_null(strstr(world.verdict.why, "the policy"));
  done(&world);
}

static void spinning_ends(void **state)
{
  static const char *const policies[] = {
    "\nwhile true do end",
    "while true do pcall(function() while true do end end) end",
    "local function f() pcall(f) return f() end f()",
    "while true do xpcall(function() while true do end end, "
    "function() while true do end end) end",
    "local g <close> = setmetatable({}, { __close = function() "
    "while true do end end }) while true do end",
    "for _ in coroutine.wrap(function() while true do pcall(function() "
    "while true do end end) end end) do end",
    "local co = coroutine.create(function() while true do end end) "
    "while true do coroutine.resume(co) co = coroutine.create(function() "
    "while true do end end) end",
    "fal.spawn(function() while true do pcall(fal.sleep, 10) end end) "
    "while true do end",
    "error(setmetatable({}, { __tostring = function() while true do end "
    "end }))",
  };

  (void)state;
  for (size_t i = 0; i < sizeof(policies) / sizeof(*policies); i++)
    capped(policies[i], "without waiting", 50);
}

static void waiting_is_not_spinning(void **state)
{
  struct world world;

  (void)state;
  prepare(&world, "for i = 1, 40 do local s = os.clock() "
                  "while os.clock() - s < 0.005 do end fal.sleep(1000) end "
                  "fal.say('done')");
  world.config.max_turn_ms = 100;
  start(&world);
  assert_false(turn(&world, 1000));
  assert_string_equal(world.out, "done\n");
  done(&world);
}

static void hoarding_ends(void **state)
{
  (void)state;
  capped("local t = {} while true do t[#t + 1] = ('x'):rep(1000) .. #t end",
         "needed more than 8 MiB", 60000);
  capped("local t = {} while true do pcall(function() while true do "
         "t[#t + 1] = {} end end) end", "needed more than 8 MiB", 60000);
  capped("local s = 'x' while true do s = s .. s end", "more than 8 MiB",
         60000);
  capped("local t = {} for i = 1, 1e9 do t[i] = coroutine.create(print) end",
         "more than 8 MiB", 60000);
}

static void a_signal_ends_spinning(void **state)
{
  struct world world;

  (void)state;
  prepare(&world, "local g <close> = setmetatable({}, { __close = "
                  "function(_, e) fal.say(tostring(e)) end })\n"
                  "while true do pcall(function() while true do end end) end");
  start(&world);
  frl_interrupt(world.frl);
  world.verdict.signal = 2;
  assert_false(turn(&world, 10));
  assert_string_equal(world.log, "");
  assert_false(world.verdict.policy || world.verdict.cap);
  done(&world);
}

static void flooding_ends(void **state)
{
  static const struct {
    const char *policy, *words;
  } rows[] = {
    { "while true do print(('x'):rep(99)) end", "printed more than 4 KiB" },
    { "while true do pcall(print, ('x'):rep(99)) end", "printed more than" },
    { "print(('x'):rep(5000))", "p.lua:1: the policy printed more than" },
    { "while true do log.warn('x', { a = 1 }) end", "logged more than 1 KiB" },
    { "fal.spawn(function() while true do pcall(log.error, 'x') end end) "
      "fal.sleep(100)", "logged more than 1 KiB" },
  };

  (void)state;
  for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
    struct world world;

    prepare(&world, rows[i].policy);
    world.config.max_output = 4096;
    start(&world);
    assert_false(turn(&world, 1000));
    assert_non_null(strstr(world.log, rows[i].words));
    assert_int_equal(fr_verdict_exit_code(&world.verdict), 9);
    done(&world);
  }
}

static void output_below_the_cap_is_fine(void **state)
{
  struct world world;

  (void)state;
  prepare(&world, "print(('x'):rep(4095)) log.debug(('x'):rep(2000)) "
                  "log.warn(('x'):rep(1023)) fal.say('done')");
  world.config.max_output = 4096;
  start(&world);
  assert_false(turn(&world, 10));
  assert_non_null(strstr(world.out, "done"));
  assert_int_equal(fr_verdict_exit_code(&world.verdict), 0);
  done(&world);
}

/* Slow instructions, an error that was caught, a call inside one
 * instruction: none of them puts the end off. */
static void nothing_puts_the_end_off(void **state)
{
  (void)state;
  capped("local a = ('x'):rep(1 << 22) local b = a .. '' "
         "local c = ('x'):rep(1 << 22) while c == b do end",
         "without waiting", 50);
  capped("local t = {} for _ = 1, 20 do pcall(function() "
         "t[#t + 1] = ('x'):rep(1 << 20) end) end fal.say('went on')",
         "more than 8 MiB", 60000);
}

static void an_error_that_spins_when_told(void **state)
{
  (void)state;
  capped("fal.spawn(function() error(setmetatable({}, { __tostring = "
         "function() while true do end end })) end)", "without waiting", 50);
  expect_failure("do fal.spawn(function() error(setmetatable({}, "
                 "{ __tostring = function() while true do end end })) end) "
                 "end for _ = 1, 1000 do fal.sleep(1) local _ = {} end", 1,
                 "no text but a table");
}

/* Every size of heap from nothing on: opening and running fail cleanly at
 * each allocation, or succeed. */
static void no_memory_anywhere(void **state)
{
  bool ran = false;

  (void)state;
  for (size_t heap = 1000; !ran && heap < 400000; heap += 400) {
    struct world world;

    prepare(&world,
            "local t = fal.spawn(function() for x in coroutine.wrap("
            "function() fal.sleep(1) coroutine.yield(json.encode { a = "
            "json.decode '[1,{\"b\":2}]' }) end) do fal.say(x) end end)\n"
            "fal.sleep(5) t:wait() log.info('x', { a = 1 })");
    world.config.max_heap = heap;
    if (frl_new(&world.config, &world.frl) == FR_OK) {
      assert_false(turn(&world, 100));
      ran = fr_verdict_exit_code(&world.verdict) == 0;
    }
    done(&world);
  }
  assert_true(ran);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(spinning_ends),
    cmocka_unit_test(waiting_is_not_spinning),
    cmocka_unit_test(hoarding_ends),
    cmocka_unit_test(flooding_ends),
    cmocka_unit_test(output_below_the_cap_is_fine),
    cmocka_unit_test(nothing_puts_the_end_off),
    cmocka_unit_test(an_error_that_spins_when_told),
    cmocka_unit_test(a_signal_ends_spinning),
    cmocka_unit_test(no_memory_anywhere),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
