/* bindings/page.h - the page of a list for fal/requests.lua. */
#ifndef FRL_PAGE_H
#define FRL_PAGE_H

#include <lua.h>
#include <stdbool.h>

#include "fal/page.h"

/* Pushes {items, has_more, next_cursor}, whose items are what row.lua makes of
 * them, and when each ended in ms, -1 where it has no end; or returns false
 * and pushes nothing: json.decode must read it. NULL is fine. [-0,+(0|2),m] */
bool frl_page_push(lua_State *L, const struct fr_page *page);

#endif
