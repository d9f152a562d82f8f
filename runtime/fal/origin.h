/* fal/origin.h - the one place that requests and keys go to.
 *
 * https, or http to a loopback address (127.0.0.0/8, ::1, localhost). No
 * user, query or fragment in the URL.
 */
#ifndef FR_FAL_ORIGIN_H
#define FR_FAL_ORIGIN_H

#include "base/buf.h"

#define FR_ORIGIN_DEFAULT "https://api.fal.ai/v1"

struct fr_origin {
  char base[768];         /* "https://api.fal.ai/v1", no slash at the end */
  char name[320];         /* "https://api.fal.ai", for the ledger */
};

/* FR_ECONFIG and a sentence in `why`. */
enum fr_err fr_origin_parse(const char *url, struct fr_buf *why,
                            struct fr_origin *ret_origin);

#endif
