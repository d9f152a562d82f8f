/* fal/window.c - see window.h.
 *
 * Each body is copied into a block of its own and the spans are moved there.
 * Rows come in the order of time as a rule, so they are turned round if need
 * be and then sorted by insertion; qsort takes over when that moves too much.
 */
#include "fal/window.h"

#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "fal/seen.h"

#define BYTES_MOST ((size_t)128 << 20)
#define ROWS_MOST 200000u
#define CODE_DIGITS 9
#define MOVES_MOST 8            /* of a row, on the average */

struct block {
  struct block *next;
  char bytes[];
};

struct fr_window {
  struct fr_buf rows;           /* of struct fr_window_row */
  struct fr_buf pages;          /* of uint64_t, a digest of each one's ids */
  struct block *blocks;
  size_t nbytes, at;
  struct fr_seen *ids;
  struct fr_reach reach;
};

enum fr_err fr_window_new(struct fr_window **ret_window)
{
  struct fr_window *window = calloc(1, sizeof(*window));
  enum fr_err err;

  if (!window)
    return FR_ENOMEM;
  fr_buf_init(&window->rows, ROWS_MOST * sizeof(struct fr_window_row));
  fr_buf_init(&window->pages, ROWS_MOST * sizeof(uint64_t));
  err = fr_seen_new(ROWS_MOST, INT64_MAX / 4, &window->ids);
  if (err) {
    free(window);
    return err;
  }
  *ret_window = window;
  return FR_OK;
}

void fr_window_free(struct fr_window *window)
{
  if (!window)
    return;
  while (window->blocks) {
    struct block *block = window->blocks;

    window->blocks = block->next;
    free(block);
  }
  fr_buf_done(&window->rows);
  fr_buf_done(&window->pages);
  fr_seen_free(window->ids);
  free(window);
}

/* ---- is it as documented? ------------------------------------------------ */

static bool is_text_or_none(const struct fr_span *span)
{
  return span->kind <= FR_SPAN_NULL || span->kind == FR_SPAN_TEXT;
}

static bool is_number_or_none(const struct fr_span *span)
{
  return span->kind <= FR_SPAN_NULL || span->kind == FR_SPAN_NUMBER;
}

static bool is_code_or_none(const struct fr_span *span)
{
  if (span->kind != FR_SPAN_NUMBER)
    return span->kind <= FR_SPAN_NULL;
  for (unsigned i = 0; i < span->len; i++)
    if (span->at[i] < '0' || span->at[i] > '9')
      return false;
  return span->len <= CODE_DIGITS;
}

/* A time as policies see it has a T and ends in Z; row.lua rewrites others. */
static bool read_end(const struct fr_span *span, int64_t *ret_ms)
{
  *ret_ms = -1;
  if (span->kind <= FR_SPAN_NULL)
    return true;
  return span->kind == FR_SPAN_TEXT && memchr(span->at, 'T', span->len) &&
         span->at[span->len - 1] == 'Z' &&
         !fr_date_parse(span->at, span->len, ret_ms);
}

static bool is_documented(struct fr_window_row *row)
{
  const struct fr_span *facts = row->row.facts;
  const struct fr_span *id = &facts[FR_FACT_REQUEST_ID];

  return id->kind == FR_SPAN_TEXT &&
         !fr_uuid_parse(id->at, id->len, &row->id) &&
         facts[FR_FACT_ENDPOINT_ID].kind == FR_SPAN_TEXT &&
         facts[FR_FACT_ENDPOINT_ID].len > 0 &&
         is_text_or_none(&facts[FR_FACT_SENT_AT]) &&
         is_text_or_none(&facts[FR_FACT_STARTED_AT]) &&
         is_code_or_none(&facts[FR_FACT_STATUS_CODE]) &&
         is_number_or_none(&facts[FR_FACT_DURATION]) &&
         read_end(&facts[FR_FACT_ENDED_AT], &row->ended_ms);
}

/* ---- adding -------------------------------------------------------------- */

/* FNV-1a over the ids in their order: equal pages have equal digests. */
static enum fr_err check_page(const struct fr_window *window,
                              const struct fr_row *rows, size_t count,
                              uint64_t *ret_digest)
{
  uint64_t digest = UINT64_C(14695981039346656037), before;
  struct fr_window_row row;
  size_t i, j;

  for (i = 0; i < count; i++) {
    row.row = rows[i];
    if (!is_documented(&row))
      return FR_EPROTOCOL;
    for (j = 0; j < sizeof(row.id.bytes); j++)
      digest = (digest ^ row.id.bytes[j]) * UINT64_C(1099511628211);
  }
  for (i = 0; count && i < window->pages.len; i += sizeof(before)) {
    memcpy(&before, window->pages.data + i, sizeof(before));
    if (before == digest)
      return FR_EINVALID;
  }
  *ret_digest = digest;
  return FR_OK;
}

static void note_reach(struct fr_reach *reach, int64_t ended_ms)
{
  if (ended_ms < 0)
    return;
  if (!reach->count++)
    reach->first = reach->oldest = reach->newest = ended_ms;
  reach->last = ended_ms;
  if (ended_ms < reach->oldest)
    reach->oldest = ended_ms;
  if (ended_ms > reach->newest)
    reach->newest = ended_ms;
}

static enum fr_err add_row(struct fr_window *window, const struct fr_row *from,
                           ptrdiff_t move)
{
  struct fr_window_row row = { .row = *from };
  struct fr_sighting sighting = { .ended_at_ms = -1 };
  enum fr_err err;

  (void)is_documented(&row);
  note_reach(&window->reach, row.ended_ms);
  if (fr_window_has(window, &row.id))
    return FR_OK;
  for (enum fr_fact i = 0; i < FR_FACTS; i++)
    if (row.row.facts[i].at)
      row.row.facts[i].at += move;
  err = fr_seen_note(window->ids, &row.id, &sighting, 0);
  return err ? err : fr_buf_add(&window->rows, &row, sizeof(row));
}

enum fr_err fr_window_add(struct fr_window *window, const struct fr_page *page)
{
  size_t count, i;
  const struct fr_row *rows = fr_page_rows(page, &count);
  struct block *block;
  uint64_t digest;
  enum fr_err err = check_page(window, rows, count, &digest);

  if (err || !count)
    return err;
  if (page->len > BYTES_MOST - window->nbytes)
    return FR_ETOO_BIG;
  block = malloc(sizeof(*block) + page->len);
  if (!block)
    return FR_ENOMEM;
  memcpy(block->bytes, page->body, page->len);
  block->next = window->blocks;
  window->blocks = block;
  window->nbytes += page->len;
  err = fr_buf_add(&window->pages, &digest, sizeof(digest));
  for (i = 0; !err && i < count; i++)
    err = add_row(window, &rows[i], block->bytes - page->body);
  return err;
}

const struct fr_reach *fr_window_reach(const struct fr_window *window)
{
  return &window->reach;
}

bool fr_window_has(const struct fr_window *window, const struct fr_uuid *id)
{
  struct fr_sighting ignored;

  return !fr_seen_find(window->ids, id, &ignored);
}

/* ---- handing out --------------------------------------------------------- */

static struct fr_window_row *rows_of(const struct fr_window *window,
                                     size_t *ret_count)
{
  *ret_count = window->rows.len / sizeof(struct fr_window_row);
  return (struct fr_window_row *)(void *)window->rows.data;
}

static int by_time(const void *a, const void *b)
{
  const struct fr_window_row *x = a, *y = b;

  if (x->ended_ms != y->ended_ms)
    return x->ended_ms < y->ended_ms ? -1 : 1;
  return memcmp(&x->id, &y->id, sizeof(x->id));
}

static void reverse(struct fr_window_row *rows, size_t count)
{
  struct fr_window_row row;

  for (size_t i = 0; i < count / 2; i++) {
    row = rows[i];
    rows[i] = rows[count - 1 - i];
    rows[count - 1 - i] = row;
  }
}

/* False: they are too far from any order. */
static bool insert_all(struct fr_window_row *rows, size_t count)
{
  size_t moves = 0, i, to;
  struct fr_window_row row;

  for (i = 1; i < count; i++) {
    if (by_time(&rows[i - 1], &rows[i]) <= 0)
      continue;
    row = rows[i];
    for (to = i; to > 0 && by_time(&rows[to - 1], &row) > 0; to--)
      rows[to] = rows[to - 1];
    rows[to] = row;
    moves += i - to;
    if (moves > MOVES_MOST * count)
      return false;
  }
  return true;
}

void fr_window_sort(struct fr_window *window)
{
  size_t count;
  struct fr_window_row *rows = rows_of(window, &count);

  window->at = 0;
  if (count && by_time(&rows[0], &rows[count - 1]) > 0)
    reverse(rows, count);
  if (!insert_all(rows, count))
    qsort(rows, count, sizeof(*rows), by_time);
}

const struct fr_window_row *fr_window_rows(const struct fr_window *window,
                                           size_t *ret_count)
{
  return rows_of(window, ret_count);
}

const struct fr_window_row *fr_window_next(struct fr_window *window)
{
  size_t count;
  const struct fr_window_row *rows = rows_of(window, &count);

  return window->at < count ? &rows[window->at++] : NULL;
}
