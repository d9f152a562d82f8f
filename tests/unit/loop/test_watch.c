/* tests/unit/loop/test_watch.c - descriptors: pipes and socket pairs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop/loop.h"

static struct fr_clock clock_;

struct end {
  struct fr_watch watch;
  struct fr_loop *loop;
  struct end *other;            /* for what callbacks do to each other */
  int calls;
  unsigned ready;               /* as of the last call */
  unsigned want_next;
};

static void note(struct fr_watch *watch, unsigned ready)
{
  struct end *end = fr_container_of(watch, struct end, watch);

  end->calls++;
  end->ready = ready;
}

static struct end end_of(struct fr_loop *loop)
{
  return (struct end){ .watch.on_ready = note, .loop = loop };
}

static void start(struct end *end, int fd, unsigned want)
{
  assert_int_equal(fr_watch_start(end->loop, &end->watch, fd, want), FR_OK);
}

static void stop(struct end *end)
{
  fr_watch_stop(end->loop, &end->watch, false);
}

static void want(struct end *end, unsigned mask)
{
  assert_int_equal(fr_watch_want(end->loop, &end->watch, mask), FR_OK);
}

static void pair_of(int fds[2])
{
  assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC |
                              SOCK_NONBLOCK, 0, fds), 0);
}

static void put(int fd)
{
  assert_int_equal(write(fd, "x", 1), 1);
}

static void take(int fd)
{
  char c;

  assert_int_equal(read(fd, &c, 1), 1);
}

static void close_both(const int fds[2])
{
  close(fds[0]);
  close(fds[1]);
}

static int make(void **state)
{
  struct fr_loop *loop;

  fr_clock_virtual(&clock_, 0);
  assert_int_equal(fr_loop_new(&clock_, &loop), FR_OK);
  *state = loop;
  return 0;
}

static int drop(void **state)
{
  assert_false(fr_loop_turn(*state, 0));
  fr_loop_free(*state);
  return 0;
}

static void readable_while_there_is_data(void **state)
{
  struct end end = end_of(*state);
  int fds[2];

  pair_of(fds);
  start(&end, fds[0], FR_READ);
  assert_true(fr_loop_turn(*state, 0));
  assert_int_equal(end.calls, 0);
  put(fds[1]);
  fr_loop_turn(*state, 0);
  assert_int_equal(end.calls, 1);
  assert_int_equal(end.ready, FR_READ);
  fr_loop_turn(*state, 0);                      /* level, not edge */
  assert_int_equal(end.calls, 2);
  take(fds[0]);
  fr_loop_turn(*state, 0);
  assert_int_equal(end.calls, 2);
  stop(&end);
  close_both(fds);
}

static void only_what_is_wanted(void **state)
{
  struct end end = end_of(*state);
  int fds[2];

  pair_of(fds);
  put(fds[1]);                                  /* readable and writable */
  start(&end, fds[0], FR_WRITE);
  fr_loop_turn(*state, 0);
  assert_int_equal(end.ready, FR_WRITE);
  want(&end, FR_READ);
  fr_loop_turn(*state, 0);
  assert_int_equal(end.ready, FR_READ);
  want(&end, FR_READ | FR_WRITE);
  fr_loop_turn(*state, 0);
  assert_int_equal(end.ready, FR_READ | FR_WRITE);
  want(&end, 0);
  fr_loop_turn(*state, 0);
  assert_int_equal(end.calls, 3);
  want(&end, FR_READ);
  fr_loop_turn(*state, 0);
  assert_int_equal(end.calls, 4);
  stop(&end);
  close_both(fds);
}

static void a_hang_up_is_what_was_wanted(void **state)
{
  static const unsigned masks[] = { FR_READ, FR_WRITE, FR_READ | FR_WRITE };

  for (size_t i = 0; i < 3; i++) {
    struct end end = end_of(*state);
    int fds[2];

    pair_of(fds);
    start(&end, fds[0], masks[i]);
    close(fds[1]);
    fr_loop_turn(*state, 0);
    assert_int_equal(end.calls, 1);
    assert_int_equal(end.ready, masks[i]);
    stop(&end);
    close(fds[0]);
  }
}

/* An empty pipe's end says EPOLLHUP and nothing else. */
static void a_hang_up_alone_is_enough(void **state)
{
  static const unsigned masks[] = { FR_READ, FR_WRITE };

  for (size_t i = 0; i < 2; i++) {
    struct end end = end_of(*state);
    int fds[2];

    assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
    start(&end, fds[0], masks[i]);
    close(fds[1]);
    fr_loop_turn(*state, 0);
    assert_int_equal(end.calls, 1);
    assert_int_equal(end.ready, masks[i]);
    stop(&end);
    close(fds[0]);
  }
}

static void an_error_wakes_the_writer(void **state)
{
  struct end end = end_of(*state);
  int fds[2];

  assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
  while (write(fds[1], "xxxxxxxxxxxxxxxx", 16) > 0)
    ;
  start(&end, fds[1], FR_WRITE);
  fr_loop_turn(*state, 0);
  assert_int_equal(end.calls, 0);               /* full */
  close(fds[0]);                                /* EPOLLERR */
  fr_loop_turn(*state, 0);
  assert_int_equal(end.calls, 1);
  assert_int_equal(end.ready, FR_WRITE);
  stop(&end);
  close(fds[1]);
}

/* Whether the loop's epoll set has the descriptor: /proc shows its members. */
static bool in_set(int fd)
{
  char path[64], line[256];
  bool found = false;
  int wanted;

  for (int epoll = 3; epoll < 64; epoll++) {
    FILE *file;

    snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", epoll);
    file = fopen(path, "r");
    while (file && fgets(line, sizeof(line), file))
      found |= sscanf(line, "tfd: %d", &wanted) == 1 && wanted == fd;
    if (file)
      fclose(file);
  }
  return found;
}

static void an_idle_hang_up_does_not_spin(void **state)
{
  struct end end = end_of(*state);
  int fds[2];

  pair_of(fds);
  start(&end, fds[0], 0);
  assert_true(in_set(fds[0]));
  close(fds[1]);
  fr_loop_turn(*state, 0);
  assert_int_equal(end.calls, 0);               /* nothing is wanted */
  assert_false(in_set(fds[0]));                 /* and it went out, lazily */
  want(&end, 0);
  assert_false(in_set(fds[0]));
  want(&end, FR_READ);                          /* comes back when wanted */
  assert_true(in_set(fds[0]));
  fr_loop_turn(*state, 0);
  assert_int_equal(end.calls, 1);
  assert_int_equal(end.ready, FR_READ);
  stop(&end);
  assert_false(in_set(fds[0]));
  close(fds[0]);
}

static void stopped_while_out_of_the_set(void **state)
{
  struct end end = end_of(*state);
  int fds[2];

  pair_of(fds);
  start(&end, fds[0], 0);
  close(fds[1]);
  fr_loop_turn(*state, 0);
  stop(&end);
  assert_int_equal(fr_watch_want(*state, &end.watch, FR_READ), FR_EINVALID);
  assert_false(in_set(fds[0]));
  start(&end, fds[0], FR_READ);                 /* and used once more */
  fr_loop_turn(*state, 0);
  assert_int_equal(end.calls, 1);
  stop(&end);
  close(fds[0]);
}

static void stopped_never_fires(void **state)
{
  struct end end = end_of(*state);
  int fds[2];

  fr_watch_stop(*state, &end.watch, false);     /* never started */
  pair_of(fds);
  put(fds[1]);
  start(&end, fds[0], FR_READ);
  stop(&end);
  stop(&end);
  assert_false(fr_loop_turn(*state, 0));
  assert_int_equal(end.calls, 0);
  assert_int_equal(fr_watch_want(*state, &end.watch, FR_READ), FR_EINVALID);
  close_both(fds);
}

static void drop_other(struct fr_watch *watch, unsigned ready)
{
  struct end *end = fr_container_of(watch, struct end, watch);

  note(watch, ready);
  if (end->other) {
    stop(end->other);
    end->other->other = NULL;
    end->other = NULL;
  }
}

/* Both are ready in one batch; whichever comes first stops the other. */
static void stopped_by_another_of_the_batch(void **state)
{
  struct end *ends[2];
  int fds[2][2], calls;

  for (int i = 0; i < 2; i++) {
    ends[i] = malloc(sizeof(struct end));
    assert_non_null(ends[i]);
    *ends[i] = end_of(*state);
    ends[i]->watch.on_ready = drop_other;
    pair_of(fds[i]);
    put(fds[i][1]);
    start(ends[i], fds[i][0], FR_READ);
  }
  ends[0]->other = ends[1];
  ends[1]->other = ends[0];
  fr_loop_turn(*state, 0);
  calls = ends[0]->calls + ends[1]->calls;
  assert_int_equal(calls, 1);
  for (int i = 0; i < 2; i++) {
    stop(ends[i]);
    free(ends[i]);
    close_both(fds[i]);
  }
}

static void free_other(struct fr_watch *watch, unsigned ready)
{
  struct end *end = fr_container_of(watch, struct end, watch);

  note(watch, ready);
  if (end->other) {
    fr_watch_stop(end->loop, &end->other->watch, false);
    end->other->other = NULL;
    free(end->other);                           /* ASan watches */
    end->other = NULL;
  }
}

static void freed_by_another_of_the_batch(void **state)
{
  struct end *ends[2], *left;
  int fds[2][2];

  for (int i = 0; i < 2; i++) {
    ends[i] = malloc(sizeof(struct end));
    assert_non_null(ends[i]);
    *ends[i] = end_of(*state);
    ends[i]->watch.on_ready = free_other;
    pair_of(fds[i]);
    put(fds[i][1]);
    start(ends[i], fds[i][0], FR_READ);
  }
  ends[0]->other = ends[1];
  ends[1]->other = ends[0];
  fr_loop_turn(*state, 0);
  /* epoll reports in the order of readiness, so the first one fires. */
  left = ends[0];
  assert_int_equal(left->calls, 1);
  stop(left);
  free(left);
  close_both(fds[0]);
  close_both(fds[1]);
}

static void restart_other(struct fr_watch *watch, unsigned ready)
{
  struct end *end = fr_container_of(watch, struct end, watch);
  int fd = end->other->watch.fd;

  note(watch, ready);
  stop(end->other);
  start(end->other, fd, FR_READ);
}

/* An event of the old watch is not given to its successor. */
static void started_anew_inside_the_batch(void **state)
{
  struct end first = end_of(*state), second = end_of(*state);
  int fds[2][2];

  pair_of(fds[0]);
  pair_of(fds[1]);
  put(fds[0][1]);
  put(fds[1][1]);
  first.watch.on_ready = restart_other;
  first.other = &second;
  start(&first, fds[0][0], FR_READ);
  start(&second, fds[1][0], FR_READ);
  fr_loop_turn(*state, 0);
  assert_int_equal(first.calls, 1);
  assert_int_equal(second.calls, 0);
  stop(&first);
  fr_loop_turn(*state, 0);
  assert_int_equal(second.calls, 1);
  stop(&second);
  close_both(fds[0]);
  close_both(fds[1]);
}

static void change_other(struct fr_watch *watch, unsigned ready)
{
  struct end *end = fr_container_of(watch, struct end, watch);

  note(watch, ready);
  want(end->other, end->want_next);
}

static void what_is_wanted_may_change_in_the_batch(void **state)
{
  static const unsigned next[] = { 0, FR_WRITE };

  for (size_t i = 0; i < 2; i++) {
    struct end first = end_of(*state), second = end_of(*state);
    int fds[2][2];

    pair_of(fds[0]);
    pair_of(fds[1]);
    put(fds[0][1]);
    put(fds[1][1]);
    first.watch.on_ready = change_other;
    first.other = &second;
    first.want_next = next[i];
    start(&first, fds[0][0], FR_READ);
    start(&second, fds[1][0], FR_READ);
    fr_loop_turn(*state, 0);
    assert_int_equal(first.calls, 1);
    assert_int_equal(second.calls, 0);          /* READ came, unwanted */
    stop(&first);
    want(&second, FR_READ);
    fr_loop_turn(*state, 0);
    assert_int_equal(second.calls, 1);
    stop(&second);
    close_both(fds[0]);
    close_both(fds[1]);
  }
}

static void free_self(struct fr_watch *watch, unsigned ready)
{
  struct end *end = fr_container_of(watch, struct end, watch);
  int fd = watch->fd;

  (void)ready;
  fr_watch_stop(end->loop, watch, false);
  close(fd);
  free(end);
}

static void a_watch_may_stop_and_free_itself(void **state)
{
  struct end *end = malloc(sizeof(*end));
  int fds[2];

  assert_non_null(end);
  *end = end_of(*state);
  end->watch.on_ready = free_self;
  pair_of(fds);
  put(fds[1]);
  start(end, fds[0], FR_READ);
  assert_true(fr_loop_turn(*state, 0));
  close(fds[1]);
}

static void a_descriptor_that_is_closed_already(void **state)
{
  struct end old = end_of(*state), new = end_of(*state);
  int fds[2], more[2];

  pair_of(fds);
  start(&old, fds[0], FR_READ);
  close_both(fds);
  pair_of(more);                                /* the numbers come again */
  assert_int_equal(more[0], fds[0]);
  start(&new, more[0], FR_READ);
  fr_watch_stop(*state, &old.watch, true);      /* leaves the new one alone */
  put(more[1]);
  fr_loop_turn(*state, 0);
  assert_int_equal(old.calls, 0);
  assert_int_equal(new.calls, 1);
  stop(&new);
  close_both(more);
}

/* A child that inherits the descriptor keeps it open after our close, and
 * the kernel would report it for a watch that is long gone. */
static void a_copy_that_lives_on_is_not_heard(void **state)
{
  struct end *end = malloc(sizeof(*end));
  int fds[2], copy;

  assert_non_null(end);
  *end = end_of(*state);
  pair_of(fds);
  start(end, fds[0], FR_READ);
  copy = fcntl(fds[0], F_DUPFD_CLOEXEC, 0);
  assert_true(copy >= 0);
  fr_watch_stop(*state, &end->watch, true);     /* told just before */
  close(fds[0]);
  free(end);
  put(fds[1]);
  assert_false(fr_loop_turn(*state, 0));
  pair_of(fds);                                 /* another keeps it awake */
  end = malloc(sizeof(*end));
  assert_non_null(end);
  *end = end_of(*state);
  start(end, fds[0], FR_READ);
  fr_loop_turn(*state, 0);
  assert_int_equal(end->calls, 0);
  stop(end);
  free(end);
  close_both(fds);
  close(copy);
}

static void what_cannot_be_watched_is_refused(void **state)
{
  struct end end = end_of(*state);
  int fds[2], file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

  assert_int_equal(fr_watch_start(*state, &end.watch, -1, FR_READ), FR_EIO);
  assert_int_equal(fr_watch_start(*state, &end.watch, file, FR_READ),
                   FR_EIO);
  close(file);
  assert_false(fr_loop_turn(*state, 0));        /* nothing was linked */
  pair_of(fds);
  start(&end, fds[0], FR_READ);
  assert_int_equal(fr_watch_start(*state, &end.watch, fds[1], FR_READ),
                   FR_EINVALID);
  assert_int_equal(end.watch.fd, fds[0]);
  stop(&end);
  close_both(fds);
}

static void more_than_one_batch(void **state)
{
  enum { N = 300 };
  static struct end ends[N];
  static int fds[N][2];
  int left = N;

  for (int i = 0; i < N; i++) {
    ends[i] = end_of(*state);
    pair_of(fds[i]);
    put(fds[i][1]);
    start(&ends[i], fds[i][0], FR_READ);
  }
  for (int turn = 0; turn < 20 && left; turn++) {       /* none starves */
    fr_loop_turn(*state, 0);
    left = 0;
    for (int i = 0; i < N; i++)
      left += !ends[i].calls;
  }
  assert_int_equal(left, 0);
  for (int i = 0; i < N; i++) {
    stop(&ends[i]);
    close_both(fds[i]);
  }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, drop)

int main(void)
{
  const struct CMUnitTest tests[] = {
    TEST(readable_while_there_is_data),
    TEST(only_what_is_wanted),
    TEST(a_hang_up_is_what_was_wanted),
    TEST(a_hang_up_alone_is_enough),
    TEST(an_error_wakes_the_writer),
    TEST(an_idle_hang_up_does_not_spin),
    TEST(stopped_while_out_of_the_set),
    TEST(stopped_never_fires),
    TEST(stopped_by_another_of_the_batch),
    TEST(freed_by_another_of_the_batch),
    TEST(started_anew_inside_the_batch),
    TEST(what_is_wanted_may_change_in_the_batch),
    TEST(a_watch_may_stop_and_free_itself),
    TEST(a_descriptor_that_is_closed_already),
    TEST(a_copy_that_lives_on_is_not_heard),
    TEST(what_cannot_be_watched_is_refused),
    TEST(more_than_one_batch),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
