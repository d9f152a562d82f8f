/* bindings/health.c - host.health: what falrun doctor asks of the machine.
 *
 * A command that is started in spite of them finds here what was wrong with
 * the keys and the ledger. */
#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>

#include "bindings/nouns.h"

#define PATH_MOST 4096u

/* health.lacks_key("api" | "admin") -> boolean                [-1, +1, e] */
static int l_lacks_key(lua_State *L)
{
  static const char *const names[] = { "api", "admin", NULL };
  int which = luaL_checkoption(L, 1, NULL, names);
  const struct fr_keys *keys = frl_of(L)->config.keys;

  lua_pushboolean(L, !keys || !fr_keys_has(keys, which ? FR_KEY_ADMIN
                                                       : FR_KEY_API));
  return 1;
}

/* health.one_key() -> is the key that deletes the one that reads?
 *                                                            [-0, +1, -] */
static int l_one_key(lua_State *L)
{
  lua_pushboolean(L, fr_keys_same(frl_of(L)->config.keys, FR_KEY_API,
                                  FR_KEY_ADMIN));
  return 1;
}

/* health.skew() -> ms that this clock is ahead | nil          [-0, +1, m] */
static int l_skew(lua_State *L)
{
  int64_t ms;

  if (fr_fal_clock_skew(frl_of(L)->config.fal, &ms))
    lua_pushnil(L);
  else
    lua_pushinteger(L, ms);
  return 1;
}

/* health.holder(ledger) -> pid | false | nil                  [-1, +1, m] */
static int l_holder(lua_State *L)
{
  int64_t pid;
  enum fr_err err = fr_ledger_holder(luaL_checkstring(L, 1), &pid);

  if (!err)
    lua_pushinteger(L, pid);
  else if (err == FR_ENOT_FOUND)
    lua_pushboolean(L, false);
  else
    lua_pushnil(L);
  return 1;
}

/* The nearest folder above that is there. False: none is. */
static bool look(char *path, struct statvfs *at)
{
  while (statvfs(path, at)) {
    char *slash = strrchr(path, '/');

    if ((errno != ENOENT && errno != ENOTDIR) || !slash)
      return false;
    slash[slash == path] = '\0';
    if (slash == path)
      return statvfs(path, at) == 0;
  }
  return true;
}

/* health.disk(path) -> free bytes, may be written? | nil, why [-1, +2, e] */
static int l_disk(lua_State *L)
{
  size_t len;
  const char *given = luaL_checklstring(L, 1, &len);
  char path[PATH_MOST];
  struct statvfs at;

  if (len + 3 > sizeof(path))
    return luaL_error(L, "a path of %d bytes", (int)len);
  (void)snprintf(path, sizeof(path), "%s%s", *given == '/' ? "" : "./", given);
  if (!look(path, &at)) {
    lua_pushnil(L);
    lua_pushstring(L, strerror(errno));
    return 2;
  }
  lua_pushinteger(L, (lua_Integer)at.f_bavail * (lua_Integer)at.f_frsize);
  lua_pushboolean(L, !(at.f_flag & ST_RDONLY));
  return 2;
}

static const luaL_Reg functions[] = {
  { "lacks_key", l_lacks_key },
  { "one_key", l_one_key },
  { "skew", l_skew },
  { "holder", l_holder },
  { "disk", l_disk },
  { NULL, NULL },
};

void frl_open_health(lua_State *L)
{
  const struct frl_health *health = frl_of(L)->config.health;

  lua_createtable(L, 0, 8);
  luaL_setfuncs(L, functions, 0);
  lua_pushstring(L, health->ledger);
  lua_setfield(L, -2, "ledger");
  lua_pushstring(L, health->keys_fault);
  lua_setfield(L, -2, "keys_fault");
  lua_pushstring(L, health->ledger_fault);
  lua_setfield(L, -2, "ledger_fault");
  if (health->ledger_fault)
    lua_pushstring(L, fr_err_name(health->ledger_err));
  else
    lua_pushnil(L);
  lua_setfield(L, -2, "ledger_code");
}
