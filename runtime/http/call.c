/* http/call.c - the part of a call that both transports share: its copies,
 * its life, its getters. */
#include "http/call.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/digest.h"
#include "base/plain.h"
#include "base/pool.h"
#include "http/internal.h"

static struct fr_pool pool = FR_POOL(struct fr_call);

/* A header's value must not be able to end its line. */
static bool clean(const char *text)
{
  return !text || fr_printable(text, strlen(text));
}

/* Pieces and files take as long as they take, and the largest piece must
 * fit. */
static bool is_timed(const struct fr_call_spec *spec)
{
  bool whole = !spec->ready && !spec->upload;

  return whole == (spec->total_ms != 0) &&
         (!spec->ready || spec->max_body >= FR_PIECE_MOST);
}

static bool valid(const struct fr_call_spec *spec)
{
  size_t len = strspn(spec->method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");

  return len && !spec->method[len] && clean(spec->url) &&
         clean(spec->authorization) && clean(spec->idempotency_key) &&
         clean(spec->content_type) && clean(spec->range) &&
         clean(spec->if_range) && clean(spec->last_event_id) &&
         clean(spec->accept) &&
         spec->max_body && spec->max_headers && spec->connect_ms &&
         spec->stall_ms && is_timed(spec) &&
         !(spec->upload && (spec->body || spec->content_type));
}

/* Neither header says who asks. */
static bool is_anonymous(const struct fr_call_spec *spec)
{
  return !spec->authorization && !spec->idempotency_key;
}

static size_t size_of(const char *text)
{
  return text ? strlen(text) + 1 : 0;
}

/* The text's copy at *at, which moves on behind it; NULL stays NULL. */
static const char *put(char **at, const char *text)
{
  size_t size = size_of(text);
  char *copy = *at;

  if (!text)
    return NULL;
  memcpy(copy, text, size);
  *at += size;
  return copy;
}

/* All texts are copied to one block, which `method` begins. */
static bool copy(struct fr_call_spec *spec)
{
  size_t method = strlen(spec->method) + 1;
  size_t rest = size_of(spec->url) + size_of(spec->authorization) +
                size_of(spec->idempotency_key) +
                size_of(spec->content_type) + size_of(spec->range) +
                size_of(spec->if_range) + size_of(spec->last_event_id) +
                size_of(spec->accept) +
                (spec->body ? spec->body_len : 0);
  char *block = malloc(method + rest), *at;

  if (!block) {
    memset(spec, 0, sizeof(*spec));
    return false;
  }
  at = block + method;
  spec->method = memcpy(block, spec->method, method);
  spec->url = put(&at, spec->url);
  spec->authorization = put(&at, spec->authorization);
  spec->idempotency_key = put(&at, spec->idempotency_key);
  spec->content_type = put(&at, spec->content_type);
  spec->range = put(&at, spec->range);
  spec->if_range = put(&at, spec->if_range);
  spec->last_event_id = put(&at, spec->last_event_id);
  spec->accept = put(&at, spec->accept);
  if (spec->body && spec->body_len)
    memcpy(at, spec->body, spec->body_len);
  if (spec->body)
    spec->body = at;
  return true;
}

static void done(struct fr_call_spec *spec)
{
  if (spec->authorization)
    fr_wipe((char *)(uintptr_t)spec->authorization,
            strlen(spec->authorization));
  free((char *)(uintptr_t)spec->method);
}

enum fr_err fr_call_new(struct fr_http *http, const struct fr_call_spec *spec,
                        struct fr_call **ret_call)
{
  enum fr_err err = FR_OK;
  struct fr_call *call;

  if (!valid(spec) || (http->anonymous && !is_anonymous(spec)))
    return FR_EINVALID;
  call = fr_pool_new(&pool);
  if (!call)
    return FR_ENOMEM;
  call->http = http;
  call->spec = *spec;
  fr_list_init(&call->link);
  fr_buf_init(&call->head, spec->max_headers);
  fr_buf_init(&call->body, spec->max_body);
  if (!copy(&call->spec))
    err = FR_ENOMEM;
  else if (!http->serve)
    err = fr_handle_prepare(call);
  if (err) {
    fr_call_free(call);
    return err;
  }
  *ret_call = call;
  return FR_OK;
}

static void on_cancel(struct fr_op *op)
{
  struct fr_call *call = fr_container_of(op, struct fr_call, op);

  if (call->phase != FR_CALL_RUNNING)
    return;
  if (call->http->serve)
    fr_local_stop(call);
  else
    fr_curl_stop(call);
}

/* Before a byte of it left. */
static void refuse(struct fr_call *call, enum fr_err err)
{
  call->phase = FR_CALL_OVER;
  fr_op_finish(&call->op, err);
}

void fr_call_start(struct fr_call *call)
{
  fr_op_start(call->http->loop, &call->op, on_cancel);
  call->phase = FR_CALL_RUNNING;
  if (call->http->read_only && call->spec.changes) {
    strcpy(call->detail, fr_err_message(FR_EREAD_ONLY));
    refuse(call, FR_EREAD_ONLY);
  } else if (call->spec.upload && !fr_upload_rewind(call->spec.upload)) {
    fr_send_say(call, false);
    refuse(call, FR_EIO);
  } else if (call->http->serve) {
    fr_local_start(call);
  } else {
    fr_curl_start(call);
  }
}

void fr_call_free(struct fr_call *call)
{
  if (!call)
    return;
  fr_op_abandon(&call->op);
  if (!call->http->serve)
    fr_handle_release(call);
  done(&call->spec);
  fr_buf_done(&call->head);
  fr_buf_done(&call->body);
  fr_buf_done(&call->rest);
  fr_buf_done(&call->form);
  fr_pool_free(&pool, call);
}

struct fr_op *fr_call_op(struct fr_call *call)
{
  return &call->op;
}

int fr_call_status(const struct fr_call *call)
{
  return call->status;
}

/* `head` holds "name:value" strings, each with its NUL. */
const char *fr_call_header(const struct fr_call *call, const char *name)
{
  const char *at = fr_buf_text(&call->head), *end = at + call->head.len;
  const char *found = NULL;
  size_t len = strlen(name);

  for (; at < end; at += strlen(at) + 1)
    if (!strncasecmp(at, name, len) && at[len] == ':')
      found = at + len + 1;
  return found;
}

const char *fr_call_body(const struct fr_call *call, size_t *ret_len)
{
  *ret_len = call->body.len;
  return fr_buf_text(&call->body);
}

char *fr_call_body_edit(struct fr_call *call, size_t *ret_len)
{
  *ret_len = call->body.len;
  return call->body.data;
}

bool fr_call_sent(const struct fr_call *call)
{
  return call->sent;
}

bool fr_call_recall(struct fr_call *call)
{
  if (call->sent || call->phase != FR_CALL_RUNNING)
    return false;
  fr_op_abandon(&call->op);
  return true;
}

const char *fr_call_detail(const struct fr_call *call)
{
  return call->detail;
}

const struct fr_call_spec *fr_call_spec(const struct fr_call *call)
{
  return &call->spec;
}
