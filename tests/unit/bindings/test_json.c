/* tests/unit/bindings/test_json.c - the global `json`. */
#include "harness.h"

#include "bindings/json.h"

static void values_survive(void **state)
{
  (void)state;
  expect("local function round(text) local v, e = json.decode(text)\n"
         "  fal.say(v == nil and e.message or json.encode(v)) end\n"
         "round '{\"b\":[1,2.5,-0.125,1e3],\"a\":null,\"c\":{\"d\":true}}'\n"
         "round '9007199254740991' round '1e15' round '0.1' round '\"\\\\u00e9"
         "\\\\n\"' round '[[]]' round '-0' round '1E-5'\n"
         "fal.say(math.type(json.decode '7'), math.type(json.decode '7.5'), "
         "json.decode '[3]'[1] | 0)\n"
         "fal.say(json.encode { math.maxinteger, math.mininteger, 1 / 3, 1e20,"
         " 123456789012345.0 })\n"
         "fal.say(json.encode(json.array {}), json.encode {}, "
         "json.encode { x = json.array() })\n"
         "fal.say(json.encode 'a\\0\\31\"\\\\/\\t', json.encode(nil), "
         "json.encode(json.null), json.decode 'null' == json.null)",
         "{\"a\":null,\"b\":[1,2.5,-0.125,1000],\"c\":{\"d\":true}}\n"
         "9007199254740991\n1000000000000000\n0.1\n\"\303\251\\n\"\n[{}]\n0\n"
         "1e-05\ninteger float 3\n"
         "[9223372036854775807,-9223372036854775808,0.3333333333333333,1e+20,"
         "123456789012345]\n[] {} {\"x\":[]}\n"
         "\"a\\u0000\\u001f\\\"\\\\/\\t\" null null true\n");
}

static void bad_text_is_refused(void **state)
{
  static const char *const texts[] = {
    "NaN", "Infinity", "-Infinity", "nan", "inf", "0x10", "01", "-01", "1.",
    ".5", "+1", "1e", "1e+", "1e400", "-1e400", "--1", "1-2", "1.2.3", "- 1",
    "", " ", "{", "[", "[1,]", "{\\\"a\\\":}", "{a:1}", "'a'", "tru", "nulls",
    "[1 2]", "\\\"a", "\\\"a\\nb\\\"", "\\\"\\255\\\"", "\\\"\\xC0\\x80\\\"",
    "\\\"\\xED\\xA0\\x80\\\"", "\\\"\\\\ud800\\\"", "\\\"\\\\x\\\"", "1 2",
    "[1]x", "\\0", "1\\0", "/* */ 1",
  };
  char policy[400];

  (void)state;
  for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
    struct world world;

    snprintf(policy, sizeof(policy), "local v, e = json.decode(\"%s\")\n"
             "fal.say(v, e and e.code, #tostring(e) > 10)", texts[i]);
    run(&world, policy);
    if (strcmp(world.out, "nil invalid true\n") != 0)
      fail_msg("%s: %s%s", texts[i], world.out, world.log);
    done(&world);
  }
  expect("fal.say(json.decode(('['):rep(100) .. (']'):rep(100)) ~= nil, "
         "json.decode(('['):rep(101) .. (']'):rep(101)))\n"
         "fal.say(select(2, json.decode '[1, 2, 01]'))",
         "true nil the JSON text is not valid: deeper than 100 levels at "
         "character 101\n"
         "the JSON text is not valid: not a JSON number at character 8\n");
}

static void what_json_lacks_raises(void **state)
{
  static const char *const cases[][2] = {
    { "json.encode(print)", "p.lua:1: json.encode: the value is a function" },
    { "json.encode { items = { 1, 2, { input = print } } }",
      "items[3].input is a function, which JSON does not have" },
    { "json.encode { a = 0 / 0 }", "a is not a number that JSON has" },
    { "json.encode { 1, x = 2 }", "mixes names and list entries" },
    { "json.encode { a = { [1] = 1, [3] = 3 } }", "a is a list with gaps" },
    { "json.encode { [true] = 1 }", "has a key that is neither" },
    { "json.encode { [1.5] = 1 }", "has a key that is neither" },
    { "json.encode { [0] = 1 }", "has a key that is neither" },
    { "local t = {} t.t = t json.encode(t)", "does a table contain itself?" },
    { "json.encode { '\\xff' }", "[1] is text that is not UTF-8" },
    { "json.encode(json.array { x = 1 })", "is marked as a list" },
    { "json.encode()", "value expected" },
    { "json.decode(1)", "bad argument 'text' to 'json.decode'" },
    { "json.decode()", "got nothing" },
    { "json.array(1)", "bad argument 'list' to 'json.array'" },
    { "json.array(setmetatable({}, {}))", "a metatable of its own" },
    { "local s = ('x'):rep(1 << 20) local t = {} for i = 1, 70 do t[i] = s "
      "end json.encode(t)", "larger than 64 MiB" },
  };

  (void)state;
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
    expect_failure(cases[i][0], 1, cases[i][1]);
}

static void utf8_prefixes(void **state)
{
  (void)state;
  assert_int_equal(frl_utf8_prefix("a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80",
                                   10), 10);
  assert_int_equal(frl_utf8_prefix("a\xC3", 2), 1);
  assert_int_equal(frl_utf8_prefix("\xF4\x90\x80\x80", 4), 0);
  assert_int_equal(frl_utf8_prefix("\xE0\x80\x80", 3), 0);
  assert_int_equal(frl_utf8_prefix("", 0), 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(values_survive),
    cmocka_unit_test(bad_text_is_refused),
    cmocka_unit_test(what_json_lacks_raises),
    cmocka_unit_test(utf8_prefixes),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
