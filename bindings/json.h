/* bindings/json.h - the parts of the global `json`. */
#ifndef FRL_JSON_H
#define FRL_JSON_H

#include <lua.h>
#include <stddef.h>

#define FRL_JSON_MOST ((size_t)64 << 20)        /* bytes, both ways */
#define FRL_JSON_DEPTH 100
#define FRL_JSON_ARRAY "json.array"             /* metatable of marked lists */

/* What lua-cjson would let pass: numbers that are not JSON's, words, control
 * characters in strings, text that is not UTF-8, depth. The text ends with a
 * NUL. NULL when there is nothing, else a reason and where it is. */
const char *frl_json_scan(const char *text, size_t len, size_t *ret_at);

/* Length of the longest prefix that is UTF-8. */
size_t frl_utf8_prefix(const char *text, size_t len);

/* Decodes JSON text (integers stay integers, json.null, bounded) or raises.
 *                                                            [-0, +1, e] */
void frl_json_decode(lua_State *L, const char *text, size_t len);

/* json.encode(value) -> text; keys sorted, so equal values have equal text.
 * Raises for what JSON cannot express, naming the place.    [-1, +1, e] */
int frl_json_encode(lua_State *L);
/* Creates the metatables of the encoder.                     [-0, +0, m] */
void frl_json_open_encoder(lua_State *L);

#endif
