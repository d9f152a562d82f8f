/* bindings/source.c - Lua text: from files, into chunks, back into reports.
 *
 * Only text is ever loaded here: bytecode is not checked by Lua and can
 * corrupt the process, so only the program's own is (env.c). The sources of
 * the user's files are kept for reports, so a report shows no line of a file
 * that was not loaded, whatever name a script gave its chunk.
 */
#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bindings/embedded.h"
#include "bindings/env.h"
#include "bindings/internal.h"

#define MOST_TEXT ((off_t)16 << 20)

static const char sources_key;

/* A policy may well lie in a folder that is called falrun. */
bool frl_is_embedded_chunk(const char *chunk)
{
  size_t len = strlen(FRL_EMBEDDED_CHUNK);
  const struct frl_embedded *file = frl_embedded;

  if (strncmp(chunk, FRL_EMBEDDED_CHUNK, len) != 0)
    return false;
  while (file->name && strcmp(file->path + strlen("scripts/"), chunk + len))
    file++;
  return file->name != NULL;
}

bool frl_is_embedded_source(const char *source)
{
  return *source == '=' && frl_is_embedded_chunk(source + 1);
}

void frl_push_source(lua_State *L, const char *chunk)
{
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &sources_key) == LUA_TTABLE)
    lua_getfield(L, -1, chunk);
  else
    lua_pushnil(L);
  lua_remove(L, -2);
}

/* Keeps text under the name that messages will show for the chunk. */
static void remember_source(lua_State *L, const char *text, size_t len,
                            const char *chunk)
{
  char name[LUA_IDSIZE];
  lua_Debug ar;

  if (luaL_loadbufferx(L, "", 0, chunk, "t") != LUA_OK)
    lua_error(L);
  lua_getinfo(L, ">S", &ar);
  memcpy(name, ar.short_src, sizeof(name));
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &sources_key) != LUA_TTABLE) {
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &sources_key);
  }
  lua_pushlstring(L, text, len);
  lua_setfield(L, -2, name);
  lua_pop(L, 1);
}

/* `return fal.policy { ... }` is a tail call: the frame of the file would be
 * gone, and with it the line that messages name. A return in the scope of a
 * to-be-closed variable is none, so a user's chunk begins with one, on its
 * first line. */
#define NO_TAIL_CALL "local __falrun <close> = nil; "

struct pieces {
  const char *text[2];
  size_t len[2];
  int at;
};

static const char *next_piece(lua_State *L, void *data, size_t *ret_len)
{
  struct pieces *pieces = data;

  (void)L;
  while (pieces->at < 2 && !pieces->len[pieces->at])
    pieces->at++;
  if (pieces->at == 2)
    return NULL;
  *ret_len = pieces->len[pieces->at];
  return pieces->text[pieces->at++];
}

void frl_load_text(lua_State *L, const char *text, size_t len,
                   const char *chunk, bool remember)
{
  struct pieces pieces = { .at = 0 };

  if (remember)
    remember_source(L, text, len, chunk);
  if (len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {
    text += 3;
    len -= 3;
  }
  if (len > 0 && *text == '#') {        /* "#!/usr/bin/env falrun" */
    const char *end = memchr(text, '\n', len);

    len = end ? len - (size_t)(end - text) : 0;
    text = end ? end : "";
  }
  pieces.text[0] = NO_TAIL_CALL;
  pieces.text[1] = text;
  pieces.len[1] = len;
  if (remember && !(len > 0 && *text == LUA_SIGNATURE[0]))
    pieces.len[0] = sizeof(NO_TAIL_CALL) - 1;
  if (lua_load(L, next_piece, &pieces, chunk, "t") != LUA_OK)
    lua_error(L);
}

static enum fr_err read_all(const char *path, char *data, size_t size)
{
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  size_t have = 0;
  ssize_t got = 1;

  if (fd < 0)
    return FR_EIO;
  while (have < size && got > 0) {
    got = read(fd, data + have, size - have);
    if (got < 0 && errno == EINTR)
      got = 1;
    else if (got > 0)
      have += (size_t)got;
  }
  close(fd);
  return have == size ? FR_OK : FR_EIO;
}

bool frl_push_file(lua_State *L, const char *path)
{
  struct stat st;
  char *data;

  if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
    return false;
  if (st.st_size > MOST_TEXT)
    luaL_error(L, "%s is larger than 16 MiB", path);
  data = lua_newuserdatauv(L, (size_t)st.st_size + 1, 0);
  if (read_all(path, data, (size_t)st.st_size))
    luaL_error(L, "%s cannot be read", path);
  lua_pushlstring(L, data, (size_t)st.st_size);
  lua_remove(L, -2);
  return true;
}

bool frl_push_folder(lua_State *L, const char **list)
{
  size_t len;

  while (*list && **list == ':')
    ++*list;
  if (!*list || !**list)
    return false;
  len = strcspn(*list, ":");
  lua_pushlstring(L, *list, len);
  *list += len;
  return true;
}
