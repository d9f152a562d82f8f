#include "program.h"

static void test_times_and_durations(void **state)
{
  (void)state;
  expect("same(core.mode, 'run') same(core.version, '0.1.0')\n"
         "same(core.at(), 1790000000000)\n"
         "same(core.parse_time('2026-01-02T03:04:05Z'), 1767323045000)\n"
         "same(core.parse_time('yesterday'), nil)\n"
         "same(core.format_time(1767323045000), '2026-01-02T03:04:05Z')\n"
         "same(core.parse_duration('30d'), 30 * 86400000)\n"
         "same(core.parse_duration('30'), nil)\n"
         "same(core.format_duration(30 * 86400000), '30d')\n"
         "same(core.parse_id('" ID "'), '" ID "')\n"
         "same(core.parse_id('nope'), nil)\n"
         "same(core.parse_id(nil), nil)\n"
         "same(core.parse_id(7), nil)\n");
}

static void test_zones(void **state)
{
  (void)state;
  expect("for _ = 1, 2 do\n"
         "  same(core.zone_offset('UTC', 0), 0)\n"
         "  same(core.zone_offset('-05:30', core.at()), -19800)\n"
         "  same(core.zone_offset('Mars/Olympus', 0), nil)\n"
         "  same(core.zone_offset('UTC\\0', 0), nil)\n"
         "end\n"
         "fails('string expected', core.zone_offset, nil, 0)\n"
         "fails('number expected', core.zone_offset, 'UTC')\n");
}

static void test_sleep_moves_the_clock(void **state)
{
  (void)state;
  expect("local now, at = core.now(), core.at()\n"
         "same(core.sleep(5000), true)\n"
         "same(core.now() - now, 5000)\n"
         "same(core.at() - at, 5000)\n"
         "same(core.sleep(0), true)\n"
         "fails('bad argument \\'ms\\'', core.sleep, -1)\n"
         "fails('number expected', core.sleep, 'soon')\n");
}

static void test_tasks_sleep_side_by_side(void **state)
{
  (void)state;
  expect("local now = core.now()\n"
         "local task = core.spawn(function(a) core.sleep(a) return a + 1 end,"
         " 700)\n"
         "core.sleep(500)\n"
         "same(task:status(), 'waiting')\n"
         "local ok, value = task:wait()\n"
         "same(ok, true) same(value, 701) same(core.now() - now, 700)\n"
         "local other = core.spawn(core.sleep, 100000)\n"
         "core.sleep(1) other:cancel()\n"
         "local ended, err = other:wait()\n"
         "same(ended, false) same(err.code, 'cancelled')\n"
         "same(core.now() - now, 701)\n");
}

static void test_nearest_and_errors(void **state)
{
  (void)state;
  expect("same(core.nearest('reson', {'timeout', 'reason'}), 'reason')\n"
         "same(core.nearest('zzzzzz', {'timeout', 'reason'}), nil)\n"
         "local e = core.error('timeout', 'it took too long', {page = 7})\n"
         "same(e.code, 'timeout') same(e.kind, 'timeout')\n"
         "same(e.retryable, true) same(e.page, 7)\n"
         "same(tostring(e), 'it took too long')\n"
         "e = core.error('cursor_loop', 'round and round')\n"
         "same(e.code, 'cursor_loop') same(e.retryable, false)\n"
         "e = core.error('server_error', 'x', {retryable = false})\n"
         "same(e.retryable, false)\n"
         "fails(\"bad argument 'by' to 'fal.keep' (no such field)\",\n"
         "  core.bad_argument, 2, 'fal.keep', 'by', 'no such field')\n");
}

static void test_the_gate_looks_ahead(void **state)
{
  struct program p;

  (void)state;
  prepare(&p);
  p.limits.max_deletes = 5;
  connect_all(&p);
  run(&p, "same(core.loaded('fal.init'), false)\n"
          "require 'fal.init' same(core.loaded('fal.init'), true)\n"
          "same(core.preview('" ID "'), 'planned')\n"
          "same(core.room(), 5)\n"
          "core.tighten{max = 3} same(core.room(), 3)\n"
          "core.tighten{max = 4} same(core.room(), 3)\n"
          "core.tighten{min_age = '36h'}\n"
          "fails('unit', core.tighten, {min_age = 36})\n"
          "fails('max', core.tighten, {max = -1})\n"
          "fails('max', core.tighten, {max = 1.5})\n"
          "fails('min_age', core.tighten, {min_ago = '1d'})\n"
          "host.ledger.hold_add({'" ID2 "'}, 'case 42')\n"
          "core.sleep(1)\n"
          "local fate, code, held_by = core.preview('" ID2 "')\n"
          "same(fate, 'held') same(code, nil) same(held_by, 'case 42')\n"
          "fails('id', core.preview, 'x')\n");
  assert_int_equal(fr_verdict_exit_code(&p.verdict), 0);
  done(&p);
}

static void test_stop_is_a_safety_stop(void **state)
{
  struct program p;

  (void)state;
  prepare(&p);
  connect_all(&p);
  run(&p, "same(host.stopped(), false)\n"
          "core.stop('12% of all requests were selected')\n"
          "local stopped, why, code = host.stopped()\n"
          "same(stopped, true) same(code, 'limit')\n"
          "same(why, '12% of all requests were selected')\n"
          "same(core.room(), 0)\n"
          "local fate, because = core.preview('" ID "')\n"
          "same(fate, 'refused') same(because, 'stopped')\n"
          "local ok, err = core.delete_payloads('" ID "')\n"
          "same(ok, nil) same(err.status, 'refused')\n");
  assert_int_equal(fr_verdict_exit_code(&p.verdict), 4);
  assert_string_equal(p.verdict.why, "12% of all requests were selected");
  assert_int_equal(p.deletes, 0);
  done(&p);
}

static void test_without_a_network(void **state)
{
  struct program p;

  (void)state;
  prepare(&p);
  p.mode = FR_MODE_PLAN;
  run(&p, "same(core.mode, 'plan')\n"
          "local ok, err = core.delete_payloads('" ID "', {reason = 'r'})\n"
          "same(ok, nil) same(err.code, 'config') same(err.status, 'refused')"
          "same(err.message, 'this command has no network')\n"
          "same(err.result.reason, 'r')\n"
          "ok, err = core.read{path = '/meta'}\n"
          "same(ok, nil) same(err.code, 'config')\n"
          "ok, err = core.preview('" ID "')\n"
          "same(ok, nil) same(err.code, 'config')\n"
          "ok, err = host.settle()\n"
          "same(ok, nil) same(err.code, 'config')\n"
          "same(core.room(), 0) core.tighten{max = 1}\n"
          "same(host.ledger, nil) same(host.counts().deleted, 0)\n"
          "same(host.figures().requests, 0) same(host.stopped(), false)\n"
          "core.stop('no')\n");
  assert_int_equal(fr_verdict_exit_code(&p.verdict), 4);
  done(&p);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_times_and_durations),
    cmocka_unit_test(test_zones),
    cmocka_unit_test(test_sleep_moves_the_clock),
    cmocka_unit_test(test_tasks_sleep_side_by_side),
    cmocka_unit_test(test_nearest_and_errors),
    cmocka_unit_test(test_the_gate_looks_ahead),
    cmocka_unit_test(test_stop_is_a_safety_stop),
    cmocka_unit_test(test_without_a_network),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
