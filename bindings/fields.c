/* bindings/fields.c - fields of an options table, checked one by one.
 *
 * Read raw: a metamethod could answer differently the second time, or drop
 * the string that C still points at. */
#include <string.h>

#include "bindings/json.h"
#include "bindings/nouns.h"

static const char *words(int type)
{
  switch (type) {
  case LUA_TSTRING: return "text";
  case LUA_TBOOLEAN: return "true or false";
  case LUA_TNUMBER: return "a number";
  default: return "a table";
  }
}

bool frl_field(lua_State *L, int index, const char *function,
                const char *name, int type)
{
  int got;

  index = lua_absindex(L, index);
  luaL_checkstack(L, 4, NULL);
  lua_pushstring(L, name);
  got = lua_rawget(L, index);
  if (got != type && got != LUA_TNIL)
    frl_bad_argument(L, function, name, "%s is needed, got %s", words(type),
                     lua_typename(L, got));
  return got != LUA_TNIL;
}

const char *frl_field_text(lua_State *L, int index, const char *function,
                            const char *name, size_t least, size_t most)
{
  const char *text;
  size_t len;

  if (!frl_field(L, index, function, name, LUA_TSTRING))
    return NULL;
  text = lua_tolstring(L, -1, &len);
  if (len < least || len > most)
    frl_bad_argument(L, function, name,
                     "text of %d to %d bytes is needed, got %d",
                     (int)least, (int)most, (int)len);
  if (memchr(text, '\0', len))
    frl_bad_argument(L, function, name, "it contains a NUL byte");
  if (frl_utf8_prefix(text, len) < len)         /* JSON could not hold it */
    frl_bad_argument(L, function, name, "it is not UTF-8");
  return text;
}

void frl_set_text(lua_State *L, const char *name, const char *text)
{
  if (!text || !*text)
    return;
  lua_pushstring(L, text);
  lua_setfield(L, -2, name);
}

bool frl_field_integer(lua_State *L, int index, const char *function,
                        const char *name, lua_Integer *ret_value)
{
  bool given = frl_field(L, index, function, name, LUA_TNUMBER);
  int whole = 1;
  lua_Integer value = given ? lua_tointegerx(L, -1, &whole) : 0;

  if (!whole)
    frl_bad_argument(L, function, name, "a whole number is needed");
  if (given)
    *ret_value = value;
  lua_pop(L, 1);
  return given;
}

const char *frl_check_text(lua_State *L, int index, const char *function,
                           const char *argument)
{
  size_t len;
  const char *text;

  if (lua_type(L, index) != LUA_TSTRING)
    frl_bad_argument(L, function, argument, "string expected, got %s",
                     luaL_typename(L, index));
  text = lua_tolstring(L, index, &len);
  if (memchr(text, '\0', len))
    frl_bad_argument(L, function, argument, "it contains a NUL byte");
  return text;
}
