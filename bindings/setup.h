/* bindings/setup.h - which config file and account are in use, and where the
 * value of each option comes from: what host.setup tells.
 *
 * Ownership: the host's, as everything in frl_config.
 */
#ifndef FRL_SETUP_H
#define FRL_SETUP_H

struct frl_setup_row {
  const char *name;             /* "max-deletes", "admin-key", "policies" */
  const char *value;            /* NULL: there is none; never a key */
  const char *origin;           /* "line", "variable", "file", "default" */
  const char *place;            /* "--rate", "FALRUN_RATE", "/etc/c:12"; "" */
};

struct frl_setup_problem {
  unsigned line;                /* 0: of no line */
  const char *name, *words;     /* the key, or ""; what is wrong with it */
};

struct frl_setup {
  const char *path;             /* of the config file; NULL: there is none */
  const char *usual;            /* where it is looked for; NULL: nowhere */
  const char *account;          /* NULL: none is chosen */
  const char *note;             /* what of the environment is not heeded */
  const char *const *accounts;  /* of the file; NULL-ended */
  const struct frl_setup_row *rows;     /* ended by a NULL name */
  const struct frl_setup_problem *problems;     /* ended by NULL words */
};

#endif
