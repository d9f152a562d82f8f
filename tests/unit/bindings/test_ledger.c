#include "program.h"

#define FILES "{\"cdn_delete_results\":[" \
  "{\"link\":\"https://f/b\",\"exception\":\"boom\"}]}"

static void test_runs_and_events(void **state)
{
  (void)state;
  expect("core.delete_payloads('" ID "', {reason = 'rule'})\n"
         "local runs = host.ledger.runs(10)\n"
         "same(#runs, 1) local run = runs[1]\n"
         "same(math.type(run.run), 'integer') same(run.command, 'run')\n"
         "same(run.policy, 'p.lua') same(run.ended_at, nil)\n"
         "same(run.exit_code, nil) same(run.options.max, 5)\n"
         "same(run.began_at, core.format_time(1790000000000))\n"
         "fails('most', host.ledger.runs, 0)\n"
         "local rows, kinds = {}, {}\n"
         "host.ledger.events({}, function(row)\n"
         "  rows[#rows + 1] = row kinds[row.kind] = true end)\n"
         "assert(#rows >= 3 and kinds.intent and kinds.outcome)\n"
         "for i = 2, #rows do assert(rows[i].seq > rows[i - 1].seq) end\n"
         "same(#rows[1].hash, 64) same(type(rows[1].data), 'table')\n"
         "assert(core.parse_time(rows[1].at))\n"
         "local n = 0\n"
         "host.ledger.events({request_id = '" ID "', run = run.run},\n"
         "  function(row) n = n + 1 same(row.request_id, '" ID "') end)\n"
         "same(n, 2)\n"
         "host.ledger.events({request_id = '" ID2 "'}, error)\n"
         "n = 0\n"
         "host.ledger.events({}, function() n = n + 1 return true end)\n"
         "same(n, 1)\n"
         "n = 0\n"
         "host.ledger.events({}, function() core.sleep(1) n = n + 1 end)\n"
         "same(n, #rows)\n"
         "fails('stop', host.ledger.events, {}, function() error('stop') end)\n"
         "fails(\"'request_id'\", host.ledger.events, {request_ids = 'x'},\n"
         "  print)\n"
         "fails(\"'id'\", host.ledger.events, {request_id = 'x'}, print)\n"
         "same(host.ledger.path, ':memory:')\n");
}

static void test_more_events_than_a_page(void **state)
{
  (void)state;
  expect("local ids = {}\n"
         "for i = 1, 2500 do ids[i] =\n"
         "  ('%08x-2222-4333-8444-555555555555'):format(i) end\n"
         "same(host.ledger.hold_add(ids, 'case'), true)\n"
         "local n, last = 0, 0\n"
         "host.ledger.events({}, function(row) n = n + 1\n"
         "  assert(row.seq > last) last = row.seq end)\n"
         "assert(n > 2500, n) same(#host.ledger.holds(), 2500)\n"
         "local verified = assert(host.ledger.verify())\n"
         "same(verified.events, n) same(#verified.head, 64)\n");
}

static void test_holds(void **state)
{
  (void)state;
  expect("local l = host.ledger\n"
         "same(core.json.encode(l.holds()), '[]')\n"
         "same(l.hold_add({'" ID "', '" ID2 "'}, 'case 42'), true)\n"
         "local holds = l.holds() same(#holds, 2)\n"
         "same(holds[1].reason, 'case 42')\n"
         "assert(core.parse_time(holds[1].at))\n"
         "local r, err = core.delete_payloads('" ID "')\n"
         "same(r, nil) same(err.status, 'held')\n"
         "assert(err.message:find('case 42', 1, true))\n"
         "same(host.counts().held, 1)\n"
         "local ok, why, id = l.hold_remove{'" ID "', '" ID3 "'}\n"
         "same(ok, nil) same(why.code, 'not_found') same(id, '" ID3 "')\n"
         "same(#l.holds(), 2) same(l.hold_remove{'" ID "'}, true)\n"
         "same(#l.holds(), 1)\n"
         "fails('ids', l.hold_add, {}, 'x') fails('ids', l.hold_add, 'x', 'x')"
         "fails('id', l.hold_add, {'x'}, 'r')\n"
         "fails('reason', l.hold_add, {'" ID "'}, '')\n"
         "fails('reason', l.hold_add, {'" ID "'}, ('x'):rep(1001))\n");
}

static void test_only_some_commands_may_hold(void **state)
{
  struct program p;

  (void)state;
  prepare(&p);
  p.config.may_hold = false;
  connect_all(&p);
  run(&p, "same(host.ledger.hold_add, nil)\n"
          "same(host.ledger.hold_remove, nil)\n"
          "same(#host.ledger.holds(), 0)\n");
  done(&p);
}

static void test_facts(void **state)
{
  (void)state;
  expect("local l = host.ledger\n"
         "same(core.record('looked', nil, {endpoint = 'a', from_ms = 1,\n"
         "  to_ms = 5, rows = 0}), 'recorded')\n"
         "same(#core.looked('a'), 0) same(#l.looked(), 0)\n"
         "same(core.record('quarantine', '" ID "', {files = {'https://f/a'},\n"
         "  delete_after_ms = 9, reason = 'case'}), 'recorded')\n"
         "local q = l.quarantined('" ID "')[1]\n"
         "same(q.delete_after_ms, 9) same(q.data.files[1], 'https://f/a')\n"
         "same(#core.quarantined(), 1)\n"
         "core.record('release', '" ID "', {reason = 'over'})\n"
         "same(#l.quarantined(), 0)\n"
         "core.record('probe', '" ID "', {link = 'https://f/a',\n"
         "  seen = 'cached', http_status = 200, age_s = 4, cache = 'HIT'})\n"
         "local p = l.probes('" ID "')[1]\n"
         "same(p.data.seen, 'cached') same(p.data.age_s, 4)\n"
         "core.record('input_files', '" ID "', {files = {'https://f/in'}})\n"
         "same(core.input_files('" ID "')[1].link, 'https://f/in')\n"
         "same(#l.changes(), 0)\n"
         "local r = core.record\n"
         "fails(\"'kind'\", r, 'outcome', '" ID "', {})\n"
         "fails(\"'kind'\", r, 'change', nil, {})\n"
         "fails(\"'id'\", r, 'looked', '" ID "', {})\n"
         "fails(\"'id'\", r, 'release', 'x', {})\n"
         "fails(\"'endpoint'\", r, 'looked', nil, {from_ms = 1, to_ms = 2,\n"
         "  rows = 0})\n"
         "fails(\"'to_ms'\", r, 'looked', nil, {endpoint = 'a', from_ms = 1,\n"
         "  to_ms = 1, rows = 0})\n"
         "fails(\"'seen'\", r, 'probe', '" ID "', {link = 'x', seen = 'yes'})\n"
         "assert(r('input_files', '" ID2 "', {files = {}}))\n"
         "fails(\"'files'\", r, 'input_files', '" ID "', {files = {1}})\n"
         "fails('reasons', r, 'release', '" ID "', {reasons = 'x'})\n"
         "assert(l.verify())\n");
}

static void test_a_plan_records_nothing(void **state)
{
  struct program p;

  (void)state;
  prepare(&p);
  p.mode = FR_MODE_PLAN;
  connect_all(&p);
  run(&p, "same(core.record('release', '" ID "', {}), 'planned')\n"
          "fails(\"'kind'\", core.record, 'x', nil, {})\n"
          "local n = 0\n"
          "host.ledger.events({request_id = '" ID "'},\n"
          "  function() n = n + 1 end) same(n, 0)\n");
  done(&p);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_runs_and_events),
    cmocka_unit_test(test_more_events_than_a_page),
    cmocka_unit_test(test_holds),
    cmocka_unit_test(test_facts),
    cmocka_unit_test(test_a_plan_records_nothing),
    cmocka_unit_test(test_only_some_commands_may_hold),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
