/* bench/slow.c - an HTTP/1.1 server that answers each DELETE after a delay.
 *
 *   slow MS BODY    prints its port, answers until its input ends
 *
 * One epoll, one queue: all delays are equal, so answers are due in the order
 * of their requests, and a timer that counts microseconds is enough. A client
 * sends one request at a time on a connection. Prints how many it answered. */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "lean.h"

#define FDS 4096
#define EVENTS 512
#define QUEUE 8192               /* a power of two, more than connections */
#define HEAD 4096

struct waiting {
  int fd;
  int64_t due_us;
};

static struct waiting queue[QUEUE];
static unsigned first, last;
static char heads[FDS][HEAD];
static size_t lens[FDS];
static uint64_t answered;
static int epoll, timer;
static char answer[512];

static int64_t now_us(void)
{
  struct timespec at;

  clock_gettime(CLOCK_MONOTONIC, &at);
  return at.tv_sec * 1000000 + at.tv_nsec / 1000;
}

static void add(int fd)
{
  struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
    lean_fail("epoll", "cannot watch a descriptor");
}

static void arm(void)
{
  int64_t due = queue[first % QUEUE].due_us;
  struct itimerspec at = {
    .it_value = { .tv_sec = due / 1000000, .tv_nsec = due % 1000000 * 1000 },
  };

  timerfd_settime(timer, TFD_TIMER_ABSTIME, &at, NULL);
}

static void answer_due(void)
{
  size_t len = strlen(answer);
  uint64_t count;

  if (read(timer, &count, sizeof(count)) < 0)
    return;
  while (first != last && queue[first % QUEUE].due_us <= now_us()) {
    int fd = queue[first++ % QUEUE].fd;

    if (send(fd, answer, len, MSG_NOSIGNAL) == (ssize_t)len)
      answered++;
  }
  if (first != last)
    arm();
}

static void accept_one(int listener)
{
  int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK), one = 1;

  if (fd < 0)
    return;
  if (fd >= FDS)
    lean_fail("slow", "too many connections");
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
  lens[fd] = 0;
  add(fd);
}

static void take(int fd, int64_t delay_us)
{
  ssize_t n = recv(fd, heads[fd] + lens[fd], HEAD - 1 - lens[fd], 0);

  if (n <= 0) {
    close(fd);
    return;
  }
  lens[fd] += (size_t)n;
  heads[fd][lens[fd]] = '\0';
  if (!strstr(heads[fd], "\r\n\r\n"))
    return;
  lens[fd] = 0;
  queue[last++ % QUEUE] = (struct waiting){ fd, now_us() + delay_us };
  if (last - first == 1)
    arm();
}

static int listen_anywhere(void)
{
  struct sockaddr_in at = { .sin_family = AF_INET,
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
  socklen_t len = sizeof(at);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

  if (bind(fd, (struct sockaddr *)&at, len) || listen(fd, 1024) ||
      getsockname(fd, (struct sockaddr *)&at, &len))
    lean_fail("slow", "cannot listen");
  printf("%d\n", ntohs(at.sin_port));
  fflush(stdout);
  return fd;
}

static void serve(int listener, int64_t delay_us)
{
  struct epoll_event events[EVENTS];
  int i, n;

  for (;;) {
    n = epoll_wait(epoll, events, EVENTS, -1);
    for (i = 0; i < n; i++) {
      if (events[i].data.fd == STDIN_FILENO)
        return;
      if (events[i].data.fd == listener)
        accept_one(listener);
      else if (events[i].data.fd == timer)
        answer_due();
      else
        take(events[i].data.fd, delay_us);
    }
  }
}

int main(int argc, char **argv)
{
  const char *body = argc > 2 ? argv[2] : "";
  int listener;

  if (argc < 3)
    lean_fail(argv[0], "MS BODY");
  snprintf(answer, sizeof(answer), "HTTP/1.1 200 OK\r\nContent-Type: "
           "application/json\r\nContent-Length: %zu\r\n\r\n%s",
           strlen(body), body);
  epoll = epoll_create1(0);
  timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  listener = listen_anywhere();
  add(listener);
  add(timer);
  add(STDIN_FILENO);
  serve(listener, atol(argv[1]) * 1000);
  printf("%llu\n", (unsigned long long)answered);
  return 0;
}
