/* bindings/coverage.c - which lines of the user's files ran.
 *
 * The line hook runs in the middle of Lua code, so nothing here may raise or
 * touch the Lua heap: what was seen is kept in C, a bit for each line. The
 * names of chunks are compared as text, because a chunk that is loaded anew
 * has the same name at another address. */
#include "bindings/coverage.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "bindings/env.h"
#include "bindings/nouns.h"

#define COVERAGE "falrun.coverage"
#define LINES_MAX (1 << 20)
#define FILES_MAX 10000
#define DUMP_MAX ((size_t)64 << 20)

struct file {
  struct file *next;
  char *path;
  unsigned char *seen;          /* a bit for each line */
  int room;                     /* lines that there are bits for */
};

struct frl_coverage {
  struct file *files;           /* the latest one first */
  size_t count;
};

/* Moves the file to the front, for it is asked for again and again. */
static struct file *find(struct frl_coverage *coverage, const char *path)
{
  struct file **link = &coverage->files, *file;

  while (*link && strcmp((*link)->path, path) != 0)
    link = &(*link)->next;
  file = *link;
  if (file && file != coverage->files) {
    *link = file->next;
    file->next = coverage->files;
    coverage->files = file;
  }
  return file;
}

static struct file *add(struct frl_coverage *coverage, const char *path)
{
  struct file *file = NULL;

  if (coverage->count < FILES_MAX)
    file = calloc(1, sizeof(*file));
  if (!file)
    return NULL;
  file->path = strdup(path);
  if (!file->path) {
    free(file);
    return NULL;
  }
  file->next = coverage->files;
  coverage->files = file;
  coverage->count++;
  return file;
}

static bool make_room(struct file *file, int line)
{
  int room = file->room ? file->room : 256;
  unsigned char *seen;

  while (room <= line)
    room *= 2;
  if (room <= file->room)
    return true;
  seen = realloc(file->seen, (size_t)room / 8);
  if (!seen)
    return false;
  memset(seen + file->room / 8, 0, (size_t)(room - file->room) / 8);
  file->seen = seen;
  file->room = room;
  return true;
}

void frl_coverage_note(lua_State *L, lua_Debug *ar)
{
  struct frl_coverage *coverage = frl_of(L)->coverage;
  struct file *file;
  int line = ar->currentline;

  if (!coverage || line < 1 || line > LINES_MAX ||
      !lua_getinfo(L, "S", ar) || ar->source[0] != '@')
    return;
  file = find(coverage, ar->source + 1);
  if (!file)
    file = add(coverage, ar->source + 1);
  if (file && make_room(file, line))
    file->seen[line / 8] |= (unsigned char)(1u << line % 8);
}

static int l_gc(lua_State *L)
{
  struct frl_coverage *coverage = luaL_checkudata(L, 1, COVERAGE);

  if (frl_of(L)->coverage == coverage)
    frl_of(L)->coverage = NULL;
  while (coverage->files) {
    struct file *file = coverage->files;

    coverage->files = file->next;
    free(file->path);
    free(file->seen);
    free(file);
  }
  return 0;
}

/* coverage:hits() -> {path = {line = true}}                   [-1, +1, m] */
static int l_hits(lua_State *L)
{
  struct frl_coverage *coverage = luaL_checkudata(L, 1, COVERAGE);

  lua_newtable(L);
  for (const struct file *file = coverage->files; file; file = file->next) {
    lua_newtable(L);
    for (int line = 0; line < file->room; line++) {
      if (!(file->seen[line / 8] >> line % 8 & 1))
        continue;
      lua_pushboolean(L, true);
      lua_rawseti(L, -2, line);
    }
    lua_setfield(L, -2, file->path);
  }
  return 1;
}

/* host.coverage() -> coverage: from the next turn of a task on, it notes each
 * line of the user's files that runs.                         [-0, +1, m] */
int frl_cover(lua_State *L)
{
  static const luaL_Reg methods[] = { { "hits", l_hits }, { NULL, NULL } };
  struct frl_coverage *coverage =
    lua_newuserdatauv(L, sizeof(*coverage), 0);

  *coverage = (struct frl_coverage){ .count = 0 };
  if (luaL_newmetatable(L, COVERAGE)) {
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, l_gc);
    lua_setfield(L, -2, "__gc");
  }
  lua_setmetatable(L, -2);
  frl_of(L)->coverage = coverage;
  return 1;
}

/* ---- bytecode ------------------------------------------------------------ */

/* A writer of lua_dump. The function that is dumped must be on top, where a
 * luaL_Buffer would put its box.                                         */
static int add_piece(lua_State *L, const void *data, size_t size, void *arg)
{
  (void)L;
  return fr_buf_add(arg, data, size) != FR_OK;
}

static int l_buf_gc(lua_State *L)
{
  fr_buf_done(lua_touserdata(L, 1));
  return 0;
}

/* host.dump(text) -> the bytecode of a chunk, for its line numbers; or raises
 * its syntax error.                                           [-1, +1, e] */
int frl_dump(lua_State *L)
{
  size_t len;
  const char *text = luaL_checklstring(L, 1, &len);
  struct fr_buf *out;

  lua_settop(L, 1);
  out = lua_newuserdatauv(L, sizeof(*out), 0);
  fr_buf_init(out, DUMP_MAX);
  if (luaL_newmetatable(L, "falrun.dump")) {
    lua_pushcfunction(L, l_buf_gc);
    lua_setfield(L, -2, "__gc");
  }
  lua_setmetatable(L, -2);
  frl_load_text(L, text, len, "=dump", false);
  if (lua_dump(L, add_piece, out, 0))
    return luaL_error(L, "the bytecode is too big");
  lua_pushlstring(L, fr_buf_text(out), out->len);
  return 1;
}
