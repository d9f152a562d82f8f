/* tests/unit/fal/test_answer.c - the words of an error answer. */
#include "tests/unit/fal/support.h"

#include "fal/answer.h"

static void say(int status, const char *body, struct fr_buf *sentence)
{
  struct fr_keys *keys;

  assert_int_equal(fr_keys_new(API_KEY, ADMIN_KEY, &keys), FR_OK);
  fr_answer_say(sentence, status, body, strlen(body), keys);
  fr_keys_free(keys);
}

static void sentences(void **state)
{
  static const struct { int status; const char *body, *words; } table[] = {
    { 500, "{\"error\":{\"type\":\"server_error\",\"message\":"
      "\"An unexpected error occurred\",\"request_id\":\"req_x\"}}",
      "fal answered 500: An unexpected error occurred "
      "(API call id req_x)" },
    { 400, "{\"error\":{\"message\":\"Invalid\"}}",
      "fal answered 400: Invalid" },
    { 400, "{\"detail\":\"User is locked.\"}",
      "fal answered 400: User is locked." },
    { 422, "{\"detail\":[{\"loc\":[],\"msg\":\"field required\"}]}",
      "fal answered 422: field required" },
    { 502, "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n"
      "<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n",
      "fal answered 502: 502 Bad Gateway" },
    { 503, "upstream connect error\nsecond line",
      "fal answered 503: upstream connect error" },
    { 503, "", "fal answered 503" },
    { 503, " \r\n \t", "fal answered 503" },
    { 500, "{\"error\":\"text\"}", "fal answered 500: {\"error\":\"text\"}" },
    { 500, "{\"error\":{\"message\":7}}",
      "fal answered 500: {\"error\":{\"message\":7}}" },
    { 500, "{\"error\":{\"message\":\"for apiid:apisecret0123\"}}",
      "fal answered 500: for *******************" },
    { 500, "{\"error\":{\"message\":\"k\",\"request_id\":"
      "\"admsecret4567\"}}",
      "fal answered 500: k (API call id *************)" },
    { 500, "{\"detail\":\"admsecre\\u00744567\"}",
      "fal answered 500: *************" },
    { 500, "{\"detail\":\"two\\nlines\"}", "fal answered 500: two lines" },
  };
  struct fr_buf sentence;
  size_t i;

  (void)state;
  fr_buf_init(&sentence, FR_ANSWER_SENTENCE_MOST);
  for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
    say(table[i].status, table[i].body, &sentence);
    assert_string_equal(fr_buf_text(&sentence), table[i].words);
  }
  fr_buf_done(&sentence);
}

static void advice(void **state)
{
  struct fr_buf sentence;

  (void)state;
  fr_buf_init(&sentence, FR_ANSWER_SENTENCE_MOST);
  say(403, "{\"error\":{\"message\":\"Access denied\"}}", &sentence);
  assert_non_null(strstr(fr_buf_text(&sentence), "403: Access denied; "));
  assert_non_null(strstr(fr_buf_text(&sentence), "FAL_ADMIN_KEY"));
  say(302, "", &sentence);
  assert_non_null(strstr(fr_buf_text(&sentence), "never followed"));
  fr_buf_done(&sentence);
}

static void hostile_text_is_bounded_and_plain(void **state)
{
  struct fr_buf sentence;
  char *body = malloc(100001);
  size_t i;

  (void)state;
  memset(body, 'A', 100000);
  body[100000] = '\0';
  memcpy(body, "\x1b[31m\x07", 6);
  fr_buf_init(&sentence, FR_ANSWER_SENTENCE_MOST);
  say(500, body, &sentence);
  assert_in_range(sentence.len, 100, 260);
  for (i = 0; i < sentence.len; i++)
    assert_true((unsigned char)sentence.data[i] >= ' ');
  body[0] = '<';
  say(500, body, &sentence);            /* a tag without an end */
  assert_string_equal(fr_buf_text(&sentence), "fal answered 500");
  free(body);
  fr_buf_done(&sentence);
}

static void no_answer(void **state)
{
  struct fr_buf sentence;
  struct fr_keys *keys;

  (void)state;
  assert_int_equal(fr_keys_new(API_KEY, NULL, &keys), FR_OK);
  fr_buf_init(&sentence, FR_ANSWER_SENTENCE_MOST);
  fr_answer_say_none(&sentence, FR_ECONNECT, "refused apisecret0123", keys);
  assert_string_equal(fr_buf_text(&sentence),
                      "no answer from fal: refused *************");
  fr_answer_say_none(&sentence, FR_ETIMEOUT, "", keys);
  assert_non_null(strstr(fr_buf_text(&sentence),
                         fr_err_message(FR_ETIMEOUT)));
  fr_buf_done(&sentence);
  fr_keys_free(keys);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(sentences),
    cmocka_unit_test(advice),
    cmocka_unit_test(hostile_text_is_bounded_and_plain),
    cmocka_unit_test(no_answer),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
