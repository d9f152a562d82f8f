/* bindings/serve.h - between server.c and exchange.c: a served request.
 *
 *   on_request --> ready --acceptor's task--> taken --> its own task
 *                                               |           |
 *   on_gone ------------------------------------+-> cancel  +-> reply
 *
 * The server's callbacks run in the loop's turn and only move nodes between
 * lists; the acceptor is a task, and all Lua happens in tasks.
 *
 * Ownership: a node belongs to the server while it is ready, and to the
 * userdata of its request from then on. `exchange` is NULL as soon as there
 * is nobody to reply to.
 */
#ifndef FRL_SERVE_H
#define FRL_SERVE_H

#include "bindings/internal.h"
#include "server/server.h"

struct frl_request {
  struct fr_list link;          /* of the server: ready, or taken */
  struct fr_exchange *exchange;
  bool taken;
  bool gone;                    /* its task is to be cancelled */
};

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
