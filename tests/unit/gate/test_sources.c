/* tests/unit/gate/test_sources.c - holds that a run brings along. */
#include "world.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/plain.h"
#include "gate/hold.h"

/* A file in the world's folder, replaced whole. */
static const char *write_file(struct world *w, const char *name,
                              const char *text)
{
  static char path[128];
  char aside[160];
  FILE *file;

  snprintf(path, sizeof(path), "%s/%s", w->dir, name);
  snprintf(aside, sizeof(aside), "%s.new", path);
  file = fopen(aside, "w");
  assert_non_null(file);
  assert_true(fputs(text, file) >= 0);
  assert_int_equal(fclose(file), 0);
  assert_int_equal(rename(aside, path), 0);
  return path;
}

static const char *line_of(unsigned n, const char *rest)
{
  static char line[128];
  char id[FR_UUID_TEXT];
  struct fr_uuid uuid = id_of(n);

  fr_uuid_format(&uuid, id);
  snprintf(line, sizeof(line), "%s%s\n", id, rest);
  return line;
}

static void remove_files(struct world *w, const char *name)
{
  char path[128];

  snprintf(path, sizeof(path), "%s/%s", w->dir, name);
  unlink(path);
}

/* Whole UTF-8, and nothing that steers a terminal. */
static bool is_text(const char *text)
{
  while (*text) {
    size_t n = fr_utf8_sequence(text);

    if (n == 0 || (unsigned char)*text < ' ')
      return false;
    text += n;
  }
  return true;
}

static void ids_of_a_file_are_held(void **state)
{
  struct world *w = *state;
  const char *path = write_file(w, "h", line_of(1, ",case 7"));
  struct fr_deletion *held;
  const char *words;
  size_t count = 0;

  world_begin(w);
  assert_int_equal(fr_gate_hold_file(w->gate, path, &count), FR_OK);
  assert_int_equal(count, 1);
  held = start(w, id_of(1));
  settle_down(w);
  expect(held, FR_FATE_HELD, FR_EHELD);
  words = fr_deletion_result(held)->message;
  assert_non_null(strstr(words, "h: case 7)"));
  assert_null(strstr(words, "hold remove"));    /* that would not lift it */
  fr_deletion_free(held);
  run_one(w, id_of(2), FR_FATE_DELETED, FR_OK);
  assert_int_equal(w->deletes, 1);
  assert_int_equal(events(w, "held"), 1);
  remove_files(w, "h");
}

static void one_id_is_held(void **state)
{
  struct world *w = *state;
  struct fr_uuid id = id_of(1);
  enum fr_err err;
  char reason[64];

  world_begin(w);
  assert_int_equal(fr_gate_hold_id(w->gate, &id, "the audit"), FR_OK);
  assert_int_equal(fr_gate_hold_id(w->gate, &id, "again"), FR_OK);
  assert_int_equal(fr_gate_preview(w->gate, &id, &err, reason,
                                   sizeof(reason)), FR_FATE_HELD);
  assert_string_equal(reason, "the audit");
  run_one(w, id, FR_FATE_HELD, FR_EHELD);
  assert_int_equal(w->deletes, 0);
}

/* Whoever asks: the grace is in the ledger, and nobody told the gate. */
static void a_grace_is_held_until_it_is_over(void **state)
{
  static const char *const files[] = { "https://v3.fal.media/a" };
  struct world *w = *state;
  struct fr_quarantine grace = { .id = id_of(1), .files = files, .nfiles = 1,
                                 .delete_after_ms = NOON + DAY_MS };
  struct fr_deletion *queued;
  enum fr_err err;
  char why[512];

  world_begin(w);
  run_one(w, id_of(2), FR_FATE_DELETED, FR_OK);
  queued = start(w, id_of(1));          /* and only then it is hidden */
  assert_int_equal(fr_ledger_quarantine(w->ledger, &grace), FR_OK);
  settle_down(w);
  expect(queued, FR_FATE_HELD, FR_EHELD);
  fr_deletion_free(queued);
  assert_int_equal(fr_gate_preview(w->gate, &grace.id, &err, why,
                                   sizeof(why)), FR_FATE_HELD);
  assert_string_equal(why, "in quarantine since 2026-09-21T14:13:20Z, to be "
                      "erased from 2026-09-22T14:13:20Z on; falrun release "
                      "lifts it");
  run_one(w, id_of(1), FR_FATE_HELD, FR_EHELD);
  assert_int_equal(w->deletes, 1);
  fr_clock_advance(&w->clock, DAY_MS);
  run_one(w, id_of(1), FR_FATE_DELETED, FR_OK);
  assert_int_equal(w->deletes, 2);
}

static void stopped_by(struct world *w, const char *path, const char *words,
                       size_t before)
{
  size_t count = 42;

  assert_int_not_equal(fr_gate_hold_file(w->gate, path, &count), FR_OK);
  assert_int_equal(count, 42);
  assert_int_equal(fr_gate_stopped(w->gate), FR_EHELD);
  if (!strstr(fr_gate_stop_sentence(w->gate), words))
    fail_msg("%s", fr_gate_stop_sentence(w->gate));
  run_one(w, id_of(300), FR_FATE_REFUSED, FR_ESTOPPED);
  assert_int_equal(w->deletes, before);
  assert_int_equal(fr_verdict_exit_code(&w->verdict), 4);
}

static void stopped(struct world *w, const char *path, const char *words)
{
  stopped_by(w, path, words, 0);
}

static void no_file_no_deletion(void **state)
{
  struct world *w = *state;

  world_begin(w);
  stopped(w, "/nonexistent/holds", "No such file");
}

static void a_folder_is_no_file(void **state)
{
  struct world *w = *state;

  world_begin(w);
  stopped(w, w->dir, "it is not a file");
}

static void a_wrong_line_is_no_hold(void **state)
{
  struct world *w = *state;
  const char *path = write_file(w, "h", "nonsense\n");

  world_begin(w);
  stopped(w, path, "line 1: it is no request id");
  remove_files(w, "h");
}

static void a_file_that_goes_stops_the_run(void **state)
{
  struct world *w = *state;
  const char *path = write_file(w, "h", line_of(9, ""));
  size_t count;

  world_begin(w);
  assert_int_equal(fr_gate_hold_file(w->gate, path, &count), FR_OK);
  run_one(w, id_of(1), FR_FATE_DELETED, FR_OK);
  remove_files(w, "h");
  run_one(w, id_of(2), FR_FATE_REFUSED, FR_ESTOPPED);
  assert_int_equal(fr_gate_stopped(w->gate), FR_EHELD);
  assert_int_equal(w->deletes, 1);
}

static void what_was_held_stays_held(void **state)
{
  struct world *w = *state;
  const char *path = write_file(w, "h", line_of(1, ""));
  size_t count;

  world_begin(w);
  assert_int_equal(fr_gate_hold_file(w->gate, path, &count), FR_OK);
  write_file(w, "h", line_of(2, ""));
  run_one(w, id_of(1), FR_FATE_HELD, FR_EHELD);
  run_one(w, id_of(2), FR_FATE_HELD, FR_EHELD);
  remove_files(w, "h");
}

/* One is in flight, one announced and not sent, one not yet announced. */
static void a_hold_that_comes_while_it_waits(void **state)
{
  struct world *w = *state;
  const char *path = write_file(w, "h", "");
  struct fr_deletion *first, *second, *third;
  size_t count;

  w->concurrency = 1;
  world_begin(w);
  assert_int_equal(fr_gate_hold_file(w->gate, path, &count), FR_OK);
  run_one(w, id_of(9), FR_FATE_DELETED, FR_OK);
  w->park = true;
  first = start(w, id_of(1));
  second = start(w, id_of(2));
  turns(w, 4);
  assert_int_equal(w->nparked, 1);
  assert_int_equal(state_of(w, id_of(2)), FR_STATE_OPEN);
  third = start(w, id_of(3));
  write_file(w, "h", line_of(2, ""));
  turns(w, 2);
  world_unpark(w, NULL);
  settle_down(w);
  expect(first, FR_FATE_DELETED, FR_OK);
  expect(second, FR_FATE_HELD, FR_EHELD);
  expect(third, FR_FATE_DELETED, FR_OK);
  assert_int_equal(w->deletes, 3);
  assert_int_equal(w->violations, 0);
  assert_int_equal(state_of(w, id_of(2)), FR_STATE_UNSENT);
  fr_deletion_free(first);
  fr_deletion_free(second);
  fr_deletion_free(third);
  remove_files(w, "h");
}

/* What a function of the policy said while the id was on its way. */
static void an_id_that_is_held_while_it_waits(void **state)
{
  struct world *w = *state;
  struct fr_uuid id = id_of(2);
  struct fr_deletion *first, *second;

  w->concurrency = 1;
  world_begin(w);
  run_one(w, id_of(9), FR_FATE_DELETED, FR_OK);
  w->park = true;
  first = start(w, id_of(1));
  second = start(w, id);
  turns(w, 4);
  assert_int_equal(fr_gate_hold_id(w->gate, &id, "late"), FR_OK);
  turns(w, 2);
  world_unpark(w, NULL);
  settle_down(w);
  expect(second, FR_FATE_HELD, FR_EHELD);
  assert_int_equal(w->deletes, 2);
  fr_deletion_free(first);
  fr_deletion_free(second);
}

/* The server asked all to wait, and the process sleeps inside a turn: what
 * changes meanwhile is seen before the turn after it sends. */
static void a_hold_that_comes_while_all_sleep(void **state)
{
  struct world *w = *state;
  struct answer limited = { 429, "", 0, true, "60" };
  const char *path = write_file(w, "h", "");
  struct fr_deletion *first, *second, *third;
  size_t count;

  w->concurrency = 1;
  world_begin(w);
  assert_int_equal(fr_gate_hold_file(w->gate, path, &count), FR_OK);
  run_one(w, id_of(9), FR_FATE_DELETED, FR_OK);
  w->park = true;
  first = start(w, id_of(1));
  second = start(w, id_of(2));
  third = start(w, id_of(3));
  turns(w, 4);
  world_unpark(w, &limited);
  turns(w, 4);
  assert_int_equal(w->deletes, 2);
  write_file(w, "h", line_of(2, ""));
  add_hold(w, id_of(3));
  fr_loop_turn(w->loop, -1);            /* sleeps to the end of the pause */
  settle_down(w);
  expect(first, FR_FATE_DELETED, FR_OK);
  expect(second, FR_FATE_HELD, FR_EHELD);
  expect(third, FR_FATE_HELD, FR_EHELD);
  assert_int_equal(w->deletes, 3);
  fr_deletion_free(first);
  fr_deletion_free(second);
  fr_deletion_free(third);
  remove_files(w, "h");
}

/* Words that no buffer takes whole, cut in the middle of a letter. */
static void a_long_reason_is_cut(void **state)
{
  struct world *w = *state;
  size_t size = (size_t)3 << 20, count, head;
  char *text = malloc(size), why[64];
  struct fr_deletion *held;
  const char *path, *words;
  struct fr_uuid id = id_of(1);
  enum fr_err err;

  assert_non_null(text);
  snprintf(text, size, "%s", line_of(1, ",x"));
  head = strlen(text) - 1;
  for (size_t i = head; i + 3 < size; i += 2)
    memcpy(text + i, "\xc3\xa4", 3);
  path = write_file(w, "h", text);
  free(text);
  world_begin(w);
  assert_int_equal(fr_gate_hold_file(w->gate, path, &count), FR_OK);
  assert_int_equal(fr_gate_preview(w->gate, &id, &err, why, sizeof(why)),
                   FR_FATE_HELD);
  assert_true(is_text(why));
  held = start(w, id);
  settle_down(w);
  expect(held, FR_FATE_HELD, FR_EHELD);
  words = fr_deletion_result(held)->message;
  assert_true(is_text(words));
  assert_int_equal(words[strlen(words) - 1], ')');
  assert_int_equal(events(w, "held"), 1);
  fr_deletion_free(held);
  remove_files(w, "h");
}

/* Bytes that are no UTF-8 end neither the run nor the ledger. */
static void a_reason_may_be_no_text(void **state)
{
  struct world *w = *state;
  const char *path = write_file(w, "h", line_of(1, ",\xff\xc3 \x1b[1m"));
  struct fr_deletion *held;
  size_t count;

  world_begin(w);
  assert_int_equal(fr_gate_hold_file(w->gate, path, &count), FR_OK);
  held = start(w, id_of(1));
  settle_down(w);
  expect(held, FR_FATE_HELD, FR_EHELD);
  assert_true(is_text(fr_deletion_result(held)->message));
  assert_int_equal(events(w, "held"), 1);
  assert_int_equal(fr_gate_stopped(w->gate), FR_OK);
  fr_deletion_free(held);
  remove_files(w, "h");
}

/* Two changes within one tick of the file system's clock leave the times as
 * they were; so does the second store to a page that is dirty already. */
static void a_change_that_leaves_the_times(void **state)
{
  struct world *w = *state;
  char path[128], *page;
  struct stat before, after;
  size_t count;
  int fd;

  world_begin(w);
  snprintf(path, sizeof(path), "%s", write_file(w, "h", line_of(8, "")));
  fd = open(path, O_RDWR | O_CLOEXEC);
  assert_true(fd >= 0);
  page = mmap(NULL, 37, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  assert_ptr_not_equal(page, MAP_FAILED);
  memcpy(page, line_of(9, ""), 37);
  assert_int_equal(fr_gate_hold_file(w->gate, path, &count), FR_OK);
  assert_int_equal(fstat(fd, &before), 0);
  memcpy(page, line_of(1, ""), 37);
  assert_int_equal(fstat(fd, &after), 0);
  assert_memory_equal(&before.st_ctim, &after.st_ctim,
                      sizeof(before.st_ctim));
  usleep(60000);
  run_one(w, id_of(1), FR_FATE_HELD, FR_EHELD);
  assert_int_equal(w->deletes, 0);
  munmap(page, 37);
  close(fd);
  remove_files(w, "h");
}

/* What looks like one and is not the file that was read. */
static void a_file_that_becomes_a_pipe(void **state)
{
  struct world *w = *state;
  char path[128];
  size_t count;

  world_begin(w);
  snprintf(path, sizeof(path), "%s", write_file(w, "h", line_of(9, "")));
  assert_int_equal(fr_gate_hold_file(w->gate, path, &count), FR_OK);
  run_one(w, id_of(1), FR_FATE_DELETED, FR_OK);
  assert_int_equal(unlink(path), 0);
  assert_int_equal(mkfifo(path, 0600), 0);
  run_one(w, id_of(2), FR_FATE_REFUSED, FR_ESTOPPED);
  assert_non_null(strstr(fr_gate_stop_sentence(w->gate), "is not a file"));
  assert_int_equal(w->deletes, 1);
  remove_files(w, "h");
}

/* Emptied: nothing is held less. Cut in a line: the run ends. */
static void a_file_that_is_truncated(void **state)
{
  struct world *w = *state;
  char path[128];
  size_t count;

  world_begin(w);
  snprintf(path, sizeof(path), "%s", write_file(w, "h", line_of(1, "")));
  assert_int_equal(fr_gate_hold_file(w->gate, path, &count), FR_OK);
  assert_int_equal(truncate(path, 0), 0);
  run_one(w, id_of(1), FR_FATE_HELD, FR_EHELD);
  run_one(w, id_of(2), FR_FATE_DELETED, FR_OK);
  write_file(w, "h", line_of(1, ""));
  assert_int_equal(truncate(path, 20), 0);
  run_one(w, id_of(3), FR_FATE_REFUSED, FR_ESTOPPED);
  assert_int_equal(w->deletes, 1);
  remove_files(w, "h");
}

static void sixty_four_files_and_no_more(void **state)
{
  struct world *w = *state;
  char name[16];
  size_t count;

  world_begin(w);
  for (unsigned i = 0; i < FR_HOLD_FILES_MAX; i++) {
    snprintf(name, sizeof(name), "h%u", i);
    assert_int_equal(fr_gate_hold_file(w->gate, write_file(w, name,
                                       line_of(i, "")), &count), FR_OK);
  }
  assert_int_equal(fr_gate_hold_file(w->gate, write_file(w, "h1",
                                     line_of(1, "")), &count), FR_OK);
  run_one(w, id_of(63), FR_FATE_HELD, FR_EHELD);
  run_one(w, id_of(64), FR_FATE_DELETED, FR_OK);
  stopped_by(w, write_file(w, "one-more", ""), "more than 64 files", 1);
}

static int find_policy(void *arg, const struct fr_event_row *row)
{
  size_t *n = arg;

  *n += !strcmp(row->kind, "intent") &&
        strstr(row->data, "\"policy\":\"flux-30d\"") != NULL;
  return 0;
}

static void an_intent_names_its_policy(void **state)
{
  struct world *w = *state;
  struct fr_deletion_spec spec = { .id = id_of(1), .reason = "r",
                                   .retries = -1, .policy = "flux-30d" };
  struct fr_event_filter filter = { 0 };
  struct fr_deletion *deletion;
  size_t n = 0;

  world_begin(w);
  deletion = start_spec(w, &spec);
  settle_down(w);
  expect(deletion, FR_FATE_DELETED, FR_OK);
  fr_deletion_free(deletion);
  run_one(w, id_of(2), FR_FATE_DELETED, FR_OK); /* of nobody's */
  assert_int_equal(events(w, "intent"), 2);
  assert_int_equal(fr_history_events(w->peer, &filter, find_policy, &n),
                   FR_OK);
  assert_int_equal(n, 1);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    WORLD_TEST(ids_of_a_file_are_held),
    WORLD_TEST(one_id_is_held),
    WORLD_TEST(a_grace_is_held_until_it_is_over),
    WORLD_TEST(no_file_no_deletion),
    WORLD_TEST(a_folder_is_no_file),
    WORLD_TEST(a_wrong_line_is_no_hold),
    WORLD_TEST(a_file_that_goes_stops_the_run),
    WORLD_TEST(what_was_held_stays_held),
    WORLD_TEST(a_hold_that_comes_while_it_waits),
    WORLD_TEST(an_id_that_is_held_while_it_waits),
    WORLD_TEST(a_hold_that_comes_while_all_sleep),
    WORLD_TEST(a_long_reason_is_cut),
    WORLD_TEST(a_reason_may_be_no_text),
    WORLD_TEST(a_change_that_leaves_the_times),
    WORLD_TEST(a_file_that_becomes_a_pipe),
    WORLD_TEST(a_file_that_is_truncated),
    WORLD_TEST(sixty_four_files_and_no_more),
    WORLD_TEST(an_intent_names_its_policy),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
