#include "program.h"

#define FILES "{\"cdn_delete_results\":[" \
  "{\"link\":\"https://f/a\",\"exception\":null}," \
  "{\"link\":\"https://f/b\",\"exception\":\"boom\"}]}"

/* ---- deletions ----------------------------------------------------------- */

static void test_a_deletion(void **state)
{
  struct program p;

  (void)state;
  prepare(&p);
  p.body = "{\"cdn_delete_results\":["
           "{\"link\":\"https://f/a\",\"exception\":null}]}";
  connect_all(&p);
  run(&p, "local r, err = core.delete_payloads('" ID "', {reason = 'rule',\n"
          "  idempotency_key = 'k-1', timeout = '30s', retries = 2})\n"
          "same(err, nil) same(r.status, 'deleted')\n"
          "same(r.request_id, '" ID "') same(r.reason, 'rule')\n"
          "same(r.http_status, 200) same(r.attempts, 1)\n"
          "same(math.type(r.attempts), 'integer')\n"
          "same(r.idempotency_key, 'k-1') same(r.evidence, 'answered')\n"
          "same(math.type(r.elapsed), 'float')\n"
          "same(#r.cdn_delete_results, 1)\n"
          "same(r.cdn_delete_results[1].link, 'https://f/a')\n"
          "same(r.cdn_delete_results[1].exception, nil)\n"
          "same(r.age, nil) same(r.message, nil)\n"
          "r = core.delete_payloads('" ID "')\n"
          "same(r.status, 'already_deleted') same(r.attempts, 0)\n"
          "same(r.http_status, nil) same(r.idempotency_key, nil)\n"
          "same(core.json.encode(r.cdn_delete_results), '[]')\n"
          "local c = host.counts()\n"
          "same(c.deleted, 1) same(c.already_deleted, 1)\n"
          "same(c.age_unknown, 1) same(c.failed, 0)\n"
          "assert(host.figures().requests >= 1)\n");
  assert_int_equal(p.deletes, 1);
  assert_int_equal(fr_verdict_exit_code(&p.verdict), 0);
  done(&p);
}

static void test_a_partial_deletion_is_an_error_value(void **state)
{
  struct program p;

  (void)state;
  prepare(&p);
  p.body = FILES;
  connect_all(&p);
  run(&p, "local r, err = core.delete_payloads('" ID "', {reason = 'rule'})\n"
          "same(r, nil) same(err.status, 'partial')\n"
          "same(err.code, 'partial') same(err.kind, 'partial')\n"
          "same(err.http_status, 200) same(err.retryable, false)\n"
          "same(err.cdn_delete_results[2].exception, 'boom')\n"
          "same(err.result.status, 'partial')\n"
          "same(err.result.cdn_delete_results[2].link, 'https://f/b')\n"
          "same(tostring(err), err.message)\n"
          "assert(err.message:find('" ID "', 1, true), err.message)\n"
          "fails('" ID "', function() assert(nil, err) end)\n"
          "same(host.ledger.residue('" ID "')[1].link, 'https://f/b')\n"
          "same(#host.ledger.residue(), 1)\n");
  assert_int_equal(fr_verdict_exit_code(&p.verdict), 3);
  done(&p);
}

static void test_a_dry_run_sends_nothing(void **state)
{
  struct program p;

  (void)state;
  prepare(&p);
  connect_all(&p);
  run(&p, "local r = core.delete_payloads('" ID "', {dry_run = true,\n"
          "  verify = false})\n"
          "same(r.status, 'planned')\n");
  assert_int_equal(p.deletes, 0);
  done(&p);
}

static void test_a_failure_that_is_over(void **state)
{
  struct program p;

  (void)state;
  prepare(&p);
  p.status = 500;
  connect_all(&p);
  run(&p, "local r, err = core.delete_payloads('" ID "', {retries = 0})\n"
          "same(r, nil) same(err.status, 'failed')\n"
          "same(err.code, 'server_error') same(err.attempts, 1)\n"
          "same(err.http_status, 500)\n"
          "same(math.type(err.http_status), 'integer')\n");
  assert_int_equal(fr_verdict_exit_code(&p.verdict), 3);
  done(&p);
}

static void test_misuse_names_the_argument(void **state)
{
  (void)state;
  expect("local delete = core.delete_payloads\n"
         "fails(\"bad argument 'id' to 'fal.delete_payloads'\", delete)\n"
         "fails(\"'id'\", delete, 'x') fails(\"'id'\", delete, 7)\n"
         "fails(\"'id'\", delete, '" ID "\\0')\n"
         "local function bad(words, opts)\n"
         "  fails(words, delete, '" ID "', opts) end\n"
         "bad(\"'options'\", 'now') bad(\"did you mean 'reason'\", {reson = 1})\n"
         "bad(\"'reason'\", {reason = ''}) bad(\"'reason'\", {reason = 7})\n"
         "bad(\"'reason'\", {reason = ('x'):rep(1001)})\n"
         "bad('NUL', {reason = 'a\\0b'})\n"
         "bad(\"'timeout'\", {timeout = '0s'}) bad('unit', {timeout = 5})\n"
         "bad(\"'timeout'\", {timeout = '11m'})\n"
         "bad(\"'retries'\", {retries = 11})\n"
         "bad(\"'retries'\", {retries = -1})\n"
         "bad(\"'retries'\", {retries = 1.5})\n"
         "bad(\"'retries'\", {retries = '1'})\n"
         "bad(\"'dry_run'\", {dry_run = 1})\n"
         "bad(\"'verify'\", {verify = 1})\n"
         "bad(\"'idempotency_key'\", {idempotency_key = ''})\n"
         "bad(\"'idempotency_key'\", {idempotency_key = 'a b'})\n"
         "assert(delete('" ID "', {idempotency_key = 'mine'}))\n"
         "fails('belongs to " ID "', delete, '" ID2 "',\n"
         "  {idempotency_key = 'mine'})\n");
}

static void test_misuse_is_told_at_the_policys_line(void **state)
{
  static const char policy[] = "local id = 'x'\n"
                               "fal.delete_payloads(id)\n";
  struct program p;

  (void)state;
  prepare(&p);
  p.policy = (struct frl_policy){ "policies/p.lua", policy,
                                  sizeof(policy) - 1 };
  p.config.policy = &p.policy;
  connect_all(&p);
  run_any(&p, "same(host.guard(host.load_policy()), false)\n"
              "same(host.policy.path, 'policies/p.lua')\n"
              "same(#host.policy.sha256, 64)\n");
  assert_non_null(strstr(p.log, "policies/p.lua:2: bad argument 'id'"));
  assert_int_equal(fr_verdict_exit_code(&p.verdict), 1);
  done(&p);
}

static void test_the_observer_sees_every_end(void **state)
{
  struct program p;

  (void)state;
  prepare(&p);
  connect_all(&p);
  run(&p, "local seen = {}\n"
          "host.observe(function() error('replaced') end)\n"
          "host.observe(function(id, result, err)\n"
          "  seen[#seen + 1] = {id, result, err} end)\n"
          "local r = core.delete_payloads('" ID "')\n"
          "same(seen[1][1], '" ID "') same(seen[1][2], r)\n"
          "same(seen[1][3], nil)\n"
          "core.stop('enough')\n"
          "local _, err = core.delete_payloads('" ID2 "')\n"
          "same(seen[2][1], '" ID2 "') same(seen[2][2], nil)\n"
          "same(seen[2][3], err) same(#seen, 2)\n");
  done(&p);
}

static void test_a_broken_observer_is_a_bug_of_falrun(void **state)
{
  struct program p;

  (void)state;
  prepare(&p);
  connect_all(&p);
  run_any(&p, "host.observe(function() core.sleep(1) end)\n"
              "local r = core.delete_payloads('" ID "')\n"
              "same(r.status, 'deleted')\n");
  assert_true(p.verdict.bug);
  assert_false(p.verdict.policy);
  assert_non_null(strstr(p.log, "the observer of deletions failed"));
  done(&p);
}

static void test_a_cancelled_deletion_is_still_recorded(void **state)
{
  struct program p;
  struct fr_counts counts;

  (void)state;
  prepare(&p);
  connect_all(&p);
  run(&p, "local task = core.spawn(core.delete_payloads, '" ID "')\n"
          "local nap = core.spawn(core.sleep, 0) nap:wait()\n"
          "task:cancel()\n"
          "local ok, err = task:wait()\n"
          "if ok == false then same(err.code, 'cancelled') end\n");
  while (fr_gate_busy(p.gate)) {
    fr_gate_barrier(p.gate);
    fr_loop_turn(p.loop, -1);
  }
  fr_gate_counts(p.gate, &counts);
  assert_int_equal(counts.deleted + counts.refused, 1);
  done(&p);
}

/* ---- reads --------------------------------------------------------------- */

static void test_a_read_repeats_query_names(void **state)
{
  struct program p;

  (void)state;
  prepare(&p);
  p.read_path = "/models/requests";
  p.read_body = "{\"n\":7,\"f\":1.5,\"none\":null,\"list\":[1,2]}";
  connect_all(&p);
  run(&p, "local r, err = core.read{path = '/models/requests/by-endpoint',\n"
          "  query = {{'endpoint_id', 'fal-ai/flux'}, {'endpoint_id', 'b&c'},"
          "{'limit', 100}, {'expand', true}, {'q', 'a b+c%'}},\n"
          "  key = 'list', timeout = '5s'}\n"
          "same(err, nil) same(math.type(r.n), 'integer') same(r.n, 7)\n"
          "same(r.f, 1.5) same(r.none, core.json.null) same(#r.list, 2)\n");
  assert_string_equal(p.url, "https://api.fal.ai/v1/models/requests/"
                      "by-endpoint?endpoint_id=fal-ai%2Fflux&"
                      "endpoint_id=b%26c&limit=100&expand=true&"
                      "q=a%20b%2Bc%25");
  done(&p);
}

static void test_a_read_with_a_body(void **state)
{
  struct program p;

  (void)state;
  prepare(&p);
  p.read_path = "/models/pricing/estimate";
  connect_all(&p);
  run(&p, "local r = core.read{method = 'POST', key = 'api',\n"
          "  path = '/models/pricing/estimate', body = {n = 3}}\n"
          "same(type(r), 'table')\n");
  assert_string_equal(p.sent, "{\"n\":3}");
  done(&p);
}

static void test_a_read_of_text(void **state)
{
  struct program p;

  (void)state;
  prepare(&p);
  p.read_path = "/account/focus";
  p.read_body = "a,b\n1,{";
  connect_all(&p);
  run(&p, "local text, type = core.read{path = '/account/focus',\n"
          "  accept = 'text', key = 'optional'}\n"
          "same(text, 'a,b\\n1,{') same(_G.type(type), 'string')\n"
          "same(core.sha256('abc'):sub(1, 8), 'ba7816bf')\n");
  done(&p);
}

static void test_a_read_that_fails(void **state)
{
  struct program p;

  (void)state;
  prepare(&p);
  p.read_path = "/models";
  p.read_status = 404;
  connect_all(&p);
  run(&p, "local r, err = core.read{path = '/models'}\n"
          "same(r, nil) same(err.code, 'not_found')\n"
          "same(err.http_status, 404) same(err.retryable, false)\n"
          "assert(#err.message > 10) same(tostring(err), err.message)\n"
          "r, err = core.read{path = '/models', method = 'DELETE'}\n"
          "same(r, nil) same(err.code, 'read_only')\n"
          "same(err.http_status, nil)\n");
  assert_int_equal(p.deletes, 0);
  done(&p);
}

static void test_misuse_of_a_read(void **state)
{
  (void)state;
  expect("local function bad(words, call) fails(words, core.read, call) end\n"
         "bad(\"'call'\", nil) bad(\"'path'\", {})\n"
         "bad(\"'path'\", {path = 7}) bad(\"'path'\", {path = 'models'})\n"
         "bad(\"'path'\", {path = '/a?b=c'})\n"
         "bad(\"did you mean 'query'\", {path = '/a', qury = {}})\n"
         "bad(\"'query'\", {path = '/a', query = 'x=y'})\n"
         "bad('pairs', {path = '/a', query = {'x'}})\n"
         "bad('a name', {path = '/a', query = {{1, 2}}})\n"
         "bad(\"'accept'\", {path = '/a', accept = 'csv'})\n"
         "bad('a fraction', {path = '/a', query = {{'x', 1.5}}})\n"
         "bad('not table', {path = '/a', query = {{'x', {}}}})\n"
         "bad('longer', {path = '/a', query = {{'x', ('y'):rep(99999)}}})\n"
         "bad(\"'key'\", {path = '/a', key = 'root'})\n"
         "bad(\"'timeout'\", {path = '/a', timeout = '1h'})\n"
         "bad(\"'body'\", {path = '/a', body = 'x'})\n");
}

/* ---- without memory ------------------------------------------------------ */

/* Every allocation of Lua fails once, one after the other: whatever happens
 * to the call, nothing is leaked and nothing is left in the loop. */
static struct { lua_Alloc real; void *ud; long left; } memory;

static void *scarce(void *ud, void *block, size_t old_size, size_t size)
{
  (void)ud;
  if (size > 0 && (!block || size > old_size) && memory.left > 0 &&
      --memory.left < 2) {
    memory.left = memory.left == 0 ? -1 : memory.left;
    return NULL;                /* twice in a row: Lua collects and retries */
  }
  return memory.real(ud, block, old_size, size);
}

/* lua-cjson's decoder loses its buffer when Lua runs out of memory in it. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
  return "leak:strbuf_new\n";
}

static void starve(const char *text)
{
  for (long n = 2; n < 4000; n++) {
    struct program p;
    bool over;

    prepare(&p);
    p.read_path = "/models";
    connect_all(&p);
    begin(&p, text);
    memory.real = lua_getallocf(p.frl->L, &memory.ud);
    memory.left = n;
    lua_setallocf(p.frl->L, scarce, memory.ud);
    while (turn(&p))
      ;
    over = memory.left > 0;
    lua_setallocf(p.frl->L, memory.real, memory.ud);
    done(&p);
    if (over)
      return;
  }
  fail_msg("it never had enough memory");
}

static void test_a_deletion_without_memory(void **state)
{
  (void)state;
  starve("core.delete_payloads('" ID "', {reason = 'r'})");
}

static void test_a_read_without_memory(void **state)
{
  (void)state;
  starve("core.read{path = '/models', query = {{'a', 'b'}}}");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_a_deletion),
    cmocka_unit_test(test_a_partial_deletion_is_an_error_value),
    cmocka_unit_test(test_a_dry_run_sends_nothing),
    cmocka_unit_test(test_a_failure_that_is_over),
    cmocka_unit_test(test_misuse_names_the_argument),
    cmocka_unit_test(test_misuse_is_told_at_the_policys_line),
    cmocka_unit_test(test_the_observer_sees_every_end),
    cmocka_unit_test(test_a_broken_observer_is_a_bug_of_falrun),
    cmocka_unit_test(test_a_cancelled_deletion_is_still_recorded),
    cmocka_unit_test(test_a_read_repeats_query_names),
    cmocka_unit_test(test_a_read_with_a_body),
    cmocka_unit_test(test_a_read_of_text),
    cmocka_unit_test(test_a_read_that_fails),
    cmocka_unit_test(test_misuse_of_a_read),
    cmocka_unit_test(test_a_deletion_without_memory),
    cmocka_unit_test(test_a_read_without_memory),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
