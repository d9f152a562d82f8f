/* bindings/idset.c - core.id_set: which request ids came by already.
 *
 * Open addressing over the sixteen bytes of each id. A Lua table of a hundred
 * thousand ids takes six times the memory, and each collection walks over it.
 * Ids come from outside: the hash has a seed, so that nobody can make them
 * collide. A free seat is the nil UUID, which is remembered apart. */
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "bindings/nouns.h"

#define SET "falrun.idset"
#define FIRST 1024u
#define MOST 1000000

struct set {
  struct fr_uuid *seats;
  size_t cap, count, most;
  uint64_t seed;
  bool has_nil;
};

static const struct fr_uuid free_seat;

static bool is_free(const struct fr_uuid *seat)
{
  return fr_uuid_compare(seat, &free_seat) == 0;
}

static size_t hash_of(const struct set *set, const struct fr_uuid *id)
{
  uint64_t half[2], mixed;

  memcpy(half, id->bytes, sizeof(half));
  mixed = (half[0] ^ set->seed) * 0x9e3779b97f4a7c15u;
  mixed = (mixed ^ (mixed >> 32) ^ half[1]) * 0xff51afd7ed558ccdu;
  return (size_t)(mixed ^ (mixed >> 29)) & (set->cap - 1);
}

/* The seat of the id, or the free one where it belongs. */
static struct fr_uuid *seat_of(const struct set *set,
                               const struct fr_uuid *id)
{
  size_t at = hash_of(set, id);

  while (!is_free(&set->seats[at]) &&
         fr_uuid_compare(&set->seats[at], id) != 0)
    at = (at + 1) & (set->cap - 1);
  return &set->seats[at];
}

static bool grow(struct set *set)
{
  struct fr_uuid *old = set->seats;
  size_t cap = set->cap, i;
  struct fr_uuid *seats = calloc(cap ? cap * 2 : FIRST, sizeof(*seats));

  if (!seats)
    return false;
  set->seats = seats;
  set->cap = cap ? cap * 2 : FIRST;
  for (i = 0; i < cap; i++)
    if (!is_free(&old[i]))
      *seat_of(set, &old[i]) = old[i];
  free(old);
  return true;
}

/* Its first sighting; false: it was there. */
static bool put(lua_State *L, struct set *set, const struct fr_uuid *id)
{
  struct fr_uuid *seat;
  bool first;

  if (is_free(id)) {
    first = !set->has_nil;
    set->has_nil = true;
    return first;
  }
  if (set->count >= set->cap / 8 * 7 && set->count < set->most &&
      !grow(set))
    return luaL_error(L, "%s", fr_err_message(FR_ENOMEM));
  if (!set->cap)
    return true;
  seat = seat_of(set, id);
  if (!is_free(seat))
    return false;
  if (set->count < set->most) {
    *seat = *id;
    set->count++;
  }
  return true;
}

/* set:add(id) -> true: it is new, false: it was there, nil: it is no id.
 * Past the set's limit new ids are not kept.                 [-2, +1, e] */
static int l_add(lua_State *L)
{
  struct set *set = luaL_checkudata(L, 1, SET);
  const char *text = NULL;
  struct fr_uuid id;
  size_t len = 0;

  lua_settop(L, 2);
  if (lua_type(L, 2) == LUA_TSTRING)
    text = lua_tolstring(L, 2, &len);
  if (text && !fr_uuid_parse(text, len, &id))
    lua_pushboolean(L, put(L, set, &id));
  else
    lua_pushnil(L);
  return 1;
}

/* set:move(from, to, most) -> how many went: at most so many ids of the list
 * `from`, those that are new to the list `to`.               [-4, +1, e] */
static int l_move(lua_State *L)
{
  struct set *set = luaL_checkudata(L, 1, SET);
  struct frl_ids *from = frl_ids_check(L, 2), *to = frl_ids_check(L, 3);
  lua_Integer most = luaL_checkinteger(L, 4), moved = 0;
  struct fr_uuid id;

  while (moved < most && frl_ids_take(L, 2, from, &id)) {
    if (!put(L, set, &id))
      continue;
    frl_ids_add(L, 3, to, &id);
    moved++;
  }
  lua_pushinteger(L, moved);
  return 1;
}

static int l_gc(lua_State *L)
{
  struct set *set = luaL_checkudata(L, 1, SET);

  free(set->seats);
  set->seats = NULL;
  set->cap = set->count = 0;
  return 0;
}

/* core.id_set(limit) -> set                                  [-1, +1, e] */
int frl_id_set(lua_State *L)
{
  static const luaL_Reg methods[] = {
    { "add", l_add }, { "move", l_move }, { "__gc", l_gc }, { NULL, NULL }
  };
  lua_Integer most = luaL_checkinteger(L, 1);
  struct set *set;

  luaL_argcheck(L, most > 0 && most <= MOST, 1, "1 to 1,000,000");
  set = lua_newuserdatauv(L, sizeof(*set), 0);
  memset(set, 0, sizeof(*set));
  set->most = (size_t)most;
  if (luaL_newmetatable(L, SET)) {
    luaL_setfuncs(L, methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
  }
  lua_setmetatable(L, -2);
  if (fr_random(&set->seed, sizeof(set->seed)))
    return luaL_error(L, "the system gave no random bytes");
  return 1;
}
