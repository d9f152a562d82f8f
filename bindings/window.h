/* bindings/window.h - core.window: the rows of a window of a list, for
 * fal/requests.lua. The window itself is fal/window.h.
 *
 * A page goes into a window by core.read; what does not is read by
 * json.decode and fal/row.lua, which finds the words for what is wrong.
 */
#ifndef FRL_WINDOW_H
#define FRL_WINDOW_H

#include <lua.h>
#include <stdbool.h>

#include "fal/window.h"

/* Adds the page to the window at `index`. True: pushes {items = {}, has_more,
 * next_cursor} and what core.read says of the window. False: pushes nothing,
 * the page is not as documented. Raises when there is no room. NULL for the
 * page is fine.                                        [-0, +(0|2), e] */
bool frl_window_take(lua_State *L, int index, const struct fr_page *page);

#endif
