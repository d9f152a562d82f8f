/* http/http.h - an HTTP client; this header sets it up.
 *
 *   fr_call (call.h) --start--> transport: libcurl's multi interface,
 *                                or a handler in this process (tests)
 *
 * Speaks HTTP and nothing else: no retries, no keys, no JSON. Never follows
 * a redirect, reads no netrc, keeps no cookie, uses no proxy that the
 * configuration does not name, verifies TLS 1.2 or newer always. Callbacks
 * of libcurl only move bytes; what finished is delivered by the loop.
 *
 * Promise: a read-only client sends no call whose spec says `changes`; an
 * anonymous one has no call with an authorization, whoever asks.
 *
 * Ownership: a client owns its connections and must outlive its calls.
 */
#ifndef FR_HTTP_HTTP_H
#define FR_HTTP_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "loop/loop.h"

struct fr_http;
struct fr_call;

struct fr_http_config {
  bool read_only;         /* refuse what changes something: FR_EREAD_ONLY */
  bool anonymous;         /* refuse an authorization or key: FR_EINVALID;
                           * what `extra` says is its maker's own */
  const char *proxy;      /* URL, or NULL: none, whatever the environment */
  const char *ca_file;    /* PEM added in place of the system's, or NULL */
  long max_connections;   /* in total; 0: libcurl's default */
};

/* `why` gets a sentence on failure. Strings are copied. */
enum fr_err fr_http_new(struct fr_loop *loop,
                        const struct fr_http_config *config,
                        struct fr_buf *why, struct fr_http **ret_http);

/* Serves calls inside the process: `serve` runs once per started call, in
 * the loop's turn, and answers with fr_call_answer (call.h), then or later. */
typedef void (*fr_http_serve_fn)(void *arg, struct fr_call *call);
enum fr_err fr_http_new_local(struct fr_loop *loop, bool read_only,
                              fr_http_serve_fn serve, void *arg,
                              struct fr_http **ret_http);

void fr_http_free(struct fr_http *http);        /* NULL is fine */

/* An absolute URL taken apart by libcurl's own parser. */
struct fr_url {
  char scheme[8];         /* lower case: "https" */
  char host[256];         /* lower case; IPv6 without brackets */
  unsigned port;          /* the scheme's default when none is written */
  char path[2304];        /* "/v1", without a slash at the end; may be "" */
  bool has_user, has_query, has_fragment;
};

enum fr_err fr_url_parse(const char *text, struct fr_url *ret_url);
/* 127.0.0.0/8, ::1 or localhost: what is sent there stays on this machine. */
bool fr_url_is_loopback(const struct fr_url *url);

/* Percent-encodes everything but unreserved characters (RFC 3986, 2.3). */
enum fr_err fr_url_add_escaped(struct fr_buf *buf, const char *text,
                               size_t len);

/* "7.88.1 OpenSSL/3.0.19 nghttp2/1.52.0", for --version. */
const char *fr_http_version(void);

#endif
