/* http/socket.c - libcurl's sockets and its one timer on the loop.
 *
 * libcurl takes an idle connection's socket out of the set after each
 * HTTP/1.1 exchange and puts it in again with the next. Following it costs
 * two system calls per request, so "remove" only sets the wanted events to
 * none, and a descriptor is forgotten when it is closed. */
#include <stdlib.h>
#include <unistd.h>

#include "http/internal.h"

struct sock {
  struct fr_watch watch;
  struct fr_http *http;
  struct sock *next, **back;
};

/* Every socket of the process's clients, so that the close callback, which
 * is told a descriptor alone, finds its watch. */
static struct sock *all;

static struct sock *find(int fd)
{
  for (struct sock *s = all; s; s = s->next)
    if (s->watch.fd == fd)
      return s;
  return NULL;
}

static void forget(struct sock *s)
{
  fr_watch_stop(s->http->loop, &s->watch, true);
  *s->back = s->next;
  if (s->next)
    s->next->back = s->back;
  free(s);
}

static void ready(struct fr_watch *watch, unsigned what)
{
  struct fr_http *http = fr_container_of(watch, struct sock, watch)->http;
  int running, bits = (what & FR_READ ? CURL_CSELECT_IN : 0) |
                      (what & FR_WRITE ? CURL_CSELECT_OUT : 0);

  curl_multi_socket_action(http->multi, watch->fd, bits, &running);
  fr_curl_reap(http);
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

static struct sock *add(struct fr_http *http, int fd)
{
  struct sock *s = calloc(1, sizeof(*s));

  if (!s)
    return NULL;
  s->http = http;
  s->watch.on_ready = ready;
  if (fr_watch_start(http->loop, &s->watch, fd, 0)) {
    free(s);
    return NULL;
  }
  s->next = all;
  s->back = &all;
  if (all)
    all->back = &s->next;
  all = s;
  return s;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg,
                     void *known)
{
  struct fr_http *http = arg;
  struct sock *s = known ? known : find(fd);
  unsigned want = (what & CURL_POLL_IN ? FR_READ : 0u) |
                  (what & CURL_POLL_OUT ? FR_WRITE : 0u);

  (void)easy;
  if (what == CURL_POLL_REMOVE)
    want = 0;
  if (!s && want)
    s = add(http, fd);
  if (!s)
    return want ? -1 : 0;
  curl_multi_assign(http->multi, fd, s);
  return fr_watch_want(http->loop, &s->watch, want) ? -1 : 0;
}

int fr_curl_closed(void *arg, curl_socket_t fd)
{
  struct sock *s = find(fd);

  (void)arg;
  if (s) {
    if (!s->http->closing)
      curl_multi_assign(s->http->multi, fd, NULL);
    forget(s);
  }
  return close(fd);
}

void fr_curl_attach(struct fr_http *http)
{
  http->timer.on_due = due;
  curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
  curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http);
  curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, on_timer);
  curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http);
}

/* What libcurl did not close through our callback (its wake-up pair, sockets
 * of a resolver thread) is still in the list. */
void fr_curl_detach(struct fr_http *http)
{
  struct sock *s = all;

  while (s) {
    struct sock *next = s->next;

    if (s->http == http)
      forget(s);
    s = next;
  }
}
