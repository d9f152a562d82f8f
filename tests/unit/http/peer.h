/* tests/unit/http/peer.h - a scripted TCP peer on the test's own loop.
 *
 * It answers the n-th request it sees with replies[n], and the last one for
 * ever; it knows a request's end by its blank line. */
#ifndef PEER_H
#define PEER_H

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop/loop.h"
#include "tests/unit/http/listen.h"

struct peer_reply {
  const char *text;     /* sent at once; NULL: nothing */
  const char *again;    /* then sent again and again, or NULL */
  unsigned every_ms;    /* ... at this pace; 0: as fast as it is taken */
  bool close;           /* then closed; after `text` */
};

struct peer {
  struct fr_loop *loop;
  struct fr_watch watch;
  struct fr_list connections;
  const struct peer_reply *replies;
  unsigned nreplies, port, accepted, requests, closed;
  char text[16384];     /* the last request */
};

struct peer_connection {
  struct peer *peer;
  struct fr_list link;
  struct fr_watch watch;
  struct fr_timer timer;
  const struct peer_reply *reply;
  size_t len;
  char text[16384];
};

static inline void peer_drop(struct peer_connection *c)
{
  fr_watch_stop(c->peer->loop, &c->watch, false);
  fr_timer_stop(c->peer->loop, &c->timer);
  fr_list_del(&c->link);
  close(c->watch.fd);
  c->peer->closed++;
  free(c);
}

static inline bool peer_send(struct peer_connection *c, const char *text)
{
  size_t len = text ? strlen(text) : 0;

  return !len || send(c->watch.fd, text, len, MSG_NOSIGNAL) > 0;
}

static inline void peer_tick(struct fr_timer *timer)
{
  struct peer_connection *c =
    fr_container_of(timer, struct peer_connection, timer);

  (void)peer_send(c, c->reply->again);
  fr_timer_start(c->peer->loop, timer,
                 fr_loop_now(c->peer->loop) + c->reply->every_ms);
}

static inline void peer_answer(struct peer_connection *c)
{
  struct peer *peer = c->peer;
  unsigned n = peer->requests++;

  strcpy(peer->text, c->text);
  c->len = 0;
  c->reply = &peer->replies[n < peer->nreplies ? n : peer->nreplies - 1];
  (void)peer_send(c, c->reply->text);
  if (c->reply->close)
    peer_drop(c);
  else if (c->reply->again && c->reply->every_ms)
    peer_tick(&c->timer);
  else if (c->reply->again)
    fr_watch_want(peer->loop, &c->watch, FR_READ | FR_WRITE);
}

static inline void peer_ready(struct fr_watch *watch, unsigned what)
{
  struct peer_connection *c =
    fr_container_of(watch, struct peer_connection, watch);
  ssize_t got = recv(watch->fd, c->text + c->len, sizeof(c->text) - 1 -
                     c->len, MSG_DONTWAIT);

  if (got > 0) {
    c->len += (size_t)got;
    c->text[c->len] = 0;
    if (strstr(c->text, "\r\n\r\n"))
      peer_answer(c);
  } else if (got == 0 || ((what & FR_WRITE) &&
                          !peer_send(c, c->reply->again))) {
    peer_drop(c);
  }
}

static inline void peer_accept(struct fr_watch *watch, unsigned what)
{
  struct peer *peer = fr_container_of(watch, struct peer, watch);
  struct peer_connection *c = calloc(1, sizeof(*c));

  (void)what;
  assert(c);
  c->peer = peer;
  c->watch.on_ready = peer_ready;
  c->timer.on_due = peer_tick;
  fr_list_add(&peer->connections, &c->link);
  assert(!fr_watch_start(peer->loop, &c->watch,
                         accept4(watch->fd, NULL, NULL, SOCK_NONBLOCK),
                         FR_READ));
  peer->accepted++;
}

static inline void peer_start(struct peer *peer, struct fr_loop *loop)
{
  *peer = (struct peer){ .loop = loop, .watch.on_ready = peer_accept };
  fr_list_init(&peer->connections);
  assert(!fr_watch_start(loop, &peer->watch, peer_listen(&peer->port),
                         FR_READ));
}

static inline void peer_stop(struct peer *peer)
{
  while (!fr_list_empty(&peer->connections))
    peer_drop(fr_container_of(peer->connections.next,
                              struct peer_connection, link));
  fr_watch_stop(peer->loop, &peer->watch, false);
  close(peer->watch.fd);
}

#endif
