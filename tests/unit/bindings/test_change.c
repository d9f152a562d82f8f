/* core.change from Lua: its arguments, its results, and every mode. */
#include "program.h"

#define CALL "{operation = 'keys.delete', method = 'DELETE', " \
  "path = '/keys/k', key = 'admin'"

static void test_results(void **state)
{
  (void)state;
  expect("local r = assert(core.change " CALL ", idempotent = true,\n"
         "  reason = 'why', target = 'key k', irreversible = true,\n"
         "  request_id = '" ID "', query = {{'a', 'b c'}}})\n"
         "same(r.status, 'done') same(r.http_status, 200)\n"
         "same(r.attempts, 1) same(r.evidence, 'answered')\n"
         "same(#r.idempotency_key, 43)\n"
         "same(type(r.value.cdn_delete_results), 'table')\n"
         "local row = host.ledger.changes()[1]\n"
         "same(row.state, 'done') same(row.request_id, '" ID "')\n"
         "same(row.data.key, r.idempotency_key)\n"
         "same(row.data.irreversible, true) same(row.data.target, 'key k')\n"
         "same(row.outcome.http_status, 200)\n"
         "same(#core.changes(99), 0)\n"
         "local kinds = {}\n"
         "host.ledger.events({request_id = '" ID "'}, function(e)\n"
         "  kinds[#kinds + 1] = e.kind end)\n"
         "same(table.concat(kinds, ' '), 'change change_outcome')\n"
         "same(host.counts().changed, 1) same(host.counts().deleted, 0)\n"
         "assert(host.ledger.verify())\n");
}

static void test_a_no(void **state)
{
  struct program p;

  (void)state;
  prepare(&p);
  p.status = 409;
  p.body = "{\"error\":{\"message\":\"name taken\"}}";
  connect_all(&p);
  run(&p, "local r, err = core.change " CALL "}\n"
          "same(r, nil) same(err.status, 'failed')\n"
          "same(err.code, 'bad_request') same(err.http_status, 409)\n"
          "assert(tostring(err):find('keys.delete: fal answered 409', 1,\n"
          "  true), tostring(err))\n"
          "same(host.counts().unchanged, 1)\n");
  assert_true(p.verdict.failed);
  done(&p);
}

static void test_a_plan(void **state)
{
  struct program p;

  (void)state;
  prepare(&p);
  p.mode = FR_MODE_PLAN;
  connect_all(&p);
  run(&p, "local r = assert(core.change " CALL "})\n"
          "same(r.status, 'planned') same(r.attempts, 0) same(r.value, nil)\n"
          "same(#host.ledger.changes(), 0)\n");
  done(&p);
}

static void test_misuse(void **state)
{
  (void)state;
  expect("local c = core.change\n"
         "fails(\"'call'\", c) fails(\"'operation'\", c, {})\n"
         "fails(\"'method'\", c, {operation = 'x'})\n"
         "fails(\"'path'\", c, {operation = 'x', method = 'PUT'})\n"
         "fails('no plain path', c, {operation = 'x', method = 'PUT',\n"
         "  path = '/a/../b'})\n"
         "fails('POST, PUT, PATCH or DELETE', c, {operation = 'x',\n"
         "  method = 'GET', path = '/a'})\n"
         "fails('falrun delete', c, {operation = 'x', method = 'DELETE',\n"
         "  path = '/models/requests/" ID "/payloads'})\n"
         "fails('falrun delete', c, {operation = 'x', method = 'DELETE',\n"
         "  path = '/Models/requests/" ID "/PAYLOADS', dry_run = true})\n"
         "fails(\"'key'\", c, {operation = 'x', method = 'PUT', path = '/a',\n"
         "  key = 'none'})\n"
         "fails('takes no Idempotency-Key', c, {operation = 'x',\n"
         "  method = 'PUT', path = '/a', idempotency_key = 'k'})\n"
         "fails(\"'id'\", c, {operation = 'x', method = 'PUT', path = '/a',\n"
         "  request_id = 'k'})\n"
         "fails('irreversible', c, {operation = 'x', method = 'PUT',\n"
         "  path = '/a', ireversible = true})\n"
         "same(#host.ledger.changes(), 0)\n");
}

static void test_a_task_that_is_cancelled(void **state)
{
  (void)state;
  expect("local task = core.spawn(function() core.change " CALL "} end)\n"
         "core.sleep(0) task:cancel() core.sleep(50)\n"
         "local row = host.ledger.changes()[1]\n"
         "assert(not row or row.state ~= 'open', row and row.state)\n");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_results), cmocka_unit_test(test_a_no),
    cmocka_unit_test(test_a_plan), cmocka_unit_test(test_misuse),
    cmocka_unit_test(test_a_task_that_is_cancelled)
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
