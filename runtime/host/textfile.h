/* host/textfile.h - --textfile: metrics for Prometheus, after a run.
 *
 *   the run is over --> its end is in the ledger --> falrun status --textfile
 *
 * The file is what the ledger says, so a process of its own writes it
 * (scripts/fal/metrics.lua), whatever became of this one's Lua. It sees no
 * key.
 */
#ifndef FR_HOST_TEXTFILE_H
#define FR_HOST_TEXTFILE_H

#include "host/parts.h"

/* Nothing without the option, for what is no run, and for the sandbox.
 * `began`: the ledger knows of the run; else it ended before, with this exit
 * code. A failure is a warning and changes nothing. */
void fr_textfile_write(const struct fr_parts *parts, bool began, int code);

#endif
