/* tests/unit/fal/test_cdn.c - nothing but a whole answer is a success. */
#include "tests/unit/fal/support.h"

#include "fal/cdn.h"

#define GOLDEN \
  "{\"cdn_delete_results\":[" \
  "{\"link\":\"https://v3.fal.media/a.png\",\"exception\":null}," \
  "{\"link\":\"https://v3.fal.media/b.png\",\"exception\":null}]}"

static enum fr_err read_text(const char *text, size_t len, struct fr_cdn *cdn)
{
  struct fr_buf why;
  enum fr_err err;
  char *exact = malloc(len + !len);     /* ASan sees an overrun */

  fr_buf_init(&why, 256);
  memcpy(exact, text, len);
  err = fr_cdn_read(exact, len, NULL, &why, cdn);
  if (err == FR_EPROTOCOL)
    assert_true(why.len > 0);
  free(exact);
  fr_buf_done(&why);
  return err;
}

static void whole_answers(void **state)
{
  struct fr_cdn cdn = { NULL, 0, 0 };

  (void)state;
  assert_int_equal(read_text(GOLDEN, strlen(GOLDEN), &cdn), FR_OK);
  assert_int_equal(cdn.nfiles, 2);
  assert_int_equal(cdn.left, 0);
  assert_string_equal(cdn.files[1].link, "https://v3.fal.media/b.png");
  assert_null(cdn.files[1].exception);
  fr_cdn_done(&cdn);
  fr_cdn_done(&cdn);
  assert_int_equal(read_text(GOOD, strlen(GOOD), &cdn), FR_OK);
  assert_int_equal(cdn.nfiles, 0);
  fr_cdn_done(&cdn);
}

/* Every answer is read a second time with a member more, which the plain
 * reader leaves to jansson: both must say the same. */
static void compare(const char *text, size_t len)
{
  struct fr_cdn plain = { NULL, 0, 0 }, whole = { NULL, 0, 0 };
  char longer[512];
  size_t used, i;
  enum fr_err err = read_text(text, len, &plain);

  used = (size_t)snprintf(longer, sizeof(longer), "{\"zz\":0,");
  memcpy(longer + used, text + 1, len - 1);
  assert_int_equal(read_text(longer, used + len - 1, &whole), err);
  assert_int_equal(plain.nfiles, whole.nfiles);
  assert_int_equal(plain.left, whole.left);
  for (i = 0; i < plain.nfiles; i++) {
    assert_string_equal(plain.files[i].link, whole.files[i].link);
    assert_int_equal(!plain.files[i].exception, !whole.files[i].exception);
  }
  fr_cdn_done(&plain);
  fr_cdn_done(&whole);
}

static void the_short_way_says_what_the_long_one_says(void **state)
{
  static const char bytes[] = "{}[],:\"\\ \n\tnulx0\x7f\xc3\xa9\0e";
  unsigned random = 7, i, n;

  (void)state;
  for (i = 0; i < 40000; i++) {
    char text[256] = GOLDEN;
    size_t len = strlen(text), at;

    for (n = i % 3; n > 0; n--) {
      random = random * 1103515245u + 12345u;
      at = 1 + (random >> 8) % (len - 1);
      if (random >> 30 == 0) {
        memmove(text + at, text + at + 1, len - at);
        len--;
      } else if (random >> 30 == 1) {
        memmove(text + at + 1, text + at, len - at);
        text[at] = bytes[(random >> 4) % (sizeof(bytes) - 1)];
        len++;
      } else {
        text[at] = bytes[(random >> 4) % (sizeof(bytes) - 1)];
      }
    }
    compare(text, len);
  }
}

static void any_exception_is_a_file_that_is_left(void **state)
{
  static const struct { const char *json, *text; } table[] = {
    { "\"boom\"", "boom" }, { "\"\"", "" }, { "false", "false" },
    { "true", "true" }, { "0", "0" }, { "{}", "{}" }, { "[]", "[]" },
    { "{\"code\":1}", "{\"code\":1}" }, { "\"null\"", "null" },
  };
  size_t i;

  (void)state;
  for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
    struct fr_cdn cdn = { NULL, 0, 0 };
    char text[256];

    snprintf(text, sizeof(text), "{\"cdn_delete_results\":["
             "{\"link\":\"l\",\"exception\":null},"
             "{\"link\":\"m\",\"exception\":%s}]}", table[i].json);
    assert_int_equal(read_text(text, strlen(text), &cdn), FR_EPARTIAL);
    assert_int_equal(cdn.left, 1);
    assert_null(cdn.files[0].exception);
    assert_string_equal(cdn.files[1].exception, table[i].text);
    fr_cdn_done(&cdn);
  }
}

static void cut_anywhere_it_is_no_success(void **state)
{
  size_t len;

  (void)state;
  for (len = 0; len < strlen(GOLDEN); len++) {
    struct fr_cdn cdn = { NULL, 77, 0 };

    assert_int_equal(read_text(GOLDEN, len, &cdn), FR_EPROTOCOL);
    assert_int_equal(cdn.nfiles, 77);
  }
}

static void other_shapes(void **state)
{
  static const char *const table[] = {
    "", " ", "null", "true", "1", "\"text\"", "[]", "{}", "[{}]",
    "{\"cdn_delete_results\":null}", "{\"cdn_delete_results\":{}}",
    "{\"cdn_delete_results\":\"\"}", "{\"cdn_delete_results\":0}",
    "{\"cdn_delete_results\":true}", "{\"CDN_DELETE_RESULTS\":[]}",
    "{\"data\":{\"cdn_delete_results\":[]}}",
    "{\"cdn_delete_results\":[null]}", "{\"cdn_delete_results\":[[]]}",
    "{\"cdn_delete_results\":[\"a\"]}", "{\"cdn_delete_results\":[1]}",
    "{\"cdn_delete_results\":[{}]}",
    "{\"cdn_delete_results\":[{\"link\":\"a\"}]}",
    "{\"cdn_delete_results\":[{\"exception\":null}]}",
    "{\"cdn_delete_results\":[{\"link\":null,\"exception\":null}]}",
    "{\"cdn_delete_results\":[{\"link\":1,\"exception\":null}]}",
    "{\"cdn_delete_results\":[{\"link\":[],\"exception\":null}]}",
    "{\"cdn_delete_results\":[{\"link\":{},\"exception\":null}]}",
    "{\"cdn_delete_results\":[],\"cdn_delete_results\":[]}",
    "{\"cdn_delete_results\":[{\"link\":\"a\",\"exception\":\"x\","
      "\"exception\":null}]}",
    GOOD "x", GOOD GOOD, "\xef\xbb\xbf" GOOD, "<html></html>",
    "{\"cdn_delete_results\":[{\"link\":\"\xff\",\"exception\":null}]}",
    "{\"cdn_delete_results\":[{\"link\":\"\xc0\xaf\",\"exception\":null}]}",
    "{\"cdn_delete_results\":[{\"link\":\"a\\u0000b\","
      "\"exception\":null}]}",
    "{\"cdn_delete_results\":[{\"link\":\"\\ud800\",\"exception\":null}]}",
    "{'cdn_delete_results':[]}", "{\"cdn_delete_results\":[],}",
    "{\"cdn_delete_results\":[NaN]}",
  };
  struct fr_cdn cdn = { NULL, 0, 0 };
  size_t i;

  (void)state;
  for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
    if (read_text(table[i], strlen(table[i]), &cdn) != FR_EPROTOCOL)
      fail_msg("accepted: %s", table[i]);
  }
  assert_int_equal(read_text(GOOD "\0", sizeof(GOOD), &cdn), FR_EPROTOCOL);
}

static void nested_without_end(void **state)
{
  static char deep[100000];
  struct fr_cdn cdn = { NULL, 0, 0 };

  (void)state;
  memset(deep, '[', sizeof(deep));
  assert_int_equal(read_text(deep, sizeof(deep), &cdn), FR_EPROTOCOL);
}

static void keys_are_blanked_after_decoding(void **state)
{
  static const char text[] =
    "{\"cdn_delete_results\":[{\"link\":\"https://x/apisec\\u0072et0123\","
    "\"exception\":{\"k\":\"apiid:apisecret0123\"}}]}";
  struct fr_cdn cdn = { NULL, 0, 0 };
  struct fr_keys *keys;
  struct fr_buf why;

  (void)state;
  fr_buf_init(&why, 256);
  assert_int_equal(fr_keys_new(API_KEY, NULL, &keys), FR_OK);
  assert_int_equal(fr_cdn_read(text, strlen(text), keys, &why, &cdn),
                   FR_EPARTIAL);
  assert_string_equal(cdn.files[0].link, "https://x/*************");
  assert_string_equal(cdn.files[0].exception,
                      "{\"k\":\"*******************\"}");
  fr_cdn_done(&cdn);
  fr_keys_free(keys);
  fr_buf_done(&why);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(whole_answers),
    cmocka_unit_test(the_short_way_says_what_the_long_one_says),
    cmocka_unit_test(any_exception_is_a_file_that_is_left),
    cmocka_unit_test(cut_anywhere_it_is_no_success),
    cmocka_unit_test(other_shapes),
    cmocka_unit_test(nested_without_end),
    cmocka_unit_test(keys_are_blanked_after_decoding),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
