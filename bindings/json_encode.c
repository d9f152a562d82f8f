/* bindings/json_encode.c - Lua values as JSON text. See json.h.
 *
 * Written here because lua-cjson prints numbers with 14 digits, has no empty
 * list, orders keys by chance and grows a buffer without a bound. The text
 * grows in a box outside of the Lua heap, with a maximum; no metamethod
 * runs, so no script can change a table while it is walked.
 */
#include <lauxlib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "bindings/internal.h"
#include "bindings/json.h"

#define BUFFER "frl.json_text"

struct step {                   /* one level of the way to a value */
  const char *key;              /* NULL: a list, at index */
  size_t len;
  lua_Integer index;
};

struct encoder {
  lua_State *L;
  struct fr_buf *out;
  int depth;
  struct step way[FRL_JSON_DEPTH];
};

struct key {
  const char *text;
  size_t len;
};

static void encode(struct encoder *encoder);

/* ---- errors ------------------------------------------------------------ */

static void push_way(struct encoder *encoder)
{
  lua_State *L = encoder->L;
  luaL_Buffer text;
  char number[32];

  luaL_buffinit(L, &text);
  for (int i = 0; i < encoder->depth; i++) {
    const struct step *step = &encoder->way[i];

    if (step->key) {
      luaL_addstring(&text, i ? "." : "");
      luaL_addlstring(&text, step->key, step->len < 60 ? step->len : 60);
    } else {
      snprintf(number, sizeof(number), "[%lld]", (long long)step->index);
      luaL_addstring(&text, number);
    }
  }
  luaL_addstring(&text, encoder->depth ? "" : "the value");
  luaL_pushresult(&text);
}

static void refuse(struct encoder *encoder, const char *why)
{
  lua_State *L = encoder->L;

  luaL_checkstack(L, 8, NULL);
  frl_where(L);
  lua_pushliteral(L, "json.encode: ");
  push_way(encoder);
  lua_pushfstring(L, " %s", why);
  lua_concat(L, 4);
  lua_error(L);
}

static void add(struct encoder *encoder, const char *text, size_t len)
{
  enum fr_err err = fr_buf_add(encoder->out, text, len);

  if (err == FR_ETOO_BIG)
    luaL_error(encoder->L, "json.encode: the text would be larger than "
                           "64 MiB");
  if (err)
    luaL_error(encoder->L, "%s", fr_err_message(err));
}

static void add_text(struct encoder *encoder, const char *text)
{
  add(encoder, text, strlen(text));
}

/* ---- plain values ------------------------------------------------------ */

static void encode_number(struct encoder *encoder)
{
  char text[40];
  lua_Number number;

  if (lua_isinteger(encoder->L, -1)) {
    snprintf(text, sizeof(text), "%lld",
             (long long)lua_tointeger(encoder->L, -1));
    add_text(encoder, text);
    return;
  }
  number = lua_tonumber(encoder->L, -1);
  if (!isfinite(number)) {
    refuse(encoder, "is not a number that JSON has (NaN or infinity)");
    return;
  }
  for (int digits = 15; digits <= 17; digits++) {
    snprintf(text, sizeof(text), "%.*g", digits, number);
    if (strtod(text, NULL) == number)
      break;
  }
  add_text(encoder, text);
}

static const char *escape_of(char c, char hex[8])
{
  static const char plain[] = "\"\\\b\f\n\r\t";
  static const char *const escapes[] = { "\\\"", "\\\\", "\\b", "\\f",
                                         "\\n", "\\r", "\\t" };
  const char *found = c ? strchr(plain, c) : NULL;

  if (found)
    return escapes[found - plain];
  snprintf(hex, 8, "\\u%04x", (unsigned)(unsigned char)c);
  return hex;
}

static void encode_string(struct encoder *encoder, const char *text,
                          size_t len)
{
  size_t from = 0;
  char hex[8];

  if (frl_utf8_prefix(text, len) < len)
    refuse(encoder, "is text that is not UTF-8");
  add_text(encoder, "\"");
  for (size_t i = 0; i < len; i++) {
    if ((unsigned char)text[i] >= ' ' && text[i] != '"' && text[i] != '\\')
      continue;
    add(encoder, text + from, i - from);
    add_text(encoder, escape_of(text[i], hex));
    from = i + 1;
  }
  add(encoder, text + from, len - from);
  add_text(encoder, "\"");
}

/* ---- tables ------------------------------------------------------------ */

static bool is_marked(lua_State *L)
{
  bool marked;

  if (!lua_getmetatable(L, -1))
    return false;
  luaL_getmetatable(L, FRL_JSON_ARRAY);
  marked = lua_rawequal(L, -1, -2);
  lua_pop(L, 2);
  return marked;
}

/* Counts the keys of the table on top: names, and 1 to *ret_list. */
static size_t count_keys(struct encoder *encoder, lua_Integer *ret_list)
{
  lua_State *L = encoder->L;
  lua_Integer count = 0, most = 0;
  size_t names = 0;

  lua_pushnil(L);
  while (lua_next(L, -2)) {
    lua_pop(L, 1);
    if (lua_type(L, -1) == LUA_TSTRING) {
      names++;
    } else if (lua_isinteger(L, -1) && lua_tointeger(L, -1) > 0) {
      count++;
      most = most > lua_tointeger(L, -1) ? most : lua_tointeger(L, -1);
    } else {
      refuse(encoder, "has a key that is neither a name nor a place in a "
                      "list (1, 2, ...)");
    }
  }
  if (names && count)
    refuse(encoder, "mixes names and list entries: JSON has either");
  if (most != count)
    refuse(encoder, "is a list with gaps: put json.null where nothing is");
  *ret_list = count;
  return names;
}

static void encode_list(struct encoder *encoder, lua_Integer count)
{
  lua_State *L = encoder->L;
  struct step *step = &encoder->way[encoder->depth++];

  add_text(encoder, "[");
  for (lua_Integer i = 1; i <= count; i++) {
    *step = (struct step){ .index = i };
    if (i > 1)
      add_text(encoder, ",");
    lua_rawgeti(L, -1, i);
    encode(encoder);
    lua_pop(L, 1);
  }
  add_text(encoder, "]");
  encoder->depth--;
}

static int by_text(const void *a, const void *b)
{
  const struct key *left = a, *right = b;
  size_t len = left->len < right->len ? left->len : right->len;
  int order = memcmp(left->text, right->text, len);

  if (order != 0)
    return order;
  return left->len < right->len ? -1 : left->len > right->len;
}

/* Pushes the sorted keys of the table on top; the texts are the table's. */
static struct key *push_keys(lua_State *L, size_t count)
{
  struct key *keys = lua_newuserdatauv(L, count * sizeof(*keys), 0);
  size_t at = 0;

  lua_pushnil(L);
  while (lua_next(L, -3)) {
    lua_pop(L, 1);
    keys[at].text = lua_tolstring(L, -1, &keys[at].len);
    at++;
  }
  qsort(keys, count, sizeof(*keys), by_text);
  return keys;
}

static void encode_object(struct encoder *encoder, size_t count)
{
  lua_State *L = encoder->L;
  struct step *step = &encoder->way[encoder->depth++];
  struct key *keys = push_keys(L, count);       /* table, keys */

  add_text(encoder, "{");
  for (size_t i = 0; i < count; i++) {
    *step = (struct step){ .key = keys[i].text, .len = keys[i].len };
    if (i > 0)
      add_text(encoder, ",");
    encode_string(encoder, keys[i].text, keys[i].len);
    add_text(encoder, ":");
    lua_pushlstring(L, keys[i].text, keys[i].len);
    lua_rawget(L, -3);
    encode(encoder);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  add_text(encoder, "}");
  encoder->depth--;
}

static void encode_table(struct encoder *encoder)
{
  lua_Integer list = 0;
  size_t names;
  bool marked = is_marked(encoder->L);

  if (encoder->depth == FRL_JSON_DEPTH) {
    encoder->depth = 3;                 /* enough of the way to see it */
    refuse(encoder, "goes deeper than 100 levels: does a table contain "
                    "itself?");
  }
  names = count_keys(encoder, &list);
  if (names && marked)
    refuse(encoder, "is marked as a list and has names");
  if (names)
    encode_object(encoder, names);
  else if (list || marked)
    encode_list(encoder, list);
  else
    add_text(encoder, "{}");
}

/* Encodes the value on top of the stack. */
static void encode(struct encoder *encoder)
{
  lua_State *L = encoder->L;
  const char *text;
  char why[80];
  size_t len;

  luaL_checkstack(L, 8, "json.encode");
  switch (lua_type(L, -1)) {
  case LUA_TNIL:
    add_text(encoder, "null");
    return;
  case LUA_TBOOLEAN:
    add_text(encoder, lua_toboolean(L, -1) ? "true" : "false");
    return;
  case LUA_TNUMBER:
    encode_number(encoder);
    return;
  case LUA_TSTRING:
    text = lua_tolstring(L, -1, &len);
    encode_string(encoder, text, len);
    return;
  case LUA_TTABLE:
    encode_table(encoder);
    return;
  default:
    break;
  }
  if (lua_islightuserdata(L, -1) && !lua_touserdata(L, -1)) {
    add_text(encoder, "null");          /* json.null */
    return;
  }
  snprintf(why, sizeof(why), "is a %s, which JSON does not have",
           luaL_typename(L, -1));
  refuse(encoder, why);
}

static int l_buffer_gc(lua_State *L)
{
  fr_buf_done(luaL_checkudata(L, 1, BUFFER));
  return 0;
}

int frl_json_encode(lua_State *L)
{
  struct encoder encoder = { .L = L };

  luaL_checkany(L, 1);
  lua_settop(L, 1);
  encoder.out = lua_newuserdatauv(L, sizeof(*encoder.out), 0);
  fr_buf_init(encoder.out, FRL_JSON_MOST);
  luaL_setmetatable(L, BUFFER);
  lua_pushvalue(L, 1);
  encode(&encoder);
  lua_pushlstring(L, fr_buf_text(encoder.out), encoder.out->len);
  fr_buf_done(encoder.out);
  return 1;
}

void frl_json_open_encoder(lua_State *L)
{
  luaL_newmetatable(L, FRL_JSON_ARRAY);
  lua_pushboolean(L, false);
  lua_setfield(L, -2, "__metatable");
  luaL_newmetatable(L, BUFFER);
  lua_pushcfunction(L, l_buffer_gc);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 2);
}
