/* server/exchange.c - a request as its handler sees it, and its reply.
 *
 * A reply only prepares the response and wakes the connection; it is queued
 * by handle() in server.c, from inside MHD_run. Faults send the stated size
 * of the whole body and half of its bytes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "server/internal.h"

#define REPLY_MOST (256u << 20)

/* ---- life --------------------------------------------------------------- */

void fr_exchange_free(struct fr_exchange *exchange)
{
  fr_list_del(&exchange->link);
  fr_list_del(&exchange->of_all);
  fr_hangup_forget(exchange);
  if (exchange->response)
    MHD_destroy_response(exchange->response);
  fr_buf_done(&exchange->body);
  fr_buf_done(&exchange->half);
  free(exchange->method);
  free(exchange->path);
  free(exchange);
}

struct fr_exchange *fr_exchange_new(struct fr_server *server,
                                    struct MHD_Connection *connection,
                                    const char *method, const char *path)
{
  struct fr_exchange *exchange = calloc(1, sizeof(*exchange));

  if (!exchange)
    return NULL;
  exchange->server = server;
  exchange->connection = connection;
  fr_list_init(&exchange->link);
  fr_list_init(&exchange->of_all);
  fr_buf_init(&exchange->body, server->config.max_body);
  fr_buf_init(&exchange->half, REPLY_MOST);
  exchange->method = strdup(method);
  exchange->path = strdup(path);
  if (!exchange->method || !exchange->path) {
    fr_exchange_free(exchange);
    return NULL;
  }
  fr_list_add(&server->all, &exchange->of_all);
  return exchange;
}

/* ---- the request -------------------------------------------------------- */

void fr_exchange_set(struct fr_exchange *exchange, void *data)
{
  exchange->data = data;
}

void *fr_exchange_get(const struct fr_exchange *exchange)
{
  return exchange->data;
}

const char *fr_exchange_method(const struct fr_exchange *exchange)
{
  return exchange->method;
}

const char *fr_exchange_path(const struct fr_exchange *exchange)
{
  return exchange->path;
}

const char *fr_exchange_header(const struct fr_exchange *exchange,
                               const char *name)
{
  return MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND,
                                     name);
}

const char *fr_exchange_body(const struct fr_exchange *exchange,
                             size_t *ret_len)
{
  *ret_len = exchange->body.len;
  return fr_buf_text(&exchange->body);
}

struct query_walk {
  void (*each)(void *arg, const char *name, const char *value);
  void *arg;
};

/* libmicrohttpd has turned '+' into a blank already. */
static char *decoded(const char *text)
{
  char *copy = text ? strdup(text) : NULL;

  if (copy)
    MHD_http_unescape(copy);
  return copy;
}

static enum MHD_Result one_query(void *arg, enum MHD_ValueKind kind,
                                 const char *name, const char *value)
{
  struct query_walk *walk = arg;
  char *plain_name = decoded(name), *plain_value = decoded(value);

  (void)kind;
  if (plain_name && (plain_value || !value))
    walk->each(walk->arg, plain_name, plain_value);
  free(plain_name);
  free(plain_value);
  return MHD_YES;
}

void fr_exchange_each_query(const struct fr_exchange *exchange,
                            void (*each)(void *arg, const char *name,
                                         const char *value), void *arg)
{
  struct query_walk walk = { each, arg };

  MHD_get_connection_values(exchange->connection, MHD_GET_ARGUMENT_KIND,
                            one_query, &walk);
}

/* ---- the reply ---------------------------------------------------------- */

/* strftime would ask the locale for the names. */
static void format_date(int64_t at_ms, char *text, size_t size)
{
  static const char days[] = "SunMonTueWedThuFriSat";
  static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
  time_t seconds = (time_t)(at_ms / 1000);
  struct tm t = { .tm_mday = 1 };

  gmtime_r(&seconds, &t);
  snprintf(text, size, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT",
           days + 3 * t.tm_wday, t.tm_mday, months + 3 * t.tm_mon,
           t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
}

/* Sends the half; then breaks off, or never goes on. */
static ssize_t send_half(void *arg, uint64_t position, char *to, size_t room)
{
  struct fr_exchange *exchange = arg;
  size_t left = exchange->half.len - (size_t)position;

  if (!left && (exchange->fault == FR_FAULT_TRUNCATE ||
                exchange->phase == FR_EXCHANGE_GONE ||
                exchange->server->closing))
    return MHD_CONTENT_READER_END_WITH_ERROR;
  if (!left) {
    fr_exchange_suspend(exchange);
    fr_hangup_watch(exchange);
    return 0;
  }
  if (left > room)
    left = room;
  memcpy(to, exchange->half.data + position, left);
  return (ssize_t)left;
}

/* What an open one has; then it waits for more, or for its end. */
static ssize_t send_open(void *arg, uint64_t position, char *to, size_t room)
{
  struct fr_exchange *exchange = arg;
  struct fr_buf *buf = &exchange->half;
  size_t len = buf->len < room ? buf->len : room;

  (void)position;
  if (exchange->phase == FR_EXCHANGE_GONE || exchange->server->closing)
    return MHD_CONTENT_READER_END_WITH_ERROR;
  if (!len && exchange->phase == FR_EXCHANGE_REPLIED)
    return exchange->cut ? MHD_CONTENT_READER_END_WITH_ERROR
                         : MHD_CONTENT_READER_END_OF_STREAM;
  if (!len) {
    fr_exchange_suspend(exchange);
    fr_hangup_watch(exchange);
    return 0;
  }
  memcpy(to, buf->data, len);
  buf->len -= len;
  memmove(buf->data, buf->data + len, buf->len);
  return (ssize_t)len;
}

static struct MHD_Response *make_response(struct fr_exchange *exchange,
                                          const struct fr_server_reply *reply)
{
  if (reply->open)
    return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 4096,
                                             send_open, exchange, NULL);
  if (reply->fault == FR_FAULT_NONE)
    return MHD_create_response_from_buffer(reply->body_len,
             (void *)(uintptr_t)reply->body, MHD_RESPMEM_MUST_COPY);
  if (fr_buf_add(&exchange->half, reply->body, reply->body_len / 2))
    return NULL;
  return MHD_create_response_from_callback(reply->body_len, 4096, send_half,
                                           exchange, NULL);
}

static enum fr_err add_headers(struct fr_exchange *exchange,
                               const struct fr_server_reply *reply)
{
  const char *const *header = reply->headers;
  enum MHD_Result good = MHD_YES;
  char date[40];

  if (!reply->no_date) {
    format_date(fr_loop_at(exchange->server->loop), date, sizeof(date));
    good = MHD_add_response_header(exchange->response, MHD_HTTP_HEADER_DATE,
                                   date);
  }
  for (; good == MHD_YES && header && header[0]; header += 2)
    good = MHD_add_response_header(exchange->response, header[0], header[1]);
  return good == MHD_YES ? FR_OK : FR_EINVALID;
}

/* On an error the connection is closed: the client must not wait. */
enum fr_err fr_exchange_reply(struct fr_exchange *exchange,
                              const struct fr_server_reply *reply)
{
  enum fr_err err = FR_OK;

  if (exchange->phase != FR_EXCHANGE_GIVEN)
    return FR_EINVALID;
  exchange->phase = reply->open ? FR_EXCHANGE_OPEN : FR_EXCHANGE_REPLIED;
  exchange->fault = reply->fault;
  exchange->status = reply->status;
  if (reply->fault != FR_FAULT_DROP) {
    exchange->response = make_response(exchange, reply);
    err = exchange->response ? add_headers(exchange, reply) : FR_ENOMEM;
  }
  if (err)
    exchange->phase = FR_EXCHANGE_GONE;
  fr_exchange_resume(exchange);
  return err;
}

bool fr_exchange_is_held(const struct fr_exchange *exchange)
{
  return exchange->phase == FR_EXCHANGE_GIVEN ||
         exchange->phase == FR_EXCHANGE_OPEN;
}

enum fr_err fr_exchange_send(struct fr_exchange *exchange, const void *data,
                             size_t len)
{
  enum fr_err err;

  if (exchange->phase != FR_EXCHANGE_OPEN)
    return FR_EINVALID;
  err = fr_buf_add(&exchange->half, data, len);
  if (!err)
    fr_exchange_resume(exchange);
  return err;
}

void fr_exchange_end(struct fr_exchange *exchange, bool cut)
{
  if (exchange->phase != FR_EXCHANGE_OPEN)
    return;
  exchange->phase = FR_EXCHANGE_REPLIED;
  exchange->cut = cut;
  fr_exchange_resume(exchange);
}
