/* host/sandbox.h - `--sandbox`: a local Platform API for the length of a run.
 *
 * Starts this same program as `falrun sandbox --port 0 ...`, a process of
 * its own, reads the URL that it prints, and ends it (by its process id)
 * when the run is over. It also ends when its parent dies. Its ledger, when
 * none is named, is a temporary file.
 */
#ifndef FR_HOST_SANDBOX_H
#define FR_HOST_SANDBOX_H

#include <sys/types.h>

#include "base/buf.h"

struct fr_sandbox {
  pid_t pid;                    /* 0: not running */
  char url[64];                 /* "http://127.0.0.1:8123/v1" */
  char folder[64];              /* of the temporary ledger, or "" */
};

/* `words`: further words of its command line, NULL-ended. FR_EIO and a
 * sentence when it does not come up in ten seconds. */
enum fr_err fr_sandbox_start(struct fr_sandbox *sandbox,
                             const char *const *words, struct fr_buf *why);
/* Makes the folder for a temporary ledger and writes its path. */
enum fr_err fr_sandbox_ledger(struct fr_sandbox *sandbox, struct fr_buf *why,
                              char *ret_path, size_t size);
void fr_sandbox_stop(struct fr_sandbox *sandbox);

#endif
