/* server/server.c - libmicrohttpd under our loop.
 *
 *   MHD_run --> handle(): whole request --> suspended, in `asked`
 *                                              | after MHD_run
 *                                          on_request --> reply: resumed
 *   MHD_run --> handle(): response queued <----------------+
 *
 * Traps found on the way: a response queued in the handler's first call
 * closes the connection after it; a resumed connection moves on only when
 * MHD_run is called; a suspended one is not watched (hangup.c), and must be
 * resumed before the daemon may stop. MHD_OPTION_LISTENING_ADDRESS_REUSE
 * means SO_REUSEPORT, two servers on one port: without it the port's other
 * owner is an error. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "server/internal.h"

#define CONNECTIONS_MOST 4096u
#define CONNECTION_MEMORY 32768u        /* bounds a request's headers */

static void run_soon(struct fr_server *server)
{
  fr_timer_start(server->loop, &server->timer, fr_loop_now(server->loop));
}

void fr_exchange_suspend(struct fr_exchange *exchange)
{
  exchange->suspended = true;
  MHD_suspend_connection(exchange->connection);
}

void fr_exchange_resume(struct fr_exchange *exchange)
{
  fr_hangup_forget(exchange);
  if (exchange->suspended)
    MHD_resume_connection(exchange->connection);
  exchange->suspended = false;
  run_soon(exchange->server);
}

/* ---- libmicrohttpd's side ----------------------------------------------- */

static enum MHD_Result refuse(struct MHD_Connection *connection,
                              unsigned status)
{
  struct MHD_Response *response =
    MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
  enum MHD_Result result;

  if (!response)
    return MHD_NO;
  result = MHD_queue_response(connection, status, response);
  MHD_destroy_response(response);
  return result;
}

/* The rest of a body that is too large is read and dropped, so that the
 * client sees the 413 and not a reset. */
static enum MHD_Result receive(struct fr_exchange *exchange,
                               const char *data, size_t *len)
{
  if (*len) {
    if (!exchange->unread)
      exchange->unread = fr_buf_add(&exchange->body, data, *len);
    *len = 0;
    return exchange->unread == FR_ENOMEM ? MHD_NO : MHD_YES;
  }
  if (exchange->unread)
    return refuse(exchange->connection, MHD_HTTP_CONTENT_TOO_LARGE);
  exchange->phase = FR_EXCHANGE_ASKED;
  fr_list_add(&exchange->server->asked, &exchange->link);
  fr_exchange_suspend(exchange);
  return MHD_YES;
}

static enum MHD_Result handle(void *arg, struct MHD_Connection *connection,
                              const char *path, const char *method,
                              const char *version, const char *data,
                              size_t *len, void **state)
{
  struct fr_server *server = arg;
  struct fr_exchange *exchange = *state;

  (void)version;
  if (server->closing)
    return MHD_NO;
  if (!exchange) {
    *state = fr_exchange_new(server, connection, method, path);
    return *state ? MHD_YES : MHD_NO;
  }
  if (exchange->phase == FR_EXCHANGE_RECEIVING)
    return receive(exchange, data, len);
  if (exchange->response && exchange->phase >= FR_EXCHANGE_OPEN)
    return MHD_queue_response(connection, (unsigned)exchange->status,
                              exchange->response);
  return MHD_NO;                /* a drop, or the client is gone */
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
  if (fr_exchange_is_held(exchange) && !server->closing) {
    exchange->phase = FR_EXCHANGE_GONE;
    server->config.on_gone(server->config.arg, exchange);
  }
  fr_exchange_free(exchange);
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
  struct fr_list given;

  fr_list_take(&server->asked, &given);
  while (!fr_list_empty(&given)) {
    struct fr_exchange *exchange =
      fr_container_of(given.next, struct fr_exchange, link);

    fr_list_del(&exchange->link);
    exchange->phase = FR_EXCHANGE_GIVEN;
    server->config.on_request(server->config.arg, exchange);
    if (exchange->phase == FR_EXCHANGE_GIVEN)   /* answered later */
      fr_hangup_watch(exchange);
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
    MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MOST,
    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
    MHD_OPTION_END);
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
  if (config->port <= UINT16_MAX)
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

static void resume_all(struct fr_server *server)
{
  struct fr_list *link = server->all.next;

  for (; link != &server->all; link = link->next)
    fr_exchange_resume(fr_container_of(link, struct fr_exchange, of_all));
}

void fr_server_free(struct fr_server *server)
{
  if (!server)
    return;
  server->closing = true;
  if (server->daemon) {
    resume_all(server);
    MHD_run(server->daemon);
    fr_watch_stop(server->loop, &server->watch, false);
    MHD_stop_daemon(server->daemon);
  }
  fr_timer_stop(server->loop, &server->timer);
  free(server);
}

const char *fr_server_library(void)
{
  return MHD_get_version();
}
