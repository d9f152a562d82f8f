/* bindings/probe.c - core.probe: is this file still on the CDN?
 *
 * Stack while it waits:  1 link, 2 box. The box owns the probe. Which host
 * may be asked is decided in runtime/probe; a policy has no way to here. */
#include <string.h>

#include "bindings/nouns.h"
#include "probe/link.h"

#define BOX "falrun.probe"

enum { LINK = 1, PROBE };

struct box {
  struct frl_box box;           /* first */
  struct fr_probe *probe;
};

static void drop(struct frl_box *link)
{
  struct box *box = (struct box *)link;

  fr_probe_free(box->probe);
  box->probe = NULL;
}

static int push_probe(lua_State *L, struct fr_op *op)
{
  struct box *box = lua_touserdata(L, PROBE);
  const struct fr_probe_result *result = fr_probe_result(box->probe);

  if (op->err == FR_EUNAVAILABLE)
    return frl_fail(L, op->err, "fal's CDN does not answer");
  if (op->err)
    return frl_fail(L, op->err, NULL);
  lua_createtable(L, 0, 6);
  lua_pushvalue(L, LINK);
  lua_setfield(L, -2, "link");
  frl_set_text(L, "seen", fr_seen_name(result->seen));
  frl_set_text(L, "cache", result->cache);
  frl_set_text(L, "why", result->why);
  lua_pushinteger(L, result->http_status);
  lua_setfield(L, -2, "http_status");
  if (result->age_s >= 0) {
    lua_pushinteger(L, (lua_Integer)result->age_s);
    lua_setfield(L, -2, "age_s");
  }
  return 1;
}

/* core.probe(link) -> {link, seen, http_status, age_s?, cache?, why?}
 *                     | nil, err                             [-1, +n, ey] */
static int l_probe(lua_State *L)
{
  struct fr_prober *prober = frl_of(L)->config.prober;
  const char *link = frl_check_text(L, LINK, "probe", "link");
  struct box *box;
  enum fr_err err;

  if (!prober)
    return frl_fail(L, FR_ECONFIG, "this run asks no CDN");
  lua_settop(L, LINK);
  box = frl_box_push(L, sizeof(*box), BOX, drop);
  err = fr_probe_new(prober, link, &box->probe);
  if (err)
    return frl_fail(L, err, NULL);
  fr_list_add(&frl_of(L)->boxes, &box->box.link);
  fr_probe_start(box->probe);
  return frl_await(L, fr_probe_op(box->probe), push_probe);
}

/* core.is_cdn_link(text) -> boolean                           [-1, +1, e] */
static int l_is_cdn_link(lua_State *L)
{
  size_t len;
  const char *text = luaL_checklstring(L, 1, &len);

  lua_pushboolean(L, !memchr(text, 0, len) && !fr_link_fault(text));
  return 1;
}

/* core.expect_files(count): for the line of progress.         [-1, +0, e] */
static int l_expect_files(lua_State *L)
{
  lua_Integer count = luaL_checkinteger(L, 1);

  luaL_argcheck(L, count >= 0, 1, "0 or more is needed");
  if (frl_of(L)->config.prober)
    fr_prober_expect(frl_of(L)->config.prober, (uint64_t)count);
  return 0;
}

const luaL_Reg frl_probe_functions[] = {
  { "probe", l_probe },
  { "is_cdn_link", l_is_cdn_link },
  { "expect_files", l_expect_files },
  { NULL, NULL },
};
