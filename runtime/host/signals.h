/* host/signals.h - signals become events of the loop.
 *
 * The first SIGINT, SIGTERM or SIGHUP asks the run to end: nothing new is
 * sent, answers in flight are recorded. The second ends the process at once;
 * what was in flight stays open in the ledger. SIGPIPE is ignored. SIGUSR1 is
 * a question: it is reported, and it ends and interrupts nothing, however
 * often and whenever it comes.
 */
#ifndef FR_HOST_SIGNALS_H
#define FR_HOST_SIGNALS_H

#include "loop/loop.h"

struct fr_signals {
  struct fr_watch watch;
  struct fr_loop *loop;
  void (*on_signal)(void *arg, int signal);     /* in the loop's turn */
  void (*on_arrival)(void *arg);        /* in the handler: async-safe only */
  void *arg;
  int64_t same_ms;      /* what comes so soon after the first is that again */
  int pipe[2];
};

/* One per process. Functions and arg are set by the caller before. */
enum fr_err fr_signals_open(struct fr_signals *signals,
                            struct fr_loop *loop);
/* Reports what came since the loop's last turn: Lua that a signal ended may
 * leave nothing for which the loop would turn again. */
void fr_signals_poll(struct fr_signals *signals);
void fr_signals_close(struct fr_signals *signals);

#endif
