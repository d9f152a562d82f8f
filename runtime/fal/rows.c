/* fal/rows.c - reading ids and ages out of a list: by one pass over the text
 * (page.c), or by jansson where that is in doubt.
 *
 * The lenient half of this reader is deliberate: rows with a broken id are
 * left to Lua to complain about, and payloads inside rows may hold integers
 * beyond 64 bits (seeds) and NULs, which jansson would refuse by default.
 * A key given twice is refused: Lua could read the other value than C did.
 */
#include "fal/rows.h"

#include <string.h>

#include "base/date.h"
#include "fal/json.h"

#define TIME_MOST 64

/* -1: it has no end, or none that can be read. A time without an offset is
 * taken as UTC: a guess of hours is better than an age that counts as
 * unknown and passes the floor. */
static int64_t time_of(const char *value, size_t len)
{
  char text[TIME_MOST + 2];
  int64_t at_ms;

  if (!len || len > TIME_MOST)
    return -1;
  memcpy(text, value, len);
  text[len] = 'Z';
  if (!fr_date_parse(text, len, &at_ms) ||
      !fr_date_parse(text, len + 1, &at_ms))
    return at_ms;
  return -1;
}

struct text {
  const char *at;
  size_t len;
};

static enum fr_err note(const struct fr_rows *rows, const struct fr_uuid *id,
                        struct text ended, struct text endpoint)
{
  struct fr_sighting sighting = {
    .ended_at_ms = time_of(ended.at, ended.len),
    .by_deleting_key = rows->by_deleting_key,
    .endpoint = endpoint.at, .endpoint_len = endpoint.len
  };

  return fr_seen_note(rows->seen, id, &sighting, rows->at_ms);
}

/* ---- by jansson ---------------------------------------------------------- */

static bool is_request(const json_t *row)
{
  return json_is_string(json_object_get(row, "request_id")) &&
         (json_object_get(row, "ended_at") || json_object_get(row, "sent_at"));
}

static struct text text_of(const json_t *value)
{
  return (struct text){ json_string_value(value), json_string_length(value) };
}

static enum fr_err note_row(const json_t *row, const struct fr_rows *rows)
{
  const json_t *id_text = json_object_get(row, "request_id");
  const json_t *ended = json_object_get(row, "ended_at");
  const json_t *endpoint = json_object_get(row, "endpoint_id");
  struct fr_uuid id;

  if (!is_request(row) ||
      fr_uuid_parse(json_string_value(id_text), json_string_length(id_text),
                    &id))
    return FR_OK;
  return note(rows, &id, text_of(ended), text_of(endpoint));
}

static enum fr_err note_array(const json_t *array, const struct fr_rows *rows)
{
  enum fr_err err = FR_OK;
  size_t i;

  for (i = 0; !err && i < json_array_size(array); i++)
    err = note_row(json_array_get(array, i), rows);
  return err;
}

static enum fr_err note_tree(const char *body, size_t len,
                             const struct fr_rows *rows)
{
  json_t *root = NULL;
  enum fr_err err = fr_json_load(body, len, JSON_REJECT_DUPLICATES |
                                 JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL,
                                 &root);

  if (err)
    return err;
  err = note_array(json_object_get(root, "items"), rows);
  if (!err)
    err = note_array(json_object_get(root, "results"), rows);
  json_decref(root);
  return err;
}

/* ---- by the pass over the text ------------------------------------------- */

static struct text text_in(const struct fr_span *span)
{
  return (struct text){ span->at,
                        span->kind == FR_SPAN_TEXT ? span->len : 0 };
}

static enum fr_err note_spans(const struct fr_row *row,
                              const struct fr_rows *rows)
{
  const struct fr_span *text = &row->facts[FR_FACT_REQUEST_ID];
  const struct fr_span *ended = &row->facts[FR_FACT_ENDED_AT];
  struct fr_uuid id;

  if (text->kind != FR_SPAN_TEXT ||
      (!ended->kind && !row->facts[FR_FACT_SENT_AT].kind) ||
      fr_uuid_parse(text->at, text->len, &id))
    return FR_OK;
  return note(rows, &id, text_in(ended),
              text_in(&row->facts[FR_FACT_ENDPOINT_ID]));
}

enum fr_err fr_rows_note(struct fr_page *page, const char *body, size_t len,
                         const struct fr_rows *rows)
{
  enum fr_err err = fr_page_read(page, body, len);
  const struct fr_row *row;
  size_t count, i;

  if (err == FR_EPROTOCOL)
    return note_tree(body, len, rows);
  row = fr_page_rows(page, &count);
  for (i = 0; !err && i < count; i++)
    err = note_spans(&row[i], rows);
  return err;
}
