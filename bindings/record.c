/* bindings/record.c - core.record: what the standard library tells the
 * ledger, beside what the gate writes by itself. Each kind of event has its
 * fields, and no other; a policy has no way to here. */
#include <string.h>

#include "bindings/nouns.h"
#include "ledger/probes.h"

#define FUNCTION "core.record"
#define LINKS_MAX 1000

enum { KIND = 1, ID, DATA };

static const char *text_of(lua_State *L, const char *name, size_t most)
{
  return frl_field_text(L, DATA, FUNCTION, name, 0, most);
}

static enum fr_err add_probe(lua_State *L, struct fr_ledger *ledger,
                             const struct fr_uuid *id)
{
  static const char *const known[] = {
    "link", "seen", "http_status", "age_s", "cache", "why", "input", NULL
  };
  struct fr_probe_note note = { .id = *id, .age_s = -1 };
  lua_Integer number = 0;

  frl_check_options(L, DATA, FUNCTION, known);
  note.link = text_of(L, "link", 4096);
  note.seen = text_of(L, "seen", 20);
  note.cache = text_of(L, "cache", 100);
  note.why = text_of(L, "why", 200);
  if (frl_field_integer(L, DATA, FUNCTION, "http_status", &number))
    note.http_status = (int)number;
  if (frl_field_integer(L, DATA, FUNCTION, "age_s", &number))
    note.age_s = number;
  frl_field(L, DATA, FUNCTION, "input", LUA_TBOOLEAN);
  note.input = lua_toboolean(L, -1);
  return fr_ledger_probe(ledger, &note);
}

static enum fr_err add_input_files(lua_State *L, struct fr_ledger *ledger,
                                   const struct fr_uuid *id)
{
  static const char *const known[] = { "files", NULL };
  const char **links;
  lua_Unsigned count;
  int files;

  frl_check_options(L, DATA, FUNCTION, known);
  if (!frl_field(L, DATA, FUNCTION, "files", LUA_TTABLE))
    frl_bad_argument(L, FUNCTION, "files", "a list of links is needed");
  files = lua_gettop(L);
  count = lua_rawlen(L, files);
  if (count > LINKS_MAX)
    frl_bad_argument(L, FUNCTION, "files", "at most %d links", LINKS_MAX);
  links = lua_newuserdatauv(L, ((size_t)count + 1) * sizeof(*links), 0);
  for (lua_Unsigned i = 0; i < count; i++) {
    lua_rawgeti(L, files, (lua_Integer)i + 1);
    links[i] = frl_check_text(L, lua_gettop(L), FUNCTION, "files");
    lua_pop(L, 1);              /* the list still has it */
  }
  return fr_ledger_input_files(ledger, id, links, (size_t)count);
}

static const struct kind {
  const char *name;
  enum fr_err (*add)(lua_State *L, struct fr_ledger *ledger,
                     const struct fr_uuid *id);
} kinds[] = {
  { "probe", add_probe },
  { "input_files", add_input_files },
};

/* Adds within the group that record() began; it may raise. */
static int add(lua_State *L)
{
  const struct kind *kind = lua_touserdata(L, lua_upvalueindex(1));
  struct fr_uuid id;

  frl_check_id(L, ID, FUNCTION, &id);
  if (!lua_istable(L, DATA))
    frl_bad_argument(L, FUNCTION, "data", "a table is needed, got %s",
                     luaL_typename(L, DATA));
  lua_pushinteger(L, kind->add(L, frl_of(L)->config.ledger, &id));
  return 1;
}

static const struct kind *check_kind(lua_State *L)
{
  const char *name = frl_check_text(L, KIND, FUNCTION, "kind");

  for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
    if (!strcmp(kinds[i].name, name))
      return &kinds[i];
  frl_bad_argument(L, FUNCTION, "kind", "no event of a library is called "
                   "\"%s\"", name);
  return NULL;
}

/* What the ledger could not do is a fact about the run. */
static int fail(lua_State *L, struct fr_ledger *ledger, enum fr_err err)
{
  struct fr_verdict *verdict = frl_of(L)->config.verdict;

  if (err == FR_ECORRUPT || err == FR_EIO) {
    verdict->ledger = true;
    fr_verdict_say(verdict, "the ledger failed: %s",
                   fr_ledger_detail(ledger));
  }
  return frl_fail(L, err, fr_ledger_detail(ledger));
}

/* core.record(kind, request_id, data) -> true | nil, err      [-3, +n, e]
 * One synced group of its own. */
static int l_record(lua_State *L)
{
  struct fr_ledger *ledger = frl_of(L)->config.ledger;
  const struct kind *kind = check_kind(L);
  enum fr_err err;
  int status;

  lua_settop(L, DATA);
  if (!ledger)
    return frl_fail(L, FR_ECONFIG, "this run has no ledger");
  lua_pushlightuserdata(L, (void *)(uintptr_t)kind);
  lua_pushcclosure(L, add, 1);
  lua_insert(L, KIND);
  err = fr_ledger_begin(ledger);
  if (err)
    return fail(L, ledger, err);
  status = lua_pcall(L, DATA, 1, 0);
  if (status != LUA_OK) {
    fr_ledger_rollback(ledger);
    return lua_error(L);
  }
  err = (enum fr_err)lua_tointeger(L, -1);
  if (err)
    fr_ledger_rollback(ledger);
  else
    err = fr_ledger_commit(ledger);
  if (err)
    return fail(L, ledger, err);
  lua_pushboolean(L, true);
  return 1;
}

/* core.mark(what, sentence): "failed", something that should be gone is left
 * (exit code 3); "unavailable", it could not be asked (7).    [-2, +0, e] */
static int l_mark(lua_State *L)
{
  static const char *const names[] = { "failed", "unavailable", NULL };
  struct fr_verdict *verdict = frl_of(L)->config.verdict;
  int which = luaL_checkoption(L, 1, NULL, names);
  const char *sentence = frl_check_text(L, 2, "mark", "sentence");

  verdict->failed |= which == 0;
  verdict->unavailable |= which == 1;
  fr_verdict_say(verdict, "%s", sentence);
  return 0;
}

const luaL_Reg frl_record_functions[] = {
  { "record", l_record },
  { "mark", l_mark },
  { NULL, NULL },
};
