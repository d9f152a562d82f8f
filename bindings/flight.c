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
#define LIMIT_MAX 2000

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
};

/* ---- life ---------------------------------------------------------------- */

static void drop_list(struct fr_list *list)
{
  while (!fr_list_empty(list)) {
    struct entry *entry = fr_container_of(list->next, struct entry, link);

    fr_list_del(&entry->link);
    fr_deletion_free(entry->deletion);
    free(entry);
  }
}

static void drop(struct frl_box *link)
{
  struct flight *flight = (struct flight *)link;

  fr_list_del(&link->link);
  fr_op_abandon(&flight->op);
  flight->waiting = false;
  drop_list(&flight->under_way);
  drop_list(&flight->ended);
  flight->count = 0;
  flight->gate = NULL;
}

static int l_close(lua_State *L)
{
  struct flight *flight = luaL_checkudata(L, BOX, FLIGHT);

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
  if (fr_gate_stopped(flight->gate))
    return 0;
  lua_pushinteger(L, room_of(flight));
  return 1;
}

static int l_room(lua_State *L)
{
  lua_pushinteger(L, room_of(check_flight(L)));
  return 1;
}

/* ---- what ended ---------------------------------------------------------- */

static void count(lua_State *L, int counts, const char *status)
{
  lua_getfield(L, counts, status);
  lua_pushinteger(L, lua_tointeger(L, -1) + 1);
  lua_setfield(L, counts, status);
  lua_pop(L, 1);
}

static void push_reason(lua_State *L, const struct entry *entry)
{
  if (entry->reason[0])
    lua_pushstring(L, entry->reason);
  else
    lua_getiuservalue(L, BOX, DEFAULT_REASON);
}

/* Stack: 1 box, 2 errors wanted, 3 counts, 4 errors; tells and counts one. */
static void take_one(lua_State *L, const struct entry *entry)
{
  struct fr_deletion_result result = entry->deletion
    ? *fr_deletion_result(entry->deletion)
    : frl_unmade(entry->unmade, fr_err_message(entry->unmade));
  lua_Integer errors = (lua_Integer)lua_rawlen(L, 4);
  char text[FR_UUID_TEXT];
  int top = lua_gettop(L);

  fr_uuid_format(&entry->id, text);
  lua_pushlstring(L, text, FR_UUID_TEXT - 1);
  count(L, 3, fr_fate_name(result.fate));
  if (result.err || !frl_observe_brief(L, top + 1, result.fate)) {
    push_reason(L, entry);
    frl_push_outcome(L, &result, top + 1, top + 2);
    if (result.err && errors < lua_tointeger(L, 2))
      lua_rawseti(L, 4, errors + 1);
  }
  lua_settop(L, top);
}

static int push_taken(lua_State *L, struct fr_op *op)
{
  struct flight *flight = lua_touserdata(L, BOX);

  (void)op;
  lua_settop(L, 2);
  lua_createtable(L, 0, 4);
  lua_createtable(L, 0, 0);
  luaL_checkstack(L, 16, NULL);
  while (!fr_list_empty(&flight->ended)) {
    struct entry *entry = fr_container_of(flight->ended.next, struct entry,
                                          link);

    take_one(L, entry);
    fr_list_del(&entry->link);
    fr_deletion_free(entry->deletion);
    free(entry);
    flight->count--;
  }
  return 2;
}

/* flight:take(n) -> counts by status, the first n errors; or nothing when
 * no deletion is left. Waits until one has ended.           [-2, +2, ey] */
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
    { "add", l_add }, { "room", l_room }, { "take", l_take },
    { "__close", l_close }, { "__gc", l_close }, { NULL, NULL }
  };

  if (luaL_newmetatable(L, FLIGHT)) {
    luaL_setfuncs(L, methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
  }
}

/* core.flight(options, limit?) -> flight                     [-2, +1, e] */
int frl_flight(lua_State *L)
{
  struct frl *frl = frl_of(L);
  lua_Integer limit = luaL_optinteger(L, 2, 0);
  struct flight *flight;

  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_argcheck(L, limit >= 0 && limit <= LIMIT_MAX, 2, "0 to 2000");
  if (!frl->config.gate)
    return frl_fail_network(L);
  lua_settop(L, 2);
  flight = lua_newuserdatauv(L, sizeof(*flight), 2);
  memset(flight, 0, sizeof(*flight));
  flight->box.drop = drop;
  fr_list_init(&flight->box.link);
  fr_list_init(&flight->under_way);
  fr_list_init(&flight->ended);
  push_methods(L);
  lua_setmetatable(L, -2);
  flight->limit = limit;
  flight->spec.retries = -1;
  frl_check_spec(L, 1, &flight->spec);          /* reason, policy */
  lua_setiuservalue(L, 3, POLICY);
  lua_setiuservalue(L, 3, DEFAULT_REASON);
  flight->loop = frl->config.loop;
  flight->gate = frl->config.gate;
  fr_list_add(&frl->boxes, &flight->box.link);
  return 1;
}
