/* probe/verdict.h - what two answers of a CDN mean: pure functions.
 *
 *   plain answer --+
 *                  +--> gone, cached, there or unknown, and why
 *   busting answer-+     (its query is one that no cache has seen)
 *
 * Promise: "gone" needs two answers that say so. Forbidden, a redirect, an
 * error or no answer at all is never "gone".
 */
#ifndef FR_PROBE_VERDICT_H
#define FR_PROBE_VERDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum fr_seen_file {
  FR_FILE_UNKNOWN,              /* nobody can tell */
  FR_FILE_GONE,                 /* 404 or 410, both times */
  FR_FILE_CACHED,               /* gone, but a cache still serves it */
  FR_FILE_THERE,                /* still served */
  FR_FILE_SEENS
};
const char *fr_seen_name(enum fr_seen_file seen);       /* "cached" */

struct fr_cdn_answer {
  enum fr_err err;              /* of the transport; FR_OK: a whole answer */
  int status;                   /* 0: none came */
};

/* `why` gets words when it is unknown, else "". */
enum fr_seen_file fr_seen_judge(const struct fr_cdn_answer *plain,
                                const struct fr_cdn_answer *busting,
                                char *why, size_t size);

/* Whether asking again in a moment may tell more: 429, 5xx, a connection
 * that failed. Not after a time-out, which took long enough. */
bool fr_seen_transient(const struct fr_cdn_answer *answer);

#endif
