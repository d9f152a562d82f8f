/* host/options.h - the command line and FALRUN_* variables, taken apart.
 *
 *   falrun [options] POLICY.lua [args...]
 *   falrun [options] COMMAND [words...]
 *
 * Options that the host must understand (they decide what a run may do) are
 * in the one table of options.c and may stand before or after the command
 * word. Other words, dashes included, are the command's: its Lua file
 * declares and parses them. A policy takes plain words; what begins with a
 * dash and is meant for it stands after "--", so that a mistyped --dry-run
 * is never taken for an argument of a script that deletes.
 *
 * Ownership: texts are borrowed from argv and the environment.
 */
#ifndef FR_HOST_OPTIONS_H
#define FR_HOST_OPTIONS_H

#include "base/buf.h"
#include "host/option_table.h"

#define FR_TITLE_MAX 40

struct fr_options {
  const char *command;          /* "run" when a policy was named */
  const char *policy;           /* path, or NULL */
  const char **words;           /* NULL-ended; its own memory */
  size_t nwords;
  const char **forward;         /* for the sandbox process; NULL-ended */
  size_t nforward;
  struct frl_option values[FR_OPTION_COUNT + 1];        /* NULL-ended */
  bool inherited[FR_OPTION_COUNT + 1];       /* the value is a variable's */
};

/* FR_ECONFIG and a sentence; FR_ENOMEM. Done must be called either way. */
enum fr_err fr_options_parse(int argc, char **argv, struct fr_buf *why,
                             struct fr_options *ret_options);
void fr_options_done(struct fr_options *options);

/* The value, or NULL when it was not given. */
const char *fr_option(const struct fr_options *options, const char *name);
bool fr_option_flag(const struct fr_options *options, const char *name);
/* "--max-deletes", or "FALRUN_MAX_DELETES" where the value came from there. */
void fr_option_title(const struct fr_options *options, const char *name,
                     char ret_title[FR_TITLE_MAX]);

#endif
