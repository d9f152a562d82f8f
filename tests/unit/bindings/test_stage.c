/* tests/unit/bindings/test_stage.c - runs on a stage, and what they leave. */
#include "program.h"

#define SETUP \
  "local TEXT = [==[ fal.delete_payloads(arg[1]) ]==] " \
  "local seen = {} " \
  "local reply = { status = 200, body = '{\"cdn_delete_results\":[]}' } " \
  "local function handler(request) core.sleep(5) " \
  "if request.method == 'GET' then return { status = 200, body = '{}' } " \
  "end seen[#seen + 1] = request return reply end " \
  "local function open() return assert(host.stage { at = 86400000000, " \
  "handler = handler }) end " \
  "local function play(stage, text, options) options = options or {} " \
  "options.policy = { path = 'x/p.lua', text = text } " \
  "local ok, chunk = host.guard(stage.begin, stage, options) " \
  "if ok then host.guard(chunk) end return stage:finish() end "

/* On a real or a virtual clock; the gate is whichever the step left. */
static void stage(bool real, const char *text)
{
  struct program p;
  bool left;

  prepare_real(&p, real);
  begin(&p, text);
  do {
    struct fr_gate *gate;

    left = frl_step(p.frl);
    gate = frl_gate(p.frl);
    if (gate)
      fr_gate_barrier(gate);
    if (left && !frl_ready(p.frl) && !fr_loop_turn(p.loop, -1))
      fail_msg("tasks wait and nothing will wake them\n%s", p.log);
  } while (left);
  if (p.verdict.bug || p.verdict.policy || p.verdict.cap || p.log[0])
    fail_msg("%d %d %d %s\n%s", p.verdict.bug, p.verdict.policy,
             p.verdict.cap, p.verdict.why, p.log);
  assert_int_equal(fr_verdict_exit_code(&p.verdict), 0);
  done(&p);
}

static void a_run_deletes_and_is_recorded(void **state)
{
  (void)state;
  stage(true, SETUP
        "local stage <close> = open() "
        "local ended = play(stage, TEXT, { args = { '" ID "' } }) "
        "same(ended.exit_code, 0) same(ended.why, nil) "
        "same(ended.counts.deleted, 1) same(#seen, 1) "
        "same(seen[1].method, 'DELETE') "
        "same(seen[1].path, '/v1/models/requests/" ID "/payloads') "
        "local row = host.ledger.runs(1)[1] "
        "same(row.exit_code, 0) same(row.summary.deleted, 1) "
        "same(row.policy, 'x/p.lua') "
        "same(play(stage, TEXT, { args = { '" ID "' } })"
        ".counts.already_deleted, 1) same(#seen, 1) "
        "same(#host.ledger.runs(), 2)");
}

static void a_plan_sends_nothing(void **state)
{
  (void)state;
  stage(false, SETUP
        "local stage <close> = open() same(core.mode, 'run') "
        "local ended = play(stage, TEXT .. ' mode = nil', { mode = 'plan', "
        "args = { '" ID "' } }) same(core.mode, 'run') "
        "same(ended.counts.planned, 1) same(#seen, 0) "
        "same(#host.ledger.runs(), 0)");
}

static void the_clock_is_the_stages(void **state)
{
  (void)state;
  stage(true, SETUP
        "local now = core.now() "
        "local nap = core.spawn(core.sleep, 3600000) "
        "local stage <close> = open() "
        "assert(core.now() >= now and core.now() < now + 3600000) "
        "same(stage:at(), 86400000000) same(core.at(), stage:at()) "
        "stage:advance(3600000 - 1000) same(nap:status(), 'waiting') "
        "same(stage:at(), 86400000000 + 3600000 - 1000) "
        "stage:advance(86400000) core.sleep(0) same(nap:status(), 'done') "
        "assert(nap:wait()) "
        "stage:close() fails('the stage is closed', stage.at, stage) "
        "local second <close> = open() same(second:at(), 86400000000)");
}

static void runs_share_no_environment(void **state)
{
  (void)state;
  stage(false, SETUP
        "local stage <close> = open() for i = 1, 2 do "
        "same(play(stage, 'assert(not rawget(_G, \"mark\")) mark = 1 "
        "assert(arg[0] == \"x/p.lua\")').exit_code, 0) "
        "same(host.policy, nil) end");
}

static void a_failure_is_the_runs_alone(void **state)
{
  (void)state;
  stage(false, SETUP
        "local stage <close> = open() local talk = host.capture() "
        "local ended = play(stage, 'print \"hello\" error \"no\"') "
        "same(ended.exit_code, 1) assert(ended.why:find('no', 1, true)) "
        "same(play(stage, 'local = 1').exit_code, 1) "
        "same(play(stage, 'fal.delete_payloads(arg[1])', { max_deletes = 0, "
        "args = { '" ID "' } }).exit_code, 4) talk:close() "
        "assert(talk:text():find('hello\\nerror: x/p.lua:1: no', 1, true)) "
        "assert(talk:text():find('x/p.lua:1: <name> expected', 1, true)) "
        "same(play(stage, '').exit_code, 0)");
}

/* Tasks that wait for an answer, for time, or do not want to end: that one
 * gets no further, its handlers neither. */
static void what_a_run_began_ends_with_it(void **state)
{
  (void)state;
  stage(false, SETUP
        "local stage <close> = open() local closed = 0 "
        "local outer = core.spawn(core.sleep, 1000000) "
        "stage:begin { policy = { path = 'p.lua', text = '' } } "
        "local function mark() return setmetatable({}, { __close = "
        "function() closed = closed + 1 end }) end "
        "core.spawn(function() local _ <close> = mark() "
        "core.read { path = '/models/x' } end) "
        "core.spawn(function() local _ <close> = mark() "
        "core.sleep(86400000) end) "
        "core.spawn(function() local _ <close> = mark() "
        "while true do pcall(core.sleep, 1000) end end) "
        "core.sleep(1) core.spawn(error, 'never ran') "
        "stage:finish() same(closed, 2) same(outer:status(), 'waiting') "
        "outer:cancel() outer:wait()");
}

static void a_deletion_in_flight_is_waited_for(void **state)
{
  (void)state;
  stage(false, SETUP
        "local stage <close> = open() "
        "stage:begin { policy = { path = 'p.lua', text = '' } } "
        "local task = core.spawn(core.delete_payloads, '" ID "') "
        "core.sleep(1) task:cancel() "
        "same(stage:finish().counts.deleted, 1) same(#seen, 1)");
}

static void a_stage_may_close_in_the_middle(void **state)
{
  (void)state;
  stage(false, SETUP
        "do local stage <close> = open() "
        "stage:begin { policy = { path = 'p.lua', text = '' } } "
        "for i = 0, 9 do core.spawn(core.delete_payloads, "
        "(('" ID "'):gsub('5$', i))) end core.spawn(core.read, "
        "{ path = '/models/x' }) core.sleep(2) end "
        "same(host.ledger, nil) same(core.mode, 'run') "
        "local stage <close> = open() "
        "same(play(stage, TEXT, { args = { '" ID2 "' } }).exit_code, 0)");
}

static void faults_of_the_wire(void **state)
{
  (void)state;
  stage(false, SETUP
        "local stage <close> = open() local talk <close> = host.capture() "
        "for i, fault in ipairs { 'drop', 'truncate', 'stall' } do "
        "reply.fault = fault "
        "local text = ('local r, e = fal.delete_payloads(%q, { retries = 0 })"
        " assert(not r and e.kind == %q, tostring(e and e.message) .. e.kind)'):format("
        "(('" ID "'):gsub('5$', i)), fault == 'stall' and 'timeout' or 'dropped') "
        "local ended = play(stage, text) "
        "same(tostring(ended.why) .. fault, 'nil' .. fault) same(ended.exit_code, 3) end");
}

static void misuse(void **state)
{
  (void)state;
  stage(false, SETUP
        "fails('ms since 1970', host.stage, { handler = handler }) "
        "fails('handler', host.stage, { at = 1 }) "
        "local stage <close> = open() "
        "fails('only one can be open', host.stage, { at = 1, "
        "handler = handler }) "
        "fails('no run is on', stage.finish, stage) "
        "fails('policy', stage.begin, stage, {}) "
        "fails('path', stage.begin, stage, { policy = { text = '' } }) "
        "fails('text', stage.begin, stage, { policy = { path = 'x' } }) "
        "local policy = { path = 'x', text = '' } "
        "fails('max_deletes', stage.begin, stage, { policy = policy, "
        "max_deletes = -1 }) "
        "fails('0 to 100', stage.begin, stage, { policy = policy, "
        "max_percent = 101 }) "
        "fails('plan', stage.begin, stage, { policy = policy, mode = 'x' }) "
        "fails('did you mean', stage.begin, stage, { polcy = policy }) "
        "stage:begin { policy = policy } "
        "fails('a run is on already', stage.begin, stage, "
        "{ policy = policy })");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_run_deletes_and_is_recorded),
    cmocka_unit_test(a_plan_sends_nothing),
    cmocka_unit_test(the_clock_is_the_stages),
    cmocka_unit_test(runs_share_no_environment),
    cmocka_unit_test(a_failure_is_the_runs_alone),
    cmocka_unit_test(what_a_run_began_ends_with_it),
    cmocka_unit_test(a_deletion_in_flight_is_waited_for),
    cmocka_unit_test(a_stage_may_close_in_the_middle),
    cmocka_unit_test(faults_of_the_wire),
    cmocka_unit_test(misuse),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
