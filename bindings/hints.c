/* bindings/hints.c - what to do about an error, where that is known.
 *
 * A table of patterns on the message and on the source line it names; the
 * first row that fits gives the hint. Rows stand from special to general. A
 * wrong hint is worse than none, so a row must name what it has seen.
 */
#include <lauxlib.h>
#include <string.h>

#include "bindings/internal.h"

struct hint {
  const char *message, *line;   /* Lua patterns; NULL: any */
  const char *hint;             /* %1 to %3: captures of the message */
};

#define MOST_MESSAGE 2000       /* patterns over a giant take for ever */
#define REQUEST_FIELDS "request_id, endpoint_id, sent_at, started_at, " \
                       "ended_at, status_code, duration"

static const struct hint hints[] = {
  /* words of other languages */
  { "near '!'", "!=", "'not equal' is written ~= in Lua" },
  { "near '!'", NULL, "'not x' is written with the word: not x" },
  { "near '&'", "&&", "'and' is written with the word: a and b" },
  { "near '|'", "||", "'or' is written with the word: a or b" },
  { "near '[%+%-%*/%.]+'", "[%+%-%*/]=",
    "Lua has no += or -=: write x = x + 1" },
  { "near '%.%.'", "%.%.=", "Lua has no ..=: write x = x .. y" },
  { "near '[^']*'", "%+%+", "Lua has no ++: write x = x + 1" },
  { "near '//?'", "^%s*/[/*]", "a comment begins with --" },
  { "near '#'", "^%s*#", "a comment begins with --" },
  { "near '[^']*'", "^%s*let%s", "a variable is declared with local" },
  { "near '[^']*'", "^%s*const%s", "a variable is declared with local" },
  { "near '[^']*'", "^%s*var%s", "a variable is declared with local" },
  { "near '[^']*'", "else%s+if", "'else if' is one word: elseif" },
  { "near '[^']*'", "^%s*continue%s*$",
    "Lua has no continue: turn the condition round, or use goto" },
  { "undefined global 'null'", NULL,
    "nothing is nil in Lua; a null inside JSON is json.null" },
  { "undefined global 'undefined'", NULL, "nothing is nil in Lua" },
  { "undefined global 'None'", NULL, "nothing is nil in Lua" },
  { "undefined global 'True'", NULL, "it is written true" },
  { "undefined global 'False'", NULL, "it is written false" },
  { "undefined global 'io'", NULL,
    "policies have no files; ids to hold are given to falrun hold add" },
  { "undefined global 'debug'", NULL, "policies have no debug library" },
  { "undefined global 'package'", NULL,
    "modules are found beside the policy, and on FALRUN_PATH" },
  { "undefined global 'dofile'", NULL, "use require" },
  { "undefined global 'loadfile'", NULL, "use require" },
  { "undefined global 'unpack'", NULL, "it is table.unpack" },
  { "undefined global 'request'", NULL,
    "a request is the argument of your function, or the loop's variable" },
  { "nil value %(field 'execute'%)", NULL, "policies start no programs" },

  /* syntax */
  { "'then' expected near '='", NULL, "= assigns; == compares" },
  { "'do' expected near '='", NULL, "= assigns; == compares" },
  { "'then' expected", NULL,
    "'then' is missing after the condition of 'if' or 'elseif'" },
  { "'do' expected", NULL, "'do' is missing after 'for' or 'while'" },
  { "'end' expected %(to close '(%w+)' at line (%d+)%)", NULL,
    "the '%1' of line %2 has no 'end'" },
  { "'end' expected", NULL, "a block has no 'end'" },
  { "'(.)' expected %(to close '(.)' at line (%d+)%)", NULL,
    "the '%2' of line %3 is not closed, or a ',' is missing before this" },
  { "'}' expected", NULL, "a ',' is missing between two entries" },
  { "'%)' expected", NULL, "a ',' or a ')' is missing" },
  { "<eof> expected near 'end'", NULL,
    "there is one 'end' more than there are blocks" },
  { "<eof> expected", NULL,
    "'return' must be the last statement of a file" },
  { "unfinished string", NULL, "the closing quote is missing" },
  { "malformed number near '%d+[%a]+'", NULL,
    "a duration is text: \"30d\"" },
  { "attempt to assign to const variable '([^']+)'", NULL,
    "'%1' is declared <const>" },
  { "attempt to load a binary chunk", NULL,
    "policies are text; compiled Lua is not loaded" },

  /* values */
  { "attempt to index a nil value %(local 'request'%)", NULL,
    "there is no request here: is it the function's first argument?" },
  { "attempt to index a nil value %(field '([^']+)'%)", "request%.",
    "'%1' is nil here; a request has " REQUEST_FIELDS },
  { "attempt to index a nil value %(field '([^']+)'%)", NULL,
    "'%1' is nil here: check its spelling, or test for it first" },
  { "attempt to index a nil value %(%a+ '([^']+)'%)", NULL,
    "'%1' is nil here: a call may have returned nil and an error" },
  { "attempt to index a number value %(local '([^']+)'%)", NULL,
    "'%1' is a number: ipairs gives the index first, then the value" },
  { "attempt to call a nil value %(method '([^']+)'%)", NULL,
    "there is no method '%1'; library functions are called with a dot" },
  { "attempt to call a nil value %(%a+ '([^']+)'%)", NULL,
    "there is no function '%1': check its spelling" },
  { "attempt to call a table value %(for iterator", NULL,
    "a list is walked with: for _, item in ipairs(list) do" },
  { "attempt to call a nil value %(for iterator", NULL,
    "what stands after 'in' is nil: check what it returned" },
  { "attempt to perform arithmetic on a nil value %(%a+ '([^']+)'%)", NULL,
    "'%1' is nil here: check its spelling, or write (%1 or 0)" },
  { "attempt to perform arithmetic on a string value", NULL,
    "text is made a number with tonumber(text)" },
  { "attempt to perform arithmetic on a table value", NULL,
    "that is a table: name one of its fields" },
  { "attempt to compare .*nil", NULL,
    "one side is nil: test it first, as in x ~= nil and x > 1" },
  { "attempt to compare number with string", NULL,
    "text is made a number with tonumber(text)" },
  { "attempt to compare string with number", NULL,
    "text is made a number with tonumber(text)" },
  { "attempt to concatenate a nil value %(%a+ '([^']+)'%)", NULL,
    "'%1' is nil here: check its spelling, or write tostring(%1)" },
  { "attempt to concatenate a (%a+) value", NULL,
    "a %1 is made text with tostring" },
  { "'for iterator' %(table expected, got nil%)", NULL,
    "pairs and ipairs need a table; what they were given is nil" },
  { "attempt to index a nil value$", "ipairs%s*%(",
    "pairs and ipairs need a table; what they were given is nil" },
  { "attempt to get length of a nil value", NULL,
    "the list is nil: check its spelling" },
  { "stack overflow", NULL, "a function calls itself without an end" },
};

/* Stack: message, match function. Pushes the captures of `pattern` in the
 * message, and returns how many; 0 when it does not fit. */
static int match(lua_State *L, const char *text, const char *pattern)
{
  int top = lua_gettop(L);

  lua_pushvalue(L, 2);
  lua_pushstring(L, text);
  lua_pushstring(L, pattern);
  lua_call(L, 2, LUA_MULTRET);
  if (lua_isnil(L, top + 1)) {
    lua_settop(L, top);
    return 0;
  }
  return lua_gettop(L) - top;
}

/* Pushes the text with %1 to %3 replaced by what `first` and following hold. */
static void fill(lua_State *L, const char *text, int first, int count)
{
  static const char *const marks[] = { "%1", "%2", "%3" };

  lua_pushstring(L, text);
  for (int i = 0; i < count && i < 3; i++) {
    luaL_gsub(L, lua_tostring(L, -1), marks[i], lua_tostring(L, first + i));
    lua_remove(L, -2);
  }
}

/* hint(message, match, line) -> text | nil */
static int l_hint(lua_State *L)
{
  const char *message = lua_tostring(L, 1), *line = lua_tostring(L, 3);

  for (size_t i = 0; i < sizeof(hints) / sizeof(*hints); i++) {
    int count;

    lua_settop(L, 3);
    if (hints[i].line && match(L, line, hints[i].line) == 0)
      continue;
    lua_settop(L, 3);
    count = match(L, message, hints[i].message);
    if (count == 0)
      continue;
    fill(L, hints[i].hint, 4, count);
    return 1;
  }
  return 0;
}

void frl_push_hint(lua_State *L, const char *message, const char *line)
{
  lua_pushcfunction(L, l_hint);
  lua_pushlstring(L, message, strnlen(message, MOST_MESSAGE));
  lua_getglobal(L, "string");
  lua_getfield(L, -1, "match");
  lua_remove(L, -2);
  lua_pushlstring(L, line, strnlen(line, MOST_MESSAGE));
  lua_call(L, 3, 1);
}
