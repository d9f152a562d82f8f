/* fal/rows.h - what a list answer says about requests, noted in fr_seen. */
#ifndef FR_FAL_ROWS_H
#define FR_FAL_ROWS_H

#include <stddef.h>

#include "fal/page.h"
#include "fal/seen.h"

struct fr_rows {
  struct fr_seen *seen;
  bool by_deleting_key;
  int64_t at_ms;                /* wall clock */
};

/* `body` must be JSON (an object or an array), else FR_EPROTOCOL. Rows are
 * the elements of "items" or "results" with a request_id and times of a
 * request. FR_ETOO_BIG: fr_seen is full, and ages would be lost. FR_ENOMEM.
 * The page points into the body; it is empty where jansson had to read it. */
enum fr_err fr_rows_note(struct fr_page *page, const char *body, size_t len,
                         const struct fr_rows *rows);

#endif
