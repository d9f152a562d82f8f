/* bindings/report.c - what a person reads when a policy failed.
 *
 *   policies/p.lua:12: attempt to index a nil value (field 'foo')
 *      12 | local x = request.foo.bar
 *           hint: ...
 *
 * A mistake of syntax is often noticed later than it was made: the line that
 * the message names ("to close 'if' at line 3") is shown too, and the line
 * before when the trouble is with the first word of a line.
 *
 * The position is in the text of most errors. Error tables have none, so
 * the message handler notes where each error was raised; a slot in the
 * registry is enough, because the report follows at once.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "bindings/env.h"
#include "bindings/internal.h"

#define MOST_LINE 160
#define MOST_LINES 50           /* of an error that a script made */

static const char raise_key;    /* {error, where, traceback} */

struct place {
  char chunk[LUA_IDSIZE];
  int line;
  size_t len;                   /* of "chunk:line: " */
};

static bool debugging(void)
{
  return fr_log_most() >= FR_LOG_DEBUG;
}

int frl_note_raise(lua_State *L)
{
  lua_settop(L, 1);
  lua_createtable(L, 3, 0);
  lua_pushvalue(L, 1);
  lua_rawseti(L, 2, 1);
  frl_where(L);
  lua_rawseti(L, 2, 2);
  if (debugging()) {
    luaL_traceback(L, L, NULL, 1);
    lua_rawseti(L, 2, 3);
  }
  lua_rawsetp(L, LUA_REGISTRYINDEX, &raise_key);
  return 1;
}

/* Pushes where the error at index 1 was raised, or "". */
static const char *push_raise(lua_State *L, int field)
{
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &raise_key) == LUA_TTABLE &&
      (lua_rawgeti(L, -1, 1), lua_rawequal(L, -1, 1)))
    lua_rawgeti(L, -2, field);
  else
    lua_pushliteral(L, "");
  return lua_isstring(L, -1) ? lua_tostring(L, -1) : "";
}

/* "chunk:12: ..." has a place; the chunk itself may contain colons. */
static bool find_place(const char *text, struct place *ret_place)
{
  const char *at = strchr(text, ':');

  for (; at; at = strchr(at + 1, ':')) {
    char *end;
    long line;

    if (at == text || !isdigit((unsigned char)at[1]))
      continue;
    line = strtol(at + 1, &end, 10);
    if (*end != ':' || (size_t)(at - text) >= sizeof(ret_place->chunk))
      continue;
    snprintf(ret_place->chunk, sizeof(ret_place->chunk), "%.*s",
             (int)(at - text), text);
    ret_place->line = (int)line;
    ret_place->len = (size_t)(end + 1 - text) + (end[1] == ' ');
    return strchr(ret_place->chunk, '\n') == NULL;
  }
  return false;
}

static bool raw_string(lua_State *L, int index, const char *field)
{
  index = lua_absindex(L, index);
  lua_pushstring(L, field);
  if (lua_rawget(L, index) == LUA_TSTRING)
    return true;
  lua_pop(L, 1);
  return false;
}

static bool is_code(const char *code, enum fr_err err)
{
  return strcmp(code, fr_err_name(err)) == 0;
}

static int l_tostring(lua_State *L)
{
  luaL_tolstring(L, 1, NULL);
  return 1;
}

/* Pushes what the __tostring of the error at index 1 says, or that there is
 * none, or that it failed. */
static const char *push_shown(lua_State *L, const char *where)
{
  if (luaL_getmetafield(L, 1, "__tostring") == LUA_TNIL)
    return lua_pushfstring(L, "%san error was raised that is %s, not text",
                           where, lua_isnil(L, 1) ? "nil"
                           : lua_isboolean(L, 1) ? "a boolean"
                           : lua_istable(L, 1) ? "a table without a message"
                           : luaL_typename(L, 1));
  lua_pushcfunction(L, l_tostring);
  lua_pushvalue(L, 1);
  if (lua_pcall(L, 1, 1, 0) == LUA_OK)
    return lua_pushfstring(L, "%s%s", where, lua_tostring(L, -1));
  return lua_pushfstring(L, "%san error was raised whose __tostring failed: "
                         "%s", where, lua_type(L, -1) == LUA_TSTRING
                         ? lua_tostring(L, -1) : luaL_typename(L, -1));
}

/* Whether the text begins with a place in a file of the user's. */
static bool has_place(lua_State *L, const char *text)
{
  struct place place;
  bool known;

  if (!find_place(text, &place))
    return false;
  frl_push_source(L, place.chunk);
  known = !lua_isnil(L, -1);
  lua_pop(L, 1);
  return known;
}

/* The text from its innermost place on: what assert(task:wait()) raises has
 * two, of assert and of what failed in the task. */
static const char *innermost(lua_State *L, const char *text)
{
  struct place place;

  while (find_place(text, &place) && has_place(L, text + place.len))
    text += place.len;
  return text;
}

/* Pushes the error at index 1 as text for people, with its place. */
static const char *push_text(lua_State *L)
{
  const char *where = push_raise(L, 2);
  struct place place;

  if (lua_type(L, 1) == LUA_TSTRING) {
    const char *text = lua_tostring(L, 1);

    if (!find_place(text, &place))
      return lua_pushfstring(L, "%s%s", where, text);
    if (*where && frl_is_embedded_chunk(place.chunk))
      return lua_pushfstring(L, "%s%s", where, text + place.len);
    return lua_pushstring(L, innermost(L, text));
  }
  if (lua_istable(L, 1) && raw_string(L, 1, "message"))
    return lua_pushfstring(L, "%s%s", has_place(L, lua_tostring(L, -1)) ? ""
                           : where, lua_tostring(L, -1));
  if (lua_type(L, 1) == LUA_TNUMBER)
    return lua_pushfstring(L, "%s%s", where, luaL_tolstring(L, 1, NULL));
  if (frl_of(L)->finalizing)
    return lua_pushfstring(L, "%san error was raised that is no text but a "
                           "%s", where, luaL_typename(L, 1));
  return push_shown(L, where);
}

static void log_line(const char *text)
{
  char line[MOST_LINE + 1];
  size_t len = 0;

  for (; len < MOST_LINE && text[len]; len++)
    line[len] = (unsigned char)text[len] < ' ' ? ' ' : text[len];
  line[len] = '\0';
  fr_log(FR_LOG_ERROR, "%s", line);
}

/* ---- the source lines that are shown ------------------------------------- */

/* Where line `number` of the source begins, or NULL. */
static const char *find_line(const char *source, int number)
{
  const char *at = source;

  for (int line = 1; at && line < number; line++) {
    at = strchr(at, '\n');
    at = at ? at + 1 : NULL;
  }
  return at && *at ? at : NULL;
}

/* The line that a message of the parser says the trouble began on, or 0. */
static int named_line(const char *text)
{
  static const char *const marks[] = {
    "' at line ", "(starting at line ", "> at line ", "loop at line ", NULL
  };

  for (const char *const *mark = marks; *mark; mark++) {
    const char *at = strstr(text, *mark);

    if (at)
      return atoi(at + strlen(*mark));
  }
  return 0;
}

static bool is_code_line(const char *at)
{
  at += strspn(at, " \t");
  return *at && *at != '\n' && *at != '\r' && strncmp(at, "--", 2) != 0;
}

/* Whether the parser stumbled over the first word of the line. */
static bool is_first_word(const char *text, const char *line)
{
  const char *near = strstr(text, " near '"), *word;

  if (!near || !line)
    return false;
  word = near + strlen(" near '");
  line += strspn(line, " \t");
  return strncmp(line, word, strcspn(word, "'")) == 0;
}

/* The line of code before the one at which it was noticed, or 0. */
static int line_before(const char *text, const char *source, int noticed,
                       bool named)
{
  bool at_end = strstr(text, " near <eof>") && !named;

  if (!at_end && !is_first_word(text, find_line(source, noticed)))
    return 0;
  while (--noticed > 0) {
    const char *at = find_line(source, noticed);

    if (at && is_code_line(at))
      return noticed;
  }
  return 0;
}

static void show_line(lua_State *L, const char *source, int number)
{
  const char *at = find_line(source, number);
  char shown[MOST_LINE + 16];

  if (!at)
    return;
  lua_pushlstring(L, at, strcspn(at, "\r\n"));
  snprintf(shown, sizeof(shown), "%6d | %s", number, lua_tostring(L, -1));
  log_line(shown);
  lua_pushliteral(L, "\n");
  lua_concat(L, 3);                     /* to what was shown before */
}

/* Shows the lines of the source that the error is about, in their order;
 * pushes them as one text.                                   [-0, +1, e] */
static void show_lines(lua_State *L, const char *text,
                       const struct place *place, const char *source)
{
  int named = named_line(text), before;

  lua_pushliteral(L, "");
  before = line_before(text, source, place->line, named != 0);
  if (named > 0 && named < place->line && named != before)
    show_line(L, source, named);
  if (before)
    show_line(L, source, before);
  show_line(L, source, place->line);
}

/* Logs the first lines of text; returns the length of the first. */
static size_t log_text(const char *text)
{
  size_t first = strcspn(text, "\n");

  fr_log(FR_LOG_ERROR, "%.*s", (int)(first < 2000 ? first : 2000), text);
  text += first;
  for (int lines = 1; *text == '\n'; lines++) {
    if (lines == MOST_LINES) {
      fr_log(FR_LOG_ERROR, "  ...");
      break;
    }
    size_t len = strcspn(++text, "\n");

    fr_log(FR_LOG_ERROR, "  %.*s", (int)(len < 2000 ? len : 2000), text);
    text += len;
  }
  return first;
}

static void log_details(lua_State *L, const char *text)
{
  struct place place;
  const char *source = NULL, *lines = "", *trace;

  if (find_place(text, &place)) {
    frl_push_source(L, place.chunk);
    source = lua_tostring(L, -1);
  }
  if (source) {
    show_lines(L, text, &place, source);
    lines = lua_tostring(L, -1);
  }
  frl_push_hint(L, text, lines, source ? source : "");
  if (lua_isstring(L, -1))
    fr_log(FR_LOG_ERROR, "         hint: %s", lua_tostring(L, -1));
  trace = push_raise(L, 3);
  if (debugging() && *trace)
    fr_log(FR_LOG_DEBUG, "%s", trace);
}

/* True when the error only repeats what the verdict knows already. */
static bool is_known(const struct frl *frl, const char *code)
{
  if (is_code(code, FR_EINTERRUPTED))
    return frl->caps.interrupted || frl->caps.hurried || frl->ending ||
           frl->config.verdict->signal;
  if (!is_code(code, FR_ECANCELLED) && !is_code(code, FR_ESTOPPED))
    return false;
  return frl->ending || fr_verdict_exit_code(frl->config.verdict) != 0;
}

/* No memory is no bug, and not the policy's doing either. */
static bool is_hunger(const char *code, const char *text)
{
  const char *words = fr_err_message(FR_ENOMEM);
  size_t len = strlen(text), most = strlen(words);

  return is_code(code, FR_ENOMEM) ||
         (len >= most && !strcmp(text + len - most, words));
}

static void mark(lua_State *L, const char *code, const char *text)
{
  struct frl *frl = frl_of(L);
  struct fr_verdict *verdict = frl->config.verdict;
  struct place place;

  if (is_code(code, FR_ECONFIG))
    verdict->config = true;
  else if (is_hunger(code, text))
    verdict->cap = true;
  else if (!(frl->of_task && frl->config.policy) && !*push_raise(L, 2) &&
           find_place(text, &place) && frl_is_embedded_chunk(place.chunk))
    verdict->bug = true;        /* no script of the user is on the stack */
  else
    verdict->policy = true;
  lua_pushlstring(L, text, strcspn(text, "\n"));
  fr_verdict_say(verdict, "%s", lua_tostring(L, -1));
}

/* The buffers of lauxlib ask the allocator themselves, once, and raise plain
 * text: no collection, and no second refusal, tells that the heap is full. */
static bool is_full_buffer(lua_State *L)
{
  return lua_type(L, 1) == LUA_TSTRING &&
         strcmp(lua_tostring(L, 1), "not enough memory") == 0;
}

/* report(error)                                               [-1, +0, e] */
static int l_report(lua_State *L)
{
  struct frl *frl = frl_of(L);
  const char *code = "", *text;

  if (is_full_buffer(L))
    frl_caps_out_of_heap(&frl->caps);
  if (frl_caps_over(&frl->caps)) {
    frl_caps_tell(frl, push_text(L));
    return 0;
  }
  if (frl_is_error(L, 1) && raw_string(L, 1, "code"))
    code = lua_tostring(L, -1);
  if (is_known(frl, code))
    return 0;
  text = push_text(L);
  mark(L, code, text);
  log_text(text);
  if (!is_code(code, FR_ECONFIG))
    log_details(L, text);
  return 0;
}

void frl_report(lua_State *L)
{
  struct fr_verdict *verdict = frl_of(L)->config.verdict;

  if (!lua_checkstack(L, 2)) {
    verdict->cap = true;
    lua_pop(L, 1);
    return;
  }
  lua_pushcfunction(L, l_report);
  lua_insert(L, -2);
  if (lua_pcall(L, 1, 0, 0) == LUA_OK)
    return;
  if (frl_of(L)->caps.hit) {            /* frl_step tells that */
    lua_pop(L, 1);
    return;
  }
  verdict->policy = true;
  fr_log(FR_LOG_ERROR, "the policy failed, and so did telling why: %s",
         lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "no text");
  lua_pop(L, 1);
}
