/* fal/page.h - a list answer read in one pass: where its facts lie.
 *
 *   {"items":[{"request_id":"01a2..","ended_at":"2026-..",...}], ...}
 *                            ^ at, len          ^ at, len
 *
 * Promise: what fr_page_read takes, jansson takes too, with the flags of
 * fal/rows.c, and finds the same values. It need not take all of that: a text
 * with an escape in a fact, a number with an exponent, an answer of another
 * shape are left to jansson. So this pass can be small, and a doubt is never
 * a wrong verdict (tests/unit/fal/test_page.c holds both against each other).
 *
 * Ownership: spans point into the body, which must outlive the page; the rows
 * are the page's own (fr_page_done).
 */
#ifndef FR_FAL_PAGE_H
#define FR_FAL_PAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

enum fr_fact {
  FR_FACT_REQUEST_ID, FR_FACT_ENDPOINT_ID, FR_FACT_SENT_AT,
  FR_FACT_STARTED_AT, FR_FACT_ENDED_AT, FR_FACT_STATUS_CODE,
  FR_FACT_DURATION, FR_FACTS
};

enum fr_span_kind {
  FR_SPAN_ABSENT, FR_SPAN_NULL, FR_SPAN_TEXT, FR_SPAN_NUMBER, FR_SPAN_OTHER
};

struct fr_span {                /* of a text: without its quotes */
  const char *at;
  unsigned len;
  enum fr_span_kind kind;
};

struct fr_row {
  struct fr_span facts[FR_FACTS];
};

struct fr_page {
  struct fr_buf rows;           /* of struct fr_row */
  const char *body;
  size_t len;
  struct fr_span more, cursor;  /* "has_more", "next_cursor" */
  bool is_list;                 /* "items" is a list of objects, and alone */
};

void fr_page_init(struct fr_page *page);
void fr_page_done(struct fr_page *page);

/* FR_OK: read whole; the rows of "items" and "results" are in the page.
 * FR_EPROTOCOL: it is for jansson to say. FR_ENOMEM. */
enum fr_err fr_page_read(struct fr_page *page, const char *body, size_t len);
const struct fr_row *fr_page_rows(const struct fr_page *page,
                                  size_t *ret_count);
/* The fact's name in the API's document. */
const char *fr_fact_name(enum fr_fact fact);

#endif
