/* bindings/record.c - core.record: facts of a run, written to its ledger.
 *
 * Only what a run may know is taken: each kind has its fields, and a change
 * or a deletion is none of them; those are the gate's to record. */
#include <string.h>

#include "bindings/nouns.h"
#include "ledger/facts.h"

#define NAME "record"
#define TEXT_MAX 1000u
#define LINK_MAX 65536u

enum { KIND = 1, ID, FIELDS };          /* the stack of core.record */

static lua_Integer need_number(lua_State *L, const char *name)
{
  lua_Integer value = 0;

  if (!frl_field_integer(L, FIELDS, NAME, name, &value))
    frl_bad_argument(L, NAME, name, "it is missing");
  if (value < 0)
    frl_bad_argument(L, NAME, name, "0 or more is needed, got %lld",
                     (long long)value);
  return value;
}

static const char *need_text(lua_State *L, const char *name, size_t most)
{
  const char *text = frl_field_text(L, FIELDS, NAME, name, 1, most);

  if (!text)
    frl_bad_argument(L, NAME, name, "it is missing");
  return text;
}

/* A list of texts, in a userdata on top; the table holds the texts. */
static const char **need_list(lua_State *L, const char *name, size_t least,
                              size_t *ret_count)
{
  const char **files;
  size_t count, len;

  if (!frl_field(L, FIELDS, NAME, name, LUA_TTABLE))
    frl_bad_argument(L, NAME, name, "it is missing");
  count = (size_t)lua_rawlen(L, -1);
  if (count < least || count > FR_FACT_FILES_MOST)
    frl_bad_argument(L, NAME, name, "%d to %d links are needed, got %d",
                     (int)least, (int)FR_FACT_FILES_MOST, (int)count);
  files = lua_newuserdatauv(L, (count + 1) * sizeof(*files), 0);
  for (size_t i = 0; i < count; i++) {
    if (lua_rawgeti(L, -2, (lua_Integer)i + 1) != LUA_TSTRING)
      frl_bad_argument(L, NAME, name, "link %d is a %s", (int)i + 1,
                       luaL_typename(L, -1));
    files[i] = lua_tolstring(L, -1, &len);
    if (len > LINK_MAX || len != strlen(files[i]))
      frl_bad_argument(L, NAME, name, "link %d is no link", (int)i + 1);
    lua_pop(L, 1);
  }
  *ret_count = count;
  return files;
}

/* ---- the kinds ----------------------------------------------------------- */

typedef enum fr_err (*record_fn)(lua_State *, struct fr_ledger *,
                                 const struct fr_uuid *);

static enum fr_err looked(lua_State *L, struct fr_ledger *ledger,
                          const struct fr_uuid *id)
{
  struct fr_looked looked = {
    .endpoint = need_text(L, "endpoint", TEXT_MAX),
    .from_ms = need_number(L, "from_ms"), .to_ms = need_number(L, "to_ms"),
    .rows = need_number(L, "rows")
  };

  (void)id;
  if (looked.from_ms >= looked.to_ms)
    frl_bad_argument(L, NAME, "to_ms", "it is not after from_ms");
  return ledger ? fr_ledger_looked(ledger, &looked) : FR_OK;
}

static enum fr_err quarantine(lua_State *L, struct fr_ledger *ledger,
                              const struct fr_uuid *id)
{
  size_t nacls = 0;
  struct fr_quarantine quarantine = {
    .id = *id, .delete_after_ms = need_number(L, "delete_after_ms"),
    .reason = frl_field_text(L, FIELDS, NAME, "reason", 0, TEXT_MAX)
  };

  quarantine.files = need_list(L, "files", 0, &quarantine.nfiles);
  if (frl_field(L, FIELDS, NAME, "acl", LUA_TTABLE))
    quarantine.acls = need_list(L, "acl", 0, &nacls);
  if (quarantine.acls && nacls != quarantine.nfiles)
    frl_bad_argument(L, NAME, "acl", "one for each file is needed");
  return ledger ? fr_ledger_quarantine(ledger, &quarantine) : FR_OK;
}

static enum fr_err release(lua_State *L, struct fr_ledger *ledger,
                           const struct fr_uuid *id)
{
  const char *reason = frl_field_text(L, FIELDS, NAME, "reason", 0, TEXT_MAX);

  return ledger ? fr_ledger_release(ledger, id, reason) : FR_OK;
}

static const char *need_seen(lua_State *L)
{
  static const char *const known[] = {
    "gone", "cached", "there", "unknown", NULL
  };
  const char *seen = need_text(L, "seen", TEXT_MAX);

  for (size_t i = 0; known[i]; i++)
    if (strcmp(known[i], seen) == 0)
      return known[i];
  frl_bad_argument(L, NAME, "seen", "\"gone\", \"cached\", \"there\" or "
                   "\"unknown\" is needed");
  return NULL;
}

static enum fr_err probe(lua_State *L, struct fr_ledger *ledger,
                         const struct fr_uuid *id)
{
  lua_Integer status = 0, age = -1;
  struct fr_probe_note probe = { .id = *id, .seen = need_seen(L) };

  probe.link = need_text(L, "link", LINK_MAX);
  (void)frl_field_integer(L, FIELDS, NAME, "http_status", &status);
  (void)frl_field_integer(L, FIELDS, NAME, "age_s", &age);
  if (status < 0 || status > 999)
    frl_bad_argument(L, NAME, "http_status", "0 to 999 is needed");
  probe.http_status = (int)status;
  probe.age_s = age;
  probe.cache = frl_field_text(L, FIELDS, NAME, "cache", 0, TEXT_MAX);
  probe.why = frl_field_text(L, FIELDS, NAME, "why", 0, TEXT_MAX);
  frl_field(L, FIELDS, NAME, "input", LUA_TBOOLEAN);
  probe.input = lua_toboolean(L, -1);
  return ledger ? fr_ledger_probe(ledger, &probe) : FR_OK;
}

static enum fr_err input_files(lua_State *L, struct fr_ledger *ledger,
                               const struct fr_uuid *id)
{
  size_t count;
  const char **files = need_list(L, "files", 0, &count);

  return ledger ? fr_ledger_inputs(ledger, id, files, count) : FR_OK;
}

static const struct kind {
  const char *name;
  bool of_request;
  record_fn record;
  const char *fields[8];        /* NULL-ended */
} kinds[] = {
  { "looked", false, looked, { "endpoint", "from_ms", "to_ms", "rows" } },
  { "quarantine", true, quarantine,
    { "files", "acl", "delete_after_ms", "reason" } },
  { "release", true, release, { "reason" } },
  { "probe", true, probe,
    { "link", "seen", "http_status", "age_s", "cache", "why", "input" } },
  { "input_files", true, input_files, { "files" } },
};

static const struct kind *check_kind(lua_State *L)
{
  const char *name = frl_check_text(L, KIND, NAME, "kind");
  size_t i = 0, count = sizeof(kinds) / sizeof(kinds[0]);

  while (i < count && strcmp(kinds[i].name, name) != 0)
    i++;
  if (i == count)
    frl_bad_argument(L, NAME, "kind", "\"%s\" is no kind that can be "
                     "recorded", name);
  return &kinds[i];
}

/* core.record(kind, id?, fields) -> "recorded" | "planned" | nil, err
 *                                                            [-3, +n, e] */
int frl_record(lua_State *L)
{
  struct frl *frl = frl_of(L);
  bool run = frl->config.mode == FR_MODE_RUN || frl->config.may_record;
  const struct kind *kind = check_kind(L);
  struct fr_uuid id = { { 0 } };
  enum fr_err err;

  lua_settop(L, FIELDS);
  luaL_checkstack(L, 32, NULL);
  if (kind->of_request)
    frl_check_id(L, ID, NAME, &id);
  else if (!lua_isnil(L, ID))
    return frl_bad_argument(L, NAME, "id", "\"%s\" is about no request",
                            kind->name);
  if (!lua_istable(L, FIELDS))
    return frl_bad_argument(L, NAME, "fields", "a table is needed, got %s",
                            luaL_typename(L, FIELDS));
  frl_check_options(L, FIELDS, NAME, kind->fields);
  if (run && !frl->config.ledger)
    return luaL_error(L, "this command has no ledger");
  err = kind->record(L, run ? frl->config.ledger : NULL, &id);
  if (err)
    return frl_fail_ledger(L, err);
  lua_pushstring(L, run ? "recorded" : "planned");
  return 1;
}
