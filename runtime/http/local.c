/* http/local.c - calls answered by a function in this process. A started
 * call is handed over in the loop's next turn, never inside its start. */
#include <stdio.h>
#include <string.h>

#include "http/internal.h"

static void finish(struct fr_call *call, enum fr_err err)
{
  call->phase = FR_CALL_OVER;
  fr_timer_stop(call->http->loop, &call->timer);
  fr_list_del(&call->link);
  if (err && !call->detail[0])
    snprintf(call->detail, sizeof(call->detail), "%s", fr_err_message(err));
  fr_op_finish(&call->op, err);
}

static void too_late(struct fr_timer *timer)
{
  struct fr_call *call = fr_container_of(timer, struct fr_call, timer);

  finish(call, FR_ETIMEOUT);
}

static void hand_over(struct fr_timer *timer)
{
  struct fr_http *http = fr_container_of(timer, struct fr_http, timer);
  struct fr_list batch;

  fr_list_take(&http->started, &batch);
  while (!fr_list_empty(&batch)) {
    struct fr_call *call = fr_container_of(batch.next, struct fr_call, link);

    fr_list_del(&call->link);
    call->sent = true;
    http->serve(http->serve_arg, call);
  }
}

void fr_local_start(struct fr_call *call)
{
  struct fr_http *http = call->http;
  uint64_t now = fr_loop_now(http->loop);

  call->timer.on_due = too_late;
  fr_timer_start(http->loop, &call->timer, now + call->spec.total_ms);
  fr_list_add(&http->started, &call->link);
  http->timer.on_due = hand_over;
  fr_timer_start(http->loop, &http->timer, now);
}

void fr_local_stop(struct fr_call *call)
{
  fr_list_del(&call->link);
}

static enum fr_err keep(struct fr_call *call,
                        const struct fr_call_reply *reply)
{
  const char *const *header = reply->headers;
  enum fr_err err = fr_buf_add(&call->body, reply->body, reply->body_len);

  for (; !err && header && header[0]; header += 2) {
    err = fr_buf_addf(&call->head, "%s:%s", header[0], header[1]);
    if (!err)
      err = fr_buf_add(&call->head, "", 1);
  }
  return err;
}

void fr_call_answer(struct fr_call *call, const struct fr_call_reply *reply)
{
  enum fr_err err = reply->err;

  if (call->phase != FR_CALL_RUNNING)
    return;
  if (err)
    call->sent = reply->sent;
  call->status = reply->status;
  if (!err || reply->status)
    err = keep(call, reply) ? FR_ETOO_BIG : err;
  finish(call, err);
}
