/* bindings/rows.c - rows as a run of tagged fields in one buffer:
 *
 *   | 'i' name value | 't' name length bytes NUL | ... | '.' |   next row
 *
 * Times become text as they are put; JSON text becomes a value as it is
 * taken out, where it may raise. */
#include "bindings/rows.h"

#include <string.h>

#include "base/date.h"
#include "bindings/internal.h"
#include "bindings/json.h"

#define BOX "falrun.rows"

static int l_rows_gc(lua_State *L)
{
  struct frl_rows *rows = luaL_checkudata(L, 1, BOX);

  fr_buf_done(&rows->bytes);
  return 0;
}

struct frl_rows *frl_rows_new(lua_State *L, size_t most)
{
  struct frl_rows *rows = lua_newuserdatauv(L, sizeof(*rows), 0);

  *rows = (struct frl_rows){ .err = FR_OK };
  fr_buf_init(&rows->bytes, most);
  if (luaL_newmetatable(L, BOX)) {
    lua_pushcfunction(L, l_rows_gc);
    lua_setfield(L, -2, "__gc");
  }
  lua_setmetatable(L, -2);
  return rows;
}

void frl_rows_clear(struct frl_rows *rows)
{
  fr_buf_clear(&rows->bytes);
  rows->at = 0;
}

/* ---- putting ------------------------------------------------------------- */

static void put(struct frl_rows *rows, const void *data, size_t len)
{
  if (!rows->err)
    rows->err = fr_buf_add(&rows->bytes, data, len);
}

static void put_head(struct frl_rows *rows, char tag, const char *name)
{
  put(rows, &tag, 1);
  put(rows, &name, sizeof(name));
}

static void put_text(struct frl_rows *rows, char tag, const char *name,
                     const char *text)
{
  size_t len = text ? strlen(text) : 0;

  if (!text)
    return;
  put_head(rows, tag, name);
  put(rows, &len, sizeof(len));
  put(rows, text, len + 1);
}

void frl_rows_integer(struct frl_rows *rows, const char *name, int64_t value)
{
  put_head(rows, 'i', name);
  put(rows, &value, sizeof(value));
}

void frl_rows_time(struct frl_rows *rows, const char *name, int64_t at_ms)
{
  char text[FR_DATE_TEXT];

  fr_date_format(at_ms, text);
  put_text(rows, 't', name, text);
}

void frl_rows_text(struct frl_rows *rows, const char *name, const char *text)
{
  put_text(rows, 't', name, text);
}

void frl_rows_json(struct frl_rows *rows, const char *name, const char *text)
{
  put_text(rows, 'j', name, text);
}

void frl_rows_id(struct frl_rows *rows, const char *name,
                 const struct fr_uuid *id)
{
  char text[FR_UUID_TEXT];

  fr_uuid_format(id, text);
  put_text(rows, 't', name, text);
}

void frl_rows_end(struct frl_rows *rows)
{
  put(rows, ".", 1);
  rows->count++;
}

/* ---- taking -------------------------------------------------------------- */

static void take(struct frl_rows *rows, void *ret_data, size_t len)
{
  memcpy(ret_data, rows->bytes.data + rows->at, len);
  rows->at += len;
}

static void push_value(lua_State *L, struct frl_rows *rows, char tag)
{
  const char *text;
  int64_t value;
  size_t len;

  if (tag == 'i') {
    take(rows, &value, sizeof(value));
    lua_pushinteger(L, value);
    return;
  }
  take(rows, &len, sizeof(len));
  text = rows->bytes.data + rows->at;
  rows->at += len + 1;
  if (tag == 'j')
    frl_json_decode(L, text, len);
  else
    lua_pushlstring(L, text, len);
}

bool frl_rows_next(lua_State *L, struct frl_rows *rows)
{
  const char *name;
  char tag;

  if (rows->at >= rows->bytes.len)
    return false;
  luaL_checkstack(L, 8, NULL);
  lua_createtable(L, 0, 8);
  for (take(rows, &tag, 1); tag != '.'; take(rows, &tag, 1)) {
    take(rows, &name, sizeof(name));
    push_value(L, rows, tag);
    lua_setfield(L, -2, name);
  }
  return true;
}

void frl_rows_push(lua_State *L, struct frl_rows *rows)
{
  lua_Integer count = 0;

  lua_newtable(L);
  luaL_setmetatable(L, FRL_JSON_ARRAY);         /* [], also when empty */
  while (frl_rows_next(L, rows))
    lua_rawseti(L, -2, ++count);
}
