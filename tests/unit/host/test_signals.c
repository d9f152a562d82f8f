/* tests/unit/host/test_signals.c - signals become events; the second ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/signals.h"

struct seen {
  int signal, reports;
  volatile sig_atomic_t arrivals;
};

static void on_signal(void *arg, int signal)
{
  struct seen *seen = arg;

  seen->signal = signal;
  seen->reports++;
}

static void on_arrival(void *arg)
{
  struct seen *seen = arg;

  seen->arrivals++;
}

struct world {
  struct fr_clock clock;
  struct fr_loop *loop;
  struct fr_signals signals;
  struct seen seen;
};

static void begin(struct world *world)
{
  *world = (struct world){ .signals = { .on_signal = on_signal,
                                        .on_arrival = on_arrival } };
  world->signals.arg = &world->seen;
  fr_clock_real(&world->clock);
  if (fr_loop_new(&world->clock, &world->loop) ||
      fr_signals_open(&world->signals, world->loop))
    _exit(99);
}

/* Signals are the whole process's, and each test wants a fresh one: `story`
 * runs in a child, whose status is returned. */
static int child(void (*story)(struct world *))
{
  struct world world;
  int status = 0;
  pid_t pid = fork();

  if (pid == 0) {
    alarm(20);
    begin(&world);
    story(&world);
    fr_signals_close(&world.signals);
    fr_loop_free(world.loop);
    _exit(0);
  }
  assert_true(pid > 0);
  assert_int_equal(waitpid(pid, &status, 0), pid);
  assert_true(WIFEXITED(status));
  return WEXITSTATUS(status);
}

#define MUST(what) do { if (!(what)) _exit(50); } while (0)

static void one_of(struct world *world, int signal)
{
  raise(signal);
  MUST(world->seen.arrivals == 1);      /* at once, in the handler */
  MUST(world->seen.reports == 0);       /* in the loop's turn, not before */
  fr_loop_turn(world->loop, 0);
  MUST(world->seen.reports == 1 && world->seen.signal == signal);
  fr_loop_turn(world->loop, 0);
  fr_signals_poll(&world->signals);
  MUST(world->seen.reports == 1);
}

static void interrupt(struct world *world) { one_of(world, SIGINT); }
static void terminate(struct world *world) { one_of(world, SIGTERM); }
static void hang_up(struct world *world) { one_of(world, SIGHUP); }

static void the_first_is_an_event(void **state)
{
  (void)state;
  assert_int_equal(child(interrupt), 0);
  assert_int_equal(child(terminate), 0);
  assert_int_equal(child(hang_up), 0);
}

static void polled(struct world *world)
{
  fr_signals_poll(&world->signals);
  MUST(world->seen.reports == 0);
  raise(SIGTERM);
  fr_signals_poll(&world->signals);
  MUST(world->seen.reports == 1 && world->seen.signal == SIGTERM);
}

static void a_poll_needs_no_turn(void **state)
{
  (void)state;
  assert_int_equal(child(polled), 0);
}

static void twice_int(struct world *world)
{
  raise(SIGTERM);
  fr_loop_turn(world->loop, 0);
  raise(SIGINT);
}

static void twice_term(struct world *world)
{
  (void)world;
  raise(SIGINT);
  raise(SIGTERM);
}

static void twice_closed(struct world *world)
{
  raise(SIGINT);
  fr_signals_close(&world->signals);
  raise(SIGINT);
}

static void again(struct world *world)
{
  fr_signals_close(&world->signals);
  world->signals.same_ms = 200;
  MUST(!fr_signals_open(&world->signals, world->loop));
  raise(SIGTERM);
  raise(SIGTERM);
  fr_loop_turn(world->loop, 0);
  raise(SIGTERM);
  MUST(world->seen.arrivals == 1);
  MUST(world->seen.reports == 1 && world->seen.signal == SIGTERM);
}

static void later(struct world *world)
{
  again(world);
  usleep(250000);
  raise(SIGTERM);
}

static void the_same_one_ends_nothing(void **state)
{
  (void)state;
  assert_int_equal(child(again), 0);
  assert_int_equal(child(later), 143);
}

static void the_second_ends_the_process(void **state)
{
  (void)state;
  assert_int_equal(child(twice_int), 130);
  assert_int_equal(child(twice_term), 143);
  assert_int_equal(child(twice_closed), 130);
}

static void asked(struct world *world)
{
  for (int i = 0; i < 100000; i++)
    raise(SIGUSR1);
  MUST(world->seen.arrivals == 0);      /* Lua is not interrupted */
  fr_loop_turn(world->loop, 0);
  MUST(world->seen.reports == 1 && world->seen.signal == SIGUSR1);
  raise(SIGUSR1);
  raise(SIGTERM);               /* there is room for it, and it is heard */
  raise(SIGUSR1);
  MUST(world->seen.arrivals == 1);
  fr_signals_poll(&world->signals);
  MUST(world->seen.reports == 3 && world->seen.signal == SIGTERM);
  raise(SIGUSR1);               /* no second signal that ends it */
  fr_signals_poll(&world->signals);
  MUST(world->seen.reports == 4);
}

static void asked_when_closed(struct world *world)
{
  fr_signals_close(&world->signals);
  raise(SIGUSR1);
  MUST(world->seen.reports == 0);
}

static void a_question_ends_nothing(void **state)
{
  (void)state;
  assert_int_equal(child(asked), 0);
  assert_int_equal(child(asked_when_closed), 0);
}

static void a_broken_pipe(struct world *world)
{
  int ends[2];

  MUST(pipe(ends) == 0);
  close(ends[0]);
  MUST(write(ends[1], "x", 1) == -1);
  close(ends[1]);
  MUST(world->seen.arrivals == 0);
}

static void nobody_reads(void **state)
{
  (void)state;
  assert_int_equal(child(a_broken_pipe), 0);
}

static void closed_twice(struct world *world)
{
  fr_signals_close(&world->signals);
  raise(SIGTERM);               /* nobody is told, and nothing breaks */
  MUST(world->seen.arrivals == 0);
}

static void closing(void **state)
{
  struct fr_signals never = { .on_signal = NULL };

  (void)state;
  assert_int_equal(child(closed_twice), 0);
  fr_signals_close(&never);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_first_is_an_event),
    cmocka_unit_test(a_poll_needs_no_turn),
    cmocka_unit_test(the_second_ends_the_process),
    cmocka_unit_test(the_same_one_ends_nothing),
    cmocka_unit_test(a_question_ends_nothing),
    cmocka_unit_test(nobody_reads),
    cmocka_unit_test(closing),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
