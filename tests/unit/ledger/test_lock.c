/* The lock between runs, and what a process that dies leaves behind. */
#include <time.h>

#include "support.h"

/* A child that opens for a run, tells so, and waits to be killed. */
static pid_t holder(struct world *world, const char *path)
{
  int ready[2];
  char byte;
  pid_t child;

  assert_int_equal(pipe(ready), 0);
  child = fork();
  if (child == 0) {
    if (try_open(world, path, FR_LEDGER_RUN, ORIGIN, &world->ledger))
      _exit(1);
    (void)!write(ready[1], "x", 1);
    for (;;)
      pause();
  }
  close(ready[1]);
  assert_int_equal(read(ready[0], &byte, 1), 1);
  close(ready[0]);
  return child;
}

static void end(pid_t child)
{
  assert_int_equal(kill(child, SIGKILL), 0);
  assert_int_equal(wait_for(child), -1);
}

static void test_two_runs_exclude_each_other(void **state)
{
  struct world *world = *state;
  pid_t child = holder(world, world->path);
  char pid[32];

  assert_int_equal(try_open(world, world->path, FR_LEDGER_RUN, ORIGIN,
                            &world->ledger), FR_ELOCKED);
  snprintf(pid, sizeof(pid), "process %ld,", (long)child);
  assert_non_null(strstr(fr_buf_text(&world->why), pid));
  assert_non_null(strstr(fr_buf_text(&world->why), world->path));
  fr_ledger_close(open_as(world, FR_LEDGER_READ));
  fr_ledger_close(open_as(world, FR_LEDGER_HOLD));
  end(child);
  open_run(world);
}

static void test_another_name_of_the_file_is_the_same_lock(void **state)
{
  struct world *world = *state;
  char name[256];
  pid_t child = holder(world, world->path);

  snprintf(name, sizeof(name), "%s/other.db", world->folder);
  assert_int_equal(symlink("ledger.db", name), 0);
  assert_int_equal(try_open(world, name, FR_LEDGER_RUN, ORIGIN,
                            &world->ledger), FR_ELOCKED);
  snprintf(name, sizeof(name), "%s/../%s/./ledger.db", world->folder,
           strrchr(world->folder, '/'));
  assert_int_equal(try_open(world, name, FR_LEDGER_RUN, ORIGIN,
                            &world->ledger), FR_ELOCKED);
  end(child);
}

static void test_waits_for_the_lock(void **state)
{
  struct world *world = *state;
  const struct timespec pause = { 0, 200 * 1000000L };
  struct fr_ledger_config config = {
    .path = world->path, .access = FR_LEDGER_RUN, .origin = ORIGIN,
    .clock = &world->clock, .lock_wait_ms = 60000
  };
  pid_t child = holder(world, world->path), killer;

  killer = fork();
  if (killer == 0) {
    nanosleep(&pause, NULL);
    kill(child, SIGKILL);
    _exit(0);
  }
  assert_int_equal(fr_ledger_open(&config, &world->why, &world->ledger),
                   FR_OK);
  assert_int_equal(wait_for(killer), 0);
  assert_int_equal(wait_for(child), -1);
}

static void test_the_lock_comes_before_the_file(void **state)
{
  struct world *world = *state;
  pid_t child = holder(world, world->path);

  assert_int_equal(unlink(world->path), 0);
  assert_int_equal(try_open(world, world->path, FR_LEDGER_RUN, ORIGIN,
                            &world->ledger), FR_ELOCKED);
  assert_false(there(world->path, ""));
  end(child);
}

static void test_closing_releases_and_keeps_the_lock_file(void **state)
{
  struct world *world = *state;

  open_run(world);
  reopen(world);
  assert_true(there(world->path, ".lock"));
  assert_true(fcntl(world->ledger->lock_fd, F_GETFD) & FD_CLOEXEC);
}

static void test_a_reader_does_not_lock(void **state)
{
  struct world *world = *state;

  fr_ledger_close(open_as(world, FR_LEDGER_HOLD));
  fr_ledger_close(open_as(world, FR_LEDGER_READ));
  assert_false(there(world->path, ".lock"));
}

/* Two groups: one committed, one not. Only the first may be there later. */
static void die_in_a_group(struct world *world, unsigned count)
{
  unsigned i;

  open_run(world);
  begin_run(world);
  begin(world);
  for (i = 0; i < count; i++)
    assert_int_equal(intend(world, i), FR_OK);
  commit(world);
  begin(world);
  settle(world, 0, FR_STATE_DELETED, NULL, NULL);
  for (i = 0; i < count; i++)
    assert_int_equal(intend(world, count + i), FR_OK);
  kill(getpid(), SIGKILL);
}

static void test_killed_in_a_group_the_group_is_not_there(void **state)
{
  struct world *world = *state;
  struct fr_chain chain;
  unsigned count = 3000, i;
  pid_t child = fork();

  if (child == 0)
    die_in_a_group(world, count);
  assert_int_equal(wait_for(child), -1);
  assert_true(there(world->path, "-wal"));
  open_run(world);
  for (i = 0; i < count; i++)
    assert_int_equal(state_of(world->ledger, i), FR_STATE_OPEN);
  assert_int_equal(state_of(world->ledger, count), FR_STATE_NONE);
  assert_int_equal(begin_run(world), 2);
  assert_int_equal(fr_history_verify(world->ledger, &chain), FR_OK);
  assert_int_equal(chain.events, 3 + count);
}

/* Process n opens the ledger while others create it: every third reads. */
static int open_in_a_crowd(struct world *world, unsigned n)
{
  struct fr_uuid id = id_of(n);
  bool reads = n % 3 == 2;
  enum fr_err err = try_open(world, world->path, reads ? FR_LEDGER_READ
                                                       : FR_LEDGER_HOLD,
                             ORIGIN, &world->ledger);

  if (err)
    print_error("%s\n", fr_buf_text(&world->why));
  else if (!reads)
    err = fr_hold_add(world->ledger, &id, 1, "case 7");
  return err != FR_OK;
}

/* A reader that closes last leaves the WAL and its index. */
static void remove_ledger(const struct world *world)
{
  static const char *const suffixes[] = { "", "-wal", "-shm" };
  char name[256];
  size_t i;

  for (i = 0; i < 3; i++) {
    snprintf(name, sizeof(name), "%s%s", world->path, suffixes[i]);
    (void)unlink(name);
  }
}

static void test_many_may_create_it_at_once(void **state)
{
  struct world *world = *state;
  struct fr_chain chain;
  pid_t children[12];
  unsigned round, i;

  for (round = 0; round < 10; round++) {
    for (i = 0; i < 12; i++) {
      children[i] = fork();
      if (children[i] == 0)
        _exit(open_in_a_crowd(world, i));
    }
    for (i = 0; i < 12; i++)
      assert_int_equal(wait_for(children[i]), 0);
    world->ledger = open_as(world, FR_LEDGER_READ);
    assert_int_equal(fr_history_verify(world->ledger, &chain), FR_OK);
    assert_int_equal(chain.events, 9);
    fr_ledger_close(world->ledger);
    world->ledger = NULL;
    remove_ledger(world);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    TEST(test_two_runs_exclude_each_other),
    TEST(test_another_name_of_the_file_is_the_same_lock),
    TEST(test_waits_for_the_lock), TEST(test_the_lock_comes_before_the_file),
    TEST(test_closing_releases_and_keeps_the_lock_file),
    TEST(test_a_reader_does_not_lock),
    TEST(test_killed_in_a_group_the_group_is_not_there),
    TEST(test_many_may_create_it_at_once)
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
