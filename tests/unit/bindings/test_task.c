/* tests/unit/bindings/test_task.c - waiting, cancelling, ending. */
#include "harness.h"

static void waits_in_order(void **state)
{
  (void)state;
  expect("local t = fal.spawn(function(a) fal.sleep(10) fal.say(a) "
         "return 1, nil, 3 end, 'x')\n"
         "fal.sleep(5) fal.say('main', t:status())\n"
         "fal.say(t:wait()) fal.say(t:wait()) fal.say(t:status())",
         "main waiting\nx\ntrue 1 nil 3\ntrue 1 nil 3\ndone\n");
}

static void waits_pass_through_coroutines(void **state)
{
  (void)state;
  expect("local function pages() for i = 1, 3 do fal.sleep(i) "
         "coroutine.yield(i) end end\n"
         "for i in coroutine.wrap(function()\n"
         "  for j in coroutine.wrap(pages) do fal.sleep(1) "
         "coroutine.yield(j) end end) do fal.say(i) end\n"
         "local co = coroutine.create(function(...) fal.sleep(1) "
         "return select('#', ...) end)\n"
         "fal.say(coroutine.resume(co, nil, nil)) "
         "fal.say(coroutine.status(co), coroutine.resume(co))\n"
         "fal.say(pcall(fal.sleep, 1))",
         "1\n2\n3\ntrue 2\ndead false cannot resume dead coroutine\n"
         "true true\n");
}

static void a_waiting_coroutine_belongs_to_its_task(void **state)
{
  (void)state;
  expect("local co = coroutine.create(function() fal.sleep(10) "
         "fal.say('inside') end)\n"
         "local t = fal.spawn(function() return coroutine.resume(co) end)\n"
         "fal.sleep(1) fal.say(coroutine.resume(co))\n"
         "fal.say(pcall(coroutine.close, co)) fal.say(t:wait())",
         "false cannot resume non-suspended coroutine\n"
         "false cannot close a running coroutine\n"
         "inside\ntrue true\n");
}

static void no_wait_in_c_callbacks(void **state)
{
  (void)state;
  expect("fal.say(pcall(string.gsub, 'x', 'x', "
         "function() fal.sleep(1) end))\n"
         "local gen = coroutine.wrap(function() fal.sleep(1) end)\n"
         "fal.say(pcall(string.gsub, 'x', 'x', gen))\n"
         "fal.sleep(1) fal.say('on')",
         "false policies/p.lua:1: cannot wait here: a callback of sort, gsub "
         "or another C function cannot be suspended\n"
         "false policies/p.lua:2: cannot wait here: a callback of sort, gsub "
         "or another C function cannot be suspended\non\n");
}

static void errors_go_to_who_waits(void **state)
{
  (void)state;
  expect("local t = fal.spawn(function() fal.sleep(1) error('boom', 0) end)\n"
         "fal.say(t:wait()) fal.say(t:status())\n"
         "local u = fal.spawn(function() error({}) end)\n"
         "fal.sleep(5) fal.say((u:wait()))",
         "false boom\nfailed\nfalse\n");
}

static void errors_nobody_waits_for_are_reported(void **state)
{
  (void)state;
  expect_failure("fal.spawn(function() error('lost') end)", 1,
                 "policies/p.lua:1: lost");
  expect_failure("local t = fal.spawn(function() error('kept') end)\n"
                 "fal.sleep(1) keep = t", 1, "policies/p.lua:1: kept");
  expect_failure("do fal.spawn(function() error('gone') end) end "
                 "for i = 1, 1000 do fal.sleep(1) local x = {} end", 1,
                 "gone");
}

static void cancel_reaches_the_wait(void **state)
{
  (void)state;
  expect("local t = fal.spawn(function()\n"
         "  local g <close> = setmetatable({}, {__close = function(_, e)\n"
         "    fal.sleep(5) fal.say('closed', e.code) end})\n"
         "  fal.sleep(1000000)\nend)\n"
         "fal.sleep(1) t:cancel() local ok, err = t:wait()\n"
         "fal.say(ok, err, err.code)\n"
         "local u = fal.spawn(function() fal.say(pcall(fal.sleep, 1e6 // 1 | 0"
         ")) fal.sleep(1) fal.say('goes on') end)\n"
         "fal.sleep(1) u:cancel() u:wait()\n"
         "fal.spawn(fal.sleep, 1000):cancel()",
         "closed cancelled\n"
         "false the task was cancelled cancelled\n"
         "false the task was cancelled\ngoes on\n");
}

static void cancel_reaches_into_generators(void **state)
{
  (void)state;
  expect("local t = fal.spawn(function()\n"
         "  for _ in coroutine.wrap(function()\n"
         "    local g <close> = setmetatable({}, {__close = function()\n"
         "      fal.sleep(5) fal.say('inner') end})\n"
         "    fal.sleep(1000000) end) do end\nend)\n"
         "fal.sleep(1) t:cancel() fal.say(t:wait())",
         "inner\nfalse the task was cancelled\n");
}

static void a_wait_for_a_task_can_be_cancelled(void **state)
{
  (void)state;
  expect("local long = fal.spawn(fal.sleep, 100)\n"
         "local t = fal.spawn(function() return long:wait() end)\n"
         "fal.sleep(1) t:cancel() fal.say(t:wait()) fal.say(long:wait())",
         "false the task was cancelled\ntrue true\n");
}

static void yields_outside_of_coroutines_are_explained(void **state)
{
  (void)state;
  expect_failure("coroutine.yield(1)", 1,
                 "policies/p.lua:1: coroutine.yield outside of a coroutine");
}

static void freed_in_the_middle(void **state)
{
  static const char policy[] =
    "local function guard(name) return setmetatable({}, {__close =\n"
    "  function() fal.say(name, pcall(fal.sleep, 1)) end}) end\n"
    "local g <close> = guard('outer')\n"
    "fal.spawn(function() while true do pcall(fal.sleep, 1000) "
    "fal.sleep(1000) end end)\n"
    "for _ in coroutine.wrap(function() local h <close> = guard('inner')\n"
    "  fal.sleep(1000000) end) do end";
  struct world world;

  (void)state;
  prepare(&world, policy);
  start(&world);
  assert_true(turn(&world, 0));
  frl_cancel(world.frl);
  frl_cancel(world.frl);
  frl_free(world.frl);
  world.frl = NULL;
  assert_string_equal(world.out,
                      "inner false the task was cancelled\n"
                      "outer false the task was cancelled\n");
  assert_int_equal(fr_verdict_exit_code(&world.verdict), 0);
  done(&world);
}

static void freed_before_it_began(void **state)
{
  struct world world;

  (void)state;
  prepare(&world, "fal.say('never')");
  start(&world);
  done(&world);
  assert_string_equal(world.out, "");
}

static void cancelled_by_the_host(void **state)
{
  struct world world;

  (void)state;
  prepare(&world, "local g <close> = setmetatable({}, {__close = function()\n"
                  "fal.sleep(5) fal.say('closed') end}) fal.sleep(1000000)");
  start(&world);
  assert_true(turn(&world, 0));
  frl_cancel(world.frl);
  frl_cancel(world.frl);
  assert_false(turn(&world, 100));
  assert_string_equal(world.out, "closed\n");
  assert_string_equal(world.log, "");
  assert_int_equal(fr_verdict_exit_code(&world.verdict), 0);
  done(&world);
}

static void a_cancel_of_its_own_is_a_failure(void **state)
{
  (void)state;
  expect_failure("local t = fal.spawn(fal.sleep, 1000)\nfal.sleep(1)\n"
                 "t:cancel() local ok, err = t:wait() error(err)", 1,
                 "policies/p.lua:3: the task was cancelled");
}

static void closing_a_coroutine_cannot_wait(void **state)
{
  (void)state;
  expect("local co = coroutine.create(function()\n"
         "  local g <close> = setmetatable({}, {__close = function()\n"
         "    fal.say(pcall(fal.sleep, 1)) fal.say(pcall(coroutine.yield))\n"
         "    end}) coroutine.yield() end)\n"
         "coroutine.resume(co) fal.say(coroutine.close(co)) fal.sleep(1)",
         "false policies/p.lua:3: cannot wait here: a callback of sort, gsub "
         "or another C function cannot be suspended\n"
         "false coroutine.yield in a <close> handler of a coroutine that is "
         "being closed\ntrue\n");
}

/* coroutine.running hands out the coroutine of a task. */
static void a_task_is_resumed_by_the_scheduler_alone(void **state)
{
  (void)state;
  expect("local main = coroutine.running()\n"
         "fal.spawn(function() fal.say(coroutine.resume(main, 1)) "
         "fal.say(pcall(coroutine.close, main)) end)\n"
         "fal.say(fal.sleep(10))\n"
         "local co local t = fal.spawn(function() co = coroutine.running() "
         "return 1 end) fal.say(t:wait())\n"
         "fal.say(coroutine.resume(co)) fal.say(pcall(coroutine.close, co))\n"
         "fal.say(t:wait())",
         "false cannot resume non-suspended coroutine\n"
         "false cannot close a running coroutine\ntrue\ntrue 1\n"
         "false cannot resume non-suspended coroutine\n"
         "false cannot close a running coroutine\ntrue 1\n");
}

static void many_tasks(void **state)
{
  (void)state;
  expect("local tasks, sum = {}, 0\n"
         "for i = 1, 2000 do tasks[i] = fal.spawn(function(n) "
         "fal.sleep(n % 7) return n end, i) end\n"
         "for _, t in ipairs(tasks) do local _, n = t:wait() "
         "sum = sum + n end fal.say(sum)", "2001000\n");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(waits_in_order),
    cmocka_unit_test(waits_pass_through_coroutines),
    cmocka_unit_test(a_waiting_coroutine_belongs_to_its_task),
    cmocka_unit_test(no_wait_in_c_callbacks),
    cmocka_unit_test(errors_go_to_who_waits),
    cmocka_unit_test(errors_nobody_waits_for_are_reported),
    cmocka_unit_test(cancel_reaches_the_wait),
    cmocka_unit_test(cancel_reaches_into_generators),
    cmocka_unit_test(a_wait_for_a_task_can_be_cancelled),
    cmocka_unit_test(yields_outside_of_coroutines_are_explained),
    cmocka_unit_test(freed_in_the_middle),
    cmocka_unit_test(freed_before_it_began),
    cmocka_unit_test(cancelled_by_the_host),
    cmocka_unit_test(a_cancel_of_its_own_is_a_failure),
    cmocka_unit_test(closing_a_coroutine_cannot_wait),
    cmocka_unit_test(a_task_is_resumed_by_the_scheduler_alone),
    cmocka_unit_test(many_tasks),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
