/* host/summary.h - what the ledger keeps of a run at its end.
 */
#ifndef FR_HOST_SUMMARY_H
#define FR_HOST_SUMMARY_H

#include "bindings/bindings.h"
#include "host/parts.h"

/* Adds a JSON object: the gate's counts, how many requests were listed, what
 * the API was asked, and what commands noted. `frl` NULL: there was no Lua. */
enum fr_err fr_summary_json(const struct fr_parts *parts,
                            const struct frl *frl, struct fr_buf *json);

#endif
