/* host/profile.h - the config file, read and checked for its form.
 *
 *   file --permissions--> text --ini.h--> settings, accounts
 *                                  \----> problems, each with its line
 *
 * At the top stand options of every run, `key` and `admin-key`; a section
 * [account NAME] says them anew for one account, and its `policies`. Here it
 * is checked that each name is known and stands where it may, and once; what
 * the values of options mean is config.c's, as everywhere.
 *
 * Promise: a file that somebody else could have written is not read; a file
 * with a problem is used for nothing; no problem repeats a value, which could
 * be a key in the wrong place.
 *
 * Ownership: a profile owns its texts, until fr_profile_done.
 */
#ifndef FR_HOST_PROFILE_H
#define FR_HOST_PROFILE_H

#include "base/buf.h"
#include "host/options.h"

#define FR_ACCOUNT_NAME_MAX 40
#define FR_TOP (-1)             /* the account of what stands at the top */

struct fr_setting {
  unsigned line;
  int account;                  /* or FR_TOP */
  const char *name;
  const char *value;            /* paths made whole: "~/", the file's folder */
};

struct fr_account {
  const char *section, *name;   /* "account prod", "prod" */
  unsigned line;
};

struct fr_problem {
  unsigned line;                /* 0: of no line */
  const char *name;             /* the key, or the section; or "" */
  char *words;
};

struct fr_profile {
  char path[FR_CONFIG_PATH_MAX];        /* "": there is no file */
  struct fr_buf text;
  struct fr_setting *settings;
  struct fr_account *accounts;
  struct fr_problem *problems;
  char **kept;                  /* the values that were made whole */
  size_t nsettings, naccounts, nproblems, nkept;
};

/* The file that `--config` or FALRUN_CONFIG names, else the usual one, which
 * need not be there. FR_ECONFIG and a sentence when it cannot be read at
 * all. Done must be called either way. */
enum fr_err fr_profile_open(const struct fr_options *options,
                            struct fr_buf *why, struct fr_profile *profile);
/* The usual one; false when no variable names a place. */
bool fr_profile_usual(char path[FR_CONFIG_PATH_MAX]);
/* The same of a text, which is copied; `profile->path` is set, the rest is
 * zero. */
enum fr_err fr_profile_read(struct fr_profile *profile, const char *text,
                            size_t len);
void fr_profile_done(struct fr_profile *profile);

/* "/etc/falrun/config:12: max-delets: there is no ...". */
void fr_profile_say(const struct fr_profile *profile,
                    const struct fr_problem *problem, struct fr_buf *why);

/* FR_TOP when there is no account of that name. */
int fr_profile_account(const struct fr_profile *profile, const char *name);
/* What the account itself says, or the top; NULL: nothing. */
const struct fr_setting *fr_profile_find(const struct fr_profile *profile,
                                         int account, const char *name);
/* The ledger of the account; the length of its path, as of snprintf; -1 when
 * no variable names a place. FR_TOP: where no account is chosen. */
int fr_profile_ledger(const struct fr_profile *profile, int account,
                      char *path, size_t size);
/* All that the file can name, for suggestions; NULL-ended. */
const char *const *fr_profile_names(void);

/* Adds what is wrong with the values, the keys and the policies, all of
 * them; commands are not run. For `falrun config check`. */
enum fr_err fr_profile_check(struct fr_profile *profile);
/* Notes a problem with `line`, formatted; for profile_check.c. */
enum fr_err fr_profile_add(struct fr_profile *profile, unsigned line,
                           const char *name, const char *format, ...)
  __attribute__((format(printf, 4, 5)));
/* Puts the problems in the order of the lines. */
void fr_profile_sort(struct fr_profile *profile);

#endif
