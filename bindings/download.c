/* bindings/download.c - core.download: a file of fal's, saved.
 *
 * Stack while it waits:  1 call, 2 path, 3 box. The box owns the download and
 * the text of its query. No byte of the file passes through Lua. */
#include <stdio.h>
#include <sys/stat.h>

#include "bindings/callspec.h"
#include "bindings/nouns.h"
#include "fal/download.h"

#define FUNCTION "core.download"
#define BOX "falrun.download"

enum { CALL = 1, PATH, DOWNLOAD };

struct box {
  struct frl_box box;           /* first */
  struct fr_download *download;
  struct fr_buf query;
};

static void drop(struct frl_box *link)
{
  struct box *box = (struct box *)link;

  fr_download_free(box->download);
  box->download = NULL;
  fr_buf_done(&box->query);
}

static struct box *push_box(lua_State *L)
{
  struct box *box = frl_box_push(L, sizeof(*box), BOX, drop);

  fr_buf_init(&box->query, FRL_QUERY_MAX);
  return box;
}

/* What it points at stays on the stack above the box. */
static void check_spec(lua_State *L, struct box *box,
                       struct fr_download_spec *spec)
{
  static const char *const known[] = {
    "path", "query", "key", "timeout", "replace", NULL
  };

  if (!lua_istable(L, CALL))
    frl_bad_argument(L, FUNCTION, "call", "table expected, got %s",
                     luaL_typename(L, CALL));
  frl_check_options(L, CALL, FUNCTION, known);
  spec->read.method = "GET";
  spec->read.path = frl_field_text(L, CALL, FUNCTION, "path", 1, 4000);
  if (!spec->read.path)
    frl_bad_argument(L, FUNCTION, "path", "string expected, got nil");
  spec->read.query = frl_call_query(L, CALL, FUNCTION, &box->query);
  spec->read.key = frl_call_key(L, CALL, FUNCTION);
  spec->read.timeout_ms = frl_call_timeout(L, CALL, FUNCTION);
  (void)frl_field(L, CALL, FUNCTION, "replace", LUA_TBOOLEAN);
  spec->replace = lua_toboolean(L, -1);
  lua_pop(L, 1);
}

static void set_integer(lua_State *L, const char *name, uint64_t value)
{
  lua_pushinteger(L, (lua_Integer)value);
  lua_setfield(L, -2, name);
}

static int push_download(lua_State *L, struct fr_op *op)
{
  const struct box *box = lua_touserdata(L, DOWNLOAD);
  int status = fr_download_status(box->download), nresults;

  luaL_checkstack(L, 8, NULL);
  if (op->err) {
    const char *message = fr_download_message(box->download);

    nresults = frl_fail(L, op->err, *message ? message : NULL);
    if (status) {
      lua_pushinteger(L, status);
      lua_setfield(L, -2, "http_status");
    }
    return nresults;
  }
  lua_createtable(L, 0, 3);
  lua_pushvalue(L, PATH);
  lua_setfield(L, -2, "path");
  set_integer(L, "bytes", fr_download_size(box->download));
  set_integer(L, "resumed", fr_download_resumed(box->download));
  return 1;
}

/* Whether the path is a file of this run's ledger, by whatever name: what was
 * saved there would take its place. */
static bool is_ledger(const struct fr_ledger *ledger, const char *path)
{
  static const char *const ends[] = { "", "-wal", "-shm", ".lock" };
  char name[4200];
  struct stat it, file;

  if (!ledger || stat(path, &it))
    return false;
  for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
    snprintf(name, sizeof(name), "%s%s", fr_ledger_path(ledger), ends[i]);
    if (!stat(name, &file) && file.st_dev == it.st_dev &&
        file.st_ino == it.st_ino)
      return true;
  }
  return false;
}

/* core.download(call, path) -> {path, bytes, resumed} | nil, err
 *                                                            [-2, +n, ey] */
static int l_download(lua_State *L)
{
  struct fr_fal *fal = frl_of(L)->config.fal;
  struct fr_download_spec spec = { .path = NULL };
  struct box *box;
  enum fr_err err;

  lua_settop(L, PATH);
  spec.path = frl_check_text(L, PATH, FUNCTION, "path");
  if (is_ledger(frl_of(L)->config.ledger, spec.path))
    return frl_bad_argument(L, FUNCTION, "path", "it is the ledger of this "
                            "run: name another file");
  box = push_box(L);
  check_spec(L, box, &spec);
  if (!fal)
    return frl_fail_network(L);
  err = fr_download_new(fal, &spec, &box->download);
  if (err == FR_EINVALID)
    return frl_bad_argument(L, FUNCTION, "path", "it is no path of the API "
                            "or no name of a file, or too long");
  if (err)
    return frl_fail(L, err, NULL);
  lua_settop(L, DOWNLOAD);
  fr_list_add(&frl_of(L)->boxes, &box->box.link);
  fr_download_start(box->download);
  return frl_await(L, fr_download_op(box->download), push_download);
}

const luaL_Reg frl_download_functions[] = {
  { "download", l_download },
  { NULL, NULL },
};
