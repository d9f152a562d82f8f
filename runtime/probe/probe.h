/* probe/probe.h - asks the CDN whether a file is still there.
 *
 *   start --> link checked --> GET, bytes=0-0 --> the same, busting caches
 *                 |              \-- 429, 5xx, dropped: again, in a moment
 *                 +--> unknown       \-> gone, cached, there, unknown
 *
 * Promise: no key can be in a request. This folder may not include
 * runtime/fal, a prober makes its client by itself, and that client is
 * anonymous and read-only (http.h). Nobody is asked but fal's CDN or the
 * configured base (link.h); a redirect is not followed; of a body at most
 * 32 KiB are read. Few are under way at a time, and not many a second.
 *
 * Ownership: a prober owns its client and outlives its probes. A probe
 * belongs to whoever made it; texts are copied in, and borrowed out.
 */
#ifndef FR_PROBE_PROBE_H
#define FR_PROBE_PROBE_H

#include "http/http.h"
#include "probe/verdict.h"

struct fr_prober;
struct fr_probe;

#define FR_PROBE_CONCURRENCY 8u         /* requests under way */
#define FR_PROBE_RATE 100.0             /* requests a second */
#define FR_PROBE_MUTE 20u       /* probes in a row without any answer: stop */

struct fr_prober_config {
  const char *base;             /* in place of fal's CDN (link.h); or NULL */
  const char *proxy, *ca_file;  /* as in http.h */
  unsigned concurrency;         /* 0: the default */
  double rate;                  /* 0: the default */
};
enum fr_err fr_prober_new(struct fr_loop *loop,
                          const struct fr_prober_config *config,
                          struct fr_buf *why, struct fr_prober **ret_prober);
void fr_prober_free(struct fr_prober *prober);  /* NULL is fine */

struct fr_prober_figures {
  uint64_t expected;            /* files, as fr_prober_expect was told */
  uint64_t seen[FR_FILE_SEENS]; /* probes that are over, by what they saw */
};
void fr_prober_expect(struct fr_prober *prober, uint64_t files);
void fr_prober_figures(const struct fr_prober *prober,
                       struct fr_prober_figures *ret_figures);

struct fr_probe_result {
  enum fr_seen_file seen;
  int http_status;              /* of the plain answer; 0: none came */
  int64_t age_s;                /* its Age; -1: none */
  char cache[32];               /* what it says of a cache: "HIT"; or "" */
  char why[96];                 /* unknown: why, in a few words; else "" */
};

enum fr_err fr_probe_new(struct fr_prober *prober, const char *link,
                         struct fr_probe **ret_probe);
void fr_probe_start(struct fr_probe *probe);
void fr_probe_free(struct fr_probe *probe);     /* NULL is fine; abandons */
/* Ends FR_OK with a result; FR_EUNAVAILABLE: the CDN does not answer, and
 * nothing more is asked; FR_ENOMEM; FR_ECANCELLED. */
struct fr_op *fr_probe_op(struct fr_probe *probe);
const struct fr_probe_result *fr_probe_result(const struct fr_probe *probe);

#endif
