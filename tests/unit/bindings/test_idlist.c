/* tests/unit/bindings/test_idlist.c - many ids: in a list, over to another,
 * ahead of the gate, and into a flight, without becoming strings. */
#include "program.h"

#define NTH \
  "local function nth(n)\n" \
  "  return ('%08x-2222-4333-8444-555555555555'):format(n)\n" \
  "end\n" \
  "local function list_of(from, to)\n" \
  "  local list = core.id_list()\n" \
  "  for n = from, to do same(list:add(nth(n)), true) end\n" \
  "  return list\n" \
  "end\n"

static void check(const char *text)
{
  struct program p;

  prepare(&p);
  connect_all(&p);
  run(&p, text);
  done(&p);
}

/* Also when it runs empty in between, at the end of a chunk and within. */
static void test_order(void **state)
{
  (void)state;
  check(NTH
        "local list = list_of(1, 9000)\n"
        "same(#list, 9000) same(list:at(1), nth(1))\n"
        "same(list:at(4097), nth(4097)) same(list:at(9001), nil)\n"
        "same(list:at(0), nil)\n"
        "for n = 1, 8192 do same(list:take(), nth(n)) end\n"
        "same(#list, 808) same(list:at(1), nth(8193))\n"
        "for n = 8193, 9000 do same(list:take(), nth(n)) end\n"
        "same(list:take(), nil) same(#list, 0)\n"
        "for n = 9001, 20000 do\n"
        "  list:add(nth(n)) same(list:take(), nth(n))\n"
        "end\n"
        "same(list:take(), nil)\n"
        "same(list:add('x'), false) same(list:add(nth(1):upper()), true)\n"
        "same(list:add(nth(10):upper()), false) same(list:add(7), false)\n"
        "same(#list, 1)\n");
}

/* What was taken leaves memory: as texts these are 7 MB, as bytes 3 MB. */
static void test_memory(void **state)
{
  (void)state;
  check(NTH
        "local before, list = collectgarbage('count'), core.id_list()\n"
        "local other, id = core.id_list(), nth(1)\n"
        "local set = core.id_set(1)\n"
        "for _ = 1, 200 do\n"
        "  for n = 1, 1000 do list:add(id) end\n"
        "  set:move(list, other, 1000)\n"
        "end\n"
        "same(#list, 0)\n"
        "same(collectgarbage('count') - before < 1500, true)\n");
}

static void test_only_what_is_new_goes_over(void **state)
{
  (void)state;
  check(NTH
        "local set, from, to = core.id_set(100), list_of(1, 5),\n"
        "  core.id_list()\n"
        "from:add(nth(2)) from:add(nth(6))\n"
        "same(set:add(nth(1)), true)\n"
        "same(set:move(from, to, 2), 2)\n"
        "same(#from, 4) same(to:at(1), nth(2)) same(to:at(2), nth(3))\n"
        "same(set:move(from, to, 100), 3) same(#from, 0)\n"
        "same(to:at(5), nth(6)) same(set:move(from, to, 100), 0)\n"
        "fails('idlist', set.move, set, {}, to, 1)\n");
}

static void test_looking_ahead(void **state)
{
  (void)state;
  check(NTH
        "local from, ahead = list_of(1, 9), core.id_list()\n"
        "assert(core.delete_payloads(nth(3)))\n"
        "assert(core.hold_id(nth(5), 'case'))\n"
        "local planned, fate, id = core.look_ahead(from, ahead, 100)\n"
        "same(planned, 2) same(fate, 'already_deleted') same(id, nth(3))\n"
        "same(#ahead, 2) same(#from, 6)\n"
        "planned, fate = core.look_ahead(from, ahead, 2)\n"
        "same(planned, 2) same(fate, nil)\n"
        "same(#ahead, 5, 'one is held') same(ahead:at(4), nth(5))\n"
        "core.stop('enough')\n"
        "planned, fate, id = core.look_ahead(from, ahead, 2)\n"
        "same(planned, 0) same(fate, 'refused') same(id, nth(7))\n"
        "same(#ahead, 5)\n");
}

static void test_into_a_flight(void **state)
{
  struct program p;

  (void)state;
  prepare(&p);
  connect_all(&p);
  run(&p, NTH
      "local list, text = list_of(1, 25), ''\n"
      "local flight = core.flight({}, 10, true)\n"
      "same(flight:add_all(list), 0) same(#list, 15)\n"
      "same(flight:add_all(list), 0) same(#list, 15)\n"
      "while true do\n"
      "  local counts, _, lines = flight:take(0)\n"
      "  if not counts then break end\n"
      "  text = text .. lines flight:add_all(list)\n"
      "end\n"
      "same(#list, 0)\n"
      "for n = 1, 25 do\n"
      "  assert(text:find(nth(n) .. '\\tdeleted\\n', 1, true))\n"
      "end\n"
      "same(flight:add_all(list_of(26, 27)), 8)\n"
      "list = list_of(28, 29) core.stop('enough')\n"
      "same(flight:add_all(list), nil) same(#list, 2)\n");
  assert_int_equal(p.deletes, 25);
  done(&p);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_order),
    cmocka_unit_test(test_memory),
    cmocka_unit_test(test_only_what_is_new_goes_over),
    cmocka_unit_test(test_looking_ahead),
    cmocka_unit_test(test_into_a_flight),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
