/* story.c - see story.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../unit/ledger/format1.h"
#include "story.h"
#include "tap.h"

#define ORIGIN "https://api.fal.ai"

void story_must(bool fine, const char *what, int line)
{
  if (fine)
    return;
  fprintf(stderr, "power: line %d of the story: %s\n", line, what);
  exit(2);
}

struct fr_uuid story_id(unsigned number)
{
  struct fr_uuid id = { { 0x76, 0x4c, 0xab, 0xcf, 0xb7, 0x45, 0x4b, 0x3e,
                          0xae, 0x38 } };

  number *= 2654435761u;        /* in no order */
  id.bytes[12] = (uint8_t)(number >> 24);
  id.bytes[13] = (uint8_t)(number >> 16);
  id.bytes[14] = (uint8_t)(number >> 8);
  id.bytes[15] = (uint8_t)number;
  return id;
}

/* ---- opening, and what was promised -------------------------------------- */

static void lower(const struct story *story, struct fr_ledger *ledger)
{
  char sql[64];

  if (!story->level)
    return;
  snprintf(sql, sizeof(sql), "PRAGMA synchronous = %s", story->level);
  MUST(fr_sql_exec(ledger, sql) == FR_OK);
}

void story_place(struct story *story, const char *root)
{
  snprintf(story->path, sizeof(story->path), "%s/%s", root, story->name);
}

enum fr_err story_open(struct story *story, enum fr_ledger_access access,
                       struct fr_ledger **ret_ledger)
{
  struct fr_ledger_config config = {
    .path = story->path, .access = access, .origin = ORIGIN,
    .clock = &story->clock
  };
  struct fr_buf why;
  enum fr_err err;

  fr_buf_init(&why, 2048);
  err = fr_ledger_open(&config, &why, ret_ledger);
  if (err)
    fprintf(stderr, "  %s\n", fr_buf_text(&why));
  fr_buf_done(&why);
  return err;
}

static struct promise *note(struct story *story, struct fr_ledger *ledger)
{
  struct promise *promise = &story->promises[story->npromises];
  sqlite3_stmt *row = NULL;

  MUST(story->npromises < PROMISES);
  MUST(sqlite3_prepare_v2(ledger->db, "SELECT seq, hash FROM events"
                          " ORDER BY seq DESC LIMIT 1", -1, &row, NULL) == 0);
  MUST(sqlite3_step(row) == SQLITE_ROW);
  promise->seq = sqlite3_column_int64(row, 0);
  memcpy(promise->hash, sqlite3_column_blob(row, 1), FR_SHA256_SIZE);
  promise->intents = story->nintents;
  promise->seen = true;
  story->npromises++;
  sqlite3_finalize(row);
  return promise;
}

static void told(struct story *story, struct fr_ledger *ledger)
{
  note(story, ledger)->seen = false;
  tap_told(story->npromises - 1);
}

static void begin_run(struct story *story)
{
  struct fr_run_spec spec = { .command = "run", .policy = "p.lua",
                              .options = "{\"max_deletes\":5}" };
  int64_t run;

  MUST(story_open(story, FR_LEDGER_RUN, &story->ledger) == FR_OK);
  lower(story, story->ledger);
  story->ledger->index.least = 20;
  MUST(fr_sql_exec(story->ledger, "PRAGMA wal_autocheckpoint = 40") == FR_OK);
  (void)note(story, story->ledger);
  MUST(fr_ledger_run_begin(story->ledger, &spec, &run) == FR_OK);
  told(story, story->ledger);
}

static void end_run(struct story *story)
{
  MUST(fr_ledger_run_end(story->ledger, 0, "{\"deleted\":1}") == FR_OK);
  told(story, story->ledger);
  fr_ledger_close(story->ledger);
  story->ledger = NULL;
}

/* ---- groups -------------------------------------------------------------- */

static void intend(struct story *story, unsigned number)
{
  struct fr_intent intent = {
    .id = story_id(number), .reason = "30 day rule", .key = "falrun-key",
    .ended_at_ms = 1690000000000
  };

  MUST(story->nintents < INTENTS);
  MUST(fr_ledger_intend(story->ledger, &intent) == FR_OK);
  story->intents[story->nintents++] = number;
}

static void settle(struct story *story, unsigned number)
{
  struct fr_file_result file = { "https://v3.fal.media/files/a/b.png",
                                 number % 5 ? NULL : "busy" };
  struct fr_outcome outcome = {
    .id = story_id(number), .evidence = "answered", .http_status = 200,
    .state = number % 5 ? FR_STATE_DELETED : FR_STATE_PARTIAL,
    .attempts = 1, .files = &file, .nfiles = 1
  };
  struct fr_uuid id = story_id(number);
  enum fr_state state;

  if (number % 7 == 0)
    MUST(fr_ledger_unanswered(story->ledger, &id, "timeout", 1) == FR_OK);
  if (number % 7 == 0)
    MUST(fr_ledger_generation(story->ledger, &id, 2) == FR_OK);
  if (number % 11 != 0)         /* else it stays open */
    MUST(fr_ledger_outcome(story->ledger, &outcome, &state) == FR_OK);
}

/* Outcomes of the group before, then the next intents. */
static void group(struct story *story, unsigned count)
{
  struct fr_uuid held = story_id(90000);
  unsigned i;

  MUST(fr_ledger_begin(story->ledger) == FR_OK);
  for (; story->settled < story->nintents; story->settled++)
    settle(story, story->intents[story->settled]);
  for (i = 0; i < count; i++)
    intend(story, story->next++);
  MUST(fr_ledger_skip(story->ledger, "held", &held, "held", "x") == FR_OK);
  MUST(fr_ledger_commit(story->ledger) == FR_OK);
  told(story, story->ledger);
}

/* From another connection, as `falrun hold add` has it. */
static void hold(struct story *story, unsigned number)
{
  struct fr_uuid id = story_id(80000 + number);
  struct fr_ledger *other = NULL;
  size_t index;

  MUST(story_open(story, FR_LEDGER_HOLD, &other) == FR_OK);
  lower(story, other);
  MUST(fr_hold_add(other, &id, 1, "case 7") == FR_OK);
  told(story, other);
  if (number % 2) {
    MUST(fr_hold_remove(other, &id, 1, &index) == FR_OK);
    told(story, other);
  }
  fr_ledger_close(other);
}

static void facts(struct story *story, unsigned number)
{
  static const char *const links[] = { "https://v3.fal.media/files/a/b.png" };
  struct fr_uuid id = story_id(story->intents[0]);
  struct fr_looked looked = { "fal-ai/flux", number, number + 1000, 5 };
  struct fr_quarantine quarantine = {
    .id = story_id(70000 + number), .files = links, .nfiles = 1,
    .delete_after_ms = 1800000000000
  };
  struct fr_act_note note = { .operation = "keys.create", .method = "POST",
                              .path = "/keys", .target = "key k" };
  struct fr_act_end end = { .state = FR_ACT_DONE, .evidence = "answered",
                            .http_status = 200, .attempts = 1 };

  MUST(fr_ledger_looked(story->ledger, &looked) == FR_OK);
  told(story, story->ledger);
  MUST(fr_ledger_quarantine(story->ledger, &quarantine) == FR_OK);
  told(story, story->ledger);
  MUST(fr_ledger_inputs(story->ledger, &id, links, 1) == FR_OK);
  told(story, story->ledger);
  MUST(fr_ledger_begin(story->ledger) == FR_OK);
  MUST(fr_ledger_act(story->ledger, &note, &end.seq) == FR_OK);
  MUST(fr_ledger_commit(story->ledger) == FR_OK);
  told(story, story->ledger);
  MUST(fr_ledger_begin(story->ledger) == FR_OK);
  MUST(fr_ledger_act_end(story->ledger, &end) == FR_OK);
  MUST(fr_ledger_commit(story->ledger) == FR_OK);
  told(story, story->ledger);
}

static void checkpoint(struct story *story, const char *how)
{
  char sql[64];

  snprintf(sql, sizeof(sql), "PRAGMA wal_checkpoint(%s)", how);
  MUST(fr_sql_exec(story->ledger, sql) == FR_OK);
}

/* ---- stories ------------------------------------------------------------- */

static void one_run(struct story *story, unsigned groups)
{
  unsigned i;

  begin_run(story);
  for (i = 0; i < groups; i++) {
    group(story, 3 + i * 5 % 17);
    if (i % 3 == 1)
      hold(story, i);
    if (i % 4 == 2 && !story->plain)
      facts(story, i);
    if (i % 5 == 3)
      checkpoint(story, i % 2 ? "RESTART" : "TRUNCATE");
  }
}

void story_life(struct story *story)
{
  story->name = "state/ledger.db";
  story_place(story, story->root);
  tap_begin(story->root);
  one_run(story, 11);
  end_run(story);
  hold(story, 98);              /* alone: it opens and closes the WAL */
  one_run(story, 6);
  end_run(story);
  tap_end();
}

void story_next(struct story *story)
{
  one_run(story, 4);
  end_run(story);
  tap_end();
}

static void tamper(const char *path, const char *sql)
{
  sqlite3 *db = NULL;

  MUST(sqlite3_open(path, &db) == SQLITE_OK);
  MUST(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK);
  sqlite3_close(db);
}

static void turn_back(struct story *story, int format)
{
  char old[300], sql[6000];

  if (format == 2) {
    tamper(story->path, FORMAT_2_FROM_3);
    return;
  }
  snprintf(old, sizeof(old), "%s.old", story->path);
  snprintf(sql, sizeof(sql), FORMAT_1_FROM, story->path);
  tamper(old, sql);
  MUST(rename(old, story->path) == 0);
}

void story_old(struct story *story, int format)
{
  const char *level = story->level;

  story->name = "ledger.db";
  story_place(story, story->root);
  story->level = NULL;
  story->plain = true;          /* the older ones had no such events */
  one_run(story, 5);
  end_run(story);
  turn_back(story, format);
  story->plain = false;
  story->old = true;
  story->level = level;
  story->promises[0] = story->promises[story->npromises - 1];
  story->npromises = 1;
  tap_begin(story->root);
  tap_told(0);
  one_run(story, 3);
  end_run(story);
  tap_end();
}
