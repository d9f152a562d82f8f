/* bindings/calls.c - calls of the in-process transport as served requests:
 * what the server would have read from the wire is read from their spec. */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "bindings/calls.h"

#define PAIR_MAX (64u << 10)

static const char *method(const void *peer)
{
  return fr_call_spec(peer)->method;
}

/* "https://host/v1/x?q" -> "/v1/x" */
static const char *path(const void *peer, size_t *ret_len)
{
  const char *url = fr_call_spec(peer)->url;
  const char *host = strstr(url, "://");
  const char *at = strchr(host ? host + 3 : url, '/');

  if (!at)
    at = "/";
  *ret_len = strcspn(at, "?#");
  return at;
}

static const char *header(const void *peer, const char *name)
{
  const struct fr_call_spec *spec = fr_call_spec(peer);

  if (strcasecmp(name, "Authorization") == 0)
    return spec->authorization;
  if (strcasecmp(name, "Idempotency-Key") == 0)
    return spec->idempotency_key;
  if (strcasecmp(name, "Range") == 0)
    return spec->range;
  if (strcasecmp(name, "If-Range") == 0)
    return spec->if_range;
  if (strcasecmp(name, "Last-Event-ID") == 0)
    return spec->last_event_id;
  return strcasecmp(name, "Content-Type") == 0 ? spec->content_type : NULL;
}

static const char *body(const void *peer, size_t *ret_len)
{
  const struct fr_call_spec *spec = fr_call_spec(peer);

  *ret_len = spec->body ? spec->body_len : 0;
  return spec->body ? spec->body : "";
}

/* ---- the query ----------------------------------------------------------- */

static int digit(char c)
{
  if (c >= '0' && c <= '9')
    return c - '0';
  c = (char)(c | 0x20);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static enum fr_err add_decoded(struct fr_buf *buf, const char *text,
                               size_t len)
{
  enum fr_err err = FR_OK;

  fr_buf_clear(buf);
  for (size_t i = 0; !err && i < len; i++) {
    char c = text[i] == '+' ? ' ' : text[i];

    if (c == '%' && i + 2 < len && digit(text[i + 1]) >= 0 &&
        digit(text[i + 2]) >= 0) {
      c = (char)(digit(text[i + 1]) << 4 | digit(text[i + 2]));
      i += 2;
    }
    err = fr_buf_add(buf, &c, 1);
  }
  return err;
}

static enum fr_err each_query(const void *peer,
                              void (*each)(void *arg, const char *name,
                                           const char *value), void *arg)
{
  const char *at = strchr(fr_call_spec(peer)->url, '?');
  struct fr_buf name, value;
  enum fr_err err = FR_OK;

  fr_buf_init(&name, PAIR_MAX);
  fr_buf_init(&value, PAIR_MAX);
  while (!err && at && at[0] && at[1]) {
    size_t len = strcspn(++at, "&"), left = strcspn(at, "=&");

    err = add_decoded(&name, at, left);
    if (!err && left < len)
      err = add_decoded(&value, at + left + 1, len - left - 1);
    if (!err)
      each(arg, fr_buf_text(&name), left < len ? fr_buf_text(&value) : NULL);
    at += len;
  }
  fr_buf_done(&name);
  fr_buf_done(&value);
  return err;
}

/* ---- the reply ----------------------------------------------------------- */

#define DATE_TEXT 64

static void put_date(const struct fr_call *call, char text[DATE_TEXT])
{
  time_t at = (time_t)(fr_call_at(call) / 1000);
  struct tm tm;

  if (!gmtime_r(&at, &tm) ||
      !strftime(text, DATE_TEXT, "%a, %d %b %Y %H:%M:%S GMT", &tm))
    text[0] = '\0';
}

/* What is cut off has its status and half of its body, and no end. A stalled
 * one is never answered: the call's own time ends it. */
static void reply(void *peer, const struct fr_server_reply *answer)
{
  const char *headers[2 * (FRL_HEADERS_MAX + 2) + 1];
  struct fr_call_reply out = {
    .sent = true, .status = answer->status, .headers = headers,
    .body = answer->body, .body_len = answer->body_len
  };
  char date[DATE_TEXT], length[32];
  size_t n = 0;

  if (answer->fault == FR_FAULT_STALL) {
    fr_call_on_gone(peer, NULL, NULL);
    return;
  }
  for (; answer->headers && answer->headers[n]; n++)
    headers[n] = answer->headers[n];
  put_date(peer, date);
  if (!answer->no_date) {
    headers[n++] = "Date";
    headers[n++] = date;
  }
  snprintf(length, sizeof(length), "%zu", answer->body_len);
  headers[n++] = "Content-Length";
  headers[n++] = length;
  headers[n] = NULL;
  if (answer->fault) {
    out.err = FR_EDROPPED;
    out.body_len /= 2;
  }
  if (answer->fault == FR_FAULT_DROP) {
    out.status = 0;
    out.headers = NULL;
    out.body_len = 0;
  }
  fr_call_answer(peer, &out);
}

const struct frl_transport frl_calls = {
  method, path, header, each_query, body, reply, NULL, NULL
};

/* ---- arriving ------------------------------------------------------------ */

static void gone(void *arg)
{
  frl_request_gone(arg);
}

void frl_take_call(void *arg, struct fr_call *call)
{
  struct frl_request *request = frl_accept(arg, call);

  if (request)
    fr_call_on_gone(call, gone, request);
  else
    fr_call_answer(call, &(struct fr_call_reply){
      .sent = true, .status = 503, .body = ""
    });
}
