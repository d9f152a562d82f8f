/* tests/unit/fal/test_page.c - the pass over a list answer against jansson:
 * the same verdict and the same values, over seeded mutations of a page. */
#include "tests/unit/fal/support.h"

#include <jansson.h>

#include "fal/page.h"

#define FLAGS (JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | \
               JSON_DECODE_INT_AS_REAL)
#define ROUNDS 60000

static const char page_text[] =
  "{\"has_more\":true,\"items\":[{\"duration\":8.308,\"ended_at\":"
  "\"2026-11-26T04:57:57.278Z\",\"endpoint_id\":\"fal-ai/flux/dev\","
  "\"request_id\":\"01a21637-8caa-7188-879e-c42ca4eb9e18\",\"sent_at\":"
  "\"2026-11-26T04:57:48.970Z\",\"started_at\":null,\"status_code\":200},"
  " {\"request_id\" : \"01a21637-8caa-7188-879e-c42ca4eb9e19\",\n"
  "\"ended_at\":null,\"json_input\":{\"prompt\":\"a \\\"cat\\\" \\u00e9 "
  "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\",\"seed\":[1,-2.5,0,true,false,{}],"
  "\"x\":{\"a\":{\"b\":[[]]}}},\"status_code\":-0,\"duration\":12.50}],"
  "\"results\":[7,\"x\",{\"request_id\":\"r\",\"sent_at\":\"s\"}],"
  "\"next_cursor\":\"Mg==\"}";

static const char plain_text[] =
  "{\"has_more\":false,\"items\":[{\"request_id\":\"a\",\"ended_at\":\"b\","
  "\"status_code\":1}],\"next_cursor\":null}";

/* A small generator, so that a failure is found again by its number. */
static uint64_t seed;

static unsigned below(unsigned most)
{
  seed = seed * 6364136223846793005u + 1442695040888963407u;
  return (unsigned)(seed >> 33) % most;
}

static void same_value(const struct fr_span *span, const json_t *value)
{
  char number[64];

  switch (span->kind) {
  case FR_SPAN_ABSENT:
    assert_null(value);
    break;
  case FR_SPAN_NULL:
    assert_true(json_is_null(value));
    break;
  case FR_SPAN_TEXT:
    assert_true(json_is_string(value));
    assert_int_equal(json_string_length(value), span->len);
    assert_memory_equal(json_string_value(value), span->at, span->len);
    break;
  case FR_SPAN_NUMBER:
    assert_true(json_is_real(value));
    memcpy(number, span->at, span->len);
    number[span->len] = '\0';
    assert_true(json_real_value(value) == strtod(number, NULL));
    break;
  default:
    assert_true(json_is_boolean(value) || json_is_object(value) ||
                json_is_array(value) || json_is_string(value));
  }
}

/* The rows of one list, from *at on. */
static void same_list(const json_t *list, const struct fr_row *rows,
                      size_t count, size_t *at)
{
  const json_t *item;
  size_t i;

  json_array_foreach(list, i, item) {
    if (!json_is_object(item))
      continue;
    assert_true(*at < count);
    for (enum fr_fact fact = 0; fact < FR_FACTS; fact++)
      same_value(&rows[*at].facts[fact],
                 json_object_get(item, fr_fact_name(fact)));
    ++*at;
  }
}

/* 1: taken by both; 0: left to jansson; fails when they differ. */
static int compare(struct fr_page *page, const char *text, size_t len)
{
  enum fr_err err = fr_page_read(page, text, len);
  const struct fr_row *rows;
  const json_t *items, *results;
  size_t count, at = 0;
  json_t *root;

  if (err) {
    assert_int_equal(err, FR_EPROTOCOL);
    assert_false(page->is_list);
    return 0;
  }
  root = json_loadb(text, len, FLAGS, NULL);
  assert_non_null(root);
  rows = fr_page_rows(page, &count);
  items = json_object_get(root, "items");
  results = json_object_get(root, "results");
  if (items && results && strstr(text, "\"results\"") <
                          strstr(text, "\"items\"")) {
    same_list(results, rows, count, &at);
    same_list(items, rows, count, &at);
  } else {
    same_list(items, rows, count, &at);
    same_list(results, rows, count, &at);
  }
  assert_int_equal(at, count);
  if (page->is_list)
    assert_true(json_is_array(items) && json_array_size(items) == count);
  same_value(&page->more, json_object_get(root, "has_more"));
  same_value(&page->cursor, json_object_get(root, "next_cursor"));
  json_decref(root);
  return 1;
}

/* Changes, drops, doubles or moves a few bytes. */
static size_t mutate(char *text, size_t len)
{
  static const char bytes[] = "\"\\{}[],:0123456789-+.eEtfnu \n\x01\x7f\x80"
    "\xc3\xe2\xed\xf0\xf4\xa9\xffxaD";
  unsigned changes = 1 + below(3);

  while (changes--) {
    size_t at = below((unsigned)len), span = 1 + below(12);

    if (at + span > len)
      span = len - at;
    switch (below(4)) {
    case 0:
      text[at] = bytes[below(sizeof(bytes))];
      break;
    case 1:
      memmove(text + at, text + at + span, len - at - span);
      len -= span;
      break;
    case 2:
      memmove(text + at + span, text + at, len - at);
      len += span;
      break;
    default:
      memmove(text + at + 1, text + at, len - at);
      text[at] = bytes[below(sizeof(bytes))];
      len++;
    }
  }
  return len;
}

static void mutations_get_the_same_verdict(void **state)
{
  unsigned taken = 0, refused = 0;
  char text[sizeof(page_text) + 64];
  struct fr_page page;

  (void)state;
  fr_page_init(&page);
  for (unsigned round = 0; round < ROUNDS; round++) {
    const char *from = round % 2 ? page_text : plain_text;
    size_t len = strlen(from);
    json_t *root;
    int both;

    memset(text, 0, sizeof(text));
    memcpy(text, from, len);
    seed = round;
    len = mutate(text, len);
    both = compare(&page, text, len);
    taken += (unsigned)both;
    if (both)
      continue;
    root = json_loadb(text, len, FLAGS, NULL);
    refused += !root;
    json_decref(root);
  }
  fr_page_done(&page);
  assert_true(taken > ROUNDS / 10);     /* else nothing was compared */
  assert_true(refused > ROUNDS / 10);
}

/* What the API sends is not left to jansson, or all this is for nothing. */
static void pages_are_taken(void **state)
{
  struct fr_page page;

  (void)state;
  fr_page_init(&page);
  assert_int_equal(compare(&page, page_text, strlen(page_text)), 1);
  assert_false(page.is_list);           /* it has "results" as well */
  assert_int_equal(compare(&page, plain_text, strlen(plain_text)), 1);
  assert_true(page.is_list);
  assert_int_equal(compare(&page, "{}", 2), 1);
  assert_false(page.is_list);
  fr_page_done(&page);
}

static void doubt_is_left_to_jansson(void **state)
{
  static const char *const table[] = {
    "", "[]", "7", "{} x", "{\"a\":1,\"a\":2}", "{\"a\":01}", "{\"a\":1e5}",
    "{\"a\":1.}", "{\"a\":-}", "{\"a\":.5}", "{\"a\":NaN}", "{\"a\":tru}",
    "{\"a\":\"\\ud800\"}", "{\"a\":\"\\x\"}", "{\"a\":\"\x1f\"}",
    "{\"a\":\"\xed\xa0\x80\"}", "{\"a\":\"\xc0\x80\"}", "{\"a\":\"\xf5\"}",
    "{\"a\":\"\xe2\x82\"}", "{\"\\u0061\":1}", "{\"a\":1,}", "{\"a\" 1}",
    "{\"items\":[{\"ended_at\":\"\\u0032026\"}]}", "{\"items\":[{}}",
    "{\"a\":11111111111111111111111111111111111111111}", "\xef\xbb\xbf{}",
  };
  struct fr_page page;

  (void)state;
  fr_page_init(&page);
  for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
    if (compare(&page, table[i], strlen(table[i])))
      fail_msg("row %zu", i);
  assert_int_equal(compare(&page, "{}\0", 3), 0);
  fr_page_done(&page);
}

static void depth_is_bounded(void **state)
{
  char text[2000];
  struct fr_page page;
  size_t len = 0;

  (void)state;
  fr_page_init(&page);
  len += (size_t)sprintf(text, "{\"a\":");
  memset(text + len, '[', 900);
  memset(text + len + 900, ']', 900);
  text[len + 1800] = '}';
  assert_int_equal(compare(&page, text, len + 1801), 0);
  fr_page_done(&page);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(mutations_get_the_same_verdict),
    cmocka_unit_test(pages_are_taken),
    cmocka_unit_test(doubt_is_left_to_jansson),
    cmocka_unit_test(depth_is_bounded),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
