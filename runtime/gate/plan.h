/* gate/plan.h - a plan that is known whole, before its first deletion.
 *
 * Some limits are shares of a whole. Where one is set the gate is sealed: it
 * lets nothing through until somebody declares the totals of a plan, which
 * are held against number and share (I5). What is declared is also the most
 * that may be deleted from then on.
 */
#ifndef FR_GATE_PLAN_H
#define FR_GATE_PLAN_H

#include "gate/gate.h"

/* Until a declaration a deletion stops the run with this sentence, which is
 * copied, as a matter of configuration. */
void fr_gate_seal(struct fr_gate *gate, const char *sentence);

struct fr_declaration {
  uint64_t planned;             /* requests that will be deleted */
  uint64_t scanned;             /* rows the ledger has not as deleted */
};

/* FR_ELIMIT after a safety stop, FR_ESTOPPED when there was one before. */
enum fr_err fr_gate_declare(struct fr_gate *gate,
                            const struct fr_declaration *whole);

#endif
