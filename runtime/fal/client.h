/* fal/client.h - the Platform API seen from C; this header sets it up.
 *
 *   fr_read (read.h)   --+--> throttle --> attempt --> http --> classify
 *   fr_change (change.h)-+       ^            ^                    |
 *                                |            +---- retry law <----+
 *                                +--- what the answer says of load
 *
 * All calls of the process share one client, its throttle, its budget of
 * retries, its breaker and its stop.
 *
 * Promise: a key is sent to the configured origin and nowhere else; no text
 * of a server leaves this layer with a key in it.
 *
 * Ownership: origin and keys are borrowed and outlive the client, which
 * outlives its reads and changes.
 */
#ifndef FR_FAL_CLIENT_H
#define FR_FAL_CLIENT_H

#include "base/verdict.h"
#include "fal/keys.h"
#include "fal/origin.h"
#include "fal/seen.h"
#include "http/http.h"

struct fr_fal;

struct fr_fal_config {
  const struct fr_origin *origin;
  const struct fr_keys *keys;
  struct fr_verdict *verdict;   /* auth and unavailable are marked here */
  unsigned max_concurrency;     /* in flight at most; 0: adaptive alone */
  double max_rate;              /* requests per second; 0: no cap */
  int64_t age_floor_ms;         /* for the table of ages */
};

enum fr_err fr_fal_new(struct fr_loop *loop, struct fr_http *http,
                       const struct fr_fal_config *config,
                       struct fr_fal **ret_fal);
void fr_fal_free(struct fr_fal *fal);

struct fr_seen *fr_fal_seen(struct fr_fal *fal);

/* NULL when there is such a key (NONE and OPTIONAL always
 * are); else the sentence that says
 * how to give one, and the verdict is marked: a matter of configuration. */
const char *fr_fal_lacks_key(struct fr_fal *fal, enum fr_key which);

/* After a stop nothing new is sent: what waits, and what comes, ends with
 * FR_ESTOPPED and this sentence. 401, 403, an open breaker and a wait of
 * more than ten minutes stop the client by themselves. The first one wins. */
void fr_fal_stop(struct fr_fal *fal, enum fr_err err, const char *sentence);
enum fr_err fr_fal_stopped(const struct fr_fal *fal);   /* FR_OK: it runs */
const char *fr_fal_stop_sentence(const struct fr_fal *fal);

/* How far this machine's clock is or was ahead of the server's, the worst of
 * this run, by the Date of the first answer. FR_ENOT_FOUND: no answer yet, or
 * none since the clock was set or the machine slept; FR_EPROTOCOL: answers
 * came and the first had no usable Date. */
enum fr_err fr_fal_clock_skew(const struct fr_fal *fal, int64_t *ret_ms);

struct fr_fal_figures {
  unsigned in_flight, waiting, concurrency;
  uint64_t requests, retries, limited;  /* sent; of those again; 429s */
  uint64_t paused_ms;                   /* until the throttle goes on */
  double rate;                          /* a second at most; 0: no bound */
  unsigned files;                       /* downloads under way */
  uint64_t file_bytes, file_total;      /* of all, as far as it is known */
  uint64_t file_resumed;                /* of these, from earlier runs */
};
void fr_fal_figures(const struct fr_fal *fal,
                    struct fr_fal_figures *ret_figures);
/* Of the library that reads answers: "2.14". */
const char *fr_fal_json_version(void);
/* Bytes of the files that are being sent now, and how many of them left. */
void fr_fal_uploads(const struct fr_fal *fal, uint64_t *ret_sent,
                    uint64_t *ret_all);

#endif
