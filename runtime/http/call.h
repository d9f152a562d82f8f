/* http/call.h - one HTTP exchange. Only runtime/fal, runtime/probe and
 * runtime/net may include this header (and tests): whoever holds it can send
 * anything.
 *
 * Ownership: a call belongs to whoever made it and embeds its operation.
 * The spec is copied; a copied authorization is wiped when the call goes.
 * What the getters return is borrowed and lives as long as the call.
 */
#ifndef FR_HTTP_CALL_H
#define FR_HTTP_CALL_H

#include "http/local.h"

enum fr_err fr_call_new(struct fr_http *http, const struct fr_call_spec *spec,
                        struct fr_call **ret_call);
void fr_call_start(struct fr_call *call);
void fr_call_free(struct fr_call *call);  /* NULL is fine; abandons */

/* The op's error is about transport alone: a 500 is FR_OK. FR_ETIMEOUT,
 * CONNECT, RESOLVE, TLS, DROPPED (closed, reset, GOAWAY, a short body),
 * PROTOCOL, TOO_BIG, READ_ONLY, NOMEM, CANCELLED. A body of the wrong
 * length is never FR_OK, whatever its status line said. */
struct fr_op *fr_call_op(struct fr_call *call);

int fr_call_status(const struct fr_call *call);         /* 0: none came */
/* The last value of a header of the final answer, or NULL. Any case. */
const char *fr_call_header(const struct fr_call *call, const char *name);
/* All of them: "name:value", each with its NUL. */
const char *fr_call_headers(const struct fr_call *call, size_t *ret_len);
const char *fr_call_body(const struct fr_call *call, size_t *ret_len);
/* The same bytes, to be changed in place: the fal client blanks keys. */
char *fr_call_body_edit(struct fr_call *call, size_t *ret_len);

/* In pieces (the spec has a `ready`): the status is known as soon as the head
 * is there, and the body holds no more than max_body bytes, at least
 * FR_PIECE_MOST. When it is full the peer has to wait; it stalls only when
 * bytes are wanted. Drop takes the first `len` bytes off, and the transfer
 * goes on. The op finishes after the last byte came: what is in the body
 * then is the end. An op's error says that it was not whole. */
#define FR_PIECE_MOST 16384
void fr_call_drop(struct fr_call *call, size_t len);
bool fr_call_begun(const struct fr_call *call);   /* the head came whole */

/* False only when it is certain that no byte of the request left: no
 * connection was made, or the call was never started. */
bool fr_call_sent(const struct fr_call *call);
/* Takes it back while that is so and it is not over; its op reports nothing
 * then. False: it goes on. */
bool fr_call_recall(struct fr_call *call);

/* Why the transport failed, in plain words; "" when it did not. */
const char *fr_call_detail(const struct fr_call *call);

#endif
