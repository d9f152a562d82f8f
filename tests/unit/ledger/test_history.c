/* Runs, events, and what verify finds. */
#include <inttypes.h>

#include "support.h"

/* A ledger with every kind of event in it, closed; its index is in the
 * middle of a round. */
static void tell_all(struct world *world)
{
  struct fr_uuid held = id_of(8), id = id_of(3);
  size_t index;

  open_run(world);
  world->ledger->index.least = 2;
  begin_run(world);
  begin(world);
  intend(world, 1);
  intend(world, 2);
  intend(world, 3);
  commit(world);
  begin(world);
  settle(world, 1, FR_STATE_DELETED, "https://f/a", NULL);
  settle(world, 2, FR_STATE_PARTIAL, "https://f/b", "busy");
  assert_int_equal(fr_ledger_unanswered(world->ledger, &id, "timeout", 1),
                   FR_OK);
  assert_int_equal(fr_ledger_generation(world->ledger, &id, 2), FR_OK);
  fr_ledger_skip(world->ledger, "held", &held, "held", "case 7");
  fr_ledger_skip(world->ledger, "refused", &held, "limit", "too many");
  commit(world);
  assert_int_equal(fr_ledger_run_end(world->ledger, 3, "{\"partial\":1}"),
                   FR_OK);
  assert_int_equal(fr_hold_add(world->ledger, &held, 1, "case 7"), FR_OK);
  assert_int_equal(fr_hold_add(world->ledger, &id, 1, "case 7"), FR_OK);
  assert_int_equal(fr_hold_remove(world->ledger, &id, 1, &index), FR_OK);
  begin_run(world);
  begin(world);
  assert_int_equal(fr_ledger_intend(world->ledger, &(struct fr_intent) {
    .id = id_of(4), .key = "mine", .user_key = true, .ended_at_ms = -1 }),
    FR_OK);
  commit(world);
  fr_ledger_close(world->ledger);
  world->ledger = NULL;
}

#define EVENTS 17

static int first_run(void *arg, const struct fr_run_row *row)
{
  char *text = arg;

  snprintf(text + strlen(text), 400 - strlen(text),
           "%d %s %s %s exit %d %s %s %d\n", (int)row->run, row->command,
           row->policy, row->policy_sha256, row->exit_code, row->options,
           row->summary ? row->summary : "-", row->ended_at_ms != 0);
  return 0;
}

static void test_runs_come_newest_first(void **state)
{
  struct world *world = *state;
  char text[400] = "";

  tell_all(world);
  world->ledger = open_as(world, FR_LEDGER_READ);
  assert_int_equal(fr_history_runs(world->ledger, 10, first_run, text),
                   FR_OK);
  assert_string_equal(text, "2 run p.lua ab exit -1 {\"max_deletes\":5} - 0\n"
                      "1 run p.lua ab exit 3 {\"max_deletes\":5} "
                      "{\"partial\":1} 1\n");
  text[0] = '\0';
  assert_int_equal(fr_history_runs(world->ledger, 1, first_run, text),
                   FR_OK);
  assert_memory_equal(text, "2 run", 5);
  assert_null(strstr(text, "1 run"));
}

static int count_event(void *arg, const struct fr_event_row *row)
{
  int64_t *count = arg;

  assert_true(row->data[0] == '{');
  return ++*count == 1000;
}

static int64_t count(struct world *world, int64_t run,
                     const struct fr_uuid *id)
{
  struct fr_event_filter filter = { .run = run, .id = id };
  int64_t found = 0;

  assert_int_equal(fr_history_events(world->ledger, &filter, count_event,
                                     &found), FR_OK);
  return found;
}

static void test_events_by_run_and_id(void **state)
{
  struct world *world = *state;
  struct fr_uuid id = id_of(3), none = id_of(99);

  tell_all(world);
  world->ledger = open_as(world, FR_LEDGER_READ);
  assert_int_equal(count(world, 0, NULL), EVENTS);
  assert_int_equal(count(world, 1, NULL), 11);
  assert_int_equal(count(world, 2, NULL), 2);
  assert_int_equal(count(world, 3, NULL), 0);
  assert_int_equal(count(world, 0, &id), 5);
  assert_int_equal(count(world, 1, &id), 3);
  assert_int_equal(count(world, 0, &none), 0);
}

static void test_events_are_read_in_pages(void **state)
{
  struct world *world = *state;
  struct fr_uuid id = id_of(3);
  struct fr_event_filter all = { .after_seq = 5 }, run = all, one = all;
  int64_t found = 0;

  tell_all(world);
  run.run = 1;
  one.id = &id;
  world->ledger = open_as(world, FR_LEDGER_READ);
  fr_history_events(world->ledger, &all, count_event, &found);
  assert_int_equal(found, EVENTS - 5);
  fr_history_events(world->ledger, &run, count_event, &found);
  assert_int_equal(found, EVENTS - 5 + 7);
  fr_history_events(world->ledger, &one, count_event, &found);
  assert_int_equal(found, EVENTS - 5 + 7 + 4);
}

static void test_run_misuse_is_refused(void **state)
{
  struct world *world = *state;
  struct fr_run_spec spec = { .command = "run", .options = "[1]" };
  int64_t run = 7;

  open_run(world);
  assert_int_equal(fr_ledger_run_end(world->ledger, 0, NULL), FR_EINVALID);
  assert_int_equal(fr_ledger_run_begin(world->ledger, &spec, &run),
                   FR_EINVALID);
  spec.options = "{\"a\":";
  assert_int_equal(fr_ledger_run_begin(world->ledger, &spec, &run),
                   FR_EINVALID);
  assert_int_equal(run, 7);
  spec.options = NULL;
  assert_int_equal(fr_ledger_run_begin(world->ledger, &spec, &run), FR_OK);
  assert_int_equal(fr_ledger_run_begin(world->ledger, &spec, &run),
                   FR_EINVALID);
  assert_int_equal(run, 1);
}

/* ---- the chain ----------------------------------------------------------- */

static void test_an_untouched_ledger_verifies(void **state)
{
  struct world *world = *state;
  struct fr_chain chain;

  tell_all(world);
  world->ledger = open_as(world, FR_LEDGER_READ);
  assert_int_equal(fr_history_verify(world->ledger, &chain), FR_OK);
  assert_int_equal(chain.events, EVENTS);
  assert_int_equal(chain.broken_seq, 0);
  assert_int_equal(number_of(world->ledger, "SELECT count(DISTINCT kind)"
                             " FROM events"), 11);
}

static void test_two_ledgers_differ(void **state)
{
  struct world *world = *state;
  struct fr_chain one, two;

  assert_int_equal(try_open(world, ":memory:", FR_LEDGER_RUN, ORIGIN,
                            &world->ledger), FR_OK);
  assert_int_equal(fr_history_verify(world->ledger, &one), FR_OK);
  fr_ledger_close(world->ledger);
  assert_int_equal(try_open(world, ":memory:", FR_LEDGER_RUN, ORIGIN,
                            &world->ledger), FR_OK);
  assert_int_equal(fr_history_verify(world->ledger, &two), FR_OK);
  assert_int_equal(two.events, 1);
  assert_memory_not_equal(one.head, two.head, sizeof(one.head));
}

/* The format is a promise: this hash was made by docs/ledger.md's script. */
static void test_the_hash_is_as_documented(void **state)
{
  static const uint8_t before[32];
  struct fr_event_row event = {
    .seq = 1, .run = 0, .at_ms = AT0, .kind = "hold_add", .has_id = true,
    .data = "{\"reason\":\"case 7\"}"
  };
  uint8_t hash[32];
  char text[FR_SHA256_TEXT];

  (void)state;
  event.id = id_of(1);
  assert_int_equal(fr_event_hash(&event, before, hash), FR_OK);
  fr_hex(hash, sizeof(hash), text);
  assert_string_equal(text, "57398a0040781a0746c72ab7badecc96"
                      "f2eb39307284685de775c848c949a816");
  event.has_id = false;
  assert_int_equal(fr_event_hash(&event, before, hash), FR_OK);
  fr_hex(hash, sizeof(hash), text);
  assert_string_equal(text, "d821b615c6d0aa992b7609e26bc333ec"
                      "4c011eb8a2d72a132fce3932b77440f5");
}

/* A gap, though every hash was made to fit. */
static void test_a_gap_does_not_fit(void **state)
{
  struct world *world = *state;
  uint8_t hash[32];
  struct fr_chain chain = { .events = 1 };
  struct fr_event_row event = {
    .seq = 3, .kind = "held", .data = "{}", .hash = hash
  };

  open_run(world);
  assert_int_equal(fr_event_hash(&event, chain.head, hash), FR_OK);
  assert_int_equal(fr_event_check(world->ledger, &event, &chain),
                   FR_ECORRUPT);
  assert_int_equal(chain.broken_seq, 3);
  chain.events = 2;
  assert_int_equal(fr_event_check(world->ledger, &event, &chain), FR_OK);
}

static void test_events_cannot_be_changed_by_accident(void **state)
{
  struct world *world = *state;

  open_run(world);
  assert_int_not_equal(fr_sql_exec(world->ledger, "UPDATE events SET run=9"),
                       FR_OK);
  assert_int_not_equal(fr_sql_exec(world->ledger, "DELETE FROM events"),
                       FR_OK);
}

#define OPEN_UP "DROP TRIGGER events_never_change;" \
                "DROP TRIGGER events_never_go;"

/* As they were: verify looks at triggers too. */
#define CLOSE_UP ";CREATE TRIGGER events_never_change BEFORE UPDATE ON events" \
                 " BEGIN SELECT RAISE(ABORT, 'events are never changed');" \
                 " END;CREATE TRIGGER events_never_go BEFORE DELETE ON" \
                 " events BEGIN SELECT RAISE(ABORT, 'events are never" \
                 " deleted'); END;"

static const char *const in_events[] = {
  "UPDATE events SET run = run + 1 WHERE seq = %d",
  "UPDATE events SET at_ms = at_ms + 1 WHERE seq = %d",
  "UPDATE events SET kind = kind || 'x' WHERE seq = %d",
  "UPDATE events SET request_id = x'764cabcfb7454b3eae38000000000063'"
  " WHERE seq = %d",
  "UPDATE events SET request_id = x'00' WHERE seq = %d",
  "UPDATE events SET data = replace(data, '{', '{ ') WHERE seq = %d",
  "UPDATE events SET data = data || char(0) || 'x' WHERE seq = %d",
  "UPDATE events SET hash = zeroblob(32) WHERE seq = %d",
  "UPDATE events SET hash = zeroblob(31) WHERE seq = %d",
  "DELETE FROM events WHERE seq = %d",
  "UPDATE events SET seq = -%1$d WHERE seq = %1$d",
  "UPDATE events SET seq = 100 + %1$d WHERE seq = %1$d"
};

static const char *const in_tables[] = {
  "UPDATE meta SET value = 'https://x' WHERE key = 'origin'",
  "DELETE FROM meta WHERE key = 'created_at_ms'",
  "UPDATE runs SET exit_code = 0 WHERE run = 1",
  "UPDATE runs SET summary = '{}' WHERE run = 1",
  "UPDATE runs SET policy = NULL WHERE run = 1",
  "DELETE FROM runs WHERE run = 2",
  "UPDATE deletions SET state = 'deleted' WHERE state = 'partial'",
  "UPDATE deletions SET generation = 9 WHERE state = 'open'",
  "UPDATE deletions SET unanswered = 0", "DELETE FROM deletions",
  "UPDATE deletions SET key_at_ms = 0", "DELETE FROM holds",
  "UPDATE deletions SET intent_seq = intent_seq + 20", "UPDATE holds SET reason = 'x'",
  "UPDATE deletions SET outcome_seq = NULL", "DELETE FROM residue",
  "INSERT INTO holds VALUES(zeroblob(16), 1, 'x')",
  "UPDATE residue SET exception = ''", "DELETE FROM user_keys",
  "UPDATE user_keys SET request_id = zeroblob(16)",
  "DELETE FROM ids", "INSERT INTO ids VALUES(zeroblob(16), 3)",
  "DELETE FROM ids WHERE intent_seq = 4",
  "UPDATE ids SET intent_seq = 4 WHERE intent_seq = 3",
  "UPDATE ids SET request_id = zeroblob(16) WHERE intent_seq = 4",
  "INSERT INTO ids SELECT request_id, intent_seq FROM deletions"
  " WHERE state = 'open' AND request_id NOT IN (SELECT request_id FROM ids)",
  "DELETE FROM left_open", "INSERT INTO left_open VALUES(3)",
  "UPDATE left_open SET intent_seq = 4", "DELETE FROM mentions",
  "DELETE FROM mentions WHERE seq = 8", "UPDATE mentions SET seq = seq + 30",
  "INSERT INTO mentions VALUES(zeroblob(16), 1)",
  "UPDATE mentions SET request_id = zeroblob(16) WHERE seq = 8",
  "DELETE FROM indexing", "INSERT INTO indexing VALUES(0, 0, x'')",
  "UPDATE indexing SET seq = 3, next_seq = 3",
  "UPDATE indexing SET seq = 17, next_seq = 17",
  "UPDATE indexing SET seq = 1000, next_seq = 1000",
  "UPDATE indexing SET seq = -1", "UPDATE indexing SET next_id = zeroblob(16)"
};

/* Changes a copy of the ledger; verify must find it, in the chain or else in
 * a table. */
static void forge_with(struct world *world, const char *copy,
                       const char *sql, bool chained)
{
  struct fr_chain chain = { .broken_seq = -1 };
  struct fr_ledger *ledger = NULL;
  static char data[1 << 20];
  enum fr_err err;

  write_all(copy, data, read_all(world->path, data, sizeof(data)));
  tamper(copy, sql);
  assert_int_equal(try_open(world, copy, FR_LEDGER_READ, NULL, &ledger),
                   FR_OK);
  err = fr_history_verify(ledger, &chain);
  if (err != FR_ECORRUPT || (chain.broken_seq != 0) != chained)
    print_error("not found: %s (%s, %" PRId64 ")\n", sql, fr_err_name(err),
                chain.broken_seq);
  assert_int_equal(err, FR_ECORRUPT);
  assert_int_equal(chain.broken_seq != 0, chained);
  fr_ledger_close(ledger);
}

static void forge(struct world *world, const char *copy, const char *sql,
                  bool chained)
{
  char full[1024];

  snprintf(full, sizeof(full), "%s%s%s", OPEN_UP, sql, CLOSE_UP);
  forge_with(world, copy, full, chained);
}

/* Opened up and closed again it fits; so what is found is the forgery. */
static void test_the_schema_is_a_part_of_it(void **state)
{
  static const char *const changes[] = {
    "DROP TRIGGER events_never_go", "DROP INDEX changes_open",
    "CREATE VIEW mine AS SELECT 1",
    "ALTER TABLE changes RENAME COLUMN outcome_seq TO outcome",
    "CREATE TRIGGER mine AFTER INSERT ON holds BEGIN DELETE FROM holds; END"
  };
  struct world *world = *state;
  struct fr_ledger *ledger = NULL;
  struct fr_chain chain;
  size_t i;

  tell_all(world);
  tamper(world->path, OPEN_UP CLOSE_UP);
  assert_int_equal(try_open(world, world->path, FR_LEDGER_READ, NULL,
                            &ledger), FR_OK);
  assert_int_equal(fr_history_verify(ledger, &chain), FR_OK);
  fr_ledger_close(ledger);
  for (i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
    char copy[256];

    snprintf(copy, sizeof(copy), "%s/copy%d.db", world->folder, (int)i);
    forge_with(world, copy, changes[i], false);
  }
}

static void test_every_change_of_an_event_is_found(void **state)
{
  struct world *world = *state;
  char copy[256], sql[256];
  size_t i;
  int seq;

  tell_all(world);
  snprintf(copy, sizeof(copy), "%s/copy.db", world->folder);
  for (i = 0; i < sizeof(in_events) / sizeof(in_events[0]); i++)
    for (seq = 1; seq <= EVENTS; seq++) {
      char *text = NULL;

      /* The last event, gone: only the tables and a checkpoint know. */
      if (i == 9 && seq == EVENTS)
        continue;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
      assert_true(asprintf(&text, in_events[i], seq) > 0);
#pragma GCC diagnostic pop
      snprintf(sql, sizeof(sql), "%s", text);
      free(text);
      forge(world, copy, sql, true);
    }
}

static void test_every_change_of_a_table_is_found(void **state)
{
  struct world *world = *state;
  char copy[256], sql[256];
  size_t i;

  tell_all(world);
  snprintf(copy, sizeof(copy), "%s/copy.db", world->folder);
  for (i = 0; i < sizeof(in_tables) / sizeof(in_tables[0]); i++)
    forge(world, copy, in_tables[i], false);
  snprintf(sql, sizeof(sql), "DELETE FROM events WHERE seq = %d", EVENTS);
  forge(world, copy, sql, false);
  forge(world, copy, "DELETE FROM events", false);
  forge(world, copy, "DELETE FROM events; UPDATE meta SET value ="
        " NULL; DELETE FROM runs; DELETE FROM deletions;"
        " DELETE FROM holds; DELETE FROM residue;"
        " DELETE FROM user_keys", false);
}

static void test_a_run_refuses_a_forged_tail(void **state)
{
  struct world *world = *state;

  tell_all(world);
  tamper(world->path, OPEN_UP "UPDATE events SET at_ms = 1 WHERE seq = 2");
  assert_int_equal(try_open(world, world->path, FR_LEDGER_RUN, ORIGIN,
                            &world->ledger), FR_ECORRUPT);
  assert_non_null(strstr(fr_buf_text(&world->why), "event 2"));
  tamper(world->path, "DELETE FROM events");
  assert_int_equal(try_open(world, world->path, FR_LEDGER_RUN, ORIGIN,
                            &world->ledger), FR_ECORRUPT);
}

static void test_a_run_checks_the_last_ten_thousand(void **state)
{
  struct world *world = *state;
  unsigned i;

  open_run(world);
  begin(world);
  for (i = 0; i < 10050; i++)
    assert_int_equal(intend(world, i), FR_OK);
  commit(world);
  fr_ledger_close(world->ledger);
  world->ledger = NULL;
  tamper(world->path, OPEN_UP "UPDATE events SET at_ms = 1 WHERE seq = 51");
  open_run(world);              /* seq 51 of 10,051 is the one before */
  fr_ledger_close(world->ledger);
  world->ledger = NULL;
  tamper(world->path, "UPDATE events SET at_ms = 1 WHERE seq = 52");
  assert_int_equal(try_open(world, world->path, FR_LEDGER_RUN, ORIGIN,
                            &world->ledger), FR_ECORRUPT);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    TEST(test_runs_come_newest_first), TEST(test_events_by_run_and_id),
    TEST(test_events_are_read_in_pages),
    TEST(test_run_misuse_is_refused),
    TEST(test_an_untouched_ledger_verifies), TEST(test_two_ledgers_differ),
    TEST(test_the_hash_is_as_documented),
    TEST(test_a_gap_does_not_fit),
    TEST(test_events_cannot_be_changed_by_accident),
    TEST(test_the_schema_is_a_part_of_it),
    TEST(test_every_change_of_an_event_is_found),
    TEST(test_every_change_of_a_table_is_found),
    TEST(test_a_run_refuses_a_forged_tail),
    TEST(test_a_run_checks_the_last_ten_thousand)
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
