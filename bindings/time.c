/* bindings/time.c - clocks, sleeping, and times and durations as text. */
#include <string.h>

#include "base/date.h"
#include "base/uuid.h"
#include "base/zone.h"
#include "bindings/nouns.h"

#define NAP "falrun.nap"
#define ZONE "falrun.zone"
#define LONGEST_MS ((lua_Integer)100 * 366 * 24 * 3600 * 1000)

struct nap {
  struct fr_op op;
  struct fr_timer timer;
  struct fr_loop *loop;
};

static int l_nap_gc(lua_State *L)
{
  struct nap *nap = luaL_checkudata(L, 1, NAP);

  fr_timer_stop(nap->loop, &nap->timer);
  fr_op_abandon(&nap->op);
  return 0;
}

static struct nap *push_nap(lua_State *L)
{
  struct nap *nap = lua_newuserdatauv(L, sizeof(*nap), 0);

  *nap = (struct nap){ .loop = frl_of(L)->config.loop };
  if (luaL_newmetatable(L, NAP)) {
    lua_pushcfunction(L, l_nap_gc);
    lua_setfield(L, -2, "__gc");
  }
  lua_setmetatable(L, -2);
  return nap;
}

static void on_due(struct fr_timer *timer)
{
  fr_op_finish(&fr_container_of(timer, struct nap, timer)->op, FR_OK);
}

static void on_cancel(struct fr_op *op)
{
  struct nap *nap = fr_container_of(op, struct nap, op);

  fr_timer_stop(nap->loop, &nap->timer);
  fr_op_finish(op, FR_ECANCELLED);
}

int frl_nap(lua_State *L, uint64_t ms, frl_push_fn push)
{
  struct nap *nap = push_nap(L);

  nap->timer.on_due = on_due;
  fr_op_start(nap->loop, &nap->op, on_cancel);
  fr_timer_start(nap->loop, &nap->timer, fr_loop_now(nap->loop) + ms);
  return frl_await(L, &nap->op, push);
}

static int push_slept(lua_State *L, struct fr_op *op)
{
  (void)op;
  lua_pushboolean(L, true);
  return 1;
}

/* core.sleep(ms) -> true                                      [-1, +1, ey] */
static int l_sleep(lua_State *L)
{
  lua_Integer ms = luaL_checkinteger(L, 1);

  if (ms < 0 || ms > LONGEST_MS)
    return frl_bad_argument(L, "sleep", "ms", "0 to 100 years expected");
  return frl_nap(L, (uint64_t)ms, push_slept);
}

static int l_now(lua_State *L)
{
  uint64_t now = fr_clock_now(frl_of(L)->config.clock);

  lua_pushinteger(L, (lua_Integer)now);
  return 1;
}

static int l_at(lua_State *L)
{
  lua_pushinteger(L, fr_clock_at(frl_of(L)->config.clock));
  return 1;
}

/* ---- text ---------------------------------------------------------------- */

static int l_parse_time(lua_State *L)
{
  size_t len;
  const char *text = luaL_checklstring(L, 1, &len);
  int64_t at_ms;

  if (fr_date_parse(text, len, &at_ms))
    lua_pushnil(L);
  else
    lua_pushinteger(L, at_ms);
  return 1;
}

static int l_format_time(lua_State *L)
{
  char text[FR_DATE_TEXT];

  fr_date_format(luaL_checkinteger(L, 1), text);
  lua_pushstring(L, text);
  return 1;
}

static int l_parse_duration(lua_State *L)
{
  size_t len;
  const char *text = luaL_checklstring(L, 1, &len);
  uint64_t ms;

  if (lua_type(L, 1) != LUA_TSTRING || fr_duration_parse(text, len, &ms))
    lua_pushnil(L);
  else
    lua_pushinteger(L, (lua_Integer)ms);
  return 1;
}

static int l_format_duration(lua_State *L)
{
  lua_Integer ms = luaL_checkinteger(L, 1);
  char text[FR_DATE_TEXT];

  luaL_argcheck(L, ms >= 0, 1, "a duration is not negative");
  fr_duration_format((uint64_t)ms, text);
  lua_pushstring(L, text);
  return 1;
}

static bool to_id(lua_State *L, struct fr_uuid *ret_id)
{
  size_t len = 0;
  const char *text = NULL;

  lua_settop(L, 1);
  if (lua_type(L, 1) == LUA_TSTRING)
    text = lua_tolstring(L, 1, &len);
  return text && !fr_uuid_parse(text, len, ret_id);
}

/* core.parse_id(text) -> text | nil                           [-1, +1, -] */
static int l_parse_id(lua_State *L)
{
  struct fr_uuid id;

  if (!to_id(L, &id))
    lua_pushnil(L);
  return 1;
}

/* ---- zones --------------------------------------------------------------- */

static int l_zone_gc(lua_State *L)
{
  struct fr_zone **box = luaL_checkudata(L, 1, ZONE);

  fr_zone_free(*box);
  *box = NULL;
  return 0;
}

/* Pushes an empty box that frees its zone. */
static struct fr_zone **push_zone(lua_State *L)
{
  struct fr_zone **box = lua_newuserdatauv(L, sizeof(*box), 0);

  *box = NULL;
  if (luaL_newmetatable(L, ZONE)) {
    lua_pushcfunction(L, l_zone_gc);
    lua_setfield(L, -2, "__gc");
  }
  lua_setmetatable(L, -2);
  return box;
}

/* The zone named at index 1, opened once and then kept; NULL when there is
 * none. Only zones that exist are kept, so the table stays small. */
static const struct fr_zone *zone_of(lua_State *L)
{
  size_t len;
  const char *name = luaL_checklstring(L, 1, &len);
  struct fr_zone **box;
  enum fr_err err;

  luaL_getsubtable(L, LUA_REGISTRYINDEX, ZONE "s");
  lua_pushvalue(L, 1);
  if (lua_rawget(L, -2) == LUA_TUSERDATA)
    return *(struct fr_zone **)lua_touserdata(L, -1);
  lua_pop(L, 1);
  box = push_zone(L);
  err = fr_zone_open(name, len, box);
  if (err == FR_ENOMEM)
    luaL_error(L, "%s", fr_err_message(err));
  if (err)
    return NULL;
  lua_pushvalue(L, 1);
  lua_pushvalue(L, -2);
  lua_rawset(L, -4);
  return *box;
}

/* core.zone_offset(zone, at_ms) -> seconds | nil              [-2, +1, e] */
static int l_zone_offset(lua_State *L)
{
  lua_Integer at_ms = luaL_checkinteger(L, 2);
  const struct fr_zone *zone = zone_of(L);

  if (zone)
    lua_pushinteger(L, fr_zone_offset(zone, at_ms));
  else
    lua_pushnil(L);
  return 1;
}

const luaL_Reg frl_time_functions[] = {
  { "sleep", l_sleep },
  { "now", l_now },
  { "at", l_at },
  { "parse_time", l_parse_time },
  { "format_time", l_format_time },
  { "parse_duration", l_parse_duration },
  { "format_duration", l_format_duration },
  { "parse_id", l_parse_id },
  { "zone_offset", l_zone_offset },
  { NULL, NULL },
};
