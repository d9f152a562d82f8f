/* host/setup.h - what the config file says joins the options of the line.
 *
 *   command line > FALRUN_* > [account NAME] > top of the file > defaults
 *
 * Promise: which account it is, its keys and its ledger, is said by its
 * section or on the command line, and by nothing else: neither the top of
 * the file nor a variable can put the keys or the ledger of another account
 * in their place. What of the environment is not heeded for that is said.
 *
 * Ownership: the options borrow from the profile, which outlives them.
 */
#ifndef FR_HOST_SETUP_H
#define FR_HOST_SETUP_H

#include "bindings/setup.h"
#include "fal/keys.h"
#include "host/options.h"
#include "host/profile.h"

/* FR_ECONFIG and the first problem of the file, if it has one. */
enum fr_err fr_setup_sound(const struct fr_profile *profile,
                           struct fr_buf *why);

/* For a command that is of no account: FR_ECONFIG when the line has one. */
enum fr_err fr_setup_bare(const struct fr_options *options,
                          struct fr_buf *why);

/* Chooses the account, and gives the options what the file says. */
enum fr_err fr_setup_apply(const struct fr_profile *profile,
                           struct fr_options *options, struct fr_buf *why);

/* FR_ECONFIG, always: there is no such account; the nearest name. */
enum fr_err fr_setup_unknown(const struct fr_profile *profile,
                             const struct fr_options *options,
                             const char *name, struct fr_buf *why);

/* Where the keys are. FR_ECONFIG where an account is chosen that names none.
 * The titles stand in `titles`. */
struct fr_setup_keys {
  struct fr_key_refs refs;
  char titles[2][FR_TITLE_MAX + FR_ACCOUNT_NAME_MAX + 20];
};
enum fr_err fr_setup_keys(const struct fr_options *options,
                          struct fr_buf *why, struct fr_setup_keys *ret_keys);

/* All of it for falrun config and doctor; `view` begins as zeros. Done must
 * be called either way. */
struct fr_setup_view {
  struct frl_setup setup;
  struct frl_setup_row rows[FR_OPTION_COUNT + 4];
  char places[FR_OPTION_COUNT + 4][FR_TITLE_MAX];
  char ledger[4096], usual[FR_CONFIG_PATH_MAX];
  const char **accounts;
  struct frl_setup_problem *problems;
};
enum fr_err fr_setup_view(const struct fr_options *options,
                          struct fr_setup_view *view);
void fr_setup_view_done(struct fr_setup_view *view);

#endif
