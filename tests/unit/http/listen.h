/* tests/unit/http/listen.h - a port of this machine. */
#ifndef LISTEN_H
#define LISTEN_H

#include <arpa/inet.h>
#include <assert.h>
#include <sys/socket.h>

/* An unused port of 127.0.0.1 in `port`; the descriptor listens on it. */
static inline int peer_listen(unsigned *port)
{
  struct sockaddr_in address = { .sin_family = AF_INET,
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
  socklen_t size = sizeof(address);
  int fd = socket(AF_INET, SOCK_STREAM, 0);

  assert(!bind(fd, (struct sockaddr *)&address, size));
  assert(!listen(fd, 512));
  assert(!getsockname(fd, (struct sockaddr *)&address, &size));
  *port = ntohs(address.sin_port);
  return fd;
}

#endif
