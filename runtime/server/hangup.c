/* server/hangup.c - notices clients that leave while they wait.
 *
 * A closed connection becomes readable with nothing to read. A client that
 * only closed its sending side looks the same and counts as gone, as it does
 * with nginx. Bytes of a next, pipelined request are left alone; the watch
 * ends then, or the loop would spin on them. */
#include <errno.h>
#include <sys/socket.h>

#include "server/internal.h"

static void leave(struct fr_exchange *exchange)
{
  struct fr_server *server = exchange->server;

  if (fr_exchange_is_held(exchange)) {
    exchange->phase = FR_EXCHANGE_GONE;
    server->config.on_gone(server->config.arg, exchange);
  }
  exchange->phase = FR_EXCHANGE_GONE;
  fr_exchange_resume(exchange);
}

static void ready(struct fr_watch *watch, unsigned what)
{
  struct fr_exchange *exchange =
    fr_container_of(watch, struct fr_exchange, hangup);
  char byte;
  ssize_t got = recv(watch->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

  (void)what;
  if (got < 0 && (errno == EAGAIN || errno == EINTR))
    return;
  fr_hangup_forget(exchange);
  if (got <= 0)
    leave(exchange);
}

/* Without memory for a watch the departure is noticed with the reply. */
void fr_hangup_watch(struct fr_exchange *exchange)
{
  const union MHD_ConnectionInfo *info = MHD_get_connection_info(
    exchange->connection, MHD_CONNECTION_INFO_CONNECTION_FD);

  exchange->hangup.on_ready = ready;
  if (info)
    (void)fr_watch_start(exchange->server->loop, &exchange->hangup,
                         info->connect_fd, FR_READ);
}

void fr_hangup_forget(struct fr_exchange *exchange)
{
  fr_watch_stop(exchange->server->loop, &exchange->hangup, false);
}
