/* bindings/box.c - userdata that hold what a call has under way.
 *
 * The box is made before what it holds, and empty (all zero), so that
 * nothing is lost to an error in between. */
#include <string.h>

#include "bindings/nouns.h"

static void let_go(struct frl_box *box)
{
  fr_list_del(&box->link);
  box->drop(box);
}

static int l_gc(lua_State *L)
{
  let_go(lua_touserdata(L, 1));
  return 0;
}

void *frl_box_push(lua_State *L, size_t size, const char *type,
                   void (*drop)(struct frl_box *box))
{
  struct frl_box *box = lua_newuserdatauv(L, size, 0);

  memset(box, 0, size);
  box->drop = drop;
  fr_list_init(&box->link);
  if (luaL_newmetatable(L, type)) {
    lua_pushcfunction(L, l_gc);
    lua_setfield(L, -2, "__gc");
  }
  lua_setmetatable(L, -2);
  return box;
}

void frl_drop_boxes(struct frl *frl)
{
  while (!fr_list_empty(&frl->boxes))
    let_go(fr_container_of(frl->boxes.next, struct frl_box, link));
}
