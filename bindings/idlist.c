/* bindings/idlist.c - core.id_list: many request ids in little memory.
 *
 *   add --> [ 4096 ] [ 4096 ] [ 17   ] --> take       16 bytes an id
 *
 * Ids go from standard input to the gate by the thousand, and never become
 * strings of Lua. The chunks are Lua's own memory, in a table that is the
 * list's user value: they count for the cap, and whatever raises frees them.
 * A chunk goes when its last id has been taken. */
#include <string.h>

#include "bindings/nouns.h"

#define LIST "falrun.idlist"
#define CHUNK ((size_t)4096)

struct frl_ids {
  struct fr_uuid *head, *tail;  /* the chunks of the next take and add */
  size_t taken, added;          /* since it was made */
};

struct frl_ids *frl_ids_check(lua_State *L, int index)
{
  return luaL_checkudata(L, index, LIST);
}

size_t frl_ids_count(const struct frl_ids *ids)
{
  return ids->added - ids->taken;
}

/* The chunk where the n-th id is, or is to be. */
static struct fr_uuid *chunk_of(lua_State *L, int index, size_t n)
{
  struct fr_uuid *chunk;

  lua_getiuservalue(L, index, 1);
  lua_rawgeti(L, -1, (lua_Integer)(n / CHUNK) + 1);
  chunk = lua_touserdata(L, -1);
  lua_pop(L, 2);
  return chunk;
}

static void new_chunk(lua_State *L, int index, struct frl_ids *ids)
{
  struct fr_uuid *chunk;

  lua_getiuservalue(L, index, 1);
  chunk = lua_newuserdatauv(L, CHUNK * sizeof(*chunk), 0);
  lua_rawseti(L, -2, (lua_Integer)(ids->added / CHUNK) + 1);
  lua_pop(L, 1);
  ids->tail = chunk;
  if (ids->taken == ids->added)
    ids->head = ids->tail;
}

void frl_ids_add(lua_State *L, int index, struct frl_ids *ids,
                 const struct fr_uuid *id)
{
  if (ids->added % CHUNK == 0)
    new_chunk(L, index, ids);
  ids->tail[ids->added++ % CHUNK] = *id;
}

static void drop_chunk(lua_State *L, int index, struct frl_ids *ids)
{
  lua_getiuservalue(L, index, 1);
  lua_pushnil(L);
  lua_rawseti(L, -2, (lua_Integer)(ids->taken / CHUNK));
  lua_pop(L, 1);
  ids->head = chunk_of(L, index, ids->taken);
}

bool frl_ids_take(lua_State *L, int index, struct frl_ids *ids,
                  struct fr_uuid *ret_id)
{
  if (ids->taken == ids->added)
    return false;
  *ret_id = ids->head[ids->taken++ % CHUNK];
  if (ids->taken % CHUNK == 0)
    drop_chunk(L, index, ids);
  return true;
}

void frl_ids_push(lua_State *L, const struct fr_uuid *id)
{
  char text[FR_UUID_TEXT];

  fr_uuid_format(id, text);
  lua_pushlstring(L, text, FR_UUID_TEXT - 1);
}

/* list:add(id) -> true, or false: it is no id                [-2, +1, e] */
static int l_add(lua_State *L)
{
  struct frl_ids *ids = frl_ids_check(L, 1);
  struct fr_uuid id;
  const char *text;
  size_t len = 0;

  text = lua_type(L, 2) == LUA_TSTRING ? lua_tolstring(L, 2, &len) : NULL;
  if (!text || fr_uuid_parse(text, len, &id)) {
    lua_pushboolean(L, false);
    return 1;
  }
  frl_ids_add(L, 1, ids, &id);
  lua_pushboolean(L, true);
  return 1;
}

/* list:take() -> the first id, or nil                        [-1, +1, m] */
static int l_take(lua_State *L)
{
  struct frl_ids *ids = frl_ids_check(L, 1);
  struct fr_uuid id;

  if (!frl_ids_take(L, 1, ids, &id))
    return 0;
  frl_ids_push(L, &id);
  return 1;
}

/* list:at(n) -> the n-th id of those that are left, or nil   [-2, +1, e] */
static int l_at(lua_State *L)
{
  const struct frl_ids *ids = frl_ids_check(L, 1);
  lua_Integer n = luaL_checkinteger(L, 2);
  size_t place;

  if (n < 1 || (lua_Unsigned)n > frl_ids_count(ids))
    return 0;
  place = ids->taken + (size_t)n - 1;
  frl_ids_push(L, &chunk_of(L, 1, place)[place % CHUNK]);
  return 1;
}

static int l_count(lua_State *L)
{
  lua_pushinteger(L, (lua_Integer)frl_ids_count(frl_ids_check(L, 1)));
  return 1;
}

/* core.id_list() -> list                                     [-0, +1, m] */
int frl_id_list(lua_State *L)
{
  static const luaL_Reg methods[] = {
    { "add", l_add }, { "take", l_take }, { "at", l_at },
    { "__len", l_count }, { NULL, NULL }
  };
  struct frl_ids *ids = lua_newuserdatauv(L, sizeof(*ids), 1);

  memset(ids, 0, sizeof(*ids));
  lua_newtable(L);
  lua_setiuservalue(L, -2, 1);
  if (luaL_newmetatable(L, LIST)) {
    luaL_setfuncs(L, methods, 0);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "__index");
  }
  lua_setmetatable(L, -2);
  return 1;
}

/* core.look_ahead(from, to, most) -> planned, fate?, id?     [-3, +3, e]
 *
 * Ids go over to `to` as long as the gate would send them, or says that
 * nothing more will come of them; until `most` would be sent, or one is
 * refused or deleted already: which that is, is told, and it is in neither. */
int frl_look_ahead(lua_State *L)
{
  struct frl_ids *from = frl_ids_check(L, 1), *to = frl_ids_check(L, 2);
  lua_Integer most = luaL_checkinteger(L, 3), planned = 0;
  struct fr_gate *gate = frl_of(L)->config.gate;
  struct fr_uuid id;

  while (planned < most && frl_ids_take(L, 1, from, &id)) {
    enum fr_fate fate = FR_FATE_FAILED;
    enum fr_err err = FR_OK;
    char why[512];

    if (gate)                   /* else nobody knows: it goes there anyway */
      fate = fr_gate_preview(gate, &id, &err, why, sizeof(why));
    if (fate == FR_FATE_REFUSED || fate == FR_FATE_ALREADY_DELETED) {
      lua_pushinteger(L, planned);
      lua_pushstring(L, fr_fate_name(fate));
      frl_ids_push(L, &id);
      return 3;
    }
    frl_ids_add(L, 2, to, &id);
    planned += fate == FR_FATE_PLANNED;
  }
  lua_pushinteger(L, planned);
  return 1;
}
