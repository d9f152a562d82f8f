/* fal/json.h - jansson, with an honest report of what went wrong.
 *
 * Promise: what fr_json_load returns is what the text says, whole. jansson
 * 2.14 alone does not keep it: when its text buffer cannot grow it drops the
 * byte and goes on, and most of its other failed allocations are reported
 * as bad syntax.
 */
#ifndef FR_FAL_JSON_H
#define FR_FAL_JSON_H

#include <jansson.h>

#include "base/err.h"

/* FR_EPROTOCOL: not one whole, valid JSON object or array (with the flag
 * JSON_DECODE_ANY: or other value). FR_ENOMEM. The
 * caller owns the tree (json_decref). */
enum fr_err fr_json_load(const char *text, size_t len, size_t flags,
                         json_t **ret_root);

#endif
