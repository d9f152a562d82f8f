/* bindings/idlist.h - many ids, 16 bytes each, taken in the order they were
 * added (idlist.c); `index` is the list's place on the stack.
 */
#ifndef FRL_IDLIST_H
#define FRL_IDLIST_H

#include <stdbool.h>
#include <stddef.h>

#include <lua.h>

#include "base/uuid.h"

int frl_id_list(lua_State *L);          /* core.id_list */
int frl_look_ahead(lua_State *L);       /* core.look_ahead */

/* Take: false when it is empty. */
struct frl_ids;
struct frl_ids *frl_ids_check(lua_State *L, int index);    /* [-0, +0, e] */
size_t frl_ids_count(const struct frl_ids *ids);
void frl_ids_add(lua_State *L, int index, struct frl_ids *ids,
                 const struct fr_uuid *id);                /* [-0, +0, m] */
bool frl_ids_take(lua_State *L, int index, struct frl_ids *ids,
                  struct fr_uuid *ret_id);                 /* [-0, +0, -] */
void frl_ids_push(lua_State *L, const struct fr_uuid *id); /* [-0, +1, m] */

#endif
