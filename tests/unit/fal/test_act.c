/* What fal/act.h lets pass, before anything is sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "fal/act.h"

#define ID "019e6d0a-e5be-7b82-b329-35ae64296902"

static enum fr_err check(const char *method, const char *path, char *words)
{
  struct fr_act_spec spec = { .method = method, .path = path };
  struct fr_buf why;
  enum fr_err err;

  fr_buf_init(&why, 512);
  err = fr_act_check(&spec, &why);
  if (words)
    strcpy(words, fr_buf_text(&why));
  assert_int_equal(err != FR_OK, why.len > 0);
  fr_buf_done(&why);
  return err;
}

static void test_plain_paths_pass(void **state)
{
  static const char *const fine[] = {
    "/compute/instances", "/compute/instances/i-1", "/keys/a%20b",
    "/assets/tags/019e/assign", "/models/requests/" ID "/", "/a/",
    "/models/requests/" ID "/retry",
    "/serverless/files/file/local/a/b%20c.png",
    "/serverless/files/file/local/100%25%3B.png", "/a/%C3%A4"
  };

  (void)state;
  for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++)
    if (check("POST", fine[i], NULL))
      fail_msg("%s", fine[i]);
}

static void test_others_do_not(void **state)
{
  static const char *const bad[] = {
    "", "compute", "/", "//compute", "/a//b", "/a/./b", "/a/../b", "/a/..",
    "/a/.", "/a?b", "/a#b", "/a b", "/a\\b", "/a;b", "/a\tb", "/\xc3\xa4",
    "/a%2fb", "/a%2Fb", "/a%5cb", "/a%2e", "/a/%2e%2e/b", "/a%", "/a%4",
    "/a%zz", "/a%00", "/a%0a", "/a%7f", "/%61", "/a%25b", "/a%3bb", "/a//"
  };

  (void)state;
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
    if (check("POST", bad[i], NULL) != FR_EINVALID)
      fail_msg("%s", bad[i]);
}

static void test_payloads_in_no_spelling(void **state)
{
  static const char *const bad[] = {
    "/models/requests/" ID "/payloads", "/models/requests/" ID "/payloads/",
    "/MODELS/requests/" ID "/Payloads", "/models/requests/x/payloads",
    "/models/requests/" ID "/%70ayloads", "/models/requests/" ID "//payloads",
    "/models//requests/" ID "/payloads", "//models/requests/" ID "/payloads",
    "/models/requests/" ID "/payloads;a=b", "/models/requests/" ID
    "/./payloads", "/x/../models/requests/" ID "/payloads",
    "/models/requests/" ID "/payloads%2f", "/models/requests/" ID
    "/%2570ayloads", "/models%2frequests%2f" ID "%2fpayloads",
    "/models/requests/" ID "/payloads?x=y", "/models/requests/" ID
    "/payloads%20", "/models/requests/" ID "/payloads%09",
    "/models/requests/" ID "\\payloads", "/models/requests/" ID "/payloads%3b"
  };
  static const char *const methods[] = { "DELETE", "POST", "PUT", "PATCH" };
  char words[512];

  (void)state;
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
    for (size_t j = 0; j < 4; j++)
      if (check(methods[j], bad[i], NULL) != FR_EINVALID)
        fail_msg("%s %s", methods[j], bad[i]);
  (void)check("DELETE", bad[0], words);
  assert_non_null(strstr(words, "falrun delete"));
}

static void test_methods(void **state)
{
  static const char *const bad[] = {
    "GET", "HEAD", "delete", "OPTIONS", "TRACE", "", "POST "
  };

  (void)state;
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
    assert_int_equal(check(bad[i], "/a", NULL), FR_EINVALID);
  assert_int_equal(check(NULL, "/a", NULL), FR_EINVALID);
  assert_int_equal(check("PATCH", "/a", NULL), FR_OK);
}

static void test_keys_and_queries(void **state)
{
  struct fr_act_spec spec = { .method = "POST", .path = "/a" };
  struct fr_buf why;
  char key[300];

  (void)state;
  fr_buf_init(&why, 512);
  spec.idempotency_key = "";
  assert_int_equal(fr_act_check(&spec, &why), FR_EINVALID);
  spec.idempotency_key = "a\nb";
  assert_int_equal(fr_act_check(&spec, &why), FR_EINVALID);
  memset(key, 'a', sizeof(key));
  key[256] = '\0';
  spec.idempotency_key = key;
  assert_int_equal(fr_act_check(&spec, &why), FR_EINVALID);
  key[255] = '\0';
  assert_int_equal(fr_act_check(&spec, &why), FR_OK);
  spec.query = "a=b c";
  assert_int_equal(fr_act_check(&spec, &why), FR_EINVALID);
  spec.query = "a=b#c";
  assert_int_equal(fr_act_check(&spec, &why), FR_EINVALID);
  fr_buf_done(&why);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_plain_paths_pass),
    cmocka_unit_test(test_others_do_not),
    cmocka_unit_test(test_payloads_in_no_spelling),
    cmocka_unit_test(test_methods),
    cmocka_unit_test(test_keys_and_queries)
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
