/* bindings/env.c - the two worlds of Lua in one state.
 *
 *   embedded file          own table {require} -> Lua's safe library
 *   policy, its modules    one table of copies -> {fal, log, json} (given)
 *
 * Policies get copies, so that one that replaces string.format changes it
 * for itself alone. `require` of an embedded file is a closure that knows
 * what its file may have; it cannot be borrowed by giving another name.
 */
#include "bindings/env.h"

#include <lauxlib.h>
#include <string.h>

#include "bindings/embedded.h"
#include "bindings/internal.h"
#include "bindings/nouns.h"

static const char embedded_key;         /* module name -> result */
static const char chunk_key;            /* metatable of embedded envs */
static const char user_key;             /* {env, given} of user code, now */

enum { ENV = 1, GIVEN };                /* the fields of such a pair */

#define MOST_LOCALS 200

/* ---- globals that are not there ---------------------------------------- */

/* The nearest of the names that the running function has: its locals, and
 * those of the functions around it that it uses. */
static const char *nearest_local(lua_State *L, const char *word)
{
  const char *names[MOST_LOCALS + 1], *name;
  lua_Debug ar;
  int count = 0;

  if (!lua_getstack(L, 1, &ar))
    return NULL;
  for (int i = 1; (name = lua_getlocal(L, &ar, i)) != NULL; i++) {
    lua_pop(L, 1);
    if (*name != '(' && count < MOST_LOCALS)
      names[count++] = name;
  }
  lua_getinfo(L, "f", &ar);
  for (int i = 1; (name = lua_getupvalue(L, -1, i)) != NULL; i++) {
    lua_pop(L, 1);
    if (*name != '_' && count < MOST_LOCALS)
      names[count++] = name;
  }
  lua_pop(L, 1);
  names[count] = NULL;
  return frl_nearest(word, names);
}

static const char *nearest_global(lua_State *L, const char *word)
{
  static const char *const words[] = { "true", "false", "nil", NULL };
  const char *nearest = nearest_local(L, word);

  if (!nearest)
    nearest = frl_nearest_key(L, lua_upvalueindex(1), word);
  if (!nearest)
    nearest = frl_nearest_key(L, 1, word);
  return nearest ? nearest : frl_nearest(word, words);
}

/* __index(env, name); upvalue: what is given without being in env */
static int l_undefined(lua_State *L)
{
  const char *word, *nearest;

  lua_pushvalue(L, 2);
  if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL)
    return 1;
  word = luaL_tolstring(L, 2, NULL);
  nearest = nearest_global(L, word);
  if (nearest)
    return luaL_error(L, "undefined global '%s' (did you mean '%s'?)", word,
                      nearest);
  return luaL_error(L, "undefined global '%s'", word);
}

/* __newindex(env, name, value) of a policy */
static int l_assign(lua_State *L)
{
  lua_settop(L, 3);
  lua_pushvalue(L, 2);
  if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL)
    return luaL_error(L, "'%s' is falrun's own and cannot be replaced: "
                         "choose another name", lua_tostring(L, 2));
  lua_settop(L, 3);
  lua_rawset(L, 1);
  return 0;
}

static int l_no_assign(lua_State *L)
{
  return luaL_error(L, "assignment to the global '%s': write local",
                    luaL_tolstring(L, 2, NULL));
}

/* ---- embedded files ---------------------------------------------------- */

static const struct frl_embedded *find_embedded(const char *name)
{
  const struct frl_embedded *file;

  if (strcmp(name, "fal") == 0)
    name = "fal.init";
  for (file = frl_embedded; file->name; file++)
    if (strcmp(file->name, name) == 0)
      return file;
  return NULL;
}

static bool has_prefix(const char *text, const char *prefix)
{
  return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool may_have_host(const char *name)
{
  return has_prefix(name, "commands.") || has_prefix(name, "sandbox.");
}

/* Pushes cache[name] by its opener, once. */
static int open_once(lua_State *L, const char *name, lua_CFunction opener)
{
  lua_rawgetp(L, LUA_REGISTRYINDEX, &embedded_key);
  if (lua_getfield(L, -1, name) != LUA_TNIL)
    return 1;
  lua_pop(L, 1);
  opener(L);
  lua_pushvalue(L, -1);
  lua_setfield(L, -3, name);
  return 1;
}

/* `require` of one embedded file; upvalue: whether it may have "host" */
static int l_embedded_require(lua_State *L)
{
  const char *name = luaL_checkstring(L, 1);
  bool host = lua_toboolean(L, lua_upvalueindex(1));

  if (strcmp(name, "core") == 0)
    return open_once(L, name, frl_open_core);
  if (!host && (strcmp(name, "host") == 0 || may_have_host(name)))
    return luaL_error(L, "module '%s' is for commands only", name);
  if (strcmp(name, "host") == 0)
    return open_once(L, name, frl_open_host);
  frl_env_require(L, name);
  return 1;
}

/* Pushes the text of a file on FALRUN_PATH in place of an embedded one. */
static bool push_override(lua_State *L, const struct frl_embedded *file)
{
  const char *list = frl_of(L)->config.module_path;

  if (!has_prefix(file->name, "fal."))
    return false;
  while (frl_push_folder(L, &list)) {
    const char *path = lua_pushfstring(L, "%s/%s", lua_tostring(L, -1),
                                       file->path + strlen("scripts/"));

    if (frl_push_file(L, path))
      return true;
    lua_pop(L, 2);
  }
  return false;
}

/* Pushes the function of an embedded file that is not overridden. */
static void load_embedded(lua_State *L, const struct frl_embedded *file,
                          const char *chunk)
{
  const char *code = (const char *)file->code;

  if (file->code_len && strcmp(lua_ident, file->by) == 0 &&
      luaL_loadbufferx(L, code, file->code_len, chunk, "b") == LUA_OK)
    return;
  frl_load_text(L, (const char *)file->text, file->len, chunk, false);
}

/* Pushes the chunk of an embedded file with its own environment. */
static void push_chunk(lua_State *L, const struct frl_embedded *file)
{
  const char *chunk = lua_pushfstring(L, "=" FRL_EMBEDDED_CHUNK "%s",
                                      file->path + strlen("scripts/"));

  if (push_override(L, file))
    frl_load_text(L, lua_tostring(L, -1), lua_rawlen(L, -1), chunk, false);
  else
    load_embedded(L, file, chunk);
  lua_createtable(L, 0, 1);
  lua_pushboolean(L, may_have_host(file->name));
  lua_pushcclosure(L, l_embedded_require, 1);
  lua_setfield(L, -2, "require");
  lua_rawgetp(L, LUA_REGISTRYINDEX, &chunk_key);
  lua_setmetatable(L, -2);
  lua_setupvalue(L, -2, 1);
}

static void set_loaded(lua_State *L, const char *name)
{
  lua_rawgetp(L, LUA_REGISTRYINDEX, &embedded_key);
  lua_insert(L, -2);
  lua_setfield(L, -2, name);
  lua_pop(L, 1);
}

void frl_env_require(lua_State *L, const char *name)
{
  const struct frl_embedded *file = find_embedded(name);
  int base = lua_gettop(L);

  luaL_checkstack(L, 10, NULL);
  if (!file) {
    luaL_error(L, "there is no module '%s' in falrun", name);
    return;
  }
  lua_rawgetp(L, LUA_REGISTRYINDEX, &embedded_key);
  if (lua_getfield(L, -1, file->name) == LUA_TLIGHTUSERDATA)
    luaL_error(L, "module '%s' requires itself, through others", name);
  if (lua_isnil(L, -1)) {
    lua_pushlightuserdata(L, (void *)&embedded_key);
    set_loaded(L, file->name);
    push_chunk(L, file);
    lua_pushstring(L, file->name);
    if (lua_pcall(L, 1, 1, 0) != LUA_OK) {
      lua_pushnil(L);
      set_loaded(L, file->name);
      lua_error(L);
    }
    if (lua_isnil(L, -1))
      lua_pushboolean(L, true);
    lua_pushvalue(L, -1);
    set_loaded(L, file->name);
  }
  lua_replace(L, base + 1);
  lua_settop(L, base + 1);
}

/* ---- the policies' environment ----------------------------------------- */

static const char *const shared[] = {
  "assert", "collectgarbage", "error", "getmetatable", "ipairs", "next",
  "pairs", "pcall", "rawequal", "rawget", "rawlen", "rawset",
  "select", "setmetatable", "tonumber", "tostring", "type", "xpcall",
  "_VERSION", NULL,
};

static const char *const copied[] = {
  "coroutine", "math", "os", "string", "table", "utf8", NULL,
};

/* load(chunk, name, mode, env): text only, in the policies' environment, and
 * never under a name of an embedded file: what fails there is a bug. */
static int l_load(lua_State *L)
{
  bool has_env = !lua_isnone(L, 4);

  lua_settop(L, 4);
  if (lua_isstring(L, 2) && frl_is_embedded_source(lua_tostring(L, 2)))
    return luaL_error(L, "load: %s is the name of a file of falrun's own: "
                         "choose another", lua_tostring(L, 2));
  lua_pushliteral(L, "t");
  lua_replace(L, 3);
  if (!has_env) {
    lua_pushvalue(L, lua_upvalueindex(2));
    lua_replace(L, 4);
  }
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, 4, LUA_MULTRET);
  return lua_gettop(L);
}

static void copy_table(lua_State *L, const char *name)
{
  lua_newtable(L);
  lua_getglobal(L, name);
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, -5);
  }
  lua_pop(L, 1);
}

/* Stack: env. Fills it; modules are looked for beside `path`. */
static void fill_policy_env(lua_State *L, const char *path)
{
  for (const char *const *name = shared; *name; name++) {
    lua_getglobal(L, *name);
    lua_setfield(L, -2, *name);
  }
  lua_pushcfunction(L, frl_print);
  lua_setfield(L, -2, "print");
  for (const char *const *name = copied; *name; name++) {
    copy_table(L, *name);
    lua_setfield(L, -2, *name);
  }
  lua_pushvalue(L, -1);
  lua_setfield(L, -2, "_G");
  lua_getglobal(L, "load");
  lua_pushvalue(L, -2);
  lua_pushcclosure(L, l_load, 2);
  lua_setfield(L, -2, "load");
  lua_pushvalue(L, -1);
  frl_push_policy_require(L, path);
  lua_setfield(L, -2, "require");
}

/* Stack: env, given. Makes what is given visible in env. */
static void guard_policy_env(lua_State *L)
{
  lua_createtable(L, 0, 3);
  lua_pushvalue(L, -2);
  lua_pushcclosure(L, l_undefined, 1);
  lua_setfield(L, -2, "__index");
  lua_pushvalue(L, -2);
  lua_pushcclosure(L, l_assign, 1);
  lua_setfield(L, -2, "__newindex");
  lua_pushboolean(L, false);
  lua_setfield(L, -2, "__metatable");
  lua_setmetatable(L, -3);
}

/* Stack: ..., given. */
static void give(lua_State *L, const char *name, lua_CFunction opener)
{
  open_once(L, name, opener);                   /* given, cache, table */
  frl_readonly(L, -1, name);
  lua_setfield(L, -4, name);
  lua_pop(L, 2);
}

void frl_env_new(lua_State *L, const char *path)
{
  lua_createtable(L, 2, 0);
  lua_newtable(L);
  fill_policy_env(L, path);
  lua_pushvalue(L, -1);
  lua_rawseti(L, -3, ENV);
  lua_newtable(L);
  guard_policy_env(L);                          /* pair, env, given */
  give(L, "log", frl_open_policy_log);
  give(L, "json", frl_open_json);
  lua_rawseti(L, -3, GIVEN);
  lua_pop(L, 1);
}

void frl_env_push(lua_State *L)
{
  lua_rawgetp(L, LUA_REGISTRYINDEX, &user_key);
}

void frl_env_use(lua_State *L)
{
  lua_rawsetp(L, LUA_REGISTRYINDEX, &user_key);
}

void frl_env_give(lua_State *L, const char *name)
{
  frl_env_push(L);
  lua_rawgeti(L, -1, GIVEN);
  lua_rotate(L, -3, -1);                        /* pair, given, value */
  lua_setfield(L, -2, name);
  lua_pop(L, 2);
}

bool frl_env_cached(lua_State *L, const char *name)
{
  lua_rawgetp(L, LUA_REGISTRYINDEX, &embedded_key);
  lua_getfield(L, -1, name);
  lua_remove(L, -2);
  return lua_istable(L, -1);
}

void frl_env_open(lua_State *L)
{
  const struct frl_policy *policy = frl_of(L)->config.policy;

  frl_open_safe_lib(L);
  lua_newtable(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &embedded_key);
  frl_env_new(L, policy ? policy->path : NULL);
  frl_env_use(L);
  lua_createtable(L, 0, 2);             /* of each embedded environment */
  lua_pushglobaltable(L);
  lua_setfield(L, -2, "__index");
  lua_pushcfunction(L, l_no_assign);
  lua_setfield(L, -2, "__newindex");
  lua_rawsetp(L, LUA_REGISTRYINDEX, &chunk_key);
  lua_pushglobaltable(L);
  lua_createtable(L, 0, 1);             /* of Lua's own globals */
  lua_pushvalue(L, -2);
  lua_pushcclosure(L, l_undefined, 1);
  lua_setfield(L, -2, "__index");
  lua_setmetatable(L, -2);
  lua_pop(L, 1);
}

/* Stack: env. */
static void set_arg(lua_State *L, const char *path)
{
  const char *const *words = frl_of(L)->config.words;

  lua_newtable(L);
  lua_pushstring(L, path);
  lua_rawseti(L, -2, 0);
  for (int i = 0; words && words[i]; i++) {
    lua_pushstring(L, words[i]);
    lua_rawseti(L, -2, i + 1);
  }
  lua_setfield(L, -2, "arg");
}

void frl_env_load_policy(lua_State *L, const struct frl_policy *policy)
{
  const char *chunk = lua_pushfstring(L, "@%s", policy->path);

  frl_load_text(L, policy->text, policy->len, chunk, true);
  lua_remove(L, -2);                    /* chunk; its syntax is right */
  frl_env_push(L);
  lua_rawgeti(L, -1, GIVEN);
  if (lua_getfield(L, -1, "fal") == LUA_TNIL) {
    frl_env_require(L, "fal");
    frl_readonly(L, -1, "fal");
    lua_setfield(L, -4, "fal");
    lua_pop(L, 1);
  }
  lua_pop(L, 2);
  lua_rawgeti(L, -1, ENV);
  set_arg(L, policy->path);
  lua_setupvalue(L, -3, 1);
  lua_pop(L, 1);
}
