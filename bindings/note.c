/* bindings/note.c - what a command leaves in the record of its run, and what
 * it knows of the modules that a policy loaded. */
#include <string.h>

#include "base/digest.h"
#include "bindings/json.h"
#include "bindings/nouns.h"

#define NAME_MAX_BYTES 40

static const char notes_key;            /* name -> JSON text */
static const char modules_key;          /* list of {name, path, sha256} */

/* Pushes the registry's table, made at first.                 [-0, +1, m] */
static void push_table(lua_State *L, const char *key)
{
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, key) == LUA_TTABLE)
    return;
  lua_pop(L, 1);
  lua_newtable(L);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, key);
}

/* Writes all notes anew as members of an object. Stack: ..., notes */
static enum fr_err write_notes(lua_State *L)
{
  struct fr_buf *buf = &frl_of(L)->notes;
  enum fr_err err = FR_OK;

  fr_buf_clear(buf);
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    if (!err)
      err = fr_buf_addf(buf, ",\"%s\":%s", lua_tostring(L, -2),
                        lua_tostring(L, -1));
    lua_pop(L, 1);
  }
  return err;
}

void frl_forget_notes(lua_State *L)
{
  fr_buf_clear(&frl_of(L)->notes);
  lua_pushnil(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &notes_key);
  lua_pushnil(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &modules_key);
}

/* host.note(name, value): a member of the run's summary.      [-2, +0, e] */
int frl_note(lua_State *L)
{
  const char *name = frl_check_text(L, 1, "note", "name");
  size_t len = strlen(name);
  enum fr_err err;

  luaL_argcheck(L, len > 0 && len < NAME_MAX_BYTES &&
                strspn(name, "abcdefghijklmnopqrstuvwxyz_") == len, 1,
                "lower-case letters and '_' are needed");
  luaL_checkany(L, 2);
  lua_settop(L, 2);
  push_table(L, &notes_key);
  lua_getfield(L, 3, name);     /* what it said before */
  lua_pushcfunction(L, frl_json_encode);
  lua_pushvalue(L, 2);
  lua_call(L, 1, 1);
  lua_setfield(L, 3, name);
  lua_pushvalue(L, 3);
  err = write_notes(L);
  if (!err)
    return 0;
  lua_pushvalue(L, 4);
  lua_setfield(L, 3, name);
  (void)write_notes(L);         /* as they were: they fitted */
  return luaL_error(L, "%s", err == FR_ETOO_BIG
                    ? "the notes of a run are too long"
                    : fr_err_message(err));
}

void frl_push_sha256(lua_State *L, const char *text, size_t len)
{
  struct fr_part part = { text, len };
  uint8_t digest[FR_SHA256_SIZE];
  char hex[FR_SHA256_TEXT];

  if (fr_sha256(&part, 1, digest))
    luaL_error(L, "libcrypto could not make a digest");
  fr_hex(digest, sizeof(digest), hex);
  lua_pushstring(L, hex);
}

/* sha256(text) -> the digest in hexadecimal                   [-1, +1, e] */
int frl_sha256(lua_State *L)
{
  size_t len;
  const char *text = luaL_checklstring(L, 1, &len);

  frl_push_sha256(L, text, len);
  return 1;
}

/* ---- modules ------------------------------------------------------------- */

void frl_note_module(lua_State *L, const char *name, const char *path,
                     const char *text, size_t len)
{
  push_table(L, &modules_key);
  lua_createtable(L, 0, 3);
  lua_pushstring(L, name);
  lua_setfield(L, -2, "name");
  lua_pushstring(L, path);
  lua_setfield(L, -2, "path");
  frl_push_sha256(L, text, len);
  lua_setfield(L, -2, "sha256");
  lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
  lua_pop(L, 1);
}

/* host.modules() -> list of {name, path, sha256}              [-0, +1, m] */
int frl_modules(lua_State *L)
{
  push_table(L, &modules_key);
  return 1;
}
