/* tests/unit/fal/test_json.c - JSON is read whole or not at all. */
#include "tests/unit/fal/support.h"

#include "fal/json.h"

static void whole_or_not_at_all(void **state)
{
  static const struct { const char *text; enum fr_err err; } table[] = {
    { "{}", FR_OK }, { "[]", FR_OK }, { " {\"a\":[1,2.5,null]} ", FR_OK },
    { "", FR_EPROTOCOL }, { "{", FR_EPROTOCOL }, { "1", FR_EPROTOCOL },
    { "null", FR_EPROTOCOL }, { "{}{}", FR_EPROTOCOL },
    { "{} x", FR_EPROTOCOL }, { "{\"a\":\"\xff\"}", FR_EPROTOCOL },
  };
  size_t i;

  (void)state;
  for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
    json_t *root = NULL;

    assert_int_equal(fr_json_load(table[i].text, strlen(table[i].text), 0,
                                  &root), table[i].err);
    assert_int_equal(root != NULL, table[i].err == FR_OK);
    json_decref(root);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(whole_or_not_at_all),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
