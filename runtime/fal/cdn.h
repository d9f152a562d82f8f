/* fal/cdn.h - what an answer to a deletion says of each CDN file.
 *
 * {"cdn_delete_results": [{"link": "https://...", "exception": null}, ...]}
 * Both keys are required; any exception but
 * null means that the file still exists, at HTTP 200.
 *
 * Promise: no text but a whole, well-formed answer is ever read as success.
 *
 * Ownership: fr_cdn owns its strings; fr_cdn_done frees them.
 */
#ifndef FR_FAL_CDN_H
#define FR_FAL_CDN_H

#include <stddef.h>

#include "fal/keys.h"

struct fr_cdn_result {
  const char *link;
  const char *exception;        /* NULL: the file is gone */
};

struct fr_cdn {
  struct fr_cdn_result *files;
  size_t nfiles;
  size_t left;                  /* of them: files that still exist */
};

/* FR_OK, FR_EPARTIAL (files and left say which), FR_EPROTOCOL and a few
 * words in `why`, FR_ENOMEM. Keys are blanked in every string. */
enum fr_err fr_cdn_read(const char *body, size_t len,
                        const struct fr_keys *keys, struct fr_buf *why,
                        struct fr_cdn *ret_cdn);
void fr_cdn_done(struct fr_cdn *cdn);   /* a zeroed one is fine */

#endif
