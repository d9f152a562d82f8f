/* bindings/phase.c - see phase.h. */
#include "base/plain.h"
#include "bindings/nouns.h"

/* core.phase(name, total?): begins a phase of the run. `total`: how many
 * deletions belong to it.                                     [-2, +0, e] */
static int l_phase(lua_State *L)
{
  struct frl *frl = frl_of(L);
  const char *name = frl_check_text(L, 1, "phase", "name");
  lua_Integer total = luaL_optinteger(L, 2, 0);
  struct frl_phase phase = {
    .total = total > 0 ? (uint64_t)total : 0,
    .since = fr_loop_now(frl->config.loop), .scanned = frl->phase.scanned
  };

  fr_text_copy(phase.name, sizeof(phase.name), name);
  if (frl->config.gate)
    fr_gate_counts(frl->config.gate, &phase.before);
  frl->phase = phase;
  return 0;
}

const struct frl_phase *frl_phase(const struct frl *frl)
{
  return &frl->phase;
}

const luaL_Reg frl_phase_functions[] = {
  { "phase", l_phase },
  { NULL, NULL }
};
