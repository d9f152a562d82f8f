/* bindings/setup.c - host.setup: the config file and account in use, as a
 * plain table:
 *
 *   { path?, usual?, account?, note?, accounts = {name...},
 *     options = { { name, value?, origin, place? }... },
 *     problems = { { line?, name?, words }... } }
 */
#include "bindings/setup.h"

#include "bindings/nouns.h"

/* Stack now, in what follows: ..., setup */

static void set_accounts(lua_State *L, const char *const *names)
{
  lua_Integer count = 0;

  lua_newtable(L);
  for (; names && *names; names++) {
    lua_pushstring(L, *names);
    lua_rawseti(L, -2, ++count);
  }
  lua_setfield(L, -2, "accounts");
}

static void set_rows(lua_State *L, const struct frl_setup_row *row)
{
  lua_Integer count = 0;

  lua_newtable(L);
  for (; row->name; row++) {
    lua_createtable(L, 0, 4);
    frl_set_text(L, "name", row->name);
    frl_set_text(L, "value", row->value);
    frl_set_text(L, "origin", row->origin);
    frl_set_text(L, "place", *row->place ? row->place : NULL);
    lua_rawseti(L, -2, ++count);
  }
  lua_setfield(L, -2, "options");
}

static void set_problems(lua_State *L, const struct frl_setup_problem *problem)
{
  lua_Integer count = 0;

  lua_newtable(L);
  for (; problem->words; problem++) {
    lua_createtable(L, 0, 3);
    if (problem->line) {
      lua_pushinteger(L, problem->line);
      lua_setfield(L, -2, "line");
    }
    frl_set_text(L, "name", *problem->name ? problem->name : NULL);
    frl_set_text(L, "words", problem->words);
    lua_rawseti(L, -2, ++count);
  }
  lua_setfield(L, -2, "problems");
}

void frl_open_setup(lua_State *L)
{
  const struct frl_setup *setup = frl_of(L)->config.setup;

  lua_createtable(L, 0, 8);
  frl_set_text(L, "path", setup->path);
  frl_set_text(L, "usual", setup->usual);
  frl_set_text(L, "account", setup->account);
  frl_set_text(L, "note", setup->note);
  set_accounts(L, setup->accounts);
  set_rows(L, setup->rows);
  set_problems(L, setup->problems);
}
