/* http/socket.c - libcurl's sockets and its one timer on the loop.
 *
 * libcurl takes an idle connection's socket out of the set after each
 * HTTP/1.1 exchange and puts it in again with the next. Following it costs
 * two system calls per request, so "remove" only sets the wanted events to
 * none, and a descriptor is forgotten when it is closed.
 *
 * Some are closed behind our back (a resolver thread's socket pair): those
 * leave a watch without a descriptor. The kernel has dropped it by itself;
 * it is noticed when libcurl gets the same number again. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "http/internal.h"

struct fr_sock {
  struct fr_watch watch;
  struct fr_http *http;
};

static struct fr_sock *find(const struct fr_http *http, int fd)
{
  return (size_t)fd < http->nsocks ? http->socks[fd] : NULL;
}

static void forget(struct fr_sock *sock)
{
  struct fr_http *http = sock->http;

  http->socks[sock->watch.fd] = NULL;
  fr_watch_stop(http->loop, &sock->watch, true);
  free(sock);
}

static void ready(struct fr_watch *watch, unsigned what)
{
  struct fr_http *http = fr_container_of(watch, struct fr_sock, watch)->http;
  int running, bits = (what & FR_READ ? CURL_CSELECT_IN : 0) |
                      (what & FR_WRITE ? CURL_CSELECT_OUT : 0);

  curl_multi_socket_action(http->multi, watch->fd, bits, &running);
  fr_curl_reap(http);
}

static bool make_room(struct fr_http *http, int fd)
{
  size_t room = (size_t)fd + 64;
  struct fr_sock **socks;

  if ((size_t)fd < http->nsocks)
    return true;
  socks = realloc(http->socks, room * sizeof(struct fr_sock *));
  if (!socks)
    return false;
  memset(socks + http->nsocks, 0,
         (room - http->nsocks) * sizeof(struct fr_sock *));
  http->socks = socks;
  http->nsocks = room;
  return true;
}

static void add(struct fr_http *http, int fd, unsigned want)
{
  struct fr_sock *sock;

  if (!make_room(http, fd))
    return;
  sock = calloc(1, sizeof(*sock));
  if (!sock)
    return;
  sock->http = http;
  sock->watch.on_ready = ready;
  if (fr_watch_start(http->loop, &sock->watch, fd, want))
    free(sock);
  else
    http->socks[fd] = sock;
}

/* Returns 0 even when a socket could not be watched: -1 would end the whole
 * client, so the one call runs into its time limit instead. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg,
                     void *known)
{
  struct fr_http *http = arg;
  struct fr_sock *sock = find(http, fd);
  unsigned want = (what & CURL_POLL_IN ? FR_READ : 0u) |
                  (what & CURL_POLL_OUT ? FR_WRITE : 0u);

  (void)easy;
  (void)known;
  if (what == CURL_POLL_REMOVE)
    want = 0;
  if (sock && fr_watch_want(http->loop, &sock->watch, want)) {
    forget(sock);
    sock = NULL;
  }
  if (!sock && want)
    add(http, fd, want);
  return 0;
}

int fr_curl_closed(void *arg, curl_socket_t fd)
{
  struct fr_sock *sock = find(arg, fd);

  if (sock)
    forget(sock);
  return close(fd);
}

static void due(struct fr_timer *timer)
{
  struct fr_http *http = fr_container_of(timer, struct fr_http, timer);
  int running;

  curl_multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0, &running);
  fr_curl_reap(http);
}

static int on_timer(CURLM *multi, long ms, void *arg)
{
  struct fr_http *http = arg;

  (void)multi;
  if (ms < 0)
    fr_timer_stop(http->loop, &http->timer);
  else
    fr_timer_start(http->loop, &http->timer,
                   fr_loop_now(http->loop) + (uint64_t)ms);
  return 0;
}

void fr_curl_attach(struct fr_http *http)
{
  http->timer.on_due = due;
  curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
  curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http);
  curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, on_timer);
  curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http);
}

void fr_curl_detach(struct fr_http *http)
{
  for (size_t fd = 0; fd < http->nsocks; fd++)
    if (http->socks[fd])
      forget(http->socks[fd]);
  free(http->socks);
}
