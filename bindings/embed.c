/* bindings/embed.c - a program of the build: the Lua files as C.
 *
 *   embed OUT ROOT scripts/fal/pages.lua ... /usr/share/.../chart.min.js ...
 *
 * OUT is the table frl_embedded[] of bindings/embedded.h: each file as text,
 * and as bytecode, so that a start of falrun need not read the text. Module
 * names are paths: scripts/fal/requests.lua is "fal.requests". Lines and
 * names are kept in the code, for messages. Annotations (scripts/types) are
 * text for people and have none; nor has a file with a whole path, which is
 * an asset: chart.min.js is "assets.chart".
 */
#include <lauxlib.h>
#include <lua.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "bindings/env.h"

enum { ROOT = 1, PATH, OUT };

static int write_bytes(lua_State *L, const void *data, size_t size, void *out)
{
  const unsigned char *bytes = data;

  (void)L;
  for (size_t i = 0; i < size; i++)
    if (fprintf(out, "%d,", bytes[i]) < 0)
      return 1;
  return 0;
}

static bool is_asset(const char *path)
{
  return *path == '/';
}

/* Pushes the text of the file. A failure ends the build, and with it all
 * that is open. */
static void push_text(lua_State *L)
{
  const char *path = lua_tostring(L, PATH);
  FILE *file = fopen(is_asset(path) ? path : lua_pushfstring(L, "%s/%s",
                       lua_tostring(L, ROOT), path), "rb");
  luaL_Buffer text;
  size_t got;

  if (!file) {
    luaL_error(L, "%s cannot be read", lua_tostring(L, PATH));
    return;
  }
  luaL_buffinit(L, &text);
  do {
    got = fread(luaL_prepbuffer(&text), 1, LUAL_BUFFERSIZE, file);
    luaL_addsize(&text, got);
  } while (got > 0);
  fclose(file);
  luaL_pushresult(&text);
}

/* Stack: ..., text. */
static void write_code(lua_State *L, FILE *out)
{
  const char *path = lua_tostring(L, PATH) + strlen("scripts/");
  const char *chunk;

  if (is_asset(lua_tostring(L, PATH)) || strncmp(path, "types/", 6) == 0)
    return;
  chunk = lua_pushfstring(L, "=" FRL_EMBEDDED_CHUNK "%s", path);
  if (luaL_loadbufferx(L, lua_tostring(L, -2), lua_rawlen(L, -2), chunk, "t"))
    lua_error(L);
  if (lua_dump(L, write_bytes, out, 0))
    luaL_error(L, "the output cannot be written");
}

/* write(root, path, out, number)                              [-4, +0, e] */
static int l_write(lua_State *L)
{
  FILE *out = lua_touserdata(L, OUT);
  int number = (int)lua_tointeger(L, 4);

  push_text(L);
  fprintf(out, "static const unsigned char text_%d[] = {", number);
  (void)write_bytes(L, lua_tostring(L, -1), lua_rawlen(L, -1), out);
  fprintf(out, "0};\nstatic const unsigned char code_%d[] = {", number);
  write_code(L, out);
  fputs("0};\n", out);
  return 0;
}

/* Pushes the module's name: "fal.pages", "assets.chart". */
static const char *push_name(lua_State *L, const char *path)
{
  const char *name;

  if (is_asset(path)) {
    name = strrchr(path, '/') + 1;
    lua_pushlstring(L, name, strcspn(name, "."));
    return lua_pushfstring(L, "assets.%s", lua_tostring(L, -1));
  }
  name = luaL_gsub(L, path + strlen("scripts/"), "/", ".");
  return lua_pushlstring(L, name, strlen(name) - strlen(".lua"));
}

/* Stack: path. */
static void write_row(lua_State *L, FILE *out, int number)
{
  const char *path = lua_tostring(L, -1);
  const char *name = push_name(L, path);

  fprintf(out, "  { \"%s\", \"%s\", text_%d, sizeof(text_%d) - 1, code_%d,"
          " sizeof(code_%d) - 1, by },\n", name, path, number, number, number,
          number);
  lua_settop(L, 0);
}

static int write_all(lua_State *L, FILE *out, int count, char **words)
{
  fputs("/* made by bindings/embed.c from scripts/ */\n"
        "#include \"bindings/embedded.h\"\n", out);
  for (int i = 1; i < count; i++) {
    lua_pushcfunction(L, l_write);
    lua_pushstring(L, words[0]);
    lua_pushstring(L, words[i]);
    lua_pushlightuserdata(L, out);
    lua_pushinteger(L, i);
    if (lua_pcall(L, 4, 0, 0)) {
      fprintf(stderr, "embed: %s\n", lua_tostring(L, -1));
      return 1;
    }
  }
  fprintf(out, "static const char by[] = \"%s\";\n"
          "const struct frl_embedded frl_embedded[] = {\n", lua_ident);
  for (int i = 1; i < count; i++) {
    lua_pushstring(L, words[i]);
    write_row(L, out, i);
  }
  fputs("  { 0, 0, 0, 0, 0, 0, 0 },\n};\n", out);
  return 0;
}

int main(int argc, char **argv)
{
  lua_State *L = luaL_newstate();
  FILE *out = argc > 3 ? fopen(argv[1], "w") : NULL;
  int code = 1;

  if (L && out)
    code = write_all(L, out, argc - 2, argv + 2);
  if (out && fclose(out))
    code = 1;
  if (L)
    lua_close(L);
  return code;
}
