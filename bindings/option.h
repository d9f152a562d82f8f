/* bindings/option.h - the options of the host, as commands are given them.
 */
#ifndef FRL_OPTION_H
#define FRL_OPTION_H

#include <stdbool.h>

struct frl_option {
  const char *name;             /* "max-deletes" */
  const char *value;            /* text as given; "true" for a flag */
};

/* A row of the host's table of options; see host/option_table.h. */
struct frl_option_spec {
  const char *name;
  char letter;                  /* 'q' for -q; 0: none */
  const char *value;            /* what stands for it, "DUR"; NULL: a flag */
  const char *only;             /* the one command that has it; NULL: all */
  const char *group, *help;     /* "run" or "output"; NULL: its command's */
  const char *preset;           /* what counts when nobody says; or NULL */
  bool line, single;            /* in no config file; of one run alone */
};

#endif
