/* net/net.h - HTTP to hosts outside fal: where notifications and pings go.
 *
 *   --allow-net, --ping --> places (place.h)
 *                             |
 *   request --> checked: place, sizes, no key --> waits its turn --> answer
 *
 * Promise: no key can be in a request. This folder may not include
 * runtime/fal, a net makes its client by itself, that client is anonymous
 * (http.h), and whoever knows the keys (`secret`) is asked about each URL,
 * header and body before it goes. Nobody is asked but the places that the
 * host process named, never fal and never the configured API; a redirect is
 * not followed; time, request and answer are bounded; few are under way.
 *
 * Ownership: a net owns its client and outlives its requests. A request
 * belongs to whoever made it; texts are copied in, and borrowed out.
 */
#ifndef FR_NET_NET_H
#define FR_NET_NET_H

#include "net/place.h"

struct fr_net;
struct fr_net_request;

#define FR_NET_BODY_MOST ((size_t)1 << 20)      /* of a request, an answer */
#define FR_NET_HEADERS_MOST ((size_t)16 << 10)  /* of a request */
#define FR_NET_TIMEOUT_MS 10000u                /* when none is given */
#define FR_NET_TIMEOUT_MOST_MS 30000u
#define FR_NET_CONCURRENCY 8u                   /* under way at a time */

struct fr_net_config {
  const struct fr_places *places;       /* copied */
  const char *proxy, *ca_file;          /* as in http.h */
  /* Whether a key of fal is in these bytes; NULL: there are no keys. */
  bool (*secret)(void *arg, const char *data, size_t len);
  void *secret_arg;
};
enum fr_err fr_net_new(struct fr_loop *loop,
                       const struct fr_net_config *config,
                       struct fr_buf *why, struct fr_net **ret_net);
void fr_net_free(struct fr_net *net);           /* NULL is fine */
/* FR_ECONFIG and why a URL may not be asked. `net` NULL: none may. */
enum fr_err fr_net_check(const struct fr_net *net, const char *url,
                         struct fr_buf *why);

struct fr_net_spec {
  const char *method;           /* GET, HEAD, POST, PUT, PATCH, DELETE */
  const char *url;
  const char *headers;          /* "Name: value\n" each, or NULL */
  const char *body;             /* or NULL */
  size_t body_len;
  uint32_t timeout_ms;          /* 0: the default */
};
/* FR_ECONFIG: it may not be sent, and `why` says why not. */
enum fr_err fr_net_request_new(struct fr_net *net,
                               const struct fr_net_spec *spec,
                               struct fr_buf *why,
                               struct fr_net_request **ret_request);
void fr_net_request_start(struct fr_net_request *request);
void fr_net_request_free(struct fr_net_request *request);  /* NULL is fine */
/* Its error is about transport alone, as in call.h: a 500 is FR_OK. */
struct fr_op *fr_net_request_op(struct fr_net_request *request);

int fr_net_status(const struct fr_net_request *request);
/* "name:value", each with its NUL. */
const char *fr_net_headers(const struct fr_net_request *request,
                           size_t *ret_len);
const char *fr_net_body(const struct fr_net_request *request,
                        size_t *ret_len);
/* Why the transport failed, in plain words; "" when it did not. */
const char *fr_net_detail(const struct fr_net_request *request);

#endif
