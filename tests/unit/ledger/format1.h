/* ledger/format1.h - older formats of the ledger, for tests; the texts of
 * their tables never change.
 */
#ifndef LEDGER_FORMAT1_H
#define LEDGER_FORMAT1_H

/* The tables as format 1 had them. */
#define FORMAT_1 \
  "CREATE TABLE meta(" \
  " key TEXT PRIMARY KEY, value TEXT) STRICT, WITHOUT ROWID;" \
  "CREATE TABLE events(" \
  " seq INTEGER PRIMARY KEY, run INTEGER NOT NULL," \
  " at_ms INTEGER NOT NULL, kind TEXT NOT NULL, request_id BLOB," \
  " data TEXT NOT NULL, hash BLOB NOT NULL) STRICT;" \
  "CREATE INDEX events_by_id ON events(request_id)" \
  " WHERE request_id IS NOT NULL;" \
  "CREATE TRIGGER events_never_change BEFORE UPDATE ON events BEGIN" \
  " SELECT RAISE(ABORT, 'events are never changed'); END;" \
  "CREATE TRIGGER events_never_go BEFORE DELETE ON events BEGIN" \
  " SELECT RAISE(ABORT, 'events are never deleted'); END;" \
  "CREATE TABLE runs(" \
  " run INTEGER PRIMARY KEY, begin_seq INTEGER NOT NULL, end_seq INTEGER," \
  " began_at_ms INTEGER NOT NULL, ended_at_ms INTEGER, exit_code INTEGER," \
  " command TEXT, policy TEXT, policy_sha256 TEXT, options TEXT," \
  " summary TEXT) STRICT;" \
  "CREATE TABLE deletions(" \
  " request_id BLOB NOT NULL UNIQUE, state TEXT NOT NULL," \
  " intent_seq INTEGER NOT NULL, outcome_seq INTEGER," \
  " generation INTEGER NOT NULL, key_at_ms INTEGER NOT NULL," \
  " unanswered INTEGER NOT NULL) STRICT;" \
  "CREATE INDEX deletions_open ON deletions(intent_seq)" \
  " WHERE state = 'open';" \
  "CREATE TABLE holds(" \
  " request_id BLOB NOT NULL UNIQUE, at_ms INTEGER NOT NULL," \
  " reason TEXT) STRICT;" \
  "CREATE TABLE residue(" \
  " request_id BLOB NOT NULL, link TEXT NOT NULL," \
  " exception TEXT NOT NULL, PRIMARY KEY(request_id, link))" \
  " STRICT, WITHOUT ROWID;" \
  "CREATE TABLE user_keys(" \
  " key TEXT PRIMARY KEY, request_id BLOB NOT NULL)" \
  " STRICT, WITHOUT ROWID;" \
  "PRAGMA application_id = 1717660786; PRAGMA user_version = 1;" \
  "PRAGMA journal_mode = WAL;"

/* In an empty database: what the newer ledger %s holds, in format 1. */
#define FORMAT_1_FROM FORMAT_1 " ATTACH '%s' AS n; BEGIN;" \
  "INSERT INTO meta SELECT * FROM n.meta;" \
  "INSERT INTO events SELECT * FROM n.events;" \
  "INSERT INTO runs SELECT * FROM n.runs;" \
  "INSERT INTO deletions SELECT * FROM n.deletions" \
  " ORDER BY request_id DESC;" \
  "INSERT INTO holds SELECT * FROM n.holds;" \
  "INSERT INTO residue SELECT * FROM n.residue;" \
  "INSERT INTO user_keys SELECT * FROM n.user_keys; COMMIT"

/* What format 3 added, taken away: the file of a falrun before it. */
#define FORMAT_2_FROM_3 "BEGIN; DROP TABLE changes; DROP TABLE looked;" \
  "DROP TABLE quarantined; DROP TABLE input_files;" \
  "PRAGMA user_version = 2; COMMIT"

#endif
