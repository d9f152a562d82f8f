/* host/progress.h - how far a long run is, while it runs.
 *
 * On a terminal one line, at most ten updates a second, gone at the end;
 * elsewhere a line of the log every ten seconds. Nothing with --quiet or
 * --no-progress. SIGUSR1 has more of it said, whatever the options.
 */
#ifndef FR_HOST_PROGRESS_H
#define FR_HOST_PROGRESS_H

#include "bindings/phase.h"
#include "host/console.h"
#include "host/parts.h"

struct fr_progress {
  struct fr_timer timer;
  struct fr_console *console;
  const struct fr_parts *parts;
  const struct frl *frl;        /* NULL: Lua did not begin yet */
  uint64_t began;
  struct fr_progress_mark {     /* where it was, on the loop's scale */
    uint64_t at, over;
  } marks[2];                   /* an older one and a newer one */
};

/* Both are borrowed. Begins to count time; shows nothing by itself. */
void fr_progress_open(struct fr_progress *progress,
                      struct fr_console *console,
                      const struct fr_parts *parts);
/* From now on it is shown. */
void fr_progress_start(struct fr_progress *progress);
void fr_progress_stop(struct fr_progress *progress);

/* A few lines of the log, whatever its level: what the run does, what came of
 * it, what it waits for, where its record is. */
void fr_progress_state(struct fr_progress *progress);

#endif
