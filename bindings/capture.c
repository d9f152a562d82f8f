/* bindings/capture.c - what a test must not let through: what user code
 * prints and logs is kept, bounded, until somebody asks for it. */
#include <string.h>

#include "base/log.h"
#include "bindings/nouns.h"

#define CAPTURE "falrun.capture"
#define TALK_MAX ((size_t)256 << 10)

struct capture {
  struct fr_buf talk;
  struct fr_buf *before;        /* what captured until then */
  struct fr_log_sink sink;      /* likewise */
  bool open;
};

/* What no longer fits is left out, and the text says so. */
void frl_capture_add(struct fr_buf *talk, const char *text, size_t len)
{
  static const char more[] = "... (more was said than is kept)\n";

  if (talk->len + len + sizeof(more) <= talk->max)
    (void)fr_buf_add(talk, text, len);
  else if (talk->len + sizeof(more) <= talk->max &&
           !fr_buf_add_text(talk, more))
    talk->max = talk->len;
}

static void keep_line(void *arg, enum fr_log_level level, const char *line)
{
  static const char *const names[] = {
    [FR_LOG_ERROR] = "error: ", [FR_LOG_WARN] = "warning: ",
    [FR_LOG_INFO] = "", [FR_LOG_DEBUG] = "debug: "
  };
  struct fr_buf *talk = arg;

  frl_capture_add(talk, names[level], strlen(names[level]));
  frl_capture_add(talk, line, strlen(line));
  frl_capture_add(talk, "\n", 1);
}

static void end(struct frl *frl, struct capture *capture)
{
  if (!capture->open)
    return;
  capture->open = false;
  frl->capture = capture->before;
  fr_log_swap(&capture->sink);
}

/* capture:close(), __close and __gc                           [-1, +0, -] */
static int l_close(lua_State *L)
{
  end(frl_of(L), luaL_checkudata(L, 1, CAPTURE));
  return 0;
}

static int l_gc(lua_State *L)
{
  struct capture *capture = luaL_checkudata(L, 1, CAPTURE);

  end(frl_of(L), capture);
  fr_buf_done(&capture->talk);
  return 0;
}

/* capture:text() -> what was said until now                   [-1, +1, m] */
static int l_text(lua_State *L)
{
  struct capture *capture = luaL_checkudata(L, 1, CAPTURE);

  lua_pushlstring(L, fr_buf_text(&capture->talk), capture->talk.len);
  return 1;
}

static void push_metatable(lua_State *L)
{
  static const luaL_Reg methods[] = {
    { "text", l_text }, { "close", l_close }, { NULL, NULL },
  };

  if (!luaL_newmetatable(L, CAPTURE))
    return;
  luaL_newlib(L, methods);
  lua_setfield(L, -2, "__index");
  lua_pushcfunction(L, l_close);
  lua_setfield(L, -2, "__close");
  lua_pushcfunction(L, l_gc);
  lua_setfield(L, -2, "__gc");
}

/* host.capture() -> capture                                   [-0, +1, m] */
int frl_capture(lua_State *L)
{
  struct frl *frl = frl_of(L);
  struct capture *capture = lua_newuserdatauv(L, sizeof(*capture), 0);

  *capture = (struct capture){ .before = frl->capture };
  fr_buf_init(&capture->talk, TALK_MAX);
  push_metatable(L);
  lua_setmetatable(L, -2);
  capture->sink = (struct fr_log_sink){
    keep_line, &capture->talk, FR_LOG_INFO
  };
  fr_log_swap(&capture->sink);
  frl->capture = &capture->talk;
  capture->open = true;
  return 1;
}

/* ---- test files ---------------------------------------------------------- */

enum { PATH = 1, TEXT, NAMES, BEFORE };         /* stack of load_test */

/* load(path, text, given) -> main chunk                       [-3, +1, e] */
static int load(lua_State *L)
{
  struct frl_policy file = { .path = lua_tostring(L, PATH) };

  file.text = lua_tolstring(L, TEXT, &file.len);
  frl_env_new(L, file.path);
  frl_env_use(L);
  lua_pushnil(L);
  while (lua_next(L, NAMES))
    frl_env_give(L, luaL_checkstring(L, -2));
  frl_env_load_policy(L, &file);
  return 1;
}

/* host.load_test(path, text, given) -> main chunk, in an environment of its
 * own that has the names of `given` too; or raises.           [-3, +1, e] */
int frl_load_test(lua_State *L)
{
  int status;

  (void)frl_check_text(L, PATH, "load_test", "path");
  luaL_checktype(L, TEXT, LUA_TSTRING);
  luaL_checktype(L, NAMES, LUA_TTABLE);
  lua_settop(L, NAMES);
  frl_env_push(L);
  lua_pushcfunction(L, load);
  lua_pushvalue(L, PATH);
  lua_pushvalue(L, TEXT);
  lua_pushvalue(L, NAMES);
  status = lua_pcall(L, 3, 1, 0);
  lua_insert(L, BEFORE);
  frl_env_use(L);
  return status == LUA_OK ? 1 : lua_error(L);
}
