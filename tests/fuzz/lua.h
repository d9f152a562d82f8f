/* lua.h - a Lua state with what a parser of the standard library needs of
 * `core`: json and parse_id. The parser's file is read from the tree. */
#ifndef FUZZ_LUA_H
#define FUZZ_LUA_H

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "base/uuid.h"
#include "bindings/internal.h"
#include "bindings/json.h"
#include "fuzz.h"

static int l_parse_id(lua_State *L)
{
  struct fr_uuid id;
  size_t len = 0;
  const char *text = lua_isstring(L, 1) ? lua_tolstring(L, 1, &len) : NULL;

  lua_pushboolean(L, text && fr_uuid_parse(text, len, &id) == FR_OK);
  return 1;
}

static int open_core(lua_State *L)
{
  lua_newtable(L);
  frl_open_json(L);
  lua_setfield(L, -2, "json");
  lua_pushcfunction(L, l_parse_id);
  lua_setfield(L, -2, "parse_id");
  return 1;
}

/* libFuzzer sees no lines of Lua unless it is told; "extra counters" are
 * its way, and nothing to anybody else. */
__attribute__((section("__libfuzzer_extra_counters")))
static uint8_t lines[4096];

static void count_line(lua_State *L, lua_Debug *at)
{
  lua_getinfo(L, "S", at);
  lines[(at->currentline + at->linedefined * 31) % (int)sizeof(lines)]++;
}

/* The state stays for all inputs; `glue` returns the function that is
 * called with each input. */
static lua_State *state_of(const char *glue)
{
  lua_State *L = luaL_newstate();

  CHECK(L);
  luaL_openlibs(L);
  luaL_requiref(L, "core", open_core, 0);
  lua_pop(L, 1);
  if (luaL_dostring(L, "package.path = '" FUZZ_SCRIPTS "/?.lua'") ||
      luaL_dostring(L, glue)) {
    fprintf(stderr, "%s\n", lua_tostring(L, -1));
    abort();
  }
  lua_sethook(L, count_line, LUA_MASKLINE, 0);
  return L;
}

static void call_with(lua_State *L, const uint8_t *data, size_t size)
{
  lua_pushvalue(L, 1);
  lua_pushlstring(L, (const char *)data, size);
  if (lua_pcall(L, 1, 0, 0)) {
    fprintf(stderr, "%s\n", lua_tostring(L, -1));
    abort();
  }
}

#endif
