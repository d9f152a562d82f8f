/* ledger/seen.h - residue: what is left of it, and what a probe does to it;
 * private. The parameters are those of sql.h. */
#ifndef FR_LEDGER_SEEN_H
#define FR_LEDGER_SEEN_H

#define FR_SQL_SEEN_MAP(X) \
  X(RESIDUE, "SELECT request_id, link, exception FROM residue" \
    " ORDER BY request_id, link") \
  X(RESIDUE_OF_ID, "SELECT request_id, link, exception FROM residue" \
    " WHERE request_id = ?1 ORDER BY link") \
  X(SEEN_GONE, "DELETE FROM residue WHERE request_id = ?4" \
    " AND link = ?5->>'link'") \
  X(SEEN_THERE, "INSERT OR REPLACE INTO residue SELECT ?4, ?5->>'link'," \
    " 'still served: HTTP ' || (?5->>'http_status')" \
    " WHERE ?5->>'input' IS NULL") \
  X(SEEN_DONE, "UPDATE deletions SET state = 'deleted'" \
    " WHERE intent_seq = ?6 AND state = 'partial' AND NOT EXISTS" \
    " (SELECT 1 FROM residue WHERE request_id = ?4)") \
  X(SEEN_PARTIAL, "UPDATE deletions SET state = 'partial'" \
    " WHERE intent_seq = ?6 AND state IN ('deleted', 'gone')" \
    " AND ?5->>'input' IS NULL")

#endif
