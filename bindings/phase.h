/* bindings/phase.h - what a run is doing, as its command says it.
 *
 * Plain C, so that it can be read while Lua computes.
 */
#ifndef FRL_PHASE_H
#define FRL_PHASE_H

#include "gate/gate.h"

struct frl;

struct frl_phase {
  char name[24];                /* "listing"; "" at first */
  uint64_t total;               /* deletions that belong to it; 0: unknown */
  uint64_t since;               /* on fr_loop_now's scale */
  uint64_t scanned;             /* requests that were listed in this run */
  struct fr_counts before;      /* the gate's, when it began */
};
const struct frl_phase *frl_phase(const struct frl *frl);

#endif
