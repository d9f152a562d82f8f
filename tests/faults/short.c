/* tests/faults/short.c - a library to preload: one read or write moves fewer
 * bytes than it was asked for, as the kernel may do at any time.
 *
 *   SHORT_CALL=pwrite64 SHORT_COUNT=17    the 17th pwrite64 of the process
 *   SHORT_BYTES=1                         moves one byte; 0: the half
 *   SHORT_SAID=FILE                       here it says so, and how many
 *                                         calls of each name there were
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char *const names[] = {
  "read", "write", "pread64", "pwrite64", "recv", "send"
};
enum { READ, WRITE, PREAD, PWRITE, RECV, SEND, NNAMES };
static unsigned long counts[NNAMES];
static int fired;

static size_t cut(int which, size_t size)
{
  const char *call = getenv("SHORT_CALL");
  unsigned long bytes;

  counts[which]++;
  if (!call || strcmp(call, names[which]) != 0 || size < 2 ||
      counts[which] != strtoul(getenv("SHORT_COUNT"), NULL, 10))
    return size;
  bytes = strtoul(getenv("SHORT_BYTES"), NULL, 10);
  fired = 1;
  return bytes && bytes < size ? bytes : size / 2;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t read(int fd, void *to, size_t size)
{
  return REAL(read)(fd, to, cut(READ, size));
}

ssize_t write(int fd, const void *from, size_t size)
{
  return REAL(write)(fd, from, cut(WRITE, size));
}

ssize_t pread64(int fd, void *to, size_t size, off64_t at)
{
  return REAL(pread64)(fd, to, cut(PREAD, size), at);
}

ssize_t pread(int fd, void *to, size_t size, off_t at)
{
  return pread64(fd, to, size, at);
}

ssize_t pwrite64(int fd, const void *from, size_t size, off64_t at)
{
  return REAL(pwrite64)(fd, from, cut(PWRITE, size), at);
}

ssize_t pwrite(int fd, const void *from, size_t size, off_t at)
{
  return pwrite64(fd, from, size, at);
}

ssize_t recv(int fd, void *to, size_t size, int flags)
{
  return REAL(recv)(fd, to, cut(RECV, size), flags);
}

ssize_t send(int fd, const void *from, size_t size, int flags)
{
  return REAL(send)(fd, from, cut(SEND, size), flags);
}

__attribute__((destructor)) static void say(void)
{
  const char *path = getenv("SHORT_SAID");
  FILE *file = path ? fopen(path, "we") : NULL;

  if (!file)
    return;
  for (int i = 0; i < NNAMES; i++)
    fprintf(file, "%s %lu\n", names[i], counts[i]);
  fprintf(file, "fired %d\n", fired);
  fclose(file);
}
