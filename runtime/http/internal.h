/* http/internal.h - a call and its two possible transports. */
#ifndef FR_HTTP_INTERNAL_H
#define FR_HTTP_INTERNAL_H

#include <curl/curl.h>

#include "http/call.h"

#define FR_HTTP_AGENT "falrun/0.1"
#define FR_IDLE_HANDLES 256
#define FR_LOCAL_FORM_MOST ((off_t)16 << 20)
#define FR_CONNECTIONS 256      /* that share.c can tell apart */

struct fr_sock;

/* An easy handle, with what it keeps from its last call. */
struct fr_handle {
  CURL *easy;
  CURLU *url;                   /* parsed; each call changes what differs */
  char base[272];               /* what that URL begins with; or "" */
  char method[12];              /* "": none is known */
  struct curl_slist *headers;   /* of the request */
};

/* share.c: what calls on one connection are worth. */
struct fr_sharing {
  struct {
    int port;
    unsigned calls;
  } connections[FR_CONNECTIONS];        /* by local port, modulo */
  unsigned life;                /* calls that a connection lives for */
  long streams, connects;       /* libcurl's limits now; 0: its default */
};

struct fr_http {
  struct fr_loop *loop;
  bool read_only, anonymous;
  char *proxy, *ca_file;
  fr_http_serve_fn serve;       /* not NULL: the local transport */
  void *serve_arg;
  struct fr_timer timer;        /* libcurl's one timer; local: due calls */
  struct fr_list started;       /* local calls not handed to serve yet */
  CURLM *multi;
  struct fr_sock **socks;       /* by descriptor */
  size_t nsocks;                /* room in socks */
  struct fr_handle *idle[FR_IDLE_HANDLES];      /* set up */
  unsigned nidle;
  struct fr_sharing sharing;
};

enum fr_call_phase { FR_CALL_NEW, FR_CALL_RUNNING, FR_CALL_OVER };

struct fr_call {
  struct fr_http *http;
  struct fr_op op;
  struct fr_call_spec spec;     /* its texts are copies, owned here */
  enum fr_call_phase phase;
  struct fr_timer timer;        /* stall and total time */
  struct fr_list link;          /* local: in http->started */
  void (*gone)(void *arg);      /* local: the answering side's, or NULL */
  void *gone_arg;
  struct fr_handle *handle;
  CURL *easy;                   /* of the handle */
  struct fr_timer piece;        /* tells spec.ready */
  bool paused;                  /* the body is full; more waits */
  struct fr_buf rest;           /* local, in pieces: what waits */
  enum fr_err rest_err;         /* how it ends */
  struct fr_buf form;           /* local: the upload as one body */
  uint64_t uploaded;            /* bytes of it that were written */
  struct fr_buf head, body;     /* of the answer; head: "name:value" texts */
  size_t head_bytes;            /* of all header blocks, 1xx included */
  bool head_over;               /* the final block ended; trailers follow */
  uint64_t began;               /* first turn of the loop; 0: not yet */
  uint64_t last_byte;           /* when the exchange last moved */
  enum fr_err limit;            /* why a callback of ours ended it */
  int status;
  unsigned nth;                 /* on its connection, from 1 */
  bool sent;
  char detail[CURL_ERROR_SIZE + 64];
};

/* curl.c: the transport over libcurl. */
enum fr_err fr_curl_open(struct fr_http *http, struct fr_buf *why);
void fr_curl_close(struct fr_http *http);
void fr_curl_start(struct fr_call *call);
void fr_curl_stop(struct fr_call *call);        /* takes it off the wire */
void fr_curl_go_on(struct fr_call *call);      /* after a pause */
void fr_curl_reap(struct fr_http *http);        /* finishes what is done */

/* handle.c: easy handles, and what a spec means to them. FR_EINVALID: the
 * URL is none. Release gives the handle back; safe twice. */
enum fr_err fr_handle_prepare(struct fr_call *call);
void fr_handle_release(struct fr_call *call);
void fr_handle_free(struct fr_handle *handle);          /* NULL is fine */

/* share.c: how many calls share an HTTP/2 connection. Begin: `call` is about
 * to be sent from this port; learn: it is over. */
void fr_share_begin(struct fr_call *call, int local_port);
void fr_share_learn(const struct fr_call *call, enum fr_err err);

/* receive.c: libcurl's callbacks that bring the answer. */
size_t fr_receive_head(char *line, size_t size, size_t count, void *arg);
size_t fr_receive_body(char *data, size_t size, size_t count, void *arg);

/* piece.c: bodies in pieces. `ready` is told in the next turn. Keep is
 * for libcurl's callback and returns what that returns. */
void fr_piece_tell(struct fr_call *call);
size_t fr_piece_keep(struct fr_call *call, const char *data, size_t len);

/* send.c: an upload, read as it is sent. Say: the words for FR_EIO. */
bool fr_send_prepare(struct fr_call *call);
void fr_send_say(struct fr_call *call, bool begun);

/* socket.c: libcurl's sockets and timer on the loop. */
void fr_curl_attach(struct fr_http *http);
void fr_curl_detach(struct fr_http *http);
int fr_curl_closed(void *arg, curl_socket_t fd);

/* result.c: what a CURLcode means; completes call->detail. */
enum fr_err fr_curl_result(struct fr_call *call, CURLcode code);

/* local.c: the transport in this process. */
void fr_local_start(struct fr_call *call);
void fr_local_stop(struct fr_call *call);
void fr_local_go_on(struct fr_call *call);     /* after a pause */

#endif
