/* gate/hold.h - holds that a run brings along, beside those of the ledger.
 *
 *   a file of ids --read now, and again whenever it has changed--+
 *   one id (what a function of the policy said) -----------------+--> held
 *   (the grace of a quarantine is asked of the ledger: ledger/holds.h)
 *
 * Promise: an id that is held stays held for the length of the run, and a
 * file that cannot be read any more stops the run: without its answer nothing
 * is deleted. What is queued or waits in the throttle is asked about again.
 *
 * Ownership: texts are copied, cut to fit a sentence; all goes with the gate.
 */
#ifndef FR_GATE_HOLD_H
#define FR_GATE_HOLD_H

#include "gate/gate.h"

#define FR_HOLD_FILES_MAX 64u
#define FR_HOLD_IDS_MAX 1000000u

/* Holds the ids of a file (base/idfile.h) and watches it. On any failure the
 * run is stopped, FR_EHELD, with the sentence that fr_gate_stop_sentence
 * gives. *ret_count: ids that the file names. */
enum fr_err fr_gate_hold_file(struct fr_gate *gate, const char *path,
                              size_t *ret_count);

/* Holds one id, with a reason. FR_ETOO_BIG, FR_ENOMEM stop the run too. */
enum fr_err fr_gate_hold_id(struct fr_gate *gate, const struct fr_uuid *id,
                            const char *reason);

#endif
