/* ledger/sqlfacts.h - the statements of what is not a deletion: holds,
 * changes, windows that were looked at, quarantine, probes, input files.
 *
 * Private to runtime/ledger; a part of FR_SQL_MAP (sql.h), whose parameters
 * the statements that apply an event share. All walks of facts.h give the
 * columns of FR_SQL_FACT; ?1 is a name, ?2 a request id, ?3 a run, and each
 * of them NULL or 0 for all.
 */
#ifndef FR_LEDGER_SQLFACTS_H
#define FR_LEDGER_SQLFACTS_H

#define FR_SQL_FACT(seq, run, at, id, name, from, to, data, end, end_at) \
  "SELECT " seq ", " run ", " at ", " id ", " name ", " from ", " to ", " \
  data ", " end ", " end_at

#define FR_SQL_CHANGES \
  FR_SQL_FACT("c.seq", "e.run", "e.at_ms", "e.request_id", "c.state", \
              "NULL", "NULL", "e.data", "o.data", "o.at_ms") \
  " FROM changes c LEFT JOIN events e ON e.seq = c.seq" \
  " LEFT JOIN events o ON o.seq = c.outcome_seq "

/* Grouping what is deleted, too, would sort all rows. */
#define FR_SQL_COUNTED(state) \
  " UNION ALL SELECT '" state "', 0, 0, n, NULL, NULL FROM (SELECT count(*)" \
  " AS n FROM deletions WHERE state = '" state "') WHERE n > 0"

#define FR_SQL_FACTS_MAP(X) \
  X(TALLY, "SELECT d.state, e.data->>'policy' IS NOT NULL," \
    " h.at_ms IS NOT NULL, count(*)," \
    " min(CASE WHEN e.data->>'ended_at_ms' >= 0" \
    " THEN e.data->>'ended_at_ms' END), min(e.at_ms) FROM deletions d" \
    " LEFT JOIN events e ON e.seq = d.intent_seq" \
    " LEFT JOIN holds h ON h.request_id = d.request_id" \
    " WHERE d.state NOT IN ('deleted', 'gone') GROUP BY 1, 2, 3" \
    FR_SQL_COUNTED("deleted") FR_SQL_COUNTED("gone")) \
  X(SIZE, "SELECT page_count * page_size FROM pragma_page_count," \
    " pragma_page_size") \
  X(HASH_OF, "SELECT hash FROM events WHERE seq = ?1") \
  X(NAME_OF, "SELECT value FROM meta WHERE key = 'ledger'") \
  X(HOLD_ADD, "INSERT INTO holds VALUES (?4, ?3, ?5->>'reason')" \
    " ON CONFLICT(request_id) DO UPDATE SET at_ms = ?3," \
    " reason = ?5->>'reason'") \
  X(HOLD_REMOVE, "DELETE FROM holds WHERE request_id = ?4") \
  X(ANY_QUARANTINED, "SELECT 1 FROM quarantined LIMIT 1") \
  X(CHANGE_OPEN, "SELECT 1 FROM changes WHERE seq = ?1" \
    " AND state = 'open'") \
  X(CHANGES_EACH, FR_SQL_CHANGES "WHERE ?3 = 0 OR c.run = ?3" \
    " ORDER BY c.seq") \
  X(CHANGES_LEFT, FR_SQL_CHANGES "WHERE c.state = 'open' ORDER BY c.seq") \
  X(LOOKED_EACH, FR_SQL_FACT("NULL", "run", "NULL", "NULL", \
    "l.endpoint_id", "l.from_ms", "l.to_ms", "r.options", "NULL", "NULL") \
    " FROM looked l JOIN runs r USING (run) WHERE r.exit_code = 0" \
    " AND (?1 IS NULL OR l.endpoint_id = ?1)" \
    " ORDER BY l.endpoint_id, l.from_ms, l.to_ms") \
  X(QUARANTINED_EACH, FR_SQL_FACT("q.seq", "e.run", "q.at_ms", \
    "q.request_id", "NULL", "NULL", "q.delete_after_ms", "e.data", "NULL", \
    "NULL") " FROM quarantined q LEFT JOIN events e ON e.seq = q.seq" \
    " WHERE ?2 IS NULL OR q.request_id = ?2" \
    " ORDER BY q.at_ms, q.request_id") \
  X(PROBES_EACH, FR_SQL_FACT("seq", "run", "at_ms", "request_id", "NULL", \
    "NULL", "NULL", "data", "NULL", "NULL") " FROM events WHERE seq IN" \
    " (SELECT seq FROM mentions WHERE request_id = ?2) AND kind = 'probe'" \
    " ORDER BY seq") \
  X(INPUTS_EACH, FR_SQL_FACT("seq", "NULL", "NULL", "request_id", "link", \
    "NULL", "NULL", "NULL", "NULL", "NULL") " FROM input_files" \
    " WHERE ?2 IS NULL OR request_id = ?2 ORDER BY request_id, link") \
  X(CHANGE, "INSERT INTO changes VALUES(?1, ?2, 'open', NULL)") \
  X(CHANGE_END, "UPDATE changes SET state = ?5->>'state'," \
    " outcome_seq = ?1 WHERE seq = ?5->>'change'") \
  X(LOOKED_WITHIN, "DELETE FROM looked WHERE endpoint_id =" \
    " ?5->>'endpoint' AND from_ms >= ?5->>'from_ms'" \
    " AND to_ms <= ?5->>'to_ms'") \
  X(LOOKED, "INSERT INTO looked VALUES(?5->>'endpoint'," \
    " ?5->>'from_ms', ?5->>'to_ms', ?2)") \
  X(QUARANTINE, "INSERT OR REPLACE INTO quarantined" \
    " VALUES(?4, ?3, ?5->>'delete_after_ms', ?1)") \
  X(RELEASE, "DELETE FROM quarantined WHERE request_id = ?4") \
  X(ERASED, "DELETE FROM quarantined WHERE request_id = ?4" \
    " AND coalesce(?7, ?5->>'state') IN ('deleted', 'gone')") \
  X(PROBE_CLEAR, "DELETE FROM residue WHERE request_id = ?4" \
    " AND link = ?5->>'link'") \
  X(PROBE_INPUT, "DELETE FROM input_files WHERE request_id = ?4" \
    " AND link = ?5->>'link'") \
  X(PROBE_DONE, "UPDATE deletions SET state = 'deleted'" \
    " WHERE intent_seq = ?6 AND state = 'partial' AND NOT EXISTS" \
    " (SELECT 1 FROM residue WHERE request_id = ?4)") \
  X(PROBE_REMAIN, "INSERT OR REPLACE INTO residue SELECT ?4," \
    " ?5->>'link', 'still served: HTTP ' || (?5->>'http_status')" \
    " WHERE ?5->>'input' IS NULL") \
  X(PROBE_PARTIAL, "UPDATE deletions SET state = 'partial'" \
    " WHERE intent_seq = ?6 AND state IN ('deleted', 'gone')" \
    " AND ?5->>'input' IS NULL") \
  X(INPUTS, "INSERT OR REPLACE INTO input_files" \
    " SELECT ?4, value, ?1 FROM json_each(?5, '$.files')")

#endif
