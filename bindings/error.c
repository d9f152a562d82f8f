/* bindings/error.c - errors as Lua sees them. See internal.h. */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bindings/env.h"
#include "bindings/internal.h"

#define ERROR "fal.error"
#define LONGEST_WORD 64

static int l_error_text(lua_State *L)
{
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_pushliteral(L, "message");
  if (lua_rawget(L, 1) != LUA_TSTRING)
    lua_pushliteral(L, "an error without a message");
  return 1;
}

void frl_open_errors(lua_State *L)
{
  luaL_newmetatable(L, ERROR);          /* sets __name as well */
  lua_pushcfunction(L, l_error_text);
  lua_setfield(L, -2, "__tostring");
  lua_pushboolean(L, false);            /* all errors share it: no script */
  lua_setfield(L, -2, "__metatable");   /* may put a __gc or __index there */
  lua_pop(L, 1);
}

void frl_push_error(lua_State *L, enum fr_err err, const char *message)
{
  const char *text = message && *message ? message : fr_err_message(err);

  luaL_checkstack(L, 4, NULL);
  lua_createtable(L, 0, 8);
  lua_pushstring(L, fr_err_name(err));
  lua_pushvalue(L, -1);
  lua_setfield(L, -3, "code");
  lua_setfield(L, -2, "kind");
  lua_pushstring(L, text);
  lua_setfield(L, -2, "message");
  lua_pushboolean(L, fr_err_retryable(err));
  lua_setfield(L, -2, "retryable");
  luaL_setmetatable(L, ERROR);
}

bool frl_is_error(lua_State *L, int index)
{
  bool is = lua_istable(L, index) && lua_getmetatable(L, index);

  if (!is)
    return false;
  luaL_getmetatable(L, ERROR);
  is = lua_rawequal(L, -1, -2);
  lua_pop(L, 2);
  return is;
}

int frl_fail(lua_State *L, enum fr_err err, const char *detail)
{
  lua_pushnil(L);
  frl_push_error(L, err, detail);
  return 2;
}

/* The first frame of `co` that runs a script's own code; pushes on L. */
static bool push_frame(lua_State *L, lua_State *co)
{
  lua_Debug ar;

  for (int level = 0; lua_getstack(co, level, &ar); level++) {
    lua_getinfo(co, "Sl", &ar);
    if (ar.currentline <= 0 || frl_is_embedded_source(ar.source))
      continue;
    lua_pushfstring(L, "%s:%d: ", ar.short_src, ar.currentline);
    return true;
  }
  return false;
}

void frl_where(lua_State *L)
{
  lua_State *task = frl_task_thread(L);

  luaL_checkstack(L, 4, NULL);
  if (push_frame(L, L) || (task && task != L && push_frame(L, task)))
    return;
  lua_pushliteral(L, "");
}

int frl_bad_argument(lua_State *L, const char *function, const char *argument,
                     const char *format, ...)
{
  char why[400];
  va_list args;

  va_start(args, format);
  vsnprintf(why, sizeof(why), format, args);
  va_end(args);
  frl_where(L);
  lua_pushfstring(L, "bad argument '%s' to '%s' (%s)", argument, function,
                  why);
  lua_concat(L, 2);
  return lua_error(L);
}

/* ---- the nearest spelling ----------------------------------------------- */

static unsigned least(unsigned a, unsigned b)
{
  return a < b ? a : b;
}

static size_t least_size(size_t a, size_t b)
{
  return a < b ? a : b;
}

static bool same(char a, char b)
{
  return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Edits (insert, delete, replace, swap neighbours) from a to b; the table is
 * kept as three rows. Both are at most LONGEST_WORD bytes. */
static unsigned distance(const char *a, size_t alen, const char *b,
                         size_t blen)
{
  unsigned rows[3][LONGEST_WORD + 1];

  for (size_t j = 0; j <= blen; j++)
    rows[0][j] = (unsigned)j;
  for (size_t i = 1; i <= alen; i++) {
    unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3];
    unsigned *two = rows[(i + 1) % 3];

    row[0] = (unsigned)i;
    for (size_t j = 1; j <= blen; j++) {
      unsigned replaced = above[j - 1] + !same(a[i - 1], b[j - 1]);

      row[j] = least(replaced, least(above[j], row[j - 1]) + 1);
      if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) &&
          same(a[i - 2], b[j - 1]))
        row[j] = least(row[j], two[j - 2] + 1);
    }
  }
  return rows[alen % 3][blen];
}

/* The only one that begins with the word, or that the word begins with:
 * "endpoint" means endpoint_id, "warning" means warn. */
static const char *longer_or_shorter(const char *word,
                                     const char *const *words)
{
  enum { LEAST = 3 };
  size_t len = strlen(word);
  const char *found = NULL;

  for (; *words; words++) {
    size_t other = strlen(*words), shared = least_size(len, other);

    if (shared < LEAST + (len > other) || len == other ||
        other > LONGEST_WORD || strncmp(word, *words, shared) != 0)
      continue;
    if (found)
      return NULL;
    found = *words;
  }
  return found;
}

const char *frl_nearest(const char *word, const char *const *words)
{
  size_t len = strlen(word);
  unsigned best = len / 3 ? (unsigned)(len / 3) : 1;
  const char *nearest;

  if (len == 0 || len > LONGEST_WORD)
    return NULL;
  nearest = longer_or_shorter(word, words);
  if (nearest)
    return nearest;
  for (; *words; words++) {
    size_t other = strlen(*words);
    unsigned edits;

    if (other == 0 || other > LONGEST_WORD)
      continue;
    edits = distance(word, len, *words, other);
    if (edits > best || (edits == best && nearest) || edits >= other)
      continue;
    best = edits;
    nearest = *words;
  }
  return nearest;
}

const char *frl_nearest_key(lua_State *L, int index, const char *word)
{
  enum { MOST = 512 };
  int table = lua_absindex(L, index);
  const char **words = lua_newuserdatauv(L, (MOST + 1) * sizeof(*words), 0);
  const char *nearest;
  int count = 0;

  lua_pushnil(L);
  while (lua_next(L, table)) {
    if (lua_type(L, -2) == LUA_TSTRING && count < MOST)
      words[count++] = lua_tostring(L, -2);
    lua_pop(L, 1);
  }
  words[count] = NULL;
  nearest = frl_nearest(word, words);
  lua_pop(L, 1);
  return nearest;
}
