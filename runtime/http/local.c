/* http/local.c - calls answered by a function in this process. A started
 * call is handed over in the loop's next turn, never inside its start. The
 * total time runs on the loop's clock, so a virtual one shows timeouts. */
#include <stdio.h>
#include <string.h>

#include "http/internal.h"

static void tell_gone(struct fr_call *call)
{
  void (*gone)(void *arg) = call->gone;

  call->gone = NULL;
  if (gone)
    gone(call->gone_arg);
}

void fr_call_on_gone(struct fr_call *call, void (*gone)(void *arg),
                     void *arg)
{
  call->gone = gone;
  call->gone_arg = arg;
}

int64_t fr_call_at(const struct fr_call *call)
{
  return fr_loop_at(call->http->loop);
}

static void finish(struct fr_call *call, enum fr_err err)
{
  call->phase = FR_CALL_OVER;
  fr_timer_stop(call->http->loop, &call->timer);
  fr_timer_stop(call->http->loop, &call->piece);
  fr_list_del(&call->link);
  if (err == FR_EIO && call->spec.upload)
    fr_send_say(call, call->sent);
  else if (err && !call->detail[0])
    snprintf(call->detail, sizeof(call->detail), "%s", fr_err_message(err));
  fr_op_finish(&call->op, err);
}

static void too_late(struct fr_timer *timer)
{
  struct fr_call *call = fr_container_of(timer, struct fr_call, timer);

  finish(call, call->sent ? FR_ETIMEOUT : FR_ECONNECT);
  tell_gone(call);
}

/* An answer here comes at once: without a total it is late as a stall is. */
static uint32_t most_ms(const struct fr_call_spec *spec)
{
  return spec->total_ms ? spec->total_ms : spec->stall_ms;
}

/* The server's side here has all of a body at once. */
static enum fr_err put_form(struct fr_call *call)
{
  struct fr_upload *upload = call->spec.upload;
  off_t size = fr_upload_size(upload);
  char piece[4096];
  ssize_t got;

  if (size > FR_LOCAL_FORM_MOST) {
    strcpy(call->detail, "a file that is sent in a test has at most 16 MiB");
    return FR_EINVALID;
  }
  fr_buf_init(&call->form, (size_t)size);
  while ((got = fr_upload_read(upload, piece, sizeof(piece))) > 0)
    if (fr_buf_add(&call->form, piece, (size_t)got))
      return FR_ENOMEM;
  call->spec.body = fr_buf_text(&call->form);
  call->spec.body_len = call->form.len;
  call->spec.content_type = upload->type;
  return got ? FR_EIO : FR_OK;
}

/* `serve` may end or free any call, also one of this batch. */
static void hand_over(struct fr_timer *timer)
{
  struct fr_http *http = fr_container_of(timer, struct fr_http, timer);
  struct fr_list batch;

  fr_list_take(&http->started, &batch);
  while (!fr_list_empty(&batch)) {
    struct fr_call *call = fr_container_of(batch.next, struct fr_call, link);
    enum fr_err err = call->spec.upload ? put_form(call) : FR_OK;

    fr_list_del(&call->link);
    if (err) {
      finish(call, err);
      continue;
    }
    call->sent = true;
    fr_timer_start(http->loop, &call->timer,
                   fr_loop_now(http->loop) + most_ms(&call->spec));
    http->serve(http->serve_arg, call);
  }
}

void fr_local_start(struct fr_call *call)
{
  struct fr_http *http = call->http;

  call->timer.on_due = too_late;
  http->timer.on_due = hand_over;
  fr_list_add(&http->started, &call->link);
  fr_timer_start(http->loop, &http->timer, fr_loop_now(http->loop));
}

void fr_local_stop(struct fr_call *call)
{
  call->phase = FR_CALL_OVER;
  fr_timer_stop(call->http->loop, &call->timer);
  fr_timer_stop(call->http->loop, &call->piece);
  fr_list_del(&call->link);
  tell_gone(call);
}

static enum fr_err keep_headers(struct fr_buf *head,
                                const char *const *header)
{
  enum fr_err err = FR_OK;

  for (; !err && header && header[0]; header += 2) {
    err = fr_buf_addf(head, "%s:%s", header[0], header[1]);
    if (!err)
      err = fr_buf_add(head, "", 1);
  }
  return err;
}

/* In pieces: as much as there is room for. */
void fr_local_go_on(struct fr_call *call)
{
  struct fr_buf *rest = &call->rest;
  size_t room = call->spec.max_body - call->body.len;
  size_t len = rest->len < room ? rest->len : room;
  enum fr_err err = fr_buf_add(&call->body, fr_buf_text(rest), len);

  if (err || len == rest->len) {
    finish(call, err ? err : call->rest_err);
    return;
  }
  rest->len -= len;
  memmove(rest->data, rest->data + len, rest->len);
  call->paused = true;
  fr_piece_tell(call);
}

/* The head is told first, as it is on a wire. */
static void go_on(struct fr_timer *timer)
{
  fr_local_go_on(fr_container_of(timer, struct fr_call, timer));
}

static void tell_head(struct fr_call *call)
{
  struct fr_loop *loop = call->http->loop;

  call->head_over = true;
  fr_piece_tell(call);
  call->timer.on_due = go_on;
  fr_timer_start(loop, &call->timer, fr_loop_now(loop) + 1);
}

static enum fr_err keep_body(struct fr_call *call,
                             const struct fr_call_reply *reply)
{
  struct fr_buf *buf = call->spec.ready ? &call->rest : &call->body;

  if (call->spec.ready)
    fr_buf_init(buf, reply->body_len);
  call->rest_err = reply->err;
  return fr_buf_add(buf, reply->body, reply->body_len);
}

/* An answer that is cut off still has its status and what came of it. */
void fr_call_answer(struct fr_call *call, const struct fr_call_reply *reply)
{
  enum fr_err err;

  if (call->phase != FR_CALL_RUNNING)
    return;
  call->gone = NULL;
  if (reply->err)
    call->sent = reply->sent;
  call->status = reply->status;
  err = keep_headers(&call->head, reply->headers);
  if (!err)
    err = keep_body(call, reply);
  if (err || !call->spec.ready) {
    finish(call, err ? err : reply->err);
    return;
  }
  if (reply->status)
    tell_head(call);
  else
    finish(call, reply->err);
}
