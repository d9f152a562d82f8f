/* server/server.h - a small HTTP/1.1 server with a fault vocabulary.
 *
 *   request complete --> on_request(exchange) --> reply now or later
 *                                                 |-> or a fault
 *                                                 \-> open: send ... end
 *
 * Knows nothing of fal. Listens on 127.0.0.1 only. Bodies are read whole
 * (bounded) before on_request runs, which is in the loop's turn; replies may
 * come at any later time, in any order.
 *
 * Ownership: an exchange belongs to the server and lives until its reply has
 * been queued (fr_exchange_reply ends it, of an open one fr_exchange_end; do
 * not touch it afterwards) or the client went away first: then
 * on_gone(exchange) is called, once, and it is gone. What the getters return
 * is borrowed from the exchange.
 */
#ifndef FR_SERVER_SERVER_H
#define FR_SERVER_SERVER_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "loop/loop.h"

struct fr_server;
struct fr_exchange;

struct fr_server_config {
  unsigned port;                /* 0: a free one */
  size_t max_body;              /* of a request; above: 413 */
  void (*on_request)(void *arg, struct fr_exchange *exchange);
  void (*on_gone)(void *arg, struct fr_exchange *exchange);
  void *arg;
};

enum fr_err fr_server_new(struct fr_loop *loop,
                          const struct fr_server_config *config,
                          struct fr_buf *why, struct fr_server **ret_server);
unsigned fr_server_port(const struct fr_server *server);
/* Closes everything; open exchanges end without on_gone. NULL is fine. */
void fr_server_free(struct fr_server *server);

void fr_exchange_set(struct fr_exchange *exchange, void *data);
void *fr_exchange_get(const struct fr_exchange *exchange);

const char *fr_exchange_method(const struct fr_exchange *exchange);
const char *fr_exchange_path(const struct fr_exchange *exchange); /* raw */
const char *fr_exchange_header(const struct fr_exchange *exchange,
                               const char *name);       /* or NULL */
/* Each query argument, decoded, in order; value may be NULL. */
void fr_exchange_each_query(const struct fr_exchange *exchange,
                            void (*each)(void *arg, const char *name,
                                         const char *value), void *arg);
const char *fr_exchange_body(const struct fr_exchange *exchange,
                             size_t *ret_len);

enum fr_fault {
  FR_FAULT_NONE,
  FR_FAULT_DROP,          /* close without a byte of an answer */
  FR_FAULT_TRUNCATE,      /* promise the whole body, send half, close */
  FR_FAULT_STALL          /* send the head and half the body, then nothing */
};

struct fr_server_reply {
  int status;
  const char *const *headers;   /* name, value, ..., NULL; or NULL */
  const void *body;             /* copied */
  size_t body_len;
  enum fr_fault fault;
  bool no_date;                 /* leave the Date header out */
  bool open;                    /* no body yet: it is sent piece by piece */
};

enum fr_err fr_exchange_reply(struct fr_exchange *exchange,
                              const struct fr_server_reply *reply);

/* After an open reply, in chunks: more of its body, and its end; `cut` closes
 * the connection without one. */
enum fr_err fr_exchange_send(struct fr_exchange *exchange, const void *data,
                             size_t len);
void fr_exchange_end(struct fr_exchange *exchange, bool cut);

/* Of the library in use: "0.9.75". */
const char *fr_server_library(void);

#endif
