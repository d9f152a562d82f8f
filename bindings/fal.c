/* bindings/fal.c - the raw calls of fal, which scripts/fal builds on. */
#include "bindings/nouns.h"

int frl_open_fal(lua_State *L)
{
  lua_createtable(L, 0, 2);
  luaL_setfuncs(L, frl_deletion_functions, 0);
  luaL_setfuncs(L, frl_read_functions, 0);
  return 1;
}

int frl_fail_network(lua_State *L)
{
  return frl_fail(L, FR_ECONFIG, "this command has no network");
}
