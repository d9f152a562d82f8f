/* tests/unit/http/taker.h - a peer that takes the body of one request, in a
 * thread of its own.
 *
 * It reads `most` bytes after the head, `pace_ms` after each `piece` of them,
 * and then says what it has to say. */
#ifndef TAKER_H
#define TAKER_H

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>

#include "tests/unit/http/listen.h"

#define ALL ((size_t)-1)

struct taker {
  /* the script */
  const char *before;           /* sent as soon as the head is there */
  size_t most;                  /* bytes of the body; ALL of them */
  size_t piece;                 /* 0: 64 KiB */
  unsigned pace_ms, hold_ms;    /* then waits before it answers */
  const char *answer;           /* or NULL */
  bool abrupt;                  /* closes though there is more to read */
  /* what came */
  char head[4096], body[4096];  /* the body's beginning */
  size_t length;                /* as the head said */
  atomic_size_t len;            /* of the body, as it came */
  unsigned port;
  int listener;
  pthread_t thread;
};

static inline void taker_rest(unsigned ms)
{
  (void)poll(NULL, 0, (int)ms);
}

/* One byte at a time: the body's first byte is not taken. */
static inline bool taker_head(struct taker *t, int fd)
{
  const char *at;
  size_t len = 0;

  while (len + 1 < sizeof(t->head) && !strstr(t->head, "\r\n\r\n"))
    if (recv(fd, t->head + len++, 1, 0) != 1)
      return false;
  at = strstr(t->head, "Content-Length: ");
  t->length = at ? strtoul(at + 16, NULL, 10) : 0;
  return true;
}

static inline void taker_body(struct taker *t, int fd)
{
  static char piece[65536];
  size_t step = t->piece ? t->piece : sizeof(piece);
  size_t most = t->most < t->length ? t->most : t->length;

  while (t->len < most) {
    size_t room = most - t->len < step ? most - t->len : step;
    ssize_t got = recv(fd, piece, room, 0);

    if (got <= 0)
      return;
    for (ssize_t i = 0; i < got && t->len + (size_t)i + 1 < sizeof(t->body);
         i++)
      t->body[t->len + (size_t)i] = piece[i];
    t->len += (size_t)got;
    if (t->pace_ms)
      taker_rest(t->pace_ms);
  }
}

/* What is unread would reset the answer away. */
static inline void taker_drain(int fd)
{
  static char piece[65536];

  shutdown(fd, SHUT_WR);
  while (recv(fd, piece, sizeof(piece), 0) > 0)
    continue;
}

static inline void *taker_run(void *arg)
{
  struct taker *t = arg;
  int fd = accept(t->listener, NULL, NULL);

  if (fd < 0)
    return NULL;
  if (taker_head(t, fd)) {
    if (t->before)
      (void)send(fd, t->before, strlen(t->before), MSG_NOSIGNAL);
    taker_body(t, fd);
    taker_rest(t->hold_ms);
    if (t->answer)
      (void)send(fd, t->answer, strlen(t->answer), MSG_NOSIGNAL);
    if (!t->abrupt)
      taker_drain(fd);
  }
  close(fd);
  return NULL;
}

static inline void taker_start(struct taker *t)
{
  int small = 16384;

  t->listener = peer_listen(&t->port);
  assert(!setsockopt(t->listener, SOL_SOCKET, SO_RCVBUF, &small,
                     sizeof(small)));
  assert(!pthread_create(&t->thread, NULL, taker_run, t));
}

/* Also wakes one that nobody came to. */
static inline void taker_stop(struct taker *t)
{
  shutdown(t->listener, SHUT_RDWR);
  pthread_join(t->thread, NULL);
  close(t->listener);
}

#endif
