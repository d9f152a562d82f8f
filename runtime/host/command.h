/* host/command.h - what each command may touch.
 *
 * A command is a Lua file in scripts/commands/. What it may do is decided
 * here, in C: a command that is not in the table may read the API and the
 * ledger and change nothing.
 */
#ifndef FR_HOST_COMMAND_H
#define FR_HOST_COMMAND_H

#include <stdbool.h>

#include "ledger/ledger.h"

enum fr_ledger_need { FR_NEED_NONE, FR_NEED_READ, FR_NEED_HOLD, FR_NEED_RUN };

struct fr_command {
  const char *name;
  bool policy;                  /* its first word is a policy */
  bool network;                 /* it may talk to the API */
  bool deletes;                 /* mode RUN: all others only plan */
  bool probes;                  /* it may ask the CDN; not in a dry run */
  bool holds;                   /* it may write holds */
  bool examines;                /* it starts although keys or ledger fail */
  bool bare;                    /* it is of no account: no config file */
  bool hands_on;                /* its options are for another process, which
                                 * reads the config file itself */
  enum fr_ledger_need ledger;
};

/* Never NULL. */
const struct fr_command *fr_command_find(const char *name);

/* All commands there are, for suggestions; NULL-ended. */
const char *const *fr_command_names(void);

#endif
