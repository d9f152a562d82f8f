/* host/progress.h - how far a long run is, while it runs.
 *
 * On a terminal one line, at most ten updates a second; elsewhere a line
 * every ten seconds. Nothing with --quiet or --no-progress.
 */
#ifndef FR_HOST_PROGRESS_H
#define FR_HOST_PROGRESS_H

#include "gate/gate.h"
#include "host/console.h"
#include "probe/probe.h"

struct fr_progress {
  struct fr_timer timer;
  struct fr_loop *loop;
  struct fr_console *console;
  struct fr_gate *gate;
  struct fr_fal *fal;
  struct fr_prober *prober;
  uint64_t began;
};

/* The pointers are set by the caller; all are borrowed. Without a gate it is
 * the prober's files that are shown, and without one the files being saved. */
void fr_progress_start(struct fr_progress *progress);
void fr_progress_stop(struct fr_progress *progress);

#endif
