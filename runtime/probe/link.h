/* probe/link.h - which links may be asked: pure functions.
 *
 *   "https://v3.fal.media/files/b/x.png" --> checked --> the URL to ask
 *
 * A link comes from an answer, and an answer may be hostile. So it is a link
 * of fal's CDN (https, the host fal.media or one below it, port 443, no user,
 * no fragment, no dot segments), or nobody is asked.
 *
 * Promise: a URL made here begins with the checked host, or with the base
 * that the configuration names, and with nothing else.
 */
#ifndef FR_PROBE_LINK_H
#define FR_PROBE_LINK_H

#include <stdbool.h>

#include "base/buf.h"

#define FR_LINK_MOST 2047       /* the ledger keeps longer ones cut */

/* NULL when `link` is one of fal's CDN; else a few words why not. */
const char *fr_link_fault(const char *link);

/* The URL that is asked for `link`, which has no fault: the link itself or,
 * with a base ("http://127.0.0.1:8123/cdn"), its path and query below that.
 * `unique`, unless NULL, goes into the query, where no cache has seen it. */
enum fr_err fr_link_url(const char *link, const char *base,
                        const char *unique, struct fr_buf *url);

/* A base in place of the CDN, for tests and the sandbox: http or https to a
 * loopback address, no user, query or fragment. Else FR_ECONFIG and `why`. */
enum fr_err fr_link_check_base(const char *base, struct fr_buf *why);

#endif
