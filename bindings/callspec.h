/* bindings/callspec.h - the fields that core.read and core.change share: what
 * is asked, of the table at `call`; `function` is named when it is wrong.
 *
 * Ownership: each pushes what its result points at; keep it on the stack.
 */
#ifndef FRL_CALLSPEC_H
#define FRL_CALLSPEC_H

#include "bindings/internal.h"

#define FRL_QUERY_MAX (60u << 10)

/* query = {{name, value}...}, escaped into `query`; NULL: none. */
const char *frl_call_query(lua_State *L, int call, const char *function,
                           struct fr_buf *query);       /* [-0, +n, e] */
/* body = table, as JSON text; NULL: none. */
const char *frl_call_body(lua_State *L, int call, const char *function);
/* key = "api", ...; FR_KEY_API when it is not there. */
enum fr_key frl_call_key(lua_State *L, int call, const char *function);
/* timeout = "30s" in ms; 0 when it is not there. */
uint32_t frl_call_timeout(lua_State *L, int call, const char *function);

#endif
