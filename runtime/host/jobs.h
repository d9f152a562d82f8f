/* host/jobs.h - one command for many accounts or policies, one after another.
 *
 *   falrun --accounts all plan       parent: waits, passes signals on
 *     \-> falrun --account=a plan      a process, a ledger, a lock
 *     \-> falrun --account=b plan      the next, whatever became of the first
 *
 * Promise: what one of them holds, keys among it, no other ever has. A
 * signal ends the one that is on, and those that would follow. The exit code
 * is the worst that one of them had.
 */
#ifndef FR_HOST_JOBS_H
#define FR_HOST_JOBS_H

#include "host/profile.h"

/* The variable that tells a child that it is one of many. */
#define FR_JOBS_VARIABLE "FALRUN_ONE_OF_MANY"

struct fr_job {
  const char *account;
  char *policy;                 /* NULL: the line says all */
};

struct fr_jobs {
  struct fr_job *list;
  size_t count;
};

/* What is to be done: none (count 0) when this process does it itself. Done
 * must be called either way. */
enum fr_err fr_jobs_plan(const struct fr_profile *profile,
                         const struct fr_options *options, struct fr_buf *why,
                         struct fr_jobs *ret_jobs);
void fr_jobs_done(struct fr_jobs *jobs);

/* Returns the exit code; says which of them failed. */
int fr_jobs_run(const struct fr_jobs *jobs, const struct fr_options *options);

/* One signal may come twice: timeout(1) signals its child and then the group
 * of both, at once. A child of many gets systemd's too, and what its parent
 * passes on. How soon after the first it is the same one. */
int64_t fr_jobs_same_ms(void);

/* Which of two exit codes tells more, by the order of docs/config.md. */
int fr_jobs_worse(int one, int other);

#endif
