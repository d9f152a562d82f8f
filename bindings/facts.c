/* bindings/facts.c - asking the ledger for what is not a deletion: for the
 * standard library (core) and for commands (host.ledger) alike. */
#include "bindings/nouns.h"
#include "bindings/rows.h"
#include "ledger/facts.h"

#define ROWS_MAX ((size_t)128 << 20)

static void put_change(struct frl_rows *rows, const struct fr_fact_row *fact)
{
  frl_rows_text(rows, "state", fact->name);
  frl_rows_json(rows, "data", fact->data);
  frl_rows_json(rows, "outcome", fact->end);
  if (fact->end_at_ms)
    frl_rows_time(rows, "outcome_at", fact->end_at_ms);
}

struct walk {
  struct frl_rows *rows;
  enum fr_facts which;
};

static void put_named(const struct walk *walk, const struct fr_fact_row *fact)
{
  struct frl_rows *rows = walk->rows;

  switch (walk->which) {
  case FR_FACTS_LOOKED:
    frl_rows_text(rows, "endpoint", fact->name);
    frl_rows_integer(rows, "from_ms", fact->from_ms);
    frl_rows_integer(rows, "to_ms", fact->to_ms);
    frl_rows_json(rows, "options", fact->data);
    break;
  case FR_FACTS_QUARANTINED:
    frl_rows_integer(rows, "delete_after_ms", fact->to_ms);
    frl_rows_json(rows, "data", fact->data);
    break;
  case FR_FACTS_INPUTS:
    frl_rows_text(rows, "link", fact->name);
    break;
  case FR_FACTS_PROBES:
    frl_rows_json(rows, "data", fact->data);
    break;
  default:
    put_change(rows, fact);
  }
}

static int put(void *arg, const struct fr_fact_row *fact)
{
  const struct walk *walk = arg;
  struct frl_rows *rows = walk->rows;

  if (fact->seq)
    frl_rows_integer(rows, "seq", fact->seq);
  if (fact->run)
    frl_rows_integer(rows, "run", fact->run);
  if (fact->at_ms)
    frl_rows_time(rows, "at", fact->at_ms);
  if (fact->has_id)
    frl_rows_id(rows, "request_id", &fact->id);
  put_named(walk, fact);
  frl_rows_end(rows);
  return rows->err != FR_OK;
}

/* Pushes the list.                                           [-0, +1, e] */
static int walk_all(lua_State *L, enum fr_facts which,
                    const struct fr_fact_filter *filter)
{
  struct fr_ledger *ledger = frl_of(L)->config.ledger;
  struct walk walk = { .which = which };

  if (!ledger)
    return luaL_error(L, "this command has no ledger");
  walk.rows = frl_rows_new(L, ROWS_MAX);
  frl_check_walk(L, walk.rows, fr_facts_each(ledger, which, filter, put,
                                             &walk));
  frl_rows_push(L, walk.rows);
  return 1;
}

/* looked(endpoint?) -> rows                                  [-1, +1, e] */
static int l_looked(lua_State *L)
{
  struct fr_fact_filter filter = { .run = 0 };

  if (!lua_isnoneornil(L, 1))
    filter.endpoint = frl_check_text(L, 1, "looked", "endpoint");
  return walk_all(L, FR_FACTS_LOOKED, &filter);
}

static int walk_id(lua_State *L, const char *function, enum fr_facts which)
{
  struct fr_fact_filter filter = { .run = 0 };
  struct fr_uuid id;

  if (which == FR_FACTS_PROBES || !lua_isnoneornil(L, 1)) {
    frl_check_id(L, 1, function, &id);
    filter.id = &id;
  }
  return walk_all(L, which, &filter);
}

/* quarantined(id?) -> rows                                   [-1, +1, e] */
static int l_quarantined(lua_State *L)
{
  return walk_id(L, "quarantined", FR_FACTS_QUARANTINED);
}

int frl_probes(lua_State *L)
{
  return walk_id(L, "probes", FR_FACTS_PROBES);
}

/* input_files(id?) -> rows                                   [-1, +1, e] */
static int l_input_files(lua_State *L)
{
  return walk_id(L, "input_files", FR_FACTS_INPUTS);
}

/* changes(run?) -> rows, oldest first                        [-1, +1, e] */
static int l_changes(lua_State *L)
{
  struct fr_fact_filter filter = { .run = luaL_optinteger(L, 1, 0) };

  return walk_all(L, FR_FACTS_CHANGES, &filter);
}

/* core.grace_words(since, until) -> sentence                  [-2, +1, m] */
static int l_grace_words(lua_State *L)
{
  char words[256];

  fr_grace_say(luaL_checkinteger(L, 1), luaL_checkinteger(L, 2), words,
               sizeof(words));
  lua_pushstring(L, words);
  return 1;
}

const luaL_Reg frl_fact_functions[] = {
  { "grace_words", l_grace_words },
  { "looked", l_looked },
  { "quarantined", l_quarantined },
  { "input_files", l_input_files },
  { "changes", l_changes },
  { NULL, NULL },
};
