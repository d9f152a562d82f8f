/* host/options.h - the command line and FALRUN_* variables, taken apart; what
 * the config file says joins them (setup.h).
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

#define FR_CONFIG_PATH_MAX 1024
#define FR_TITLE_MAX (FR_CONFIG_PATH_MAX + 80)

/* Where the value of an option comes from; the first one wins. */
enum fr_place { FR_FROM_LINE, FR_FROM_VARIABLE, FR_FROM_FILE };

struct fr_source {
  enum fr_place place;
  const char *path;             /* of the config file, and its line */
  unsigned line;
};

struct fr_profile;

struct fr_options {
  const char *command;          /* "run" when a policy was named */
  const char *policy;           /* path, or NULL */
  const char **words;           /* NULL-ended; its own memory */
  size_t nwords;
  const char **forward;         /* for the sandbox process; NULL-ended */
  size_t nforward;
  struct frl_option values[FR_OPTION_COUNT + 1];        /* NULL name: end */
  struct fr_source sources[FR_OPTION_COUNT + 1];
  const char **rest;            /* the line but --account(s): for a child */
  size_t nrest;
  const struct fr_profile *profile;     /* setup.h; NULL: none is read */
  const char *account;          /* the chosen one; NULL: none */
  char note[200];               /* what is not heeded, to be said; or "" */
};

/* FR_ECONFIG and a sentence; FR_ENOMEM. Done must be called either way. */
enum fr_err fr_options_parse(int argc, char **argv, struct fr_buf *why,
                             struct fr_options *ret_options);
void fr_options_done(struct fr_options *options);

/* Sets or replaces: the last one on the line wins. */
void fr_option_set(struct fr_options *options, const char *name,
                   const char *value, enum fr_place place);
/* A value from elsewhere, unless the line or a variable has one. */
void fr_option_default(struct fr_options *options, const char *name,
                       const char *value, const struct fr_source *source);
/* Forgets a value that a variable gave. True when there was one. */
bool fr_option_forget(struct fr_options *options, const char *name);
/* "yes", "0", ...: whether it is one of the words for flags. */
bool fr_option_truth(const char *text, bool *ret_value);
const struct frl_option_spec *fr_option_find(const char *name);

/* The value, or NULL when it was not given. */
const char *fr_option(const struct fr_options *options, const char *name);
bool fr_option_flag(const struct fr_options *options, const char *name);
/* "max-deletes" -> "FALRUN_MAX_DELETES" */
void fr_option_variable(const char *name, char ret_name[FR_TITLE_MAX]);
/* Where its value came from; NULL: from nowhere. */
const struct fr_source *fr_option_source(const struct fr_options *options,
                                         const char *name);
bool fr_option_is(const struct fr_options *options, const char *name,
                  const char *value);
/* "--max-deletes", "FALRUN_MAX_DELETES" or "/etc/falrun/config:12:
 * max-deletes": where the value came from. */
void fr_option_title(const struct fr_options *options, const char *name,
                     char ret_title[FR_TITLE_MAX]);

#endif
