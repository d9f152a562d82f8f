/* Preloaded: time goes FALRUN_HURRY times as fast for this process.
 *
 * Its monotonic clock runs ahead and its waits are as much shorter, so that a
 * time limit of a minute, or four waits between attempts, take a second. The
 * wall clock is left alone, for the server's Date is held against it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>

static long long times(void)
{
  static long long value;
  const char *text;

  if (!value) {
    text = getenv("FALRUN_HURRY");
    value = text ? atoll(text) : 1;
  }
  return value > 0 ? value : 1;
}

int clock_gettime(clockid_t which, struct timespec *ret_time)
{
  static int (*real)(clockid_t, struct timespec *);
  static long long began;
  long long now;
  int failed;

  if (!real)
    real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT,
                                                        "clock_gettime");
  failed = real(which, ret_time);
  if (failed || which != CLOCK_MONOTONIC)
    return failed;
  now = ret_time->tv_sec * 1000000000LL + ret_time->tv_nsec;
  if (!began)
    began = now;
  now = began + (now - began) * times();
  ret_time->tv_sec = now / 1000000000LL;
  ret_time->tv_nsec = now % 1000000000LL;
  return 0;
}

int epoll_wait(int fd, struct epoll_event *events, int most, int ms)
{
  static int (*real)(int, struct epoll_event *, int, int);

  if (!real)
    real = (int (*)(int, struct epoll_event *, int, int))dlsym(RTLD_NEXT,
                                                               "epoll_wait");
  return real(fd, events, most,
              ms > 0 ? (int)((ms + times() - 1) / times()) : ms);
}
