/* bindings/page.c - the rows of a list answer as tables, straight from where
 * fal/page.h found their facts.
 *
 * A page that is in every row as the API documents it is most of them; one
 * that is not goes through json.decode and scripts/fal/row.lua, which finds
 * the words for what is wrong with it, and takes the odd that is not wrong.
 * So nothing is refused here, and what is pushed is what row.lua would make.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/uuid.h"
#include "bindings/internal.h"
#include "bindings/page.h"

#define CODE_DIGITS 9

static bool is_text_or_none(const struct fr_span *span)
{
  return span->kind <= FR_SPAN_NULL || span->kind == FR_SPAN_TEXT;
}

static bool is_code_or_none(const struct fr_span *span)
{
  if (span->kind != FR_SPAN_NUMBER)
    return span->kind <= FR_SPAN_NULL;
  for (unsigned i = 0; i < span->len; i++)
    if (span->at[i] < '0' || span->at[i] > '9')
      return false;
  return span->len <= CODE_DIGITS;
}

static bool is_number_or_none(const struct fr_span *span)
{
  return span->kind <= FR_SPAN_NULL || span->kind == FR_SPAN_NUMBER;
}

/* A time as policies see it has a T and ends in Z; any other is rewritten by
 * row.lua. -1: it has none. */
static bool read_end(const struct fr_span *span, int64_t *ret_ms)
{
  *ret_ms = -1;
  if (span->kind <= FR_SPAN_NULL)
    return true;
  return span->kind == FR_SPAN_TEXT && memchr(span->at, 'T', span->len) &&
         span->at[span->len - 1] == 'Z' &&
         !fr_date_parse(span->at, span->len, ret_ms);
}

static bool is_documented(const struct fr_row *row, int64_t *ret_ended_ms)
{
  const struct fr_span *facts = row->facts;
  const struct fr_span *id = &facts[FR_FACT_REQUEST_ID];
  struct fr_uuid ignored;

  return id->kind == FR_SPAN_TEXT &&
         !fr_uuid_parse(id->at, id->len, &ignored) &&
         facts[FR_FACT_ENDPOINT_ID].kind == FR_SPAN_TEXT &&
         facts[FR_FACT_ENDPOINT_ID].len > 0 &&
         is_text_or_none(&facts[FR_FACT_SENT_AT]) &&
         is_text_or_none(&facts[FR_FACT_STARTED_AT]) &&
         is_code_or_none(&facts[FR_FACT_STATUS_CODE]) &&
         is_number_or_none(&facts[FR_FACT_DURATION]) &&
         read_end(&facts[FR_FACT_ENDED_AT], ret_ended_ms);
}

/* As json.decode does: what is integral is an integer. What follows a number
 * in the body ends it for strtod. */
static void push_number(lua_State *L, const struct fr_span *span)
{
  double number = strtod(span->at, NULL);

  if (floor(number) == number && fabs(number) < 9007199254740992.0)
    lua_pushinteger(L, (lua_Integer)number);
  else
    lua_pushnumber(L, number);
}

/* Stack: ..., row. */
static void set_fact(lua_State *L, const struct fr_row *row, enum fr_fact fact)
{
  const struct fr_span *span = &row->facts[fact];

  if (span->kind == FR_SPAN_NUMBER)
    push_number(L, span);
  else if (span->kind == FR_SPAN_TEXT)
    lua_pushlstring(L, span->at, span->len);
  else
    return;
  lua_setfield(L, -2, fr_fact_name(fact));
}

static void push_row(lua_State *L, const struct fr_row *row)
{
  lua_createtable(L, 0, FR_FACTS);
  for (enum fr_fact i = 0; i < FR_FACTS; i++)
    set_fact(L, row, i);
}

static bool has_documented_ends(const struct fr_page *page)
{
  return page->more.kind == FR_SPAN_OTHER && page->more.at &&
         page->more.at[-1] != '"' && is_text_or_none(&page->cursor);
}

/* Stack: ..., page. */
static void set_ends(lua_State *L, const struct fr_page *page)
{
  lua_pushboolean(L, *page->more.at == 't');
  lua_setfield(L, -2, "has_more");
  if (page->cursor.kind != FR_SPAN_TEXT)
    return;
  lua_pushlstring(L, page->cursor.at, page->cursor.len);
  lua_setfield(L, -2, "next_cursor");
}

bool frl_page_push(lua_State *L, const struct fr_page *page)
{
  int top = lua_gettop(L);
  const struct fr_row *row;
  size_t count;
  int64_t ms;

  if (!page || !has_documented_ends(page))
    return false;
  row = fr_page_rows(page, &count);
  luaL_checkstack(L, 8, NULL);
  lua_createtable(L, 0, 3);
  lua_createtable(L, (int)count, 0);            /* page, ended */
  lua_createtable(L, (int)count, 0);            /* page, ended, items */
  for (size_t i = 0; i < count; i++) {
    if (!is_documented(&row[i], &ms)) {
      lua_settop(L, top);
      return false;
    }
    push_row(L, &row[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
    lua_pushinteger(L, ms);
    lua_rawseti(L, -3, (lua_Integer)i + 1);
  }
  lua_setfield(L, -3, "items");
  lua_insert(L, -2);                            /* ended, page */
  set_ends(L, page);
  lua_insert(L, -2);
  return true;
}
