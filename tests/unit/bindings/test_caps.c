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
    cmocka_unit_test(a_signal_ends_spinning),
    cmocka_unit_test(no_memory_anywhere),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
