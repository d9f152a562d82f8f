/* bindings/hints.c - what to do about an error, where that is known.
 *
 * The rows are in hints_syntax.c and hints_run.c. Comments are cut off before
 * a line is looked at: what they say did not fail. What takes the nearest
 * spelling is no pattern and is looked for here.
 */
#include "bindings/hints.h"

#include <ctype.h>
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "bindings/internal.h"

#define NAME_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" \
                     "0123456789_"

#define MOST_MESSAGE 2000       /* patterns over a giant take for ever */
#define MOST_SOURCE 65536

enum { MESSAGE = 1, MATCH, LINES, SOURCE, ARGUMENTS = SOURCE };

/* Pushes the captures of `pattern` in the text, and returns how many; 0 when
 * it does not fit. */
static int match(lua_State *L, const char *text, const char *pattern)
{
  int top = lua_gettop(L);

  lua_pushvalue(L, MATCH);
  lua_pushstring(L, text);
  lua_pushstring(L, pattern);
  lua_call(L, 2, LUA_MULTRET);
  if (lua_isnil(L, top + 1)) {
    lua_settop(L, top);
    return 0;
  }
  return lua_gettop(L) - top;
}

/* Pushes the text with %1 to %3 replaced by the `count` captures that begin
 * at `first`. */
static const char *fill(lua_State *L, const char *text, int first, int count)
{
  static const char *const marks[] = { "%1", "%2", "%3" };

  lua_pushstring(L, text);
  for (int i = 0; i < count && i < 3; i++) {
    luaL_gsub(L, lua_tostring(L, -1), marks[i], lua_tostring(L, first + i));
    lua_remove(L, -2);
  }
  return lua_tostring(L, -1);
}

/* Pushes the line that begins at `at` without its comment. */
static const char *push_code(lua_State *L, const char *at)
{
  size_t len = strcspn(at, "\n");
  const char *line = lua_pushlstring(L, at, len);
  const char *comment = strstr(line, "--");

  return comment ? lua_pushlstring(L, line, (size_t)(comment - line)) : line;
}

/* The number of the first line of the text that fits, or 0. */
static int find(lua_State *L, const char *text, const char *pattern)
{
  int top = lua_gettop(L), number = 0;

  while (text && *text) {
    const char *end = strchr(text, '\n');

    number++;
    if (match(L, push_code(L, text), pattern) > 0) {
      lua_settop(L, top);
      return number;
    }
    lua_settop(L, top);
    text = end ? end + 1 : NULL;
  }
  return 0;
}

/* Pushes the hint of the row when it fits. */
static bool try_row(lua_State *L, const struct frl_hint *row)
{
  int count, number = 0;
  char digits[16];

  lua_settop(L, ARGUMENTS);
  count = match(L, lua_tostring(L, MESSAGE), row->message);
  if (count == 0)
    return false;
  if (row->line && find(L, lua_tostring(L, LINES),
                        fill(L, row->line, ARGUMENTS + 1, count)) == 0)
    return false;
  if (row->source) {
    number = find(L, lua_tostring(L, SOURCE),
                  fill(L, row->source, ARGUMENTS + 1, count));
    if (number == 0)
      return false;
  }
  snprintf(digits, sizeof(digits), "%d", number);
  fill(L, row->hint, ARGUMENTS + 1, count);
  luaL_gsub(L, lua_tostring(L, -1), "%l", digits);
  return true;
}

/* ---- words of Lua, misspelt ---------------------------------------------- */

static bool push_misspelt(lua_State *L, const char *word,
                          const char *const *words)
{
  const char *near;

  for (const char *const *one = words; *one; one++)
    if (strcmp(word, *one) == 0)
      return false;
  near = frl_nearest(word, words);
  if (near)
    lua_pushfstring(L, "'%s' is no word of Lua: did you mean '%s'?", word,
                    near);
  return near != NULL;
}

/* "'then' expected near 'the'" */
static bool try_expected(lua_State *L)
{
  const char *words[2] = { NULL, NULL };

  lua_settop(L, ARGUMENTS);
  if (match(L, lua_tostring(L, MESSAGE),
            "'(%l+)' expected.* near '(%a+)'") == 0)
    return false;
  words[0] = lua_tostring(L, ARGUMENTS + 1);
  return push_misspelt(L, lua_tostring(L, ARGUMENTS + 2), words);
}

/* "syntax error near 'x'": two words in a row, and the first is no word. */
static bool try_first_word(lua_State *L)
{
  static const char *const words[] = {
    "local", "function", "return", "elseif", "while", "repeat", "until",
    "break", "goto", "then", "else", "end", "for", "not", NULL
  };
  const char *text = lua_tostring(L, LINES);

  if (!strstr(lua_tostring(L, MESSAGE), "syntax error near '"))
    return false;
  while (text && *text) {
    const char *end = strchr(text, '\n');

    lua_settop(L, ARGUMENTS);
    if (match(L, push_code(L, text), "^%s*(%a+)%s+[%a_]") > 0 &&
        push_misspelt(L, lua_tostring(L, -1), words))
      return true;
    text = end ? end + 1 : NULL;
  }
  return false;
}

static bool look_misspelt(lua_State *L)
{
  return try_expected(L) || try_first_word(L);
}

/* ---- names of libraries and of requests, misspelt ------------------------ */

/* The library on whose field `name` a shown line calls, or NULL. */
static const char *library_of(lua_State *L, const char *name)
{
  static const char *const libraries[] = {
    "coroutine", "math", "os", "string", "table", "utf8", NULL
  };

  for (const char *const *library = libraries; *library; library++) {
    const char *call = lua_pushfstring(L, "%s.%s", *library, name);

    if (strstr(lua_tostring(L, LINES), call))
      return *library;
  }
  return NULL;
}

/* "attempt to call a nil value (field 'flor')" */
static bool look_library(lua_State *L)
{
  const char *library, *name, *near;
  bool method;

  lua_settop(L, ARGUMENTS);
  if (match(L, lua_tostring(L, MESSAGE),
            "call a nil value %((%a+) '([^']+)'%)") == 0)
    return false;
  method = strcmp(lua_tostring(L, ARGUMENTS + 1), "method") == 0;
  name = lua_tostring(L, ARGUMENTS + 2);
  library = method ? "string" : library_of(L, name);
  if (!library || lua_getglobal(L, library) != LUA_TTABLE)
    return false;
  near = frl_nearest_key(L, -1, name);
  if (near && method)
    lua_pushfstring(L, "if that is text: did you mean '%s'?", near);
  else if (near)
    lua_pushfstring(L, "did you mean %s.%s?", library, near);
  else if (!method)
    lua_pushfstring(L, "Lua's library '%s' has no '%s'", library, name);
  return near || !method;
}

static const char *const fields[] = {
  "request_id", "endpoint_id", "sent_at", "started_at", "ended_at",
  "status_code", "duration", "input", "output", NULL
};

/* The first name after "request." that no request has, pushed, or NULL. */
static const char *push_odd_field(lua_State *L)
{
  static const char request[] = "request.";
  const char *lines = lua_tostring(L, LINES);
  const char *at = lines;

  while ((at = strstr(at, request)) != NULL) {
    bool whole = at == lines || !strchr("._", at[-1]);
    const char *name;

    whole = whole && !(at > lines && isalnum((unsigned char)at[-1]));
    at += strlen(request);
    name = lua_pushlstring(L, at, strspn(at, NAME_LETTERS));
    for (const char *const *field = fields; whole && *field; field++)
      whole = strcmp(*field, name) != 0;
    if (whole && *name)
      return name;
  }
  return NULL;
}

static const char *nearest_field(const char *name)
{
  static const char *const others[][2] = {
    { "id", "request_id" }, { "uuid", "request_id" },
    { "created_at", "sent_at" }, { "finished_at", "ended_at" },
    { "completed_at", "ended_at" }, { "elapsed", "duration" },
    { "app", "endpoint_id" }, { "model", "endpoint_id" },
  };

  for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
    if (strcmp(others[i][0], name) == 0)
      return others[i][1];
  return frl_nearest(name, fields);
}

/* Something is nil, and a request is asked for what it does not have. */
static bool look_request(lua_State *L)
{
  const char *message = lua_tostring(L, MESSAGE), *name, *near;

  lua_settop(L, ARGUMENTS);
  if (!strstr(message, "nil") || strstr(message, "a request has no"))
    return false;
  name = push_odd_field(L);
  if (!name)
    return false;
  if (match(L, message, "value %(%a+ '([^']+)'%)") > 0 &&
      strcmp(lua_tostring(L, -1), name) != 0)
    return false;
  near = nearest_field(name);
  if (near)
    lua_pushfstring(L, "a request has no '%s' (did you mean '%s'?)", name,
                    near);
  else
    lua_pushfstring(L, "a request has no '%s'; it has request_id, "
                    "endpoint_id, sent_at, started_at, ended_at, "
                    "status_code, duration", name);
  return true;
}

static bool try_hint(lua_State *L, const struct frl_hint *row)
{
  if (strcmp(row->message, FRL_LOOK_MISSPELT) == 0)
    return look_misspelt(L);
  if (strcmp(row->message, FRL_LOOK_LIBRARY) == 0)
    return look_library(L);
  if (strcmp(row->message, FRL_LOOK_REQUEST) == 0)
    return look_request(L);
  return try_row(L, row);
}

/* hint(message, match, lines, source) -> text | nil */
static int l_hint(lua_State *L)
{
  static const struct frl_hint *const tables[] = { frl_syntax_hints,
                                                   frl_run_hints };

  for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++)
    for (const struct frl_hint *row = tables[i]; row->message; row++)
      if (try_hint(L, row))
        return 1;
  return 0;
}

void frl_push_hint(lua_State *L, const char *message, const char *lines,
                   const char *source)
{
  lua_pushcfunction(L, l_hint);
  lua_pushlstring(L, message, strnlen(message, MOST_MESSAGE));
  lua_getglobal(L, "string");
  lua_getfield(L, -1, "match");
  lua_remove(L, -2);
  lua_pushlstring(L, lines, strnlen(lines, MOST_MESSAGE));
  lua_pushlstring(L, source, strnlen(source, MOST_SOURCE));
  lua_call(L, 4, 1);
}
