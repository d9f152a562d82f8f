/* bindings/serve.h - requests that become tasks, wherever they come from.
 *
 *   frl_accept --> ready --acceptor's task--> taken --> its own task
 *                                               |           |
 *   frl_request_gone ---------------------------+-> cancel  +-> reply
 *
 * The sources are host.serve (server.c) and the stage (stage.c). Their
 * callbacks run in the loop's turn and only move nodes between lists; the
 * acceptor is a task, and all Lua happens in tasks.
 *
 * Ownership: a node belongs to the acceptor while it is ready, and to the
 * userdata of its request from then on. `peer` is NULL as soon as there is
 * nobody to reply to.
 */
#ifndef FRL_SERVE_H
#define FRL_SERVE_H

#include "bindings/internal.h"
#include "server/server.h"

#define FRL_HEADERS_MAX 100     /* of a reply */

/* How one kind of peer is asked and answered. None of these runs Lua. */
struct frl_transport {
  const char *(*method)(const void *peer);
  const char *(*path)(const void *peer, size_t *ret_len);   /* raw */
  const char *(*header)(const void *peer, const char *name);
  enum fr_err (*each_query)(const void *peer,
                            void (*each)(void *arg, const char *name,
                                         const char *value), void *arg);
  const char *(*body)(const void *peer, size_t *ret_len);
  void (*reply)(void *peer, const struct fr_server_reply *reply);
  /* After an open reply (server.h). NULL: it wants its bodies whole. */
  enum fr_err (*send)(void *peer, const void *data, size_t len);
  void (*end)(void *peer, bool cut);
};

/* The first member of a source's userdata; user value 1 is its own. */
struct frl_acceptor {
  const struct frl_transport *how;
  struct fr_list ready, taken;
  size_t nready;
  struct fr_op op;              /* the acceptor's wait */
  bool waiting;
  bool deaf;                    /* its task is over: take nothing more */
  bool closed;
  bool some_gone;
};

struct frl_request {
  struct fr_list link;          /* of the acceptor: ready, or taken */
  struct frl_acceptor *acceptor;
  void *peer;
  bool taken;
  bool gone;                    /* its task is to be cancelled */
  bool open;                    /* its reply has begun, and goes on */
};

/* Makes the userdata on top an acceptor; sets its user value. [-0, +0, m] */
void frl_acceptor_init(lua_State *L, struct frl_acceptor *acceptor,
                       const struct frl_transport *how);
/* Starts its task; the userdata and the handler stand on top. [-2, +0, e] */
void frl_acceptor_start(lua_State *L);
/* Takes nothing more, and ends the tasks of what it took. Idempotent. */
void frl_acceptor_close(struct frl_acceptor *acceptor);
/* For __gc: closes, and forgets its requests. */
void frl_acceptor_done(struct frl_acceptor *acceptor);

/* A request came. NULL: it cannot be taken, and the peer is to be told. */
struct frl_request *frl_accept(struct frl_acceptor *acceptor, void *peer);
/* Its peer went away. */
void frl_request_gone(struct frl_request *request);

/* ---- exchange.c ---------------------------------------------------------- */

#define FRL_REQUEST "falrun.request"

/* The userdata of a request; user value 1 is its task. */
struct frl_request_box {
  struct frl_request *request;  /* NULL once it is over */
};

/* serve_request(request, handler): the body of a request's task. */
int frl_serve_request(lua_State *L);                      /* [-2, +0, ey] */
/* Unlinks and frees it; drops the connection if nothing was replied. */
void frl_request_end(struct frl_request_box *box);
void frl_open_requests(lua_State *L);                     /* [-0, +0, m] */

#endif
