/* fal/read.h - calls that change nothing, retried.
 *
 * GET, and the POSTs on the short list in read.c that only read; anything
 * else is FR_EREAD_ONLY. Three attempts: transient failures (no answer, 408,
 * 5xx), 429 and 503 are retried with full jitter or as the server says.
 *
 * Ownership: a read belongs to whoever made it and embeds its operation; the
 * spec is copied; results are borrowed and live as long as the read.
 */
#ifndef FR_FAL_READ_H
#define FR_FAL_READ_H

#include "fal/client.h"
#include "fal/page.h"

struct fr_read;

struct fr_read_spec {
  const char *method;           /* "GET" or "POST" */
  const char *path;             /* below the base: "/models/requests/..." */
  const char *query;            /* escaped, without '?'; or NULL */
  const char *body;             /* JSON text, or NULL */
  enum fr_key key;
  uint32_t timeout_ms;          /* per attempt; 0: 60 s */
  bool trial;                   /* a refused key is an answer, and no stop */
  bool any_body;                /* it need not be JSON; no row is noted */
};

/* Adds the URL of what may be sent as a read. FR_EREAD_ONLY, FR_EINVALID. */
enum fr_err fr_read_url(const struct fr_fal *fal,
                        const struct fr_read_spec *spec, struct fr_buf *url);

/* Makes it, starts nothing. FR_EREAD_ONLY, FR_EINVALID, FR_ENOMEM. */
enum fr_err fr_read_new(struct fr_fal *fal, const struct fr_read_spec *spec,
                        struct fr_read **ret_read);
void fr_read_start(struct fr_read *read);
void fr_read_free(struct fr_read *read);        /* NULL is fine; abandons */

/* FR_OK: a 200 came whole and its body is JSON (unless any_body); every row
 * with a request_id and an ended_at in it has been noted in fr_fal_seen. Else
 * the class of the failure: FR_ECONFIG (no key), AUTH, BAD_REQUEST, NOT_FOUND,
 * RATE_LIMITED, SERVER, PROTOCOL, STOPPED, or what the transport said. */
struct fr_op *fr_read_op(struct fr_read *read);

int fr_read_status(const struct fr_read *read);         /* HTTP; 0: none */
const char *fr_read_body(const struct fr_read *read, size_t *ret_len);
/* The answer's Content-Type; "" without one. */
const char *fr_read_type(const struct fr_read *read);
/* After FR_OK: where the facts of a list's rows lie in the body; NULL when the
 * answer is no plain list. */
const struct fr_page *fr_read_page(const struct fr_read *read);
/* One clear sentence about the failure; "" without one. */
const char *fr_read_message(const struct fr_read *read);

#endif
