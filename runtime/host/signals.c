/* host/signals.c - a handler that writes one byte into a pipe the loop
 * watches. A signalfd would not reach a policy that spins without waiting;
 * the handler does, through on_arrival. */
#include "host/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

static struct fr_signals *opened;
static volatile sig_atomic_t arrived, asked;
static int64_t same_ms;

static const int caught[] = { SIGINT, SIGTERM, SIGHUP };
#define NCAUGHT (sizeof(caught) / sizeof(caught[0]))

static int64_t now_ms(void)
{
  struct timespec t;

  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* A SIGINT is always somebody's own: no program sends it twice. */
static void handle(int number)
{
  static int64_t first_ms;
  int saved = errno;
  unsigned char byte = (unsigned char)number;

  if (arrived == number && number != SIGINT && now_ms() - first_ms < same_ms)
    return;
  if (arrived)
    _exit(number == SIGINT ? 130 : 143);
  arrived = number;
  first_ms = now_ms();
  if (opened) {
    ssize_t n = write(opened->pipe[1], &byte, 1);

    (void)n;                    /* a full pipe already holds a signal */
    opened->on_arrival(opened->arg);
  }
  errno = saved;
}

/* Many before they are read are one, so that they never fill the pipe, in
 * which there must be room for a signal that ends the run. */
static void handle_question(int number)
{
  int saved = errno;
  unsigned char byte = (unsigned char)number;

  if (opened && !asked) {
    asked = 1;
    if (write(opened->pipe[1], &byte, 1) != 1)
      asked = 0;
  }
  errno = saved;
}

void fr_signals_poll(struct fr_signals *signals)
{
  unsigned char byte;

  while (read(signals->pipe[0], &byte, 1) == 1) {
    if (byte == SIGUSR1)
      asked = 0;
    signals->on_signal(signals->arg, byte);
  }
}

static void ready(struct fr_watch *watch, unsigned what)
{
  (void)what;
  fr_signals_poll(fr_container_of(watch, struct fr_signals, watch));
}

enum fr_err fr_signals_open(struct fr_signals *signals,
                            struct fr_loop *loop)
{
  struct sigaction action = { .sa_handler = handle };
  enum fr_err err;

  signals->loop = loop;
  same_ms = signals->same_ms;
  if (pipe2(signals->pipe, O_CLOEXEC | O_NONBLOCK))
    return FR_EIO;
  signals->watch.on_ready = ready;
  err = fr_watch_start(loop, &signals->watch, signals->pipe[0], FR_READ);
  if (err) {
    close(signals->pipe[0]);
    close(signals->pipe[1]);
    return err;
  }
  opened = signals;
  for (size_t i = 0; i < NCAUGHT; i++)
    sigaction(caught[i], &action, NULL);
  action.sa_handler = handle_question;
  action.sa_flags = SA_RESTART;
  sigaction(SIGUSR1, &action, NULL);
  action.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &action, NULL);
  return FR_OK;
}

void fr_signals_close(struct fr_signals *signals)
{
  if (opened != signals)
    return;
  opened = NULL;
  fr_watch_stop(signals->loop, &signals->watch, false);
  close(signals->pipe[0]);
  close(signals->pipe[1]);
}
