/* bindings/check.c - checking what a policy hands to a function. */
#include <ctype.h>
#include <lauxlib.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/date.h"
#include "base/uuid.h"
#include "bindings/internal.h"

#define EXAMPLE_ID "019e6d0a-e5be-7b82-b329-35ae64296902"
#define SHOWN 60
#define DAY_S 86400

/* A value of the policy's, in quotes, printable and bounded. */
static const char *show(lua_State *L, int index, char text[SHOWN + 8])
{
  size_t len, shown;
  const char *value;

  if (lua_type(L, index) == LUA_TNUMBER) {
    lua_pushvalue(L, index);            /* tolstring changes numbers */
    snprintf(text, SHOWN + 8, "%s", lua_tostring(L, -1));
    lua_pop(L, 1);
    return text;
  }
  if (lua_type(L, index) != LUA_TSTRING) {
    snprintf(text, SHOWN + 8, "%s", luaL_typename(L, index));
    return text;
  }
  value = lua_tolstring(L, index, &len);
  shown = len < SHOWN ? len : SHOWN;
  text[0] = '"';
  for (size_t i = 0; i < shown; i++)
    text[i + 1] = isprint((unsigned char)value[i]) ? value[i] : '?';
  snprintf(text + shown + 1, 7, "\"%s", len > SHOWN ? "..." : "");
  return text;
}

static bool lower_case_would_do(const char *text, size_t len)
{
  char lower[FR_UUID_TEXT];
  struct fr_uuid id;

  if (len != FR_UUID_TEXT - 1)
    return false;
  for (size_t i = 0; i < len; i++)
    lower[i] = (char)tolower((unsigned char)text[i]);
  return fr_uuid_parse(lower, len, &id) == FR_OK;
}

/* What somebody handed over who had no id in hand. */
static const char *no_id(lua_State *L, int index)
{
  const char *what = luaL_typename(L, index);
  int top = lua_gettop(L);

  if (lua_isnone(L, index))
    return "nothing";
  if (!lua_istable(L, index))
    return what;
  lua_pushliteral(L, "request_id");
  if (lua_rawget(L, index) == LUA_TSTRING)
    what = "a whole request: write request.request_id";
  else if (lua_rawgeti(L, index, 1) != LUA_TNIL)
    what = "a list: fal.delete_all takes lists";
  lua_settop(L, top);
  return what;
}

void frl_check_id(lua_State *L, int index, const char *function,
                  struct fr_uuid *ret_id)
{
  char shown[SHOWN + 8];
  const char *text;
  size_t len;

  if (lua_type(L, index) != LUA_TSTRING) {
    frl_bad_argument(L, function, "id",
                     "a request id is needed, a string like \"%s\", got %s",
                     EXAMPLE_ID, no_id(L, index));
    return;
  }
  text = lua_tolstring(L, index, &len);
  if (fr_uuid_parse(text, len, ret_id) == FR_OK)
    return;
  if (lower_case_would_do(text, len))
    frl_bad_argument(L, function, "id", "%s is in upper case: request ids "
                     "are written in lower case, id:lower()",
                     show(L, index, shown));
  frl_bad_argument(L, function, "id", "not a request id: %s; a UUID in "
                   "lower case like %s is needed", show(L, index, shown),
                   EXAMPLE_ID);
}

/* Whoever writes 2592000 has counted the seconds of thirty days. */
static uint64_t bare_number(lua_State *L, const char *function,
                            const char *argument, lua_Number n)
{
  lua_Number days = n / DAY_S;

  if (days >= 1 && floor(days) == days)
    frl_bad_argument(L, function, argument, "a duration needs a unit: "
                     "\"%.14gd\" if that is seconds, not the bare number "
                     "%.14g", days, n);
  return (uint64_t)frl_bad_argument(L, function, argument,
    "a duration needs a unit: \"%.14gd\" for days or \"%.14gs\" for "
    "seconds, not the bare number %.14g", n, n, n);
}

uint64_t frl_check_duration(lua_State *L, int index, const char *function,
                            const char *argument)
{
  char shown[SHOWN + 8];
  const char *text;
  uint64_t ms = 0;
  size_t len;

  if (lua_type(L, index) == LUA_TNUMBER)
    return bare_number(L, function, argument, lua_tonumber(L, index));
  if (lua_type(L, index) != LUA_TSTRING)
    return (uint64_t)frl_bad_argument(L, function, argument,
      "a duration like \"30d\" or \"12h\" is needed, got %s",
      lua_isnone(L, index) ? "nothing" : luaL_typename(L, index));
  text = lua_tolstring(L, index, &len);
  if (fr_duration_parse(text, len, &ms))
    frl_bad_argument(L, function, argument, "not a duration: %s; whole "
                     "numbers with a unit are, like \"30d\" or \"1h30m\" "
                     "(units: ms, s, m, h, d, w)", show(L, index, shown));
  return ms;
}

static int unknown_option(lua_State *L, const char *function,
                          const char *const *known)
{
  char shown[SHOWN + 8];
  const char *nearest;

  if (lua_type(L, -2) != LUA_TSTRING)
    return frl_bad_argument(L, function, "options", "an option is written "
                            "name = value; there is a value without a name");
  show(L, -2, shown);
  nearest = frl_nearest(lua_tostring(L, -2), known);
  if (nearest)
    return frl_bad_argument(L, function, "options",
                            "there is no option %s; did you mean '%s'?",
                            shown, nearest);
  lua_pushliteral(L, "");
  for (int i = 0; known[i]; i++) {
    lua_pushfstring(L, "%s%s", i ? ", " : "", known[i]);
    lua_concat(L, 2);
  }
  return frl_bad_argument(L, function, "options",
                          "there is no option %s; the options are: %s",
                          shown, lua_tostring(L, -1));
}

static bool is_one_of(const char *word, const char *const *known)
{
  for (; *known; known++)
    if (strcmp(*known, word) == 0)
      return true;
  return false;
}

void frl_check_options(lua_State *L, int index, const char *function,
                       const char *const *known)
{
  index = lua_absindex(L, index);
  if (lua_isnoneornil(L, index))
    return;
  if (!lua_istable(L, index))
    frl_bad_argument(L, function, "options", "a table is needed, got %s",
                     luaL_typename(L, index));
  lua_pushnil(L);
  while (lua_next(L, index)) {
    if (lua_type(L, -2) != LUA_TSTRING ||
        !is_one_of(lua_tostring(L, -2), known))
      unknown_option(L, function, known);
    lua_pop(L, 1);
  }
}
