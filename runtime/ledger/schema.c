/* ledger/schema.c - the tables, and how older ones become newer ones.
 *
 * `steps` is the history of the format: step n leads from user_version n to
 * n + 1, and a released step is never edited. All pending steps, and the
 * genesis event of a new ledger, are one transaction, so that a ledger is
 * never half made.
 *
 * The events are an append-only log by number, and so are, since format 2,
 * the deletions. An index on random ids costs a page for each row; the ids
 * are brought into `ids` in sorted rounds instead (merge.c), and most events
 * need no index at all: intent and outcome are known to the deletion, and
 * what else mentions an id is rare (`mentions`). Everything that the event
 * of the intent knows (key, reason, run) is read from there and not stored
 * twice.
 */
#include <inttypes.h>

#include "ledger/event.h"

static const char *const steps[] = {
  "CREATE TABLE meta("
  " key TEXT PRIMARY KEY, value TEXT) STRICT, WITHOUT ROWID;"
  "CREATE TABLE events("
  " seq INTEGER PRIMARY KEY, run INTEGER NOT NULL,"
  " at_ms INTEGER NOT NULL, kind TEXT NOT NULL, request_id BLOB,"
  " data TEXT NOT NULL, hash BLOB NOT NULL) STRICT;"
  "CREATE INDEX events_by_id ON events(request_id)"
  " WHERE request_id IS NOT NULL;"
  "CREATE TRIGGER events_never_change BEFORE UPDATE ON events BEGIN"
  " SELECT RAISE(ABORT, 'events are never changed'); END;"
  "CREATE TRIGGER events_never_go BEFORE DELETE ON events BEGIN"
  " SELECT RAISE(ABORT, 'events are never deleted'); END;"
  "CREATE TABLE runs("
  " run INTEGER PRIMARY KEY, begin_seq INTEGER NOT NULL, end_seq INTEGER,"
  " began_at_ms INTEGER NOT NULL, ended_at_ms INTEGER, exit_code INTEGER,"
  " command TEXT, policy TEXT, policy_sha256 TEXT, options TEXT,"
  " summary TEXT) STRICT;"
  "CREATE TABLE deletions("
  " request_id BLOB NOT NULL UNIQUE, state TEXT NOT NULL,"
  " intent_seq INTEGER NOT NULL, outcome_seq INTEGER,"
  " generation INTEGER NOT NULL, key_at_ms INTEGER NOT NULL,"
  " unanswered INTEGER NOT NULL) STRICT;"
  "CREATE INDEX deletions_open ON deletions(intent_seq)"
  " WHERE state = 'open';"
  "CREATE TABLE holds("
  " request_id BLOB NOT NULL UNIQUE, at_ms INTEGER NOT NULL,"
  " reason TEXT) STRICT;"
  "CREATE TABLE residue("
  " request_id BLOB NOT NULL, link TEXT NOT NULL,"
  " exception TEXT NOT NULL, PRIMARY KEY(request_id, link))"
  " STRICT, WITHOUT ROWID;"
  "CREATE TABLE user_keys("
  " key TEXT PRIMARY KEY, request_id BLOB NOT NULL)"
  " STRICT, WITHOUT ROWID;",

  "ALTER TABLE deletions RENAME TO deletions_1;"
  "CREATE TABLE deletions("
  " request_id BLOB NOT NULL, state TEXT NOT NULL,"
  " intent_seq INTEGER PRIMARY KEY, outcome_seq INTEGER,"
  " generation INTEGER NOT NULL, key_at_ms INTEGER NOT NULL,"
  " unanswered INTEGER NOT NULL) STRICT;"
  "INSERT INTO deletions SELECT request_id, state, intent_seq, outcome_seq,"
  " generation, key_at_ms, unanswered FROM deletions_1 ORDER BY intent_seq;"
  "DROP TABLE deletions_1;"
  "CREATE TABLE ids("
  " request_id BLOB PRIMARY KEY, intent_seq INTEGER NOT NULL)"
  " STRICT, WITHOUT ROWID;"
  "INSERT INTO ids SELECT request_id, intent_seq FROM deletions"
  " ORDER BY request_id;"
  "CREATE TABLE left_open(intent_seq INTEGER PRIMARY KEY) STRICT;"
  "INSERT INTO left_open SELECT intent_seq FROM deletions"
  " WHERE state = 'open' ORDER BY intent_seq;"
  "CREATE TABLE indexing("
  " seq INTEGER NOT NULL, next_seq INTEGER NOT NULL,"
  " next_id BLOB NOT NULL) STRICT;"
  "INSERT INTO indexing SELECT coalesce(max(seq), 0),"
  " coalesce(max(seq), 0), x'' FROM events;"
  "CREATE TABLE mentions("
  " request_id BLOB NOT NULL, seq INTEGER NOT NULL,"
  " PRIMARY KEY(request_id, seq)) STRICT, WITHOUT ROWID;"
  "INSERT INTO mentions SELECT e.request_id, e.seq FROM events e"
  " LEFT JOIN ids i ON i.request_id = e.request_id"
  " LEFT JOIN deletions d ON d.intent_seq = i.intent_seq"
  " WHERE e.request_id IS NOT NULL AND e.seq IS NOT d.intent_seq"
  " AND e.seq IS NOT d.outcome_seq ORDER BY e.request_id, e.seq;"
  "DROP INDEX IF EXISTS events_by_id;",

  "CREATE TABLE changes("
  " seq INTEGER PRIMARY KEY, run INTEGER NOT NULL, state TEXT NOT NULL,"
  " outcome_seq INTEGER) STRICT;"
  "CREATE INDEX changes_open ON changes(seq) WHERE state = 'open';"
  "CREATE TABLE looked("
  " endpoint_id TEXT NOT NULL, from_ms INTEGER NOT NULL,"
  " to_ms INTEGER NOT NULL, run INTEGER NOT NULL,"
  " PRIMARY KEY(endpoint_id, from_ms, to_ms)) STRICT, WITHOUT ROWID;"
  "CREATE TABLE quarantined("
  " request_id BLOB PRIMARY KEY, at_ms INTEGER NOT NULL,"
  " delete_after_ms INTEGER NOT NULL, seq INTEGER NOT NULL)"
  " STRICT, WITHOUT ROWID;"
  "CREATE TABLE input_files("
  " request_id BLOB NOT NULL, link TEXT NOT NULL, seq INTEGER NOT NULL,"
  " PRIMARY KEY(request_id, link)) STRICT, WITHOUT ROWID;"
};

int fr_schema_newest(void)
{
  return (int)(sizeof(steps) / sizeof(steps[0]));
}

/* What a file says of itself. */
struct format {
  int64_t version, application, tables;
};

/* All three from one snapshot: others may be creating the ledger. */
static enum fr_err read_format(struct fr_ledger *ledger,
                               struct format *ret_format)
{
  enum fr_err err = fr_sql_exec(ledger, "SAVEPOINT format");

  if (err)
    return err;
  err = fr_sql_number(ledger, "PRAGMA user_version", &ret_format->version);
  if (!err)
    err = fr_sql_number(ledger, "PRAGMA application_id",
                        &ret_format->application);
  if (!err)
    err = fr_sql_number(ledger, "SELECT count(*) FROM sqlite_schema",
                        &ret_format->tables);
  if (err)
    (void)sqlite3_exec(ledger->db, "RELEASE format", NULL, NULL, NULL);
  else
    err = fr_sql_exec(ledger, "RELEASE format");
  return err;
}

/* 0 for a database without a single table. */
enum fr_err fr_schema_version(struct fr_ledger *ledger, int64_t *ret_version)
{
  struct format has = { 0 };
  enum fr_err err = read_format(ledger, &has);

  if (err)
    return err;
  if (has.application != FR_SCHEMA_APPLICATION &&
      (has.application || has.tables))
    return fr_ledger_fail(ledger, FR_ECORRUPT, "%s is a database of another "
                          "program, not a ledger of falrun", ledger->path);
  if (has.version > fr_schema_newest())
    return fr_ledger_fail(ledger, FR_EIO, "the ledger %s was written by a "
                          "newer falrun (format %" PRId64 ", this one knows "
                          "%d); use that one", ledger->path, has.version,
                          fr_schema_newest());
  if (has.version < 0 || (has.version == 0) != (has.tables == 0))
    return fr_ledger_fail(ledger, FR_ECORRUPT, "the ledger %s is damaged: "
                          "its format says %" PRId64, ledger->path,
                          has.version);
  *ret_version = has.version;
  return FR_OK;
}

enum fr_err fr_schema_build(struct fr_ledger *ledger, int64_t from)
{
  enum fr_err err = FR_OK;
  char *sql;

  for (; !err && from < fr_schema_newest(); from++)
    err = fr_sql_exec(ledger, steps[from]);
  if (err)
    return err;
  sql = sqlite3_mprintf("PRAGMA application_id = %d;"
                        "PRAGMA user_version = %d",
                        FR_SCHEMA_APPLICATION, fr_schema_newest());
  err = sql ? fr_sql_exec(ledger, sql) : FR_ENOMEM;
  sqlite3_free(sql);
  return err;
}

static enum fr_err add_genesis(struct fr_ledger *ledger)
{
  char text[FR_UUID_TEXT];
  struct fr_data data;
  struct fr_uuid id;
  enum fr_err err = fr_uuid_random(&id);

  if (err)
    return fr_ledger_fail(ledger, err, "the system gave no random bytes");
  fr_uuid_format(&id, text);
  fr_data_begin(&data, &ledger->data);
  fr_data_text(&data, "ledger", text, FR_LEDGER_LINK);
  fr_data_text(&data, "origin", ledger->origin, FR_LEDGER_LINK);
  err = fr_data_end(&data);
  if (!err)
    err = fr_event_head(ledger);
  return err ? err : fr_event_add(ledger, "genesis", NULL, NULL);
}

enum fr_err fr_schema_ensure(struct fr_ledger *ledger)
{
  int64_t version = 0;
  enum fr_err err = fr_schema_version(ledger, &version);

  if (err || version == fr_schema_newest())
    return err;
  err = fr_sql_exec(ledger, "BEGIN EXCLUSIVE");
  if (err)
    return err;
  err = fr_schema_version(ledger, &version);    /* who else was faster? */
  if (!err && version < fr_schema_newest())
    err = fr_schema_build(ledger, version);
  if (!err && version == 0)
    err = add_genesis(ledger);
  if (!err)
    err = fr_sql_exec(ledger, "COMMIT");
  if (err && !sqlite3_get_autocommit(ledger->db))
    (void)sqlite3_exec(ledger->db, "ROLLBACK", NULL, NULL, NULL);
  return err;
}
