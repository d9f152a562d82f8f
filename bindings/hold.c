/* bindings/hold.c - files of ids, and what the gate is told before a plan is
 * carried out. A relative path is beside the policy, wherever falrun was
 * started: cron starts it in a home folder. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/idfile.h"
#include "bindings/nouns.h"
#include "gate/hold.h"
#include "gate/plan.h"

#define REASON_MAX 1000u
#define IDS_BOX "falrun.ids"

/* Pushes the path, after the policy's folder when it is relative. */
static const char *push_path(lua_State *L, const char *path)
{
  const struct frl_policy *policy = frl_of(L)->config.policy;
  const char *slash = policy ? strrchr(policy->path, '/') : NULL;

  if (*path == '/' || !slash)
    return lua_pushstring(L, path);
  lua_pushlstring(L, policy->path, (size_t)(slash - policy->path) + 1);
  lua_pushstring(L, path);
  lua_concat(L, 2);
  return lua_tostring(L, -1);
}

/* ---- holds --------------------------------------------------------------- */

/* core.hold_file(path) -> count | nil, err                    [-1, +n, m] */
static int l_hold_file(lua_State *L)
{
  const char *path = push_path(L, frl_check_text(L, 1, "hold_file", "path"));
  struct fr_gate *gate = frl_of(L)->config.gate;
  size_t count = 0;
  enum fr_err err;

  if (!gate)
    return frl_fail_network(L);
  err = fr_gate_hold_file(gate, path, &count);
  if (err)
    return frl_fail(L, FR_ESTOPPED, fr_gate_stop_sentence(gate));
  lua_pushinteger(L, (lua_Integer)count);
  return 1;
}

/* core.hold_id(id, reason) -> true | nil, err                 [-2, +n, e] */
static int l_hold_id(lua_State *L)
{
  struct fr_gate *gate = frl_of(L)->config.gate;
  const char *reason = frl_check_text(L, 2, "hold_id", "reason");
  struct fr_uuid id;

  frl_check_id(L, 1, "hold_id", &id);
  if (!gate)
    return frl_fail_network(L);
  if (fr_gate_hold_id(gate, &id, reason))
    return frl_fail(L, FR_ESTOPPED, fr_gate_stop_sentence(gate));
  lua_pushboolean(L, true);
  return 1;
}

/* ---- a plan that is known whole ------------------------------------------ */

static uint64_t check_count(lua_State *L, const char *name)
{
  lua_Integer value = 0;

  if (!frl_field_integer(L, 1, "declare", name, &value) || value < 0)
    frl_bad_argument(L, "declare", name, "a whole number is needed");
  return (uint64_t)value;
}

/* core.declare{planned =, scanned =} -> true | nil, err       [-1, +n, e] */
static int l_declare(lua_State *L)
{
  struct fr_gate *gate = frl_of(L)->config.gate;
  struct fr_declaration whole;

  luaL_checktype(L, 1, LUA_TTABLE);
  whole.planned = check_count(L, "planned");
  whole.scanned = check_count(L, "scanned");
  if (!gate)
    return frl_fail_network(L);
  if (fr_gate_declare(gate, &whole))
    return frl_fail(L, FR_ESTOPPED, fr_gate_stop_sentence(gate));
  lua_pushboolean(L, true);
  return 1;
}

/* ---- ids to be erased ---------------------------------------------------- */

/* Ids pass from the reader to Lua through a buffer in a box: the reader's
 * callback runs no Lua. */
struct box {
  struct fr_buf ids, why;
  int fd;                       /* -1: closed */
};

static int l_box_gc(lua_State *L)
{
  struct box *box = luaL_checkudata(L, 1, IDS_BOX);

  if (box->fd > STDIN_FILENO)
    close(box->fd);
  box->fd = -1;
  fr_buf_done(&box->ids);
  fr_buf_done(&box->why);
  return 0;
}

static struct box *push_box(lua_State *L)
{
  struct box *box = lua_newuserdatauv(L, sizeof(*box), 0);

  box->fd = -1;
  fr_buf_init(&box->ids, sizeof(struct fr_uuid) * FR_IDFILE_IDS);
  fr_buf_init(&box->why, 1024);
  if (luaL_newmetatable(L, IDS_BOX)) {
    lua_pushcfunction(L, l_box_gc);
    lua_setfield(L, -2, "__gc");
  }
  lua_setmetatable(L, -2);
  return box;
}

static enum fr_err keep_id(void *arg, const struct fr_uuid *id,
                           const char *reason)
{
  struct box *box = arg;

  (void)reason;
  return fr_buf_add(&box->ids, id->bytes, sizeof(id->bytes));
}

static void push_ids(lua_State *L, const struct box *box)
{
  size_t count = box->ids.len / sizeof(struct fr_uuid);
  char text[FR_UUID_TEXT];
  struct fr_uuid id;

  lua_createtable(L, (int)count, 0);
  for (size_t i = 0; i < count; i++) {
    memcpy(id.bytes, box->ids.data + i * sizeof(id.bytes), sizeof(id.bytes));
    fr_uuid_format(&id, text);
    lua_pushlstring(L, text, FR_UUID_TEXT - 1);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
}

/* A pipe that nobody writes to yet would read as a list of nothing. */
static enum fr_err open_ids(struct box *box, const char *path)
{
  const char *fault = NULL;
  struct stat info;

  if (strcmp(path, "-") == 0) {
    box->fd = STDIN_FILENO;
    return FR_OK;
  }
  box->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (box->fd < 0 || fstat(box->fd, &info))
    fault = strerror(errno);
  else if (!S_ISREG(info.st_mode))
    fault = "it is not a file; \"-\" is standard input";
  if (!fault)
    return FR_OK;
  fr_buf_say(&box->why, "%s cannot be read: %s", path, fault);
  return FR_EIO;
}

/* core.read_ids(path) -> list of ids | nil, err; "-" is standard input, read
 * to its end at once.                                         [-1, +n, m] */
static int l_read_ids(lua_State *L)
{
  const char *path = frl_check_text(L, 1, "read_ids", "path");
  bool input = strcmp(path, "-") == 0;
  struct box *box;
  enum fr_err err;

  if (!input)
    path = push_path(L, path);
  box = push_box(L);
  err = open_ids(box, path);
  if (!err)
    err = fr_idfile_read(box->fd, input ? "standard input" : path, keep_id,
                         box, &box->why);
  if (err)
    return frl_fail(L, err, box->why.len ? fr_buf_text(&box->why) : NULL);
  push_ids(L, box);
  return 1;
}

const luaL_Reg frl_hold_functions[] = {
  { "hold_file", l_hold_file },
  { "hold_id", l_hold_id },
  { "declare", l_declare },
  { "read_ids", l_read_ids },
  { NULL, NULL },
};
