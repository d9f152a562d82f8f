/* net/net.c - see net.h. A request whose turn has not come waits in a list;
 * its time counts from when it is sent. */
#include "net/net.h"

#include <stdlib.h>
#include <string.h>

#include "http/call.h"

#define ANSWER_HEADERS_MOST (64u << 10)
#define CONNECT_MS 5000u
#define URL_ROOM (FR_NET_URL_MOST + 300)        /* a port may be added */

struct fr_net {
  struct fr_loop *loop;
  struct fr_http *http;
  struct fr_places places;
  bool (*secret)(void *arg, const char *data, size_t len);
  void *secret_arg;
  unsigned in_flight;
  struct fr_list waiting;
};

struct fr_net_request {
  struct fr_net *net;
  struct fr_op op;
  struct fr_list link;          /* in net->waiting */
  struct fr_call *call;
  bool sent;                    /* its turn has come, and it is not over */
};

/* ---- turns --------------------------------------------------------------- */

static void pump(struct fr_net *net);

static void on_answer(struct fr_op *op, void *arg)
{
  struct fr_net_request *request = arg;

  request->net->in_flight--;
  request->sent = false;
  fr_op_finish(&request->op, op->err);
  pump(request->net);
}

static void pump(struct fr_net *net)
{
  while (net->in_flight < FR_NET_CONCURRENCY &&
         !fr_list_empty(&net->waiting)) {
    struct fr_net_request *request =
      fr_container_of(fr_list_pop(&net->waiting), struct fr_net_request,
                      link);

    net->in_flight++;
    request->sent = true;
    fr_call_start(request->call);
    fr_op_wait(fr_call_op(request->call), on_answer, request);
  }
}

static void leave(struct fr_net_request *request)
{
  fr_list_del(&request->link);
  if (!request->sent)
    return;
  request->sent = false;
  fr_op_abandon(fr_call_op(request->call));
  request->net->in_flight--;
  pump(request->net);
}

static void on_cancel(struct fr_op *op)
{
  leave(fr_container_of(op, struct fr_net_request, op));
}

/* ---- one request --------------------------------------------------------- */

static bool is_method(const char *method)
{
  static const char *const known[] = { "GET", "HEAD", "POST", "PUT", "PATCH",
                                       "DELETE" };

  for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
    if (!strcmp(known[i], method))
      return true;
  return false;
}

static bool has_key(const struct fr_net *net, const char *text, size_t len)
{
  return text && len && net->secret &&
         net->secret(net->secret_arg, text, len);
}

static enum fr_err check(const struct fr_net *net,
                         const struct fr_net_spec *spec, struct fr_buf *why)
{
  size_t len = spec->headers ? strlen(spec->headers) : 0;
  const char *fault = NULL;

  if (!is_method(spec->method))
    fault = "its method is none of GET, HEAD, POST, PUT, PATCH, DELETE";
  else if (spec->body_len > FR_NET_BODY_MOST)
    fault = "its body is larger than 1 MiB";
  else if (len > FR_NET_HEADERS_MOST)
    fault = "its headers are larger than 16 KiB";
  else if (spec->timeout_ms > FR_NET_TIMEOUT_MOST_MS)
    fault = "its timeout is longer than 30 s";
  else if (has_key(net, spec->url, strlen(spec->url)) ||
           has_key(net, spec->headers, len) ||
           has_key(net, spec->body, spec->body_len))
    fault = "a key of fal is in it, and keys go to fal alone";
  if (!fault)
    return FR_OK;
  fr_buf_say(why, "the request was not sent: %s", fault);
  return FR_ECONFIG;
}

static enum fr_err make_call(struct fr_net_request *request,
                             const struct fr_net_spec *spec,
                             const char *url, struct fr_buf *why)
{
  uint32_t ms = spec->timeout_ms ? spec->timeout_ms : FR_NET_TIMEOUT_MS;
  struct fr_call_spec call = {
    .method = spec->method, .url = url, .extra = spec->headers,
    .changes = strcmp(spec->method, "GET") && strcmp(spec->method, "HEAD"),
    .body = spec->body, .body_len = spec->body_len,
    .max_body = FR_NET_BODY_MOST, .max_headers = ANSWER_HEADERS_MOST,
    .connect_ms = ms < CONNECT_MS ? ms : CONNECT_MS, .total_ms = ms,
    .stall_ms = ms
  };
  enum fr_err err = fr_call_new(request->net->http, &call, &request->call);

  if (err != FR_EINVALID)
    return err;
  fr_buf_say(why, "the request was not sent: a header of it is none that can "
             "be sent (printable ASCII, and not one that HTTP itself sets)");
  return FR_ECONFIG;
}

enum fr_err fr_net_request_new(struct fr_net *net,
                               const struct fr_net_spec *spec,
                               struct fr_buf *why,
                               struct fr_net_request **ret_request)
{
  struct fr_net_request *request = NULL;
  struct fr_buf url;
  enum fr_err err = check(net, spec, why);

  fr_buf_init(&url, URL_ROOM);
  if (!err)
    err = fr_places_check(&net->places, spec->url, &url, why);
  if (!err && !(request = calloc(1, sizeof(*request))))
    err = FR_ENOMEM;
  if (!err) {
    request->net = net;
    fr_list_init(&request->link);
    err = make_call(request, spec, fr_buf_text(&url), why);
  }
  fr_buf_done(&url);
  if (err)
    fr_net_request_free(request);
  else
    *ret_request = request;
  return err;
}

void fr_net_request_start(struct fr_net_request *request)
{
  fr_op_start(request->net->loop, &request->op, on_cancel);
  fr_list_add(&request->net->waiting, &request->link);
  pump(request->net);
}

void fr_net_request_free(struct fr_net_request *request)
{
  if (!request)
    return;
  fr_op_abandon(&request->op);
  leave(request);
  fr_call_free(request->call);
  free(request);
}

struct fr_op *fr_net_request_op(struct fr_net_request *request)
{
  return &request->op;
}

int fr_net_status(const struct fr_net_request *request)
{
  return fr_call_status(request->call);
}

const char *fr_net_headers(const struct fr_net_request *request,
                           size_t *ret_len)
{
  return fr_call_headers(request->call, ret_len);
}

const char *fr_net_body(const struct fr_net_request *request,
                        size_t *ret_len)
{
  return fr_call_body(request->call, ret_len);
}

const char *fr_net_detail(const struct fr_net_request *request)
{
  return fr_call_detail(request->call);
}

/* ---- the net ------------------------------------------------------------- */

enum fr_err fr_net_new(struct fr_loop *loop,
                       const struct fr_net_config *config,
                       struct fr_buf *why, struct fr_net **ret_net)
{
  struct fr_http_config http = {
    .anonymous = true, .proxy = config->proxy, .ca_file = config->ca_file,
    .max_connections = FR_NET_CONCURRENCY
  };
  struct fr_net *net = calloc(1, sizeof(*net));
  enum fr_err err;

  if (!net)
    return FR_ENOMEM;
  net->loop = loop;
  net->places = *config->places;
  net->secret = config->secret;
  net->secret_arg = config->secret_arg;
  fr_list_init(&net->waiting);
  err = fr_http_new(loop, &http, why, &net->http);
  if (err)
    fr_net_free(net);
  else
    *ret_net = net;
  return err;
}

enum fr_err fr_net_check(const struct fr_net *net, const char *url,
                         struct fr_buf *why)
{
  struct fr_buf buf;
  enum fr_err err;

  fr_buf_init(&buf, URL_ROOM);
  err = fr_places_check(net ? &net->places : NULL, url, &buf, why);
  fr_buf_done(&buf);
  return err;
}

void fr_net_free(struct fr_net *net)
{
  if (!net)
    return;
  fr_http_free(net->http);
  free(net);
}
