/* http/piece.c - a body in pieces: what came is kept until the owner takes
 * it, and a full body makes the peer wait.
 *
 *   bytes --keep--> body --ready, in a turn--> owner --drop--+
 *             \-- full: paused <------------- go on ---------+
 *
 * libcurl keeps the one piece that found no room and hands it over again. */
#include <string.h>

#include "http/internal.h"

_Static_assert(FR_PIECE_MOST >= CURL_MAX_WRITE_SIZE,
               "a piece of libcurl's must fit");

/* The owner may free the call. */
static void tell(struct fr_timer *timer)
{
  struct fr_call *call = fr_container_of(timer, struct fr_call, piece);

  call->spec.ready(call->spec.ready_arg);
}

void fr_piece_tell(struct fr_call *call)
{
  struct fr_loop *loop = call->http->loop;

  call->piece.on_due = tell;
  fr_timer_start(loop, &call->piece, fr_loop_now(loop));
}

bool fr_call_begun(const struct fr_call *call)
{
  return call->head_over;
}

size_t fr_piece_keep(struct fr_call *call, const char *data, size_t len)
{
  if (len > call->spec.max_body - call->body.len) {
    call->paused = true;
    return CURL_WRITEFUNC_PAUSE;
  }
  call->limit = fr_buf_add(&call->body, data, len);
  if (call->limit)
    return 0;
  fr_piece_tell(call);
  return len;
}

/* Room for one more piece is enough to go on. */
void fr_call_drop(struct fr_call *call, size_t len)
{
  struct fr_buf *body = &call->body;

  if (len >= body->len) {
    fr_buf_clear(body);
  } else {
    body->len -= len;
    memmove(body->data, body->data + len, body->len + 1);
  }
  if (!call->paused || call->phase != FR_CALL_RUNNING ||
      call->spec.max_body - body->len < FR_PIECE_MOST)
    return;
  call->paused = false;
  call->last_byte = fr_loop_now(call->http->loop);
  if (call->http->serve)
    fr_local_go_on(call);
  else
    fr_curl_go_on(call);
}
