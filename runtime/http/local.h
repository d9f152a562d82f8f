/* http/local.h - the answering side of calls inside this process.
 *
 *   fr_call_start --> serve(call) --> fr_call_answer, then or later
 *                                \--> on_gone: nobody waits any more
 *
 * For whoever gave fr_http_new_local its `serve`. Nothing here sends.
 *
 * Ownership: the call is its maker's. From fr_call_answer or on_gone on, the
 * answering side must not touch it; what the spec holds is borrowed.
 */
#ifndef FR_HTTP_LOCAL_H
#define FR_HTTP_LOCAL_H

#include <stdint.h>

#include "http/http.h"
#include "http/upload.h"

struct fr_call_spec {
  const char *method;           /* "GET", "DELETE", "POST", ... */
  const char *url;              /* absolute, escaped */
  bool changes;                 /* could change something at the peer */
  const char *authorization;    /* value of the header, or NULL */
  const char *idempotency_key;  /* value of the header, or NULL */
  const char *content_type;     /* of the body, or NULL */
  const char *range;            /* value of the header, or NULL */
  const char *if_range, *last_event_id, *accept;        /* likewise */
  const char *extra;            /* more headers, "Name: value\n" each; NULL */
  const void *body;             /* or NULL */
  size_t body_len;
  struct fr_upload *upload;     /* a form in its place, borrowed; or NULL */
  size_t max_body;              /* bytes of the answer; must be set */
  size_t max_headers;           /* bytes of its headers; must be set */
  uint32_t connect_ms;          /* time to connect; must be set */
  uint32_t total_ms;            /* whole call; must be set, but 0 in pieces
                                 * and with an upload */
  uint32_t stall_ms;            /* without a byte; must be set */
  /* Not NULL: the body comes in pieces (call.h). `ready` is called in a turn
   * of the loop when the head is there, and when there are bytes. */
  void (*ready)(void *arg);
  void *ready_arg;
};

const struct fr_call_spec *fr_call_spec(const struct fr_call *call);

int64_t fr_call_at(const struct fr_call *call);   /* its loop's wall clock */

struct fr_call_reply {
  enum fr_err err;              /* FR_OK, or the transport error to fake */
  bool sent;                    /* with an error: did the request leave */
  int status;
  const char *const *headers;   /* name, value, ..., NULL; or NULL */
  const void *body;
  size_t body_len;
};

void fr_call_answer(struct fr_call *call, const struct fr_call_reply *reply);

/* `gone` is called once when the call ends without an answer: timed out,
 * cancelled, freed. NULL: do not tell. */
void fr_call_on_gone(struct fr_call *call, void (*gone)(void *arg),
                     void *arg);

#endif
