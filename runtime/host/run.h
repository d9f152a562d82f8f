/* host/run.h - one command from its options to its exit code.
 *
 *   options -> config -> sandbox? -> ledger -> http -> fal -> gate -> Lua
 *                                                                     |
 *   exit code <- ledger closed <- everything freed, in reverse <- turns
 */
#ifndef FR_HOST_RUN_H
#define FR_HOST_RUN_H

#include "host/options.h"

/* Returns the exit code (README.md); messages go to standard error. */
int fr_run(const struct fr_options *options);

#endif
