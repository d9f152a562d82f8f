/* bindings/require.c - `require` for policies: the standard library, then
 * files beside the policy, then the folders of FALRUN_PATH.
 *
 * Names are names, not paths: nothing outside of those folders is reached.
 * A module may wait while it loads.
 */
#include <ctype.h>
#include <lauxlib.h>
#include <string.h>

#include "bindings/embedded.h"
#include "bindings/env.h"
#include "bindings/nouns.h"

enum { ENV = lua_upvalueindex(1), LOADED = lua_upvalueindex(2),
       FOLDER = lua_upvalueindex(3) };

static const char *check_name(lua_State *L)
{
  size_t len;
  const char *name = luaL_checklstring(L, 1, &len);
  bool fine = len > 0 && len < 200 && !strstr(name, "..") &&
              name[0] != '.' && name[len - 1] != '.';

  for (size_t i = 0; i < len; i++)
    fine = fine && (isalnum((unsigned char)name[i]) ||
                    (name[i] && strchr("_.-", name[i])));
  if (!fine)
    frl_bad_argument(L, "require", "name",
                     "a module's name has letters, digits, '_', '-' and "
                     "single dots between them");
  return name;
}

/* Of the library a policy gets what is in `fal`: its files lean on each
 * other and trust who calls them. */
static bool is_private(const char *name)
{
  const struct frl_embedded *file;

  if (strncmp(name, "fal.", 4) != 0)
    return false;
  for (file = frl_embedded; file->name; file++)
    if (strcmp(file->name, name) == 0)
      return true;
  return false;
}

/* Stack: folder with its slash. Pushes path and text, or nothing. */
static bool push_from(lua_State *L, const char *name)
{
  static const char *const forms[] = { "%s%s.lua", "%s%s/init.lua", NULL };
  const char *folder = lua_tostring(L, -1);
  const char *file = luaL_gsub(L, name, ".", "/");

  for (const char *const *form = forms; *form; form++) {
    const char *path = lua_pushfstring(L, *form, folder, file);

    if (frl_push_file(L, path)) {
      lua_remove(L, -3);
      return true;
    }
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  return false;
}

/* Pushes path and text of the module, or raises. */
static void push_module(lua_State *L, const char *name)
{
  const char *list = frl_of(L)->config.module_path;

  lua_pushvalue(L, FOLDER);
  if (push_from(L, name))
    return;
  while (frl_push_folder(L, &list)) {
    lua_pushliteral(L, "/");
    lua_concat(L, 2);
    if (push_from(L, name))
      return;
    lua_pop(L, 1);
  }
  luaL_error(L, "module '%s' was not found: there is no %s%s.lua, and none "
             "on FALRUN_PATH", name, lua_tostring(L, 2),
             luaL_gsub(L, name, ".", "/"));
}

static int loaded(lua_State *L, int status, lua_KContext ctx)
{
  bool failed = status != LUA_OK && status != LUA_YIELD;

  (void)ctx;
  if (!failed && lua_isnil(L, -1))
    lua_pushboolean(L, true);
  lua_pushvalue(L, 1);
  if (failed)
    lua_pushnil(L);
  else
    lua_pushvalue(L, -2);
  lua_rawset(L, LOADED);
  return failed ? lua_error(L) : 1;
}

/* require(name) -> what the module returned, or true        [-1, +1, ey] */
static int l_require(lua_State *L)
{
  const char *name = check_name(L);

  lua_settop(L, 1);
  lua_pushvalue(L, 1);
  if (lua_rawget(L, LOADED) == LUA_TLIGHTUSERDATA)
    return luaL_error(L, "module '%s' is still being loaded: does it "
                         "require itself, through others?", name);
  if (!lua_isnil(L, -1))
    return 1;
  lua_settop(L, 1);
  if (strcmp(name, "fal") == 0) {
    frl_env_require(L, name);
    frl_readonly(L, -1, name);
    return 1;
  }
  if (is_private(name))
    return luaL_error(L, "module '%s' is falrun's own: what a policy may "
                         "call is in fal", name);
  push_module(L, name);                 /* name, ..., path, text */
  frl_note_module(L, name, lua_tostring(L, -2), lua_tostring(L, -1),
                  lua_rawlen(L, -1));
  lua_pushfstring(L, "@%s", lua_tostring(L, -2));
  frl_load_text(L, lua_tostring(L, -2), lua_rawlen(L, -2),
                lua_tostring(L, -1), true);
  lua_pushvalue(L, ENV);
  lua_setupvalue(L, -2, 1);
  lua_pushvalue(L, 1);
  lua_pushlightuserdata(L, (void *)l_require);
  lua_rawset(L, LOADED);
  lua_pushvalue(L, 1);
  return loaded(L, lua_pcallk(L, 1, 1, 0, 0, loaded), 0);
}

/* The folder has its slash, or is "". */
void frl_push_policy_require(lua_State *L, const char *path)
{
  const char *slash = path ? strrchr(path, '/') : NULL;

  lua_newtable(L);
  lua_pushlstring(L, slash ? path : "", slash ? (size_t)(slash - path) + 1
                                              : 0);
  lua_pushcclosure(L, l_require, 3);
}
