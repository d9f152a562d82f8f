/* bindings/flight.c - core.flight: many deletions under way at a time.
 *
 *   add(id) --> under way in the gate --> ended --> take(): counts, errors
 *
 * What a task of its own for each id would cost (a coroutine, a box, a table
 * for each result) is spared: an ended deletion is counted by its status,
 * and becomes a table only where somebody wants to see one.
 *
 * The flight owns its entries, an entry its deletion. An entry leaves the
 * list of the ended only when all that can raise is over. */
#include <stdlib.h>
#include <string.h>

#include "bindings/nouns.h"

#define FUNCTION "fal.delete_all"
#define FLIGHT "falrun.flight"
#define LIMIT_MAX 1000
#define TEXT_MAX ((size_t)1 << 20)        /* lines of one take */

enum { BOX = 1, ID, REASON };           /* the stack of add */
enum { DEFAULT_REASON = 1, POLICY };    /* the user values of the box */

struct entry {
  struct fr_list link;                  /* under way, or ended */
  struct flight *flight;
  struct fr_deletion *deletion;         /* NULL: it could not be made */
  enum fr_err unmade;
  struct fr_uuid id;
  char reason[];                        /* "": the flight's */
};

struct flight {
  struct frl_box box;                   /* first */
  struct fr_gate *gate;
  struct fr_loop *loop;
  struct fr_deletion_spec spec;         /* its texts are user values */
  struct fr_list under_way, ended;
  struct fr_op op;                      /* while take() waits */
  bool waiting;
  lua_Integer count, limit;             /* entries; 0: the gate's own */
  bool lines, lost;                     /* id, tab, status wanted; no room */
  struct fr_buf text;                   /* of one take */
};

/* ---- life ---------------------------------------------------------------- */

static void drop_list(struct fr_list *list)
{
  while (!fr_list_empty(list)) {
    struct entry *entry = fr_container_of(fr_list_pop(list), struct entry,
                                          link);

    fr_deletion_free(entry->deletion);
    free(entry);
  }
}

static void drop(struct frl_box *link)
{
  struct flight *flight = (struct flight *)link;

  fr_op_abandon(&flight->op);
  flight->waiting = false;
  drop_list(&flight->under_way);
  drop_list(&flight->ended);
  fr_buf_done(&flight->text);
  flight->count = 0;
  flight->gate = NULL;
}

static int l_close(lua_State *L)
{
  struct flight *flight = luaL_checkudata(L, BOX, FLIGHT);

  fr_list_del(&flight->box.link);
  drop(&flight->box);
  return 0;
}

/* ---- one id -------------------------------------------------------------- */

static void on_done(struct fr_op *op, void *arg)
{
  struct entry *entry = arg;
  struct flight *flight = entry->flight;

  (void)op;
  fr_list_del(&entry->link);
  fr_list_add(&flight->ended, &entry->link);
  if (flight->waiting)
    fr_op_finish(&flight->op, FR_OK);
  flight->waiting = false;
}

static struct entry *new_entry(struct flight *flight,
                               const struct fr_uuid *id, const char *reason)
{
  size_t len = reason ? strlen(reason) : 0;
  struct entry *entry = calloc(1, sizeof(*entry) + len + 1);

  if (!entry)
    return NULL;
  entry->flight = flight;
  entry->id = *id;
  if (reason)
    memcpy(entry->reason, reason, len);
  fr_list_init(&entry->link);
  return entry;
}

static void start(struct flight *flight, struct entry *entry,
                  const char *reason)
{
  struct fr_deletion_spec spec = flight->spec;
  struct fr_buf why;

  spec.id = entry->id;
  if (reason)
    spec.reason = reason;
  fr_buf_init(&why, 2048);
  entry->unmade = fr_deletion_new(flight->gate, &spec, &why,
                                  &entry->deletion);
  fr_buf_done(&why);
  flight->count++;
  if (entry->unmade) {
    fr_list_add(&flight->ended, &entry->link);
    return;
  }
  fr_list_add(&flight->under_way, &entry->link);
  fr_deletion_start(entry->deletion);
  fr_op_wait(fr_deletion_op(entry->deletion), on_done, entry);
}

static lua_Integer room_of(const struct flight *flight)
{
  lua_Integer most = (lua_Integer)fr_gate_ahead(flight->gate);

  if (flight->limit && flight->limit < most)
    most = flight->limit;
  return most > flight->count ? most - flight->count : 0;
}

static struct flight *check_flight(lua_State *L)
{
  struct flight *flight = luaL_checkudata(L, BOX, FLIGHT);

  if (!flight->gate)
    luaL_error(L, "the flight is closed");
  return flight;
}

static int push_room(lua_State *L, const struct flight *flight)
{
  if (fr_gate_stopped(flight->gate))
    return 0;
  lua_pushinteger(L, room_of(flight));
  return 1;
}

/* flight:add(id, reason?) -> room left, or nil: the gate has stopped
 *                                                            [-3, +1, e] */
static int l_add(lua_State *L)
{
  struct flight *flight = check_flight(L);
  const char *reason = lua_isnoneornil(L, REASON) ? NULL :
    frl_check_text(L, REASON, FUNCTION, "reason");
  struct entry *entry;
  struct fr_uuid id;

  frl_check_id(L, ID, FUNCTION, &id);
  entry = new_entry(flight, &id, reason);
  if (!entry)
    return luaL_error(L, "%s", fr_err_message(FR_ENOMEM));
  start(flight, entry, reason);
  return push_room(L, flight);
}

/* flight:add_all(list) -> room left, or nil: the gate has stopped. As many of
 * its ids as there is room for.                              [-2, +1, e] */
static int l_add_all(lua_State *L)
{
  struct flight *flight = check_flight(L);
  struct frl_ids *ids = frl_ids_check(L, ID);
  lua_Integer room = room_of(flight);
  struct entry *entry;
  struct fr_uuid id;

  while (room > 0 && !fr_gate_stopped(flight->gate) &&
         frl_ids_take(L, ID, ids, &id)) {
    entry = new_entry(flight, &id, NULL);
    if (!entry)
      return luaL_error(L, "%s", fr_err_message(FR_ENOMEM));
    start(flight, entry, NULL);
    room--;
  }
  return push_room(L, flight);
}

static int l_room(lua_State *L)
{
  lua_pushinteger(L, room_of(check_flight(L)));
  return 1;
}

/* ---- what ended ---------------------------------------------------------- */

static void push_reason(lua_State *L, const struct entry *entry)
{
  if (entry->reason[0])
    lua_pushstring(L, entry->reason);
  else
    lua_getiuservalue(L, BOX, DEFAULT_REASON);
}

static struct fr_deletion_result result_of(const struct entry *entry)
{
  if (entry->deletion)
    return *fr_deletion_result(entry->deletion);
  return frl_unmade(entry->unmade, fr_err_message(entry->unmade));
}

static void add_line(struct flight *flight, const char *id,
                     enum fr_fate fate)
{
  enum fr_err err = fr_buf_add(&flight->text, id, FR_UUID_TEXT - 1);

  if (!err)
    err = fr_buf_add_text(&flight->text, "\t");
  if (!err)
    err = fr_buf_add_text(&flight->text, fr_fate_name(fate));
  if (!err)
    err = fr_buf_add_text(&flight->text, "\n");
  flight->lost = flight->lost || err;
}

/* Stack: 1 box, 2 errors wanted, 3 errors. Tells of one as its table. */
static void tell(lua_State *L, const struct entry *entry, const char *id,
                 const struct fr_deletion_result *result)
{
  lua_Integer errors = (lua_Integer)lua_rawlen(L, 3);
  int top = lua_gettop(L);

  lua_pushlstring(L, id, FR_UUID_TEXT - 1);
  push_reason(L, entry);
  frl_push_outcome(L, result, top + 1, top + 2);
  if (result->err && errors < lua_tointeger(L, 2))
    lua_rawseti(L, 3, errors + 1);
  lua_settop(L, top);
}

/* The first of those that have ended. */
static void take_one(lua_State *L, struct flight *flight, lua_Integer *counts)
{
  struct entry *entry = fr_container_of(flight->ended.next, struct entry,
                                        link);
  struct fr_deletion_result result = result_of(entry);
  char id[FR_UUID_TEXT];

  fr_uuid_format(&entry->id, id);
  if (result.err || frl_observes_all(L))
    tell(L, entry, id, &result);
  if (flight->lines)
    add_line(flight, id, result.fate);
  counts[result.fate]++;
  fr_list_pop(&flight->ended);
  fr_deletion_free(entry->deletion);
  free(entry);
  flight->count--;
}

static void push_counts(lua_State *L, const lua_Integer *counts)
{
  lua_createtable(L, 0, 2);
  for (int fate = 0; fate <= FR_FATE_FAILED; fate++) {
    if (!counts[fate])
      continue;
    lua_pushinteger(L, counts[fate]);
    lua_setfield(L, -2, fr_fate_name((enum fr_fate)fate));
  }
}

static int push_taken(lua_State *L, struct fr_op *op)
{
  struct flight *flight = lua_touserdata(L, BOX);
  lua_Integer counts[FR_FATE_FAILED + 1] = { 0 };

  (void)op;
  lua_settop(L, 2);
  lua_createtable(L, 0, 0);
  luaL_checkstack(L, 16, NULL);
  fr_buf_clear(&flight->text);
  while (!fr_list_empty(&flight->ended))
    take_one(L, flight, counts);
  if (flight->lost)
    return luaL_error(L, "%s", fr_err_message(FR_ENOMEM));
  push_counts(L, counts);
  lua_insert(L, 3);
  lua_pushlstring(L, fr_buf_text(&flight->text), flight->text.len);
  return 3;
}

/* flight:take(n) -> counts by status, the first n errors, the lines; or
 * nothing when no deletion is left. Waits until one has ended. [-2, +3, ey] */
static int l_take(lua_State *L)
{
  struct flight *flight = check_flight(L);

  luaL_checkinteger(L, 2);
  lua_settop(L, 2);
  if (!flight->count)
    return 0;
  if (!fr_list_empty(&flight->ended))
    return push_taken(L, NULL);
  memset(&flight->op, 0, sizeof(flight->op));
  fr_op_start(flight->loop, &flight->op, NULL);
  flight->waiting = true;
  return frl_await(L, &flight->op, push_taken);
}

/* ---- core.flight --------------------------------------------------------- */

static void push_methods(lua_State *L)
{
  static const luaL_Reg methods[] = {
    { "add", l_add }, { "add_all", l_add_all }, { "room", l_room },
    { "take", l_take },
    { "__close", l_close }, { "__gc", l_close }, { NULL, NULL }
  };

  if (luaL_newmetatable(L, FLIGHT)) {
    luaL_setfuncs(L, methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
  }
}

/* Pushes an empty one.                                       [-0, +1, m] */
static struct flight *push_flight(lua_State *L)
{
  struct flight *flight = lua_newuserdatauv(L, sizeof(*flight), 2);

  memset(flight, 0, sizeof(*flight));
  flight->box.drop = drop;
  fr_list_init(&flight->box.link);
  fr_list_init(&flight->under_way);
  fr_list_init(&flight->ended);
  fr_buf_init(&flight->text, TEXT_MAX);
  push_methods(L);
  lua_setmetatable(L, -2);
  return flight;
}

/* core.flight(options, limit?, lines?) -> flight             [-3, +1, e] */
int frl_flight(lua_State *L)
{
  struct frl *frl = frl_of(L);
  lua_Integer limit = luaL_optinteger(L, 2, 0);
  bool lines = lua_toboolean(L, 3);
  struct flight *flight;

  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_argcheck(L, limit >= 0 && limit <= LIMIT_MAX, 2, "0 to 1000");
  if (!frl->config.gate)
    return frl_fail_network(L);
  lua_settop(L, 2);
  flight = push_flight(L);
  flight->limit = limit;
  flight->lines = lines;
  flight->spec.retries = -1;
  frl_check_spec(L, 1, &flight->spec);          /* reason, policy */
  lua_setiuservalue(L, 3, POLICY);
  lua_setiuservalue(L, 3, DEFAULT_REASON);
  flight->loop = frl->config.loop;
  flight->gate = frl->config.gate;
  fr_list_add(&frl->boxes, &flight->box.link);
  return 1;
}
