/* http/call.c - the part of a call that both transports share: its copies,
 * its life, its getters. */
#include "http/call.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/digest.h"
#include "base/plain.h"
#include "base/pool.h"
#include "base/texts.h"
#include "http/internal.h"

static struct fr_pool pool = FR_POOL(struct fr_call);

#define TOKEN "!#$%&'*+-.^_`|~0123456789" \
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define TEXTS 512u              /* those of most calls fit */
static struct fr_pool texts = { .size = TEXTS };

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

/* Lines "Name: value\n", and none of those that say where the body ends or
 * whom it is for. */
static bool is_extra(const char *text)
{
  static const char *const own[] = { "host", "content-length", "connection",
                                     "transfer-encoding", "te", "upgrade",
                                     "trailer", "expect", "keep-alive" };

  while (text && *text) {
    size_t len = strcspn(text, "\n"), name = strcspn(text, ":");

    if (!text[len] || !name || name >= len || !fr_printable(text, len) ||
        strspn(text, TOKEN) < name)
      return false;
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
      if (strlen(own[i]) == name && !strncasecmp(own[i], text, name))
        return false;
    text += len + 1;
  }
  return true;
}

static bool valid(const struct fr_call_spec *spec)
{
  size_t len = strspn(spec->method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");

  return len && !spec->method[len] && clean(spec->url) &&
         clean(spec->authorization) && clean(spec->idempotency_key) &&
         clean(spec->content_type) && clean(spec->range) &&
         clean(spec->if_range) && clean(spec->last_event_id) &&
         clean(spec->accept) && is_extra(spec->extra) &&
         spec->max_body && spec->max_headers && spec->connect_ms &&
         spec->stall_ms && is_timed(spec) &&
         !(spec->upload && (spec->body || spec->content_type));
}

/* Neither header says who asks. */
static bool is_anonymous(const struct fr_call_spec *spec)
{
  return !spec->authorization && !spec->idempotency_key;
}

/* All texts are copied to one block, which `method` begins. */
static bool copy(struct fr_call *call)
{
  struct fr_call_spec *spec = &call->spec;
  const char **const all[] = {
    &spec->method, &spec->url, &spec->authorization, &spec->idempotency_key,
    &spec->content_type, &spec->range, &spec->if_range,
    &spec->last_event_id, &spec->accept, &spec->extra
  };
  const size_t count = sizeof(all) / sizeof(all[0]);
  size_t size = fr_texts_size(all, count) + (spec->body ? spec->body_len : 0);
  char *block, *body;

  call->pooled = size <= TEXTS;
  block = call->pooled ? fr_pool_new(&texts) : malloc(size);
  if (!block) {
    memset(spec, 0, sizeof(*spec));
    return false;
  }
  body = fr_texts_put(all, count, block);
  if (spec->body && spec->body_len)
    memcpy(body, spec->body, spec->body_len);
  if (spec->body)
    spec->body = body;
  return true;
}

static void done(struct fr_call *call)
{
  const struct fr_call_spec *spec = &call->spec;
  char *block = (char *)(uintptr_t)spec->method;

  if (spec->authorization)
    fr_wipe((char *)(uintptr_t)spec->authorization,
            strlen(spec->authorization));
  if (call->pooled)
    fr_pool_free(&texts, block);
  else
    free(block);
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
  if (!copy(call))
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
  done(call);
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

const char *fr_call_headers(const struct fr_call *call, size_t *ret_len)
{
  *ret_len = call->head.len;
  return fr_buf_text(&call->head);
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
