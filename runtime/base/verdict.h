/* base/verdict.h - what became of the run, whatever the script was told.
 *
 * Every layer marks the facts that it alone can know; the host turns them
 * into the exit code at the end (README.md). A script that catches an error
 * does not unmark anything.
 */
#ifndef FR_BASE_VERDICT_H
#define FR_BASE_VERDICT_H

#include <stdbool.h>

struct fr_verdict {
  bool bug;               /* 70: an invariant inside falrun broke */
  bool ledger;            /* 8: cannot be written, or is damaged */
  int signal;             /* 130, 143: the signal that ended the run */
  bool auth;              /* 5: 401 or 403 */
  bool safety;            /* 4: a limit, the age floor, the clock, holds */
  bool cap;               /* 9: the policy hit a resource cap */
  bool unavailable;       /* 7: the API is down, limits, or time is up */
  bool config;            /* 2: usage or configuration */
  bool policy;            /* 1: the policy failed */
  bool failed;            /* 3: deletions or changes failed, in part too */
  char why[512];          /* the first reason given, one sentence, or "" */
};

/* Keeps the first sentence, with control characters replaced. */
void fr_verdict_say(struct fr_verdict *verdict, const char *format, ...)
  __attribute__((format(printf, 2, 3)));

/* The first that applies of 70, 8, 130 or 143, 5, 4, 9, 7, 2, 1, 3, 0. */
int fr_verdict_exit_code(const struct fr_verdict *verdict);

#endif
