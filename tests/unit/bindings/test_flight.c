/* tests/unit/bindings/test_flight.c - core.flight: many deletions at a time,
 * counted by status, on the real gate and ledger. */
#include "program.h"

#define TAKE_ALL \
  "local function all(flight, n)\n" \
  "  local sum, errs, text = {}, {}, ''\n" \
  "  while true do\n" \
  "    local counts, errors, lines = flight:take(n)\n" \
  "    if not counts then return sum, errs, text end\n" \
  "    for k, v in pairs(counts) do sum[k] = (sum[k] or 0) + v end\n" \
  "    for _, e in ipairs(errors) do errs[#errs + 1] = e end\n" \
  "    text = text .. lines\n" \
  "  end\n" \
  "end\n"

static void test_counts_and_lines(void **state)
{
  struct program p;

  (void)state;
  prepare(&p);
  connect_all(&p);
  run(&p, TAKE_ALL
      "local flight = core.flight({reason = 'rule'}, 10, true)\n"
      "same(flight:room(), 10) same(flight:add('" ID "'), 9)\n"
      "same(flight:add('" ID2 "', 'its own'), 8)\n"
      "local sum, errs, text = all(flight, 5)\n"
      "same(sum.deleted, 2) same(next(sum, next(sum)), nil)\n"
      "same(#errs, 0) same(flight:room(), 10) same(flight:take(1), nil)\n"
      "assert(text:find('" ID "\\tdeleted\\n', 1, true), text)\n"
      "assert(text:find('" ID2 "\\tdeleted\\n', 1, true), text)\n"
      "flight:add('" ID "')\n"
      "same(all(flight, 5).already_deleted, 1)\n");
  assert_int_equal(p.deletes, 2);
  done(&p);
}

/* One request for an id that is named twice at a time, and two ends. */
static void test_an_id_twice_is_sent_once(void **state)
{
  struct program p;

  (void)state;
  prepare(&p);
  connect_all(&p);
  run(&p, TAKE_ALL
      "local flight = core.flight({}, 0, true)\n"
      "flight:add('" ID "') flight:add('" ID "')\n"
      "local sum, _, text = all(flight, 0)\n"
      "same(sum.deleted, 2) same(select(2, text:gsub('\\n', '')), 2)\n");
  assert_int_equal(p.deletes, 1);
  done(&p);
}

static void test_the_first_errors_are_told(void **state)
{
  struct program p;

  (void)state;
  prepare(&p);
  p.status = 500;
  connect_all(&p);
  run(&p, TAKE_ALL
      "local flight = core.flight({retries = 0, reason = 'rule'}, 0)\n"
      "flight:add('" ID "', 'its own') flight:add('" ID2 "')\n"
      "local sum, errs, text = all(flight, 2)\n"
      "same(sum.failed, 2) same(#errs, 2) same(text, '')\n"
      "local of = {}\n"
      "for _, e in ipairs(errs) do of[e.result.request_id] = e end\n"
      "same(of['" ID "'].code, 'server_error')\n"
      "same(of['" ID "'].result.reason, 'its own')\n"
      "same(of['" ID2 "'].result.reason, 'rule')\n"
      "flight = core.flight({retries = 0})\n"
      "flight:add('" ID3 "')\n"
      "sum, errs = all(flight, 0)\n"
      "same(sum.failed, 1) same(#errs, 0)\n");
  assert_int_equal(fr_verdict_exit_code(&p.verdict), 3);
  done(&p);
}

static void test_the_limit_of_the_run_stops_it(void **state)
{
  struct program p;

  (void)state;
  prepare(&p);
  p.limits.max_deletes = 1;
  connect_all(&p);
  run_any(&p, TAKE_ALL
          "local flight = core.flight({})\n"
          "flight:add('" ID "') flight:add('" ID2 "')\n"
          "local sum, errs = all(flight, 2)\n"
          "assert(sum.refused >= 1)\n"
          "same(sum.refused + (sum.deleted or 0), 2)\n"
          "same(#errs, sum.refused) same(errs[1].status, 'refused')\n"
          "same(flight:add('" ID3 "'), nil)\n"
          "same(all(flight, 0).refused, 1)\n");
  assert_true(p.deletes <= 1);
  assert_string_equal(p.log, "");
  assert_int_equal(fr_verdict_exit_code(&p.verdict), 4);
  done(&p);
}

/* What is under way goes on without it, and is recorded by the gate. */
static void test_a_closed_flight(void **state)
{
  struct program p;

  (void)state;
  prepare(&p);
  connect_all(&p);
  run(&p, "local kept\n"
          "do\n"
          "  local flight <close> = core.flight({})\n"
          "  flight:add('" ID "') kept = flight\n"
          "end\n"
          "fails('closed', kept.add, kept, '" ID2 "')\n"
          "fails('closed', kept.take, kept, 1)\n"
          "fails('closed', kept.room, kept)\n");
  done(&p);
  assert_int_equal(p.deletes, 1);
}

static void test_misuse(void **state)
{
  (void)state;
  expect("local flight = core.flight({})\n"
         "fails(\"'id'\", flight.add, flight, 'x')\n"
         "fails(\"'reason'\", flight.add, flight, '" ID "', 7)\n"
         "fails('number expected', flight.take, flight)\n"
         "fails('table expected', core.flight)\n"
         "fails('0 to 1000', core.flight, {}, 1001)\n"
         "fails(\"'timeout'\", core.flight, {timeout = 5})\n"
         "same(flight:take(1), nil)\n");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_counts_and_lines),
    cmocka_unit_test(test_an_id_twice_is_sent_once),
    cmocka_unit_test(test_the_first_errors_are_told),
    cmocka_unit_test(test_the_limit_of_the_run_stops_it),
    cmocka_unit_test(test_a_closed_flight),
    cmocka_unit_test(test_misuse),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
