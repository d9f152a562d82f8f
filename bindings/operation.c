/* bindings/operation.c - what the Lua table of operations says before there
 * is a run: a state of its own is opened for the one question, and closed. */
#include <lauxlib.h>

#include "bindings/internal.h"

/* changing(words) -> boolean                                  [-1, +1, e] */
static int l_changing(lua_State *L)
{
  const char *const *words = lua_touserdata(L, 1);

  frl_env_require(L, "fal.operations");
  lua_getfield(L, -1, "changing");
  lua_newtable(L);
  for (int i = 0; words[i]; i++) {
    lua_pushstring(L, words[i]);
    lua_rawseti(L, -2, i + 1);
  }
  lua_call(L, 1, 1);
  return 1;
}

bool frl_call_changes(const char *const *words, const char *module_path)
{
  struct fr_verdict verdict = { .config = false };
  struct frl_config config = { .verdict = &verdict, .mode = FR_MODE_PLAN,
                               .command = "call",
                               .module_path = module_path };
  bool changes = false;
  struct frl *frl;

  if (frl_new(&config, &frl))
    return false;
  lua_pushcfunction(frl->L, l_changing);
  lua_pushlightuserdata(frl->L, (void *)words);
  if (lua_pcall(frl->L, 1, 1, 0) == LUA_OK)
    changes = lua_toboolean(frl->L, -1);
  frl_free(frl);
  return changes;
}
