/* bindings/calls.h - calls of the in-process transport as served requests.
 *
 *   fr_http_new_local(loop, read_only, frl_take_call, &acceptor, ...)
 */
#ifndef FRL_CALLS_H
#define FRL_CALLS_H

#include "bindings/serve.h"
#include "http/local.h"

/* Of an acceptor whose peers are calls. */
extern const struct frl_transport frl_calls;

/* An fr_http_serve_fn; `arg` is the acceptor. */
void frl_take_call(void *arg, struct fr_call *call);

#endif
