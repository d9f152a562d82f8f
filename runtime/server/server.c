/* server/server.c - libmicrohttpd under our loop.
 *
 *   MHD_run --> handle(): whole request --> suspended, in `asked`
 *                                              | after MHD_run
 *                                          on_request --> reply: resumed
 *   MHD_run --> handle(): response queued <----------------+
 *
 * Traps found on the way: the response must not be queued in the handler's
 * first call (the connection would close after it); a resumed connection
 * moves on only when MHD_run is called; a suspended one is not watched, so a
 * client that leaves is noticed with the reply. The Date header is ours,
 * because a virtual clock must show in it. */
#include "server/server.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CONNECTIONS 4096u
#define MEMORY_PER_CONNECTION 32768u

struct fr_server {
  struct fr_loop *loop;
  struct fr_server_config config;
  struct MHD_Daemon *daemon;
  struct fr_watch watch;
  struct fr_timer timer;
  struct fr_list asked;         /* exchanges to hand to on_request */
  struct fr_list all;
  bool closing;
};

enum phase { RECEIVING, ASKED, GIVEN, REPLIED };

struct fr_exchange {
  struct fr_server *server;
  struct MHD_Connection *connection;
  struct fr_list link;          /* in server->asked */
  struct fr_list of_all;
  enum phase phase;
  char *method, *path;
  struct fr_buf body;
  bool too_large;
  void *data;
  struct MHD_Response *response;
  int status;
  enum fr_fault fault;
  struct fr_buf reply;          /* what a fault sends half of */
  bool suspended;
};

/* ---- exchanges ---------------------------------------------------------- */

static void exchange_free(struct fr_exchange *exchange)
{
  fr_list_del(&exchange->link);
  fr_list_del(&exchange->of_all);
  if (exchange->response)
    MHD_destroy_response(exchange->response);
  fr_buf_done(&exchange->body);
  fr_buf_done(&exchange->reply);
  free(exchange->method);
  free(exchange->path);
  free(exchange);
}

static struct fr_exchange *exchange_new(struct fr_server *server,
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
  fr_buf_init(&exchange->reply, 64u << 20);
  exchange->method = strdup(method);
  exchange->path = strdup(path);
  if (!exchange->method || !exchange->path) {
    exchange_free(exchange);
    return NULL;
  }
  fr_list_add(&server->all, &exchange->of_all);
  return exchange;
}

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

static char *decoded(const char *text)
{
  char *copy = text ? strdup(text) : NULL;

  for (char *c = copy; c && *c; c++)
    if (*c == '+')
      *c = ' ';
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

/* ---- replies ------------------------------------------------------------ */

static void http_date(int64_t at_ms, char *text, size_t size)
{
  static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu",
                                      "Fri", "Sat" };
  static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May",
                                        "Jun", "Jul", "Aug", "Sep", "Oct",
                                        "Nov", "Dec" };
  time_t seconds = (time_t)(at_ms / 1000);
  struct tm t = { .tm_mday = 1 };

  gmtime_r(&seconds, &t);
  snprintf(text, size, "%s, %02d %s %04d %02d:%02d:%02d GMT",
           days[t.tm_wday], t.tm_mday, months[t.tm_mon], t.tm_year + 1900,
           t.tm_hour, t.tm_min, t.tm_sec);
}

/* Sends half of the reply; then breaks off, or never goes on. */
static ssize_t half(void *arg, uint64_t position, char *to, size_t room)
{
  struct fr_exchange *exchange = arg;
  size_t most = exchange->reply.len / 2, left;

  if (position >= most) {
    if (exchange->fault == FR_FAULT_TRUNCATE || exchange->server->closing)
      return MHD_CONTENT_READER_END_WITH_ERROR;
    exchange->suspended = true;
    MHD_suspend_connection(exchange->connection);
    return 0;
  }
  left = most - (size_t)position;
  if (left > room)
    left = room;
  memcpy(to, exchange->reply.data + position, left);
  return (ssize_t)left;
}

static struct MHD_Response *make_response(struct fr_exchange *exchange,
                                          const struct fr_server_reply *reply)
{
  if (reply->fault == FR_FAULT_NONE)
    return MHD_create_response_from_buffer(reply->body_len,
             (void *)(uintptr_t)reply->body, MHD_RESPMEM_MUST_COPY);
  if (fr_buf_add(&exchange->reply, reply->body, reply->body_len))
    return NULL;
  return MHD_create_response_from_callback(reply->body_len, 4096, half,
                                           exchange, NULL);
}

static void add_headers(struct fr_exchange *exchange,
                        const struct fr_server_reply *reply)
{
  const char *const *header = reply->headers;
  char date[40];

  for (; header && header[0]; header += 2)
    MHD_add_response_header(exchange->response, header[0], header[1]);
  if (reply->no_date)
    return;
  http_date(fr_loop_at(exchange->server->loop), date, sizeof(date));
  MHD_add_response_header(exchange->response, MHD_HTTP_HEADER_DATE, date);
}

static void run_soon(struct fr_server *server)
{
  fr_timer_start(server->loop, &server->timer, fr_loop_now(server->loop));
}

enum fr_err fr_exchange_reply(struct fr_exchange *exchange,
                              const struct fr_server_reply *reply)
{
  enum fr_err err = FR_OK;

  if (exchange->phase != GIVEN)
    return FR_EINVALID;
  exchange->fault = reply->fault;
  exchange->status = reply->status;
  if (reply->fault != FR_FAULT_DROP) {
    exchange->response = make_response(exchange, reply);
    if (exchange->response)
      add_headers(exchange, reply);
    else
      err = FR_ENOMEM;
  }
  exchange->phase = REPLIED;
  exchange->suspended = false;
  MHD_resume_connection(exchange->connection);
  run_soon(exchange->server);
  return err;
}

/* ---- libmicrohttpd's side ----------------------------------------------- */

static enum MHD_Result refuse(struct MHD_Connection *connection, int status)
{
  struct MHD_Response *response =
    MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
  enum MHD_Result result;

  if (!response)
    return MHD_NO;
  result = MHD_queue_response(connection, (unsigned)status, response);
  MHD_destroy_response(response);
  return result;
}

static enum MHD_Result receive(struct fr_exchange *exchange,
                               const char *data, size_t *len)
{
  if (*len) {
    if (fr_buf_add(&exchange->body, data, *len))
      exchange->too_large = true;
    *len = 0;
    return MHD_YES;
  }
  if (exchange->too_large)
    return refuse(exchange->connection, 413);
  exchange->phase = ASKED;
  fr_list_add(&exchange->server->asked, &exchange->link);
  exchange->suspended = true;
  MHD_suspend_connection(exchange->connection);
  return MHD_YES;
}

static enum MHD_Result handle(void *arg, struct MHD_Connection *connection,
                              const char *path, const char *method,
                              const char *version, const char *data,
                              size_t *len, void **state)
{
  struct fr_exchange *exchange = *state;

  (void)version;
  if (!exchange) {
    *state = exchange_new(arg, connection, method, path);
    return *state ? MHD_YES : MHD_NO;
  }
  if (exchange->phase == RECEIVING)
    return receive(exchange, data, len);
  if (exchange->phase == REPLIED && exchange->response)
    return MHD_queue_response(connection, (unsigned)exchange->status,
                              exchange->response);
  return MHD_NO;                /* a drop, or the server is closing */
}

static void completed(void *arg, struct MHD_Connection *connection,
                      void **state, enum MHD_RequestTerminationCode why)
{
  struct fr_server *server = arg;
  struct fr_exchange *exchange = *state;

  (void)connection;
  (void)why;
  *state = NULL;
  if (!exchange)
    return;
  if (exchange->phase == GIVEN && !server->closing)
    server->config.on_gone(server->config.arg, exchange);
  exchange_free(exchange);
}

/* Paths stay as they came: what decodes them decides what they mean. */
static size_t keep_escaped(void *arg, struct MHD_Connection *connection,
                           char *text)
{
  (void)arg;
  (void)connection;
  return strlen(text);
}

/* ---- the loop's side ---------------------------------------------------- */

static void give(struct fr_server *server)
{
  while (!fr_list_empty(&server->asked)) {
    struct fr_exchange *exchange =
      fr_container_of(server->asked.next, struct fr_exchange, link);

    fr_list_del(&exchange->link);
    exchange->phase = GIVEN;
    server->config.on_request(server->config.arg, exchange);
  }
}

static void run(struct fr_server *server)
{
  MHD_UNSIGNED_LONG_LONG wait_ms;

  MHD_run(server->daemon);
  if (MHD_get_timeout(server->daemon, &wait_ms) == MHD_YES)
    fr_timer_start(server->loop, &server->timer,
                   fr_loop_now(server->loop) + wait_ms);
  give(server);
}

static void ready(struct fr_watch *watch, unsigned what)
{
  (void)what;
  run(fr_container_of(watch, struct fr_server, watch));
}

static void due(struct fr_timer *timer)
{
  run(fr_container_of(timer, struct fr_server, timer));
}

/* ---- opening and closing ------------------------------------------------ */

static struct MHD_Daemon *start(struct fr_server *server)
{
  struct sockaddr_in address = {
    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    .sin_port = htons((uint16_t)server->config.port)
  };

  return MHD_start_daemon(
    MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_SUPPRESS_DATE_NO_CLOCK,
    0, NULL, NULL, handle, server,
    MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&address,
    MHD_OPTION_NOTIFY_COMPLETED, completed, server,
    MHD_OPTION_UNESCAPE_CALLBACK, keep_escaped, NULL,
    MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS,
    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY_PER_CONNECTION,
    MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u, MHD_OPTION_END);
}

static enum fr_err watch_daemon(struct fr_server *server)
{
  const union MHD_DaemonInfo *info =
    MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);

  if (!info)
    return FR_EIO;
  server->watch.on_ready = ready;
  server->timer.on_due = due;
  return fr_watch_start(server->loop, &server->watch, info->epoll_fd,
                        FR_READ);
}

enum fr_err fr_server_new(struct fr_loop *loop,
                          const struct fr_server_config *config,
                          struct fr_buf *why, struct fr_server **ret_server)
{
  struct fr_server *server = calloc(1, sizeof(*server));

  if (!server)
    return FR_ENOMEM;
  server->loop = loop;
  server->config = *config;
  fr_list_init(&server->asked);
  fr_list_init(&server->all);
  server->daemon = start(server);
  if (!server->daemon || watch_daemon(server)) {
    fr_buf_say(why, "port %u of 127.0.0.1 cannot be served: is it in use?",
               config->port);
    fr_server_free(server);
    return FR_EIO;
  }
  *ret_server = server;
  return FR_OK;
}

unsigned fr_server_port(const struct fr_server *server)
{
  const union MHD_DaemonInfo *info =
    MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT);

  return info ? info->port : 0;
}

/* Suspended connections must be resumed before the daemon may stop. */
static void let_go(struct fr_server *server)
{
  struct fr_list *link = server->all.next;

  for (; link != &server->all; link = link->next) {
    struct fr_exchange *exchange =
      fr_container_of(link, struct fr_exchange, of_all);

    if (exchange->suspended)
      MHD_resume_connection(exchange->connection);
    exchange->suspended = false;
  }
}

void fr_server_free(struct fr_server *server)
{
  if (!server)
    return;
  server->closing = true;
  if (server->daemon) {
    let_go(server);
    MHD_run(server->daemon);
    fr_watch_stop(server->loop, &server->watch, false);
    MHD_stop_daemon(server->daemon);
  }
  fr_timer_stop(server->loop, &server->timer);
  free(server);
}
