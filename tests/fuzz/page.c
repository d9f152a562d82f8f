/* page.c - a list answer: what the pass over the text takes, jansson takes
 * too and finds the same; and what is noted of it. */
#include <jansson.h>

#include "fal/page.h"
#include "fal/rows.h"
#include "fal/window.h"
#include "fuzz.h"

#define FLAGS (JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | \
               JSON_DECODE_INT_AS_REAL)

static void same_value(const struct fr_span *span, const json_t *value)
{
  char number[512];

  if (span->kind == FR_SPAN_ABSENT)
    CHECK(!value);
  else if (span->kind == FR_SPAN_NULL)
    CHECK(json_is_null(value));
  else if (span->kind == FR_SPAN_TEXT)
    CHECK(json_is_string(value) &&
          json_string_length(value) == span->len &&
          memcmp(json_string_value(value), span->at, span->len) == 0);
  else if (span->kind == FR_SPAN_NUMBER && span->len < sizeof(number)) {
    memcpy(number, span->at, span->len);
    number[span->len] = '\0';
    CHECK(json_is_real(value) &&
          json_real_value(value) == strtod(number, NULL));
  }
}

static void same_items(const struct fr_page *page, const json_t *root)
{
  const json_t *items = json_object_get(root, "items");
  const struct fr_row *rows;
  size_t count, i;
  enum fr_fact fact;

  rows = fr_page_rows(page, &count);
  same_value(&page->more, json_object_get(root, "has_more"));
  same_value(&page->cursor, json_object_get(root, "next_cursor"));
  if (!page->is_list)
    return;
  CHECK(json_is_array(items) && json_array_size(items) == count);
  for (i = 0; i < count; i++)
    for (fact = 0; fact < FR_FACTS; fact++)
      same_value(&rows[i].facts[fact],
                 json_object_get(json_array_get(items, i),
                                 fr_fact_name(fact)));
}

static void check_window(const struct fr_page *page)
{
  const struct fr_window_row *row;
  struct fr_window *window;
  int64_t last = -1;

  CHECK(fr_window_new(&window) == FR_OK);
  if (fr_window_add(window, page) == FR_OK) {
    fr_window_sort(window);
    while ((row = fr_window_next(window)) != NULL) {
      CHECK(row->ended_ms >= last && fr_window_has(window, &row->id));
      last = row->ended_ms;
    }
  }
  fr_window_free(window);
}

static void check_rows(const char *text, size_t size, bool is_json)
{
  struct fr_rows rows = { .at_ms = 1767225600000 };
  struct fr_page page;
  enum fr_err err;

  CHECK(fr_seen_new(64, 1000, &rows.seen) == FR_OK);
  fr_page_init(&page);
  err = fr_rows_note(&page, text, size, &rows);
  CHECK(err == FR_OK || err == FR_EPROTOCOL || err == FR_ETOO_BIG);
  if (!is_json)
    CHECK(err != FR_OK);
  fr_page_done(&page);
  fr_seen_free(rows.seen);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  char *text = text_of(data, size);
  json_t *root = json_loadb(text, size, FLAGS, NULL);
  struct fr_page page;
  enum fr_err err;

  fr_page_init(&page);
  err = fr_page_read(&page, text, size);
  CHECK(err == FR_OK || err == FR_EPROTOCOL);
  if (err == FR_OK) {
    CHECK(root);
    same_items(&page, root);
  }
  if (err == FR_OK && page.is_list)
    check_window(&page);
  check_rows(text, size, root != NULL);
  fr_page_done(&page);
  json_decref(root);
  free(text);
  return 0;
}
