/* tests/unit/bindings/test_hold.c - files of ids, holds and declarations, as
 * the standard library asks for them. */
#include "program.h"

#include <sys/stat.h>

struct folder {
  char dir[40], path[64], policy[64];
};

static void open_folder(struct folder *folder, const char *text)
{
  FILE *file;

  strcpy(folder->dir, "/tmp/fr-hold-XXXXXX");
  assert_non_null(mkdtemp(folder->dir));
  snprintf(folder->path, sizeof(folder->path), "%s/ids", folder->dir);
  snprintf(folder->policy, sizeof(folder->policy), "%s/p.lua", folder->dir);
  file = fopen(folder->path, "w");
  assert_non_null(file);
  assert_true(fputs(text, file) >= 0);
  assert_int_equal(fclose(file), 0);
}

static void close_folder(struct folder *folder)
{
  unlink(folder->path);
  assert_int_equal(rmdir(folder->dir), 0);
}

/* Beside the policy, wherever falrun was started. */
static void prepare_beside(struct program *p, struct folder *folder)
{
  prepare(p);
  p->policy = (struct frl_policy){ .path = folder->policy };
  p->config.policy = &p->policy;
  connect_all(p);
}

static void test_hold_file(void **state)
{
  struct folder folder;
  struct program p;

  (void)state;
  open_folder(&folder, "request_id,reason\n" ID ",case 7\n" ID2 ",\n");
  prepare_beside(&p, &folder);
  run(&p, "same(core.hold_file('ids'), 2)\n"
          "local fate, _, why = core.preview('" ID "')\n"
          "same(fate, 'held')\n"
          "local ok, err = core.delete_payloads('" ID "')\n"
          "same(ok, nil) same(err.status, 'held')\n"
          "assert(err.message:find('case 7', 1, true), err.message)\n"
          "same(core.delete_payloads('" ID3 "').status, 'deleted')\n"
          "fails('NUL', core.hold_file, 'ids\\0')\n"
          "local none, gone = core.hold_file('gone')\n"
          "same(none, nil) same(gone.code, 'stopped')\n"
          "assert(gone.message:find('No such file', 1, true))\n"
          "same(host.stopped(), true)\n");
  assert_int_equal(p.deletes, 1);
  assert_int_equal(fr_verdict_exit_code(&p.verdict), 4);
  done(&p);
  close_folder(&folder);
}

static void test_hold_id(void **state)
{
  struct program p;

  (void)state;
  prepare(&p);
  connect_all(&p);
  run(&p, "same(core.hold_id('" ID "', ('w'):rep(100000)), true)\n"
          "same(core.hold_id('" ID2 "', ''), true)\n"
          "fails('id', core.hold_id, 'nope', 'r')\n"
          "fails('string expected', core.hold_id, '" ID "')\n"
          "local _, err = core.delete_payloads('" ID "')\n"
          "same(err.status, 'held') assert(#err.message < 1024)\n"
          "_, err = core.delete_payloads('" ID2 "')\n"
          "same(err.status, 'held')\n");
  assert_int_equal(p.deletes, 0);
  done(&p);
}

static void test_declare(void **state)
{
  struct program p;

  (void)state;
  prepare(&p);
  p.limits.max_percent = 50;
  connect_all(&p);
  run(&p, "fails('planned', core.declare, {})\n"
          "fails('scanned', core.declare, {planned = 1})\n"
          "fails('planned', core.declare, {planned = -1, scanned = 1})\n"
          "fails('whole number', core.declare, "
          "{planned = 1.5, scanned = 1})\n"
          "fails('table expected', core.declare)\n"
          "same(core.declare{planned = 2, scanned = math.maxinteger}, true)\n"
          "same(core.room(), 2)\n"
          "local ok, err = core.declare{planned = math.maxinteger, "
          "scanned = math.maxinteger}\n"
          "same(ok, nil) same(err.code, 'stopped')\n"
          "assert(err.message:find('--max-deletes', 1, true))\n");
  assert_int_equal(fr_verdict_exit_code(&p.verdict), 4);
  done(&p);
}

static void test_read_ids(void **state)
{
  struct folder folder;
  struct program p;

  (void)state;
  open_folder(&folder, "# mine\n" ID "\n" ID2 " # old\n" ID "\n");
  prepare_beside(&p, &folder);
  run(&p, "local ids = core.read_ids 'ids'\n"
          "same(#ids, 3) same(ids[1], '" ID "') same(ids[2], '" ID2 "')\n"
          "local none, err = core.read_ids 'gone'\n"
          "same(none, nil) same(err.code, 'io')\n"
          "none, err = core.read_ids 'p.lua/x'\n"
          "same(none, nil) same(err.code, 'io')\n"
          "same(host.stopped(), false)\n");
  done(&p);
  close_folder(&folder);
}

/* A pipe nobody writes to yet is empty at once: not a list of nothing. */
static void test_read_ids_of_a_pipe(void **state)
{
  struct folder folder;
  struct program p;

  (void)state;
  open_folder(&folder, "");
  assert_int_equal(unlink(folder.path), 0);
  assert_int_equal(mkfifo(folder.path, 0600), 0);
  prepare_beside(&p, &folder);
  run(&p, "local none, err = core.read_ids 'ids'\n"
          "same(none, nil) same(err.code, 'io')\n"
          "assert(err.message:find('is not a file', 1, true), err.message)\n"
          "none, err = core.read_ids '.'\n"
          "same(none, nil) same(err.code, 'io')\n");
  done(&p);
  close_folder(&folder);
}

static void test_without_a_network(void **state)
{
  struct program p;

  (void)state;
  prepare(&p);
  run(&p, "for _, f in ipairs{\n"
          "  function() return core.hold_file 'x' end,\n"
          "  function() return core.hold_id('" ID "', 'r') end,\n"
          "  function() return core.declare{planned = 0, scanned = 0} end,\n"
          "} do\n"
          "  local ok, err = f()\n"
          "  same(ok, nil) same(err.code, 'config')\n"
          "end\n");
  done(&p);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_hold_file),
    cmocka_unit_test(test_hold_id),
    cmocka_unit_test(test_declare),
    cmocka_unit_test(test_read_ids),
    cmocka_unit_test(test_read_ids_of_a_pipe),
    cmocka_unit_test(test_without_a_network),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
