/* Rounds of the index: where an id is found must not depend on how far they
 * have come, on who asks, or on when the process died.
 */
#include "support.h"

#define IDS 40

/* ---- a model ------------------------------------------------------------- */

struct story {
  enum fr_state state;
  unsigned generation, events;  /* events: that mention the id */
  bool unanswered, held;
  int64_t intent;               /* the order of the open ones */
};

struct model {
  struct story stories[IDS];
  uint64_t random;
  int64_t clock;
};

static unsigned roll(struct model *model, unsigned sides)
{
  model->random = model->random * 6364136223846793005u + 1442695040888963407u;
  return (unsigned)(model->random >> 33) % sides;
}

static void do_intend(struct world *world, struct model *model, unsigned n)
{
  struct story *story = &model->stories[n];
  bool open = story->state == FR_STATE_OPEN;

  assert_int_equal(intend(world, n), open ? FR_EINVALID : FR_OK);
  if (open)
    return;
  story->state = FR_STATE_OPEN;
  story->generation = 1;
  story->unanswered = false;
  story->intent = ++model->clock;
  story->events++;
}

static void do_settle(struct world *world, struct model *model, unsigned n)
{
  static const enum fr_state ends[] = {
    FR_STATE_DELETED, FR_STATE_GONE, FR_STATE_FAILED, FR_STATE_UNSENT
  };
  struct story *story = &model->stories[n];
  enum fr_state end = ends[roll(model, 4)];

  if (story->state != FR_STATE_OPEN)
    return;
  assert_int_equal(settle(world, n, end, roll(model, 2) ? "https://f/a"
                                                        : NULL, NULL), end);
  story->state = end;
  story->events++;
}

static void do_more(struct world *world, struct model *model, unsigned n)
{
  struct story *story = &model->stories[n];
  struct fr_uuid id = id_of(n);

  if (roll(model, 2)) {
    assert_int_equal(fr_ledger_skip(world->ledger, "held", &id, "held", "x"),
                     FR_OK);
    story->events++;
  } else if (story->state == FR_STATE_OPEN) {
    assert_int_equal(fr_ledger_unanswered(world->ledger, &id, "timeout", 1),
                     FR_OK);
    assert_int_equal(fr_ledger_generation(world->ledger, &id,
                                          ++story->generation), FR_OK);
    story->unanswered = true;
    story->events += 2;
  }
}

/* A group of some acts; one in six is undone. */
static void do_group(struct world *world, struct model *model)
{
  struct story before[IDS];
  unsigned acts = 1 + roll(model, 12), act;

  memcpy(before, model->stories, sizeof(before));
  begin(world);
  while (acts-- > 0) {
    unsigned n = roll(model, IDS);

    act = roll(model, 10);
    if (act < 5)
      do_intend(world, model, n);
    else if (act < 9)
      do_settle(world, model, n);
    else
      do_more(world, model, n);
  }
  if (roll(model, 6) > 0) {
    commit(world);
    return;
  }
  fr_ledger_rollback(world->ledger);
  memcpy(model->stories, before, sizeof(before));
}

/* By another connection, as `falrun hold` does it. */
static void do_hold(struct world *world, struct model *model)
{
  unsigned n = roll(model, IDS);
  struct story *story = &model->stories[n];
  struct fr_ledger *other = open_as(world, FR_LEDGER_HOLD);
  struct fr_uuid id = id_of(n);
  size_t index;

  assert_int_equal(story->held ? fr_hold_remove(other, &id, 1, &index)
                               : fr_hold_add(other, &id, 1, "case 7"), FR_OK);
  story->held = !story->held;
  story->events++;
  fr_ledger_close(other);
}

/* ---- holding a ledger against it ----------------------------------------- */

static int count_events(void *arg, const struct fr_event_row *row)
{
  (void)row;
  ++*(unsigned *)arg;
  return 0;
}

static void check_one(struct fr_ledger *ledger, const struct story *story,
                      unsigned n)
{
  struct fr_uuid id = id_of(n);
  struct fr_event_filter filter = { .id = &id };
  struct fr_record record = { .state = FR_STATE_NONE };
  unsigned events = 0;
  char reason[16];
  enum fr_err err = fr_ledger_find(ledger, &id, &record);

  assert_int_equal(err, story->state ? FR_OK : FR_ENOT_FOUND);
  assert_int_equal(record.state, story->state);
  if (story->state) {
    assert_int_equal(record.generation, story->generation);
    assert_int_equal(record.unanswered, story->unanswered);
  }
  assert_int_equal(fr_hold_find(ledger, &id, reason, sizeof(reason)),
                   story->held ? FR_OK : FR_ENOT_FOUND);
  assert_int_equal(fr_history_events(ledger, &filter, count_events, &events),
                   FR_OK);
  assert_int_equal(events, story->events);
}

struct opens {
  const struct model *model;
  int64_t last;
  unsigned count;
};

static int check_open(void *arg, const struct fr_open_intent *open)
{
  struct opens *opens = arg;
  const struct story *story = &opens->model->stories[open->id.bytes[15]];

  assert_int_equal(story->state, FR_STATE_OPEN);
  assert_true(story->intent > opens->last);
  opens->last = story->intent;
  opens->count++;
  return 0;
}

static void check(struct fr_ledger *ledger, const struct model *model,
                  bool glimpse)
{
  struct opens opens = { .model = model };
  unsigned n, open = 0;

  if (glimpse)
    assert_int_equal(fr_ledger_glimpse(ledger), FR_OK);
  for (n = 0; n < IDS; n++) {
    check_one(ledger, &model->stories[n], n);
    open += model->stories[n].state == FR_STATE_OPEN;
  }
  assert_int_equal(fr_ledger_each_open(ledger, check_open, &opens), FR_OK);
  assert_int_equal(opens.count, open);
  fr_ledger_glimpse_over(ledger);
}

static void live(struct world *world, uint64_t seed)
{
  struct model model = { .random = seed };
  struct fr_ledger *reader;
  struct fr_chain chain;
  unsigned step;

  open_run(world);
  begin_run(world);
  reader = open_as(world, FR_LEDGER_READ);
  for (step = 0; step < 120; step++) {
    world->ledger->index.least = 1 + seed % 9;
    do_group(world, &model);
    if (roll(&model, 8) == 0)
      do_hold(world, &model);
    if (roll(&model, 15) == 0)
      reopen(world);
    if (roll(&model, 5) == 0)
      check(roll(&model, 2) ? reader : world->ledger, &model,
            roll(&model, 2));
  }
  check(reader, &model, false);
  check(world->ledger, &model, true);
  assert_int_equal(fr_history_verify(reader, &chain), FR_OK);
  assert_int_equal(fr_history_verify(world->ledger, &chain), FR_OK);
  assert_true(number_of(world->ledger, "SELECT seq FROM indexing") > 0);
  fr_ledger_close(reader);
}

static void test_random_lives_are_told_as_they_were(void **state)
{
  struct world *world = *state;
  uint64_t seed;
  char command[256];

  for (seed = 1; seed <= 12; seed++) {
    live(world, seed);
    fr_ledger_close(world->ledger);
    world->ledger = NULL;
    snprintf(command, sizeof(command), "rm -f '%s'*", world->path);
    assert_int_equal(system(command), 0);
  }
}

/* ---- one after the other ------------------------------------------------- */

static void add_group(struct world *world, unsigned from, unsigned count)
{
  unsigned i;

  begin(world);
  for (i = from; i < from + count; i++)
    assert_int_equal(intend(world, i), FR_OK);
  commit(world);
}

static int64_t indexed(struct world *world)
{
  return number_of(world->ledger, "SELECT count(*) FROM ids");
}

static void test_a_round_is_done_in_slices(void **state)
{
  struct world *world = *state;
  struct fr_chain chain;

  open_run(world);
  world->ledger->index.least = 100;
  add_group(world, 0, 99);
  assert_int_equal(indexed(world), 0);
  add_group(world, 99, 1);              /* enough: four for the one */
  assert_int_equal(indexed(world), 4);
  assert_int_equal(fr_history_verify(world->ledger, &chain), FR_OK);
  add_group(world, 100, 10);
  assert_int_equal(indexed(world), 44);
  begin(world);
  settle(world, 50, FR_STATE_FAILED, NULL, NULL);
  settle(world, 99, FR_STATE_FAILED, NULL, NULL);
  commit(world);                        /* outcomes alone move nothing */
  assert_int_equal(indexed(world), 44);
  begin(world);
  intend(world, 20);                    /* open: refused */
  intend(world, 50);                    /* again, before its turn */
  commit(world);
  begin(world);
  settle(world, 30, FR_STATE_FAILED, NULL, NULL);
  intend(world, 30);                    /* again, after its turn */
  commit(world);
  add_group(world, 110, 20);
  assert_int_equal(indexed(world), 98);
  assert_int_equal(number_of(world->ledger, "SELECT count(*) FROM left_open"),
                   97);
  assert_int_equal(fr_history_verify(world->ledger, &chain), FR_OK);
  assert_int_equal(state_of(world->ledger, 20), FR_STATE_OPEN);
  assert_int_equal(state_of(world->ledger, 30), FR_STATE_OPEN);
  assert_int_equal(state_of(world->ledger, 99), FR_STATE_FAILED);
}

static void test_a_round_goes_on_after_a_reopen(void **state)
{
  struct world *world = *state;
  struct fr_chain chain;
  unsigned i;

  open_run(world);
  world->ledger->index.least = 50;
  add_group(world, 0, 45);
  add_group(world, 45, 5);
  assert_int_equal(indexed(world), 20);
  reopen(world);
  add_group(world, 50, 2);
  assert_int_equal(indexed(world), 28);
  add_group(world, 52, 10);
  assert_int_equal(indexed(world), 50);
  for (i = 0; i < 62; i++)
    assert_int_equal(state_of(world->ledger, i), FR_STATE_OPEN);
  assert_int_equal(state_of(world->ledger, 62), FR_STATE_NONE);
  assert_int_equal(fr_history_verify(world->ledger, &chain), FR_OK);
}

/* A ledger with many ids from before: the filter is made on the way. */
static void test_many_questions_make_a_filter(void **state)
{
  struct world *world = *state;
  unsigned i;

  open_run(world);
  world->ledger->index.least = 10;
  add_group(world, 0, 1000);
  add_group(world, 1000, 1000);
  reopen(world);
  for (i = 0; i < 4000; i++)
    assert_int_equal(state_of(world->ledger, i),
                     i < 2000 ? FR_STATE_OPEN : FR_STATE_NONE);
  assert_non_null(world->ledger->index.filter.words);
}

/* What was asked for and was not there is there once it is announced, also
 * when its id has left the memory for the table. */
static void test_what_was_absent_may_come(void **state)
{
  struct world *world = *state;
  struct fr_chain chain;
  unsigned i;

  open_run(world);
  world->ledger->index.least = 10;
  add_group(world, 0, 1000);
  add_group(world, 1000, 1000);
  reopen(world);
  assert_int_equal(state_of(world->ledger, 5000), FR_STATE_NONE);
  assert_int_equal(state_of(world->ledger, 5001), FR_STATE_NONE);
  assert_true(world->ledger->index.absent.count > 0);
  begin(world);
  assert_int_equal(intend(world, 5000), FR_OK);
  fr_ledger_rollback(world->ledger);
  assert_int_equal(state_of(world->ledger, 5000), FR_STATE_NONE);
  begin(world);
  assert_int_equal(intend(world, 5000), FR_OK);
  commit(world);
  world->ledger->index.least = 1;
  for (i = 0; i < 200; i++)
    add_group(world, 6000 + i * 10, 10);
  assert_int_equal(number_of(world->ledger, "SELECT count(*) FROM ids WHERE"
                             " request_id ="
                             " x'764cabcfb7454b3eae38000000001388'"), 1);
  assert_int_equal(state_of(world->ledger, 5000), FR_STATE_OPEN);
  begin(world);
  assert_int_equal(intend(world, 5000), FR_EINVALID);
  assert_int_equal(intend(world, 5001), FR_OK);
  commit(world);
  assert_int_equal(fr_history_verify(world->ledger, &chain), FR_OK);
}

/* ---- killed -------------------------------------------------------------- */

/* Groups of ten; tells after each commit, and dies in the middle of one. */
static void work_and_die(struct world *world, unsigned groups, int tell)
{
  unsigned i, group;

  open_run(world);
  world->ledger->index.least = 25;
  for (group = 0; ; group++) {
    begin(world);
    for (i = 0; i < 10; i++) {
      assert_int_equal(intend(world, group * 10 + i), FR_OK);
      if (group > 0)
        settle(world, group * 10 - 10 + i, FR_STATE_DELETED, NULL, NULL);
    }
    if (group == groups)
      kill(getpid(), SIGKILL);
    commit(world);
    (void)!write(tell, "x", 1);
  }
}

static void test_killed_around_a_round_nothing_is_lost(void **state)
{
  struct world *world = *state;
  struct fr_chain chain;
  char command[256], bytes[64];
  unsigned groups, i;
  int told[2];

  for (groups = 1; groups <= 24; groups++) {
    pid_t child;

    assert_int_equal(pipe(told), 0);
    child = fork();
    if (child == 0)
      work_and_die(world, groups, told[1]);
    close(told[1]);
    assert_int_equal(wait_for(child), -1);
    assert_int_equal(read(told[0], bytes, sizeof(bytes)), groups);
    close(told[0]);
    open_run(world);
    assert_int_equal(fr_history_verify(world->ledger, &chain), FR_OK);
    for (i = 0; i < groups * 10 + 10; i++)
      assert_int_equal(state_of(world->ledger, i), i >= groups * 10
                       ? FR_STATE_NONE : i >= groups * 10 - 10
                       ? FR_STATE_OPEN : FR_STATE_DELETED);
    world->ledger->index.least = 25;
    add_group(world, groups * 10, 30);
    assert_int_equal(fr_history_verify(world->ledger, &chain), FR_OK);
    fr_ledger_close(world->ledger);
    world->ledger = NULL;
    snprintf(command, sizeof(command), "rm -f '%s'*", world->path);
    assert_int_equal(system(command), 0);
  }
}

/* ---- a glimpse ----------------------------------------------------------- */

static void hold(struct world *world, unsigned n)
{
  struct fr_ledger *other = open_as(world, FR_LEDGER_HOLD);
  struct fr_uuid id = id_of(n);

  assert_int_equal(fr_hold_add(other, &id, 1, "case 7"), FR_OK);
  fr_ledger_close(other);
}

static enum fr_err held(struct world *world, unsigned n)
{
  struct fr_uuid id = id_of(n);
  char reason[16];

  return fr_hold_find(world->ledger, &id, reason, sizeof(reason));
}

static void test_a_glimpse_is_one_moment(void **state)
{
  struct world *world = *state;
  int64_t before, after;

  open_run(world);
  assert_int_equal(fr_ledger_version(world->ledger, &before), FR_OK);
  assert_int_equal(fr_ledger_glimpse(world->ledger), FR_OK);
  assert_int_equal(fr_ledger_glimpse(world->ledger), FR_OK);
  assert_int_equal(held(world, 1), FR_ENOT_FOUND);
  hold(world, 1);
  assert_int_equal(held(world, 1), FR_ENOT_FOUND);
  assert_int_equal(fr_ledger_version(world->ledger, &after), FR_OK);
  assert_int_not_equal(before, after);  /* asked, it looks anew */
  assert_int_equal(held(world, 1), FR_OK);
  fr_ledger_glimpse_over(world->ledger);
  fr_ledger_glimpse_over(world->ledger);
  assert_int_equal(held(world, 1), FR_OK);
}

static void test_a_group_ends_a_glimpse_and_sees_all(void **state)
{
  struct world *world = *state;

  open_run(world);
  assert_int_equal(fr_ledger_glimpse(world->ledger), FR_OK);
  assert_int_equal(held(world, 1), FR_ENOT_FOUND);
  hold(world, 1);
  begin(world);
  assert_int_equal(held(world, 1), FR_OK);
  assert_int_equal(fr_ledger_glimpse(world->ledger), FR_OK);
  fr_ledger_glimpse_over(world->ledger);        /* not the group */
  assert_int_equal(intend(world, 2), FR_OK);
  commit(world);
  hold(world, 2);
  assert_int_equal(held(world, 2), FR_OK);      /* outside: at once */
  assert_int_equal(fr_ledger_glimpse(world->ledger), FR_OK);
  assert_int_equal(begin_run(world), 1);
  assert_int_equal(held(world, 3), FR_ENOT_FOUND);
}

static void test_a_glimpse_that_is_over_pins_nothing(void **state)
{
  struct world *world = *state;
  struct fr_ledger *reader;

  open_run(world);
  reader = open_as(world, FR_LEDGER_READ);
  assert_int_equal(fr_ledger_glimpse(reader), FR_OK);
  add_group(world, 0, 10);
  assert_int_equal(state_of(reader, 1), FR_STATE_NONE);
  assert_int_equal(number_of(world->ledger, "PRAGMA wal_checkpoint(RESTART)"),
                   1);                  /* busy */
  fr_ledger_glimpse_over(reader);
  assert_int_equal(number_of(world->ledger, "PRAGMA wal_checkpoint(RESTART)"),
                   0);
  assert_int_equal(state_of(reader, 1), FR_STATE_OPEN);
  fr_ledger_close(reader);
}

/* A reader's memory of the newest ids follows a writer that merges. */
static void test_a_reader_follows(void **state)
{
  struct world *world = *state;
  struct fr_ledger *reader;
  unsigned i, n;

  open_run(world);
  world->ledger->index.least = 20;
  reader = open_as(world, FR_LEDGER_READ);
  for (i = 0; i < 30; i++) {
    add_group(world, i * 7, 7);
    begin(world);
    settle(world, i * 3, FR_STATE_FAILED, NULL, NULL);
    assert_int_equal(intend(world, i * 3), FR_OK);
    commit(world);
    for (n = 0; n < i * 7 + 14; n++)
      assert_int_equal(state_of(reader, n), n < i * 7 + 7 ? FR_STATE_OPEN
                                                          : FR_STATE_NONE);
  }
  fr_ledger_close(reader);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    TEST(test_random_lives_are_told_as_they_were),
    TEST(test_a_round_is_done_in_slices),
    TEST(test_a_round_goes_on_after_a_reopen),
    TEST(test_many_questions_make_a_filter),
    TEST(test_what_was_absent_may_come),
    TEST(test_killed_around_a_round_nothing_is_lost),
    TEST(test_a_glimpse_is_one_moment),
    TEST(test_a_group_ends_a_glimpse_and_sees_all),
    TEST(test_a_glimpse_that_is_over_pins_nothing),
    TEST(test_a_reader_follows)
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
