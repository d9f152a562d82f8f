/* fal/internal.h - the client's inside, for runtime/fal and its tests only.
 *
 * Everything that all calls share: the throttle, the budget of retries, the
 * breaker, the stop, the clock's skew and the figures. What belongs to one
 * call is in exchange.h.
 */
#ifndef FR_FAL_INTERNAL_H
#define FR_FAL_INTERNAL_H

#include "fal/client.h"
#include "fal/retry.h"
#include "fal/throttle.h"
#include "http/call.h"

#define FR_SEEN_MOST (1u << 20)         /* ids; at most 48 MiB */
#define FR_BREAKER_AT 5                 /* calls in a row that failed */

enum fr_skew { FR_SKEW_NONE, FR_SKEW_KNOWN, FR_SKEW_BROKEN };

struct fr_fal {
  struct fr_loop *loop;
  struct fr_http *http;
  struct fr_fal_config config;
  struct fr_seen *seen;
  struct fr_throttle throttle;
  struct fr_budget budget;
  struct fr_list exchanges;             /* started and not over */
  double (*unit)(void);                 /* [0, 1); tests put their own */
  enum fr_err stopped;
  struct fr_buf stop_sentence;
  unsigned failures;                    /* in a row; the breaker's count */
  uint64_t failed_after;                /* requests sent by the last of them */
  enum fr_skew skew;
  int64_t skew_ms;                      /* the worst that was measured */
  int64_t offset_ms;                    /* of the loop, when it last was */
  uint64_t requests, retries, limited;
  uint64_t file_bytes, file_total, file_resumed;        /* of downloads */
  unsigned files;                       /* under way */
};

/* Any whole answer: the first one tells the skew, and the first one after the
 * clock was set. */
void fr_fal_note_answer(struct fr_fal *fal, const struct fr_call *call);
/* The breaker: an answer that shows the API alive, and a call that gave up
 * with `sentence` before the run's request number `sent` had an answer; 0: it
 * used up its attempts or timed out, and counts in any case. Of many that one
 * moment cut short, the first counts, and few go on from there. From the
 * second in a row on everybody pauses, too. */
void fr_fal_note_alive(struct fr_fal *fal);
void fr_fal_note_failure(struct fr_fal *fal, uint64_t sent,
                         const char *sentence);

/* Marks the verdict, too. */
void fr_fal_refused(struct fr_fal *fal, const char *sentence);
void fr_fal_unavailable(struct fr_fal *fal, const char *sentence);

#endif
