/* tests/unit/loop/test_loop.c - the turn as a whole: what comes first, what
 * ends the wait, when nothing is left, and what a free with leftovers says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loop/loop.h"

struct world {
  struct fr_clock clock;
  struct fr_loop *loop;
  struct fr_watch watch;
  struct fr_timer timer;
  struct fr_op op;
  int fds[2];
  char order[16];               /* 'r', 't', 'd' as they come */
};

static struct world w;

static void say(char what)
{
  size_t len = strlen(w.order);

  assert_true(len + 1 < sizeof(w.order));
  w.order[len] = what;
}

static void on_ready(struct fr_watch *watch, unsigned ready)
{
  char c;

  (void)ready;
  say('r');
  assert_int_equal(read(watch->fd, &c, 1), 1);
}

static void on_due(struct fr_timer *timer)
{
  (void)timer;
  say('t');
}

static void on_done(struct fr_op *op, void *arg)
{
  (void)op;
  (void)arg;
  say('d');
}

static void build(bool is_virtual)
{
  memset(&w, 0, sizeof(w));
  if (is_virtual)
    fr_clock_virtual(&w.clock, 5000);
  else
    fr_clock_real(&w.clock);
  assert_int_equal(fr_loop_new(&w.clock, &w.loop), FR_OK);
  assert_int_equal(pipe(w.fds), 0);
  w.watch.on_ready = on_ready;
  w.timer.on_due = on_due;
}

static int make_virtual(void **state)
{
  (void)state;
  build(true);
  return 0;
}

static int make_real(void **state)
{
  (void)state;
  build(false);
  return 0;
}

static int drop(void **state)
{
  (void)state;
  fr_watch_stop(w.loop, &w.watch, false);
  fr_timer_stop(w.loop, &w.timer);
  fr_op_abandon(&w.op);
  fr_loop_free(w.loop);
  close(w.fds[0]);
  close(w.fds[1]);
  return 0;
}

static void watch(void)
{
  assert_int_equal(fr_watch_start(w.loop, &w.watch, w.fds[0], FR_READ),
                   FR_OK);
}

static void finished_op(void)
{
  fr_op_start(w.loop, &w.op, NULL);
  fr_op_wait(&w.op, on_done, NULL);
  fr_op_finish(&w.op, FR_OK);
}

static void an_empty_loop_ends(void **state)
{
  (void)state;
  assert_false(fr_loop_turn(w.loop, -1));
  assert_false(fr_loop_turn(w.loop, 1000));
  fr_loop_free(NULL);
}

static void each_kind_holds_the_loop(void **state)
{
  (void)state;
  fr_timer_start(w.loop, &w.timer, 1);
  assert_true(fr_loop_turn(w.loop, -1));
  assert_false(fr_loop_turn(w.loop, -1));
  finished_op();
  assert_true(fr_loop_turn(w.loop, -1));
  assert_false(fr_loop_turn(w.loop, -1));
  watch();
  assert_true(fr_loop_turn(w.loop, 0));
  fr_watch_stop(w.loop, &w.watch, false);
  assert_false(fr_loop_turn(w.loop, -1));
  assert_string_equal(w.order, "td");
}

/* The answer came while the loop was not looking; its timeout, due as well,
 * must not be what the caller hears of first. */
static void descriptors_timers_deliveries(void **state)
{
  (void)state;
  watch();
  fr_timer_start(w.loop, &w.timer, 10);
  finished_op();
  assert_int_equal(write(w.fds[1], "x", 1), 1);
  fr_clock_advance(&w.clock, 500);
  assert_true(fr_loop_turn(w.loop, -1));
  assert_string_equal(w.order, "rtd");
}

static void ready_stops_the_timer(struct fr_watch *watch, unsigned ready)
{
  on_ready(watch, ready);
  fr_timer_stop(w.loop, &w.timer);
}

static void an_answer_beats_its_timeout(void **state)
{
  (void)state;
  w.watch.on_ready = ready_stops_the_timer;
  watch();
  fr_timer_start(w.loop, &w.timer, 10);
  assert_int_equal(write(w.fds[1], "x", 1), 1);
  fr_clock_advance(&w.clock, 500);
  fr_loop_turn(w.loop, -1);
  fr_loop_turn(w.loop, 0);
  assert_string_equal(w.order, "r");
}

static void ready_arms_the_past(struct fr_watch *watch, unsigned ready)
{
  on_ready(watch, ready);
  fr_timer_start(w.loop, &w.timer, 0);
}

static void armed_for_the_past_it_waits_a_turn(void **state)
{
  (void)state;
  w.watch.on_ready = ready_arms_the_past;
  watch();
  assert_int_equal(write(w.fds[1], "x", 1), 1);
  fr_loop_turn(w.loop, 0);
  assert_string_equal(w.order, "r");
  fr_loop_turn(w.loop, 0);
  assert_string_equal(w.order, "rt");
}

static void what_is_ready_goes_before_the_leap(void **state)
{
  (void)state;
  watch();
  fr_timer_start(w.loop, &w.timer, 10);
  assert_int_equal(write(w.fds[1], "x", 1), 1);
  fr_loop_turn(w.loop, -1);
  assert_string_equal(w.order, "r");
  assert_true(fr_loop_now(w.loop) == 0);
  fr_loop_turn(w.loop, -1);
  assert_string_equal(w.order, "rt");
  assert_true(fr_loop_now(w.loop) == 10);
  assert_true(fr_loop_at(w.loop) == 5010);
}

static void now_is_once_per_turn(void **state)
{
  (void)state;
  fr_clock_advance(&w.clock, 7);
  assert_true(fr_loop_now(w.loop) == 0);
  assert_true(fr_loop_at(w.loop) == 5007);      /* but the wall is read */
  watch();
  fr_loop_turn(w.loop, 0);
  assert_true(fr_loop_now(w.loop) == 7);
}

/* ---- the real clock ----------------------------------------------------- */

static volatile sig_atomic_t signals;

static void on_alarm(int number)
{
  (void)number;
  signals++;
}

/* Turns once with an alarm on its way; the time it took. */
static uint64_t turn_with_alarm(int max_wait_ms)
{
  struct sigaction action = { .sa_handler = on_alarm }, before;
  struct itimerval soon = { .it_value.tv_usec = 20000 };
  uint64_t start = fr_clock_now(&w.clock);

  signals = 0;
  sigaction(SIGALRM, &action, &before);
  setitimer(ITIMER_REAL, &soon, NULL);
  assert_true(fr_loop_turn(w.loop, max_wait_ms));
  soon.it_value.tv_usec = 0;
  setitimer(ITIMER_REAL, &soon, NULL);
  sigaction(SIGALRM, &before, NULL);
  return fr_clock_now(&w.clock) - start;
}

static void a_signal_ends_the_wait(void **state)
{
  (void)state;
  watch();
  assert_true(turn_with_alarm(20000) < 19000);
  assert_int_equal(signals, 1);
  assert_string_equal(w.order, "");
}

/* 2^32 ms would be no wait at all where an int is not watched. */
static void a_far_timer_is_waited_for(void **state)
{
  (void)state;
  fr_timer_start(w.loop, &w.timer, fr_loop_now(w.loop) + (UINT64_C(1) << 32));
  (void)turn_with_alarm(-1);
  assert_int_equal(signals, 1);
  assert_string_equal(w.order, "");
}

static void *write_late(void *arg)
{
  struct timespec nap = { .tv_nsec = 20000000 };

  nanosleep(&nap, NULL);
  return write(*(int *)arg, "x", 1) == 1 ? arg : NULL;
}

static void data_ends_the_wait(void **state)
{
  pthread_t writer;
  void *wrote;

  (void)state;
  watch();
  fr_timer_start(w.loop, &w.timer, fr_loop_now(w.loop) + 60000);
  assert_int_equal(pthread_create(&writer, NULL, write_late, &w.fds[1]), 0);
  assert_true(fr_loop_turn(w.loop, -1));
  pthread_join(writer, &wrote);
  assert_non_null(wrote);
  assert_string_equal(w.order, "r");
}

static void what_is_done_ends_the_wait(void **state)
{
  (void)state;
  watch();
  finished_op();
  assert_true(fr_loop_turn(w.loop, -1));        /* would wait forever */
  assert_string_equal(w.order, "d");
}

static void a_loop_needs_a_descriptor(void **state)
{
  struct rlimit before, none;
  struct fr_loop *loop = NULL;
  enum fr_err err;

  (void)state;
  assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
  none = before;
  none.rlim_cur = 0;
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
  err = fr_loop_new(&w.clock, &loop);
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
  assert_int_equal(err, FR_EIO);
  assert_null(loop);
}

static void a_freed_loop_keeps_no_descriptor(void **state)
{
  int before = dup(0), after;
  struct fr_loop *loop;

  (void)state;
  close(before);
  assert_int_equal(fr_loop_new(&w.clock, &loop), FR_OK);
  fr_loop_free(loop);
  after = dup(0);
  close(after);
  assert_int_equal(before, after);
}

/* ---- leftovers ---------------------------------------------------------- */

/* What a free with one thing left says, from a child that dies of it. */
static void words_of(void (*leave)(void), char *ret_words, size_t size)
{
  int out[2], status = 0;
  size_t len = 0;
  ssize_t n;
  pid_t child;

  assert_int_equal(pipe(out), 0);
  child = fork();
  assert_true(child >= 0);
  if (!child) {
    const struct rlimit no_core = { 0, 0 };

    setrlimit(RLIMIT_CORE, &no_core);
    signal(SIGABRT, SIG_DFL);
    dup2(out[1], STDERR_FILENO);
    leave();
    fr_loop_free(w.loop);
    _exit(0);
  }
  close(out[1]);
  while (len < size - 1 && (n = read(out[0], ret_words + len,
                                     size - 1 - len)) > 0)
    len += (size_t)n;
  ret_words[len] = 0;
  close(out[0]);
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void leave_a_watch(void)
{
  watch();
}

static void leave_a_timer(void)
{
  fr_timer_start(w.loop, &w.timer, 5);
}

static void leave_an_op(void)
{
  fr_op_start(w.loop, &w.op, NULL);
}

static void leave_an_op_that_is_done(void)
{
  finished_op();
}

static void turn_again(struct fr_op *op, void *arg)
{
  (void)arg;
  finished_op();
  fr_loop_turn(op->loop, 0);
}

static void turn_inside_a_turn(void)
{
  finished_op();
  fr_op_wait(&w.op, turn_again, NULL);
  fr_loop_turn(w.loop, 0);
}

static void a_debug_build_names_what_is_left(void **state)
{
  static const struct { void (*leave)(void); const char *word; } kinds[] = {
    { leave_a_watch, "watch" },
    { leave_a_timer, "timer" },
    { leave_an_op, "1 operation" },
    { leave_an_op_that_is_done, "1 operation" },
    { turn_inside_a_turn, "turning" },
  };
  char words[4096];

  (void)state;
#ifdef NDEBUG
  skip();
#endif
  for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
    words_of(kinds[i].leave, words, sizeof(words));
    if (!strstr(words, kinds[i].word))
      fail_msg("no \"%s\" in: %s", kinds[i].word, words);
  }
}

#define TEST(name, make) cmocka_unit_test_setup_teardown(name, make, drop)

int main(void)
{
  const struct CMUnitTest tests[] = {
    TEST(an_empty_loop_ends, make_virtual),
    TEST(each_kind_holds_the_loop, make_virtual),
    TEST(descriptors_timers_deliveries, make_virtual),
    TEST(an_answer_beats_its_timeout, make_virtual),
    TEST(armed_for_the_past_it_waits_a_turn, make_virtual),
    TEST(what_is_ready_goes_before_the_leap, make_virtual),
    TEST(now_is_once_per_turn, make_virtual),
    TEST(a_signal_ends_the_wait, make_real),
    TEST(a_far_timer_is_waited_for, make_real),
    TEST(data_ends_the_wait, make_real),
    TEST(what_is_done_ends_the_wait, make_real),
    TEST(a_loop_needs_a_descriptor, make_virtual),
    TEST(a_freed_loop_keeps_no_descriptor, make_virtual),
    TEST(a_debug_build_names_what_is_left, make_virtual),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
