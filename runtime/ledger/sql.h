/* ledger/sql.h - every statement that the ledger keeps prepared.
 *
 * Private to runtime/ledger. The statements of the second half apply one
 * event to the derived tables; they all take the same parameters (?1 seq,
 * ?2 run, ?3 at_ms, ?4 request_id, ?5 data, ?6 intent_seq of the deletion
 * that the id had before, ?7 the state of an outcome, or NULL to take it
 * from the data) and look at nothing else, so that fr_history_verify can
 * replay the events into an empty database.
 */
#ifndef FR_LEDGER_SQL_H
#define FR_LEDGER_SQL_H

#include "ledger/sqlfacts.h"

#define FR_SQL_RECORD \
  " d.state, e.run, e.at_ms, d.key_at_ms, o.at_ms, d.generation," \
  " e.data->>'user_key', d.unanswered, e.data->>'ended_at_ms'," \
  " e.data->>'key', d.request_id, e.data->>'reason'" \
  " FROM deletions d LEFT JOIN events e ON e.seq = d.intent_seq" \
  " LEFT JOIN events o ON o.seq = d.outcome_seq "

#define FR_SQL_EVENT \
  "SELECT seq, run, at_ms, kind, request_id, data, hash FROM events "

#define FR_SQL_MAP(X) \
  X(BEGIN, "BEGIN IMMEDIATE") \
  X(GLIMPSE, "BEGIN") \
  X(COMMIT, "COMMIT") \
  X(HEAD, "SELECT seq, hash, at_ms FROM events ORDER BY seq DESC LIMIT 1") \
  X(HASH_OF, "SELECT hash FROM events WHERE seq = ?1") \
  X(ADD, "INSERT INTO events VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)") \
  X(VERSION, "PRAGMA data_version") \
  X(NEXT_RUN, "SELECT 1 + coalesce(max(run), 0) FROM runs") \
  X(IS_OBJECT, "SELECT CASE WHEN json_valid(?1)" \
    " THEN json_type(?1) = 'object' ELSE 0 END") \
  X(POSITION, "SELECT seq, next_seq, next_id, (SELECT count(*)" \
    " FROM indexing), (SELECT max(seq) FROM events) FROM indexing") \
  X(TAIL, "SELECT request_id, intent_seq, state = 'open' FROM deletions" \
    " WHERE intent_seq > ?1 ORDER BY intent_seq") \
  X(IDS, "SELECT request_id FROM ids") \
  X(ID_FIND, "SELECT i.intent_seq, d.state = 'open' FROM ids i" \
    " LEFT JOIN deletions d ON d.intent_seq = i.intent_seq" \
    " WHERE i.request_id = ?1") \
  X(ID_ADD, "INSERT INTO ids VALUES(?1, ?2)") \
  X(LEAVE_OPEN, "INSERT INTO left_open VALUES(?1)") \
  X(ADVANCE, "UPDATE indexing SET seq = ?1, next_seq = ?2," \
    " next_id = ?3") \
  X(FIND, "SELECT" FR_SQL_RECORD \
    "WHERE d.intent_seq = ?2 AND d.request_id = ?1") \
  X(EACH_OPEN, "SELECT" FR_SQL_RECORD "WHERE d.state = 'open'" \
    " AND d.intent_seq IN (SELECT intent_seq FROM left_open UNION ALL" \
    " SELECT intent_seq FROM deletions WHERE state = 'open'" \
    " AND intent_seq > (SELECT seq FROM indexing))" \
    " ORDER BY d.intent_seq") \
  X(KEY_OWNER, "SELECT request_id FROM user_keys WHERE key = ?1") \
  X(LEFT_OVER, "SELECT 1 FROM residue WHERE request_id = ?1 AND +link" \
    " NOT IN (SELECT value->>'link' FROM json_each(?2)" \
    " WHERE value->>'exception' IS NULL) LIMIT 1") \
  X(ANY_RESIDUE, "SELECT 1 FROM residue LIMIT 1") \
  X(ANY_HOLD, "SELECT 1 FROM holds LIMIT 1") \
  X(GRACE_FIND, "SELECT at_ms, delete_after_ms FROM quarantined" \
    " WHERE request_id = ?1") \
  X(HOLD_FIND, "SELECT reason FROM holds WHERE request_id = ?1") \
  X(HOLD_EACH, "SELECT request_id, at_ms, reason FROM holds" \
    " ORDER BY at_ms, request_id") \
  X(RUNS, "SELECT run, began_at_ms, ended_at_ms, exit_code, command," \
    " policy, policy_sha256, options, summary FROM runs" \
    " ORDER BY run DESC LIMIT ?1") \
  X(EVENTS, FR_SQL_EVENT "ORDER BY seq") \
  X(EVENTS_AFTER, FR_SQL_EVENT "WHERE seq > ?1 ORDER BY seq") \
  X(EVENTS_OF_ID, FR_SQL_EVENT "WHERE seq IN (SELECT seq FROM mentions" \
    " WHERE request_id = ?1 UNION ALL SELECT ?4 UNION ALL" \
    " SELECT outcome_seq FROM deletions WHERE intent_seq = ?4)" \
    " AND request_id = ?1 AND (?2 = 0 OR run = ?2) AND seq > ?3" \
    " ORDER BY seq") \
  X(EVENTS_OF_RUN, FR_SQL_EVENT "WHERE run = ?1 AND seq > ?2" \
    " AND seq >= (SELECT begin_seq FROM runs WHERE run = ?1)" \
    " AND seq <= (SELECT coalesce(end_seq, (SELECT min(n.begin_seq)" \
    " FROM runs n WHERE n.run > ?1), 9223372036854775807)" \
    " FROM runs WHERE run = ?1) ORDER BY seq") \
  X(RESIDUE, "SELECT request_id, link, exception FROM residue" \
    " ORDER BY request_id, link") \
  X(RESIDUE_OF_ID, "SELECT request_id, link, exception FROM residue" \
    " WHERE request_id = ?1 ORDER BY link") \
  X(GENESIS, "INSERT INTO meta VALUES ('ledger', ?5->>'ledger')," \
    " ('origin', ?5->>'origin'), ('created_at_ms', ?3)") \
  X(RUN_BEGIN, "INSERT INTO runs SELECT ?2, ?1, NULL, ?3, NULL, NULL," \
    " ?5->>'command', ?5->>'policy', ?5->>'policy_sha256'," \
    " ?5->>'options', NULL") \
  X(RUN_ORIGIN, "UPDATE meta SET value = ?5->>'origin'" \
    " WHERE key = 'origin' AND value IS NULL") \
  X(RUN_END, "UPDATE runs SET end_seq = ?1, ended_at_ms = ?3," \
    " exit_code = ?5->>'exit_code', summary = ?5->>'summary'" \
    " WHERE run = ?2") \
  X(AGAIN, "INSERT INTO mentions SELECT ?4, intent_seq FROM deletions" \
    " WHERE intent_seq = ?6 UNION ALL SELECT ?4, outcome_seq" \
    " FROM deletions WHERE intent_seq = ?6 AND outcome_seq > 0") \
  X(NO_DELETION, "DELETE FROM deletions WHERE intent_seq = ?6") \
  X(NO_ID, "DELETE FROM ids WHERE request_id = ?4") \
  X(NOT_OPEN, "DELETE FROM left_open WHERE intent_seq = ?6") \
  X(INTENT, "INSERT INTO deletions" \
    " VALUES (?4, 'open', ?1, NULL, 1, ?3, 0)") \
  X(USER_KEY, "INSERT OR IGNORE INTO user_keys" \
    " SELECT ?5->>'key', ?4 WHERE ?5->>'user_key'") \
  X(MENTION, "INSERT INTO mentions VALUES(?4, ?1)") \
  X(GENERATION, "UPDATE deletions SET key_at_ms = ?3," \
    " generation = ?5->>'generation' WHERE intent_seq = ?6") \
  X(UNANSWERED, "UPDATE deletions SET unanswered = 1" \
    " WHERE intent_seq = ?6") \
  X(OUTCOME, "UPDATE deletions SET state = coalesce(?7, ?5->>'state')," \
    " outcome_seq = ?1 WHERE intent_seq = ?6") \
  X(CLEAR, "DELETE FROM residue WHERE request_id = ?4 AND +link IN" \
    " (SELECT value->>'link' FROM json_each(?5, '$.files')" \
    " WHERE value->>'exception' IS NULL)") \
  X(REMAIN, "INSERT OR REPLACE INTO residue" \
    " SELECT ?4, value->>'link', value->>'exception'" \
    " FROM json_each(?5, '$.files')" \
    " WHERE value->>'exception' IS NOT NULL") \
  X(REMAIN_MORE, "INSERT OR REPLACE INTO residue SELECT ?4, ''," \
    " (?5->>'exceptions_left_out') || ' more files'" \
    " WHERE ?5->>'exceptions_left_out' > 0") \
  FR_SQL_FACTS_MAP(X)

enum fr_sql {
#define FR_SQL_NAME(name, text) FR_SQL_##name,
  FR_SQL_MAP(FR_SQL_NAME)
#undef FR_SQL_NAME
  FR_SQL_COUNT
};

#endif
