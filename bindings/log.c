/* bindings/log.c - the global `log`: one line for people per call.
 *
 *   log.info("left", { id = request.request_id })  ->  left id=019e...
 *
 * Fields come sorted by name. Text from anywhere may stand in them, so
 * control characters are replaced and lengths bounded.
 *
 * The request that a line is about is its field `request_id` or `id`, else
 * the first id that its text has; it goes to the sink beside the line.
 */
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "bindings/internal.h"

#define MOST_LINE 4096
#define MOST_TEXT 2000
#define MOST_VALUE 200
#define MOST_FIELDS 32
#define LINE "frl.line"

static int l_line_gc(lua_State *L)
{
  fr_buf_done(luaL_checkudata(L, 1, LINE));
  return 0;
}

static int by_name(const void *a, const void *b)
{
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names of the table at index 2, sorted. They stay on the stack: a value
 * may have a __tostring that takes them out of the table. */
static int field_names(lua_State *L, const char *names[MOST_FIELDS])
{
  int count = 0;

  luaL_checkstack(L, MOST_FIELDS + 8, NULL);
  lua_pushnil(L);
  while (lua_next(L, 2)) {
    if (lua_type(L, -2) != LUA_TSTRING)
      luaL_error(L, "the fields of a log line are name = value");
    if (count < MOST_FIELDS) {
      names[count++] = lua_tostring(L, -2);
      lua_pushvalue(L, -2);
      lua_insert(L, -3);
    }
    lua_pop(L, 1);
  }
  qsort(names, (size_t)count, sizeof(*names), by_name);
  return count;
}

static void add_field(lua_State *L, struct fr_buf *line, const char *name)
{
  bool quoted;
  size_t len;
  const char *value;

  lua_getfield(L, 2, name);
  value = luaL_tolstring(L, -1, &len);
  quoted = len == 0 || memchr(value, ' ', len) || memchr(value, '"', len);
  fr_buf_add_text(line, " ");
  fr_buf_add_plain(line, name, strlen(name), MOST_VALUE);
  fr_buf_add_text(line, quoted ? "=\"" : "=");
  fr_buf_add_plain(line, value, len, MOST_VALUE);
  fr_buf_add_text(line, quoted ? "\"" : "");
  lua_pop(L, 2);
}

/* Is the raw field of the table at index 2 an id? */
static bool id_field(lua_State *L, const char *name, struct fr_uuid *ret_id)
{
  const char *value;
  size_t len;
  bool is;

  lua_pushstring(L, name);
  is = lua_rawget(L, 2) == LUA_TSTRING;
  value = is ? lua_tolstring(L, -1, &len) : NULL;
  is = is && !fr_uuid_parse(value, len, ret_id);
  lua_pop(L, 1);
  return is;
}

static bool id_in(const char *text, size_t len, struct fr_uuid *ret_id)
{
  const size_t size = FR_UUID_TEXT - 1;

  for (size_t at = 0; at + size <= len; at++)
    if (text[at + 8] == '-' && !fr_uuid_parse(text + at, size, ret_id))
      return true;
  return false;
}

/* Stack: text, fields or nil, ... */
static bool request_of(lua_State *L, struct fr_uuid *ret_id)
{
  const char *text;
  size_t len;

  if (lua_istable(L, 2) && (id_field(L, "request_id", ret_id) ||
                            id_field(L, "id", ret_id)))
    return true;
  text = lua_type(L, 1) == LUA_TSTRING ? lua_tolstring(L, 1, &len) : NULL;
  return text && id_in(text, len < MOST_TEXT ? len : MOST_TEXT, ret_id);
}

static void write_line(lua_State *L, enum fr_log_level level,
                       const struct fr_buf *line)
{
  struct frl *frl = frl_of(L);
  char id[FR_UUID_TEXT];
  struct fr_uuid uuid;
  bool about = request_of(L, &uuid);
  uint64_t since;

  if (about)
    fr_uuid_format(&uuid, id);
  if (lua_toboolean(L, lua_upvalueindex(2)))
    frl_caps_log(L, line->len + 1);
  since = frl_caps_pause(frl);
  fr_log_about(level, about ? id : NULL, fr_buf_text(line));
  frl_caps_unpause(frl, since);
}

/* log.LEVEL(text, fields?); upvalues: the level, whether it has a cap
 *                                                             [-2, +0, e] */
static int l_log(lua_State *L)
{
  enum fr_log_level level =
    (enum fr_log_level)lua_tointeger(L, lua_upvalueindex(1));
  const char *names[MOST_FIELDS], *text;
  struct fr_buf *line;
  size_t len;

  if (level > fr_log_most())
    return 0;
  lua_settop(L, 2);
  if (!lua_isnil(L, 2) && !lua_istable(L, 2))
    return frl_bad_argument(L, "log", "fields", "a table is needed, got %s",
                            luaL_typename(L, 2));
  line = lua_newuserdatauv(L, sizeof(*line), 0);
  fr_buf_init(line, MOST_LINE);
  luaL_setmetatable(L, LINE);
  text = luaL_tolstring(L, 1, &len);
  fr_buf_add_plain(line, text, len, MOST_TEXT);
  if (!lua_isnil(L, 2)) {
    int count = field_names(L, names);

    for (int i = 0; i < count; i++)
      add_field(L, line, names[i]);
  }
  write_line(L, level, line);
  fr_buf_done(line);
  return 0;
}

static int open_log(lua_State *L, bool capped)
{
  static const struct {
    const char *name;
    enum fr_log_level level;
  } levels[] = {
    { "error", FR_LOG_ERROR }, { "warn", FR_LOG_WARN },
    { "info", FR_LOG_INFO },   { "debug", FR_LOG_DEBUG },
  };

  if (luaL_newmetatable(L, LINE)) {
    lua_pushcfunction(L, l_line_gc);
    lua_setfield(L, -2, "__gc");
  }
  lua_createtable(L, 0, 4);
  for (size_t i = 0; i < sizeof(levels) / sizeof(*levels); i++) {
    lua_pushinteger(L, levels[i].level);
    lua_pushboolean(L, capped);
    lua_pushcclosure(L, l_log, 2);
    lua_setfield(L, -2, levels[i].name);
  }
  lua_remove(L, -2);
  return 1;
}

int frl_open_log(lua_State *L)
{
  return open_log(L, false);
}

int frl_open_policy_log(lua_State *L)
{
  return open_log(L, true);
}
