/* ledger/verify.c - holding the record against itself.
 *
 * The chain is walked once, in one snapshot. Each event that fits is applied
 * to a scratch database with the very statements that a run uses; in the
 * end the derived tables of both must be the same, value by value. The
 * scratch is a temporary file of SQLite's own, so that memory stays bounded.
 *
 * Cutting the newest events off, together with what follows from them, is
 * the one thing that a chain cannot show by itself; that is what the head of
 * an earlier fr_history_verify (a checkpoint) is for.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/event.h"
#include "ledger/tree.h"

#define STRIDE 1000                   /* intents between two steps */

/* What is found, and what is expected of the scratch, where that differs.
 * How far the index of the ids has come is no event's doing: what must be in
 * it follows from its position (?1 seq, ?2 next_seq, ?3 next_id). */
static const struct derived {
  const char *table, *found, *expected;
} derived[] = {
  { "meta", "SELECT * FROM meta ORDER BY key", NULL },
  { "runs", "SELECT * FROM runs ORDER BY run", NULL },
  { "deletions", "SELECT * FROM deletions ORDER BY intent_seq", NULL },
  { "ids", "SELECT request_id, intent_seq FROM ids ORDER BY request_id",
    "SELECT request_id, intent_seq FROM deletions WHERE intent_seq <= ?1"
    " OR (intent_seq <= ?2 AND request_id < ?3) ORDER BY request_id" },
  { "left_open", "SELECT intent_seq FROM left_open ORDER BY intent_seq",
    "SELECT intent_seq FROM deletions WHERE state = 'open'"
    " AND intent_seq <= ?1 ORDER BY intent_seq" },
  { "mentions", "SELECT * FROM mentions ORDER BY request_id, seq", NULL },
  { "holds", "SELECT * FROM holds ORDER BY request_id", NULL },
  { "residue", "SELECT * FROM residue ORDER BY request_id, link", NULL },
  { "user_keys", "SELECT * FROM user_keys ORDER BY key", NULL },
  { "changes", "SELECT * FROM changes ORDER BY seq", NULL },
  { "looked", "SELECT * FROM looked ORDER BY endpoint_id, from_ms, to_ms",
    NULL },
  { "quarantined", "SELECT * FROM quarantined ORDER BY request_id", NULL },
  { "input_files", "SELECT * FROM input_files ORDER BY request_id, link",
    NULL }
};

/* ---- the chain ----------------------------------------------------------- */

/* The index of the scratch moves on as that of a run does. */
static enum fr_err replay(struct fr_ledger *scratch,
                          const struct fr_event_row *event)
{
  enum fr_err err = fr_event_apply(scratch, event, NULL);

  if (!err && scratch->index.added >= STRIDE)
    err = fr_merge_step(scratch);
  return err;
}

/* Walks what the statement gives; applies to `scratch`, and adds to `tree`,
 * unless they are NULL. */
static enum fr_err walk(struct fr_ledger *ledger, sqlite3_stmt *statement,
                        struct fr_ledger *scratch, struct fr_tree *tree,
                        struct fr_chain *chain)
{
  struct fr_event_row event;
  enum fr_err err;
  bool row = true;

  while (!(err = fr_sql_step(ledger, statement, &row)) && row) {
    err = fr_event_read(ledger, statement, &event);
    if (err)
      chain->broken_seq = event.seq;
    else
      err = fr_event_check(ledger, &event, chain);
    if (!err && scratch)
      err = replay(scratch, &event);
    if (!err && tree)
      err = fr_tree_add(tree, event.hash, false);
    if (err)
      break;
  }
  sqlite3_reset(statement);
  if (err && scratch && scratch->detail[0] && !ledger->detail[0])
    (void)fr_ledger_fail(ledger, err, "replaying the ledger's events "
                         "failed: %.500s", scratch->detail);
  return err;
}

static enum fr_err hash_of(struct fr_ledger *ledger, int64_t seq,
                           uint8_t *ret_hash)
{
  sqlite3_stmt *statement;
  enum fr_err err = fr_sql_get(ledger, FR_SQL_HASH_OF, &statement);
  const void *hash;
  bool row;

  if (err)
    return err;
  sqlite3_bind_int64(statement, 1, seq);
  err = fr_sql_step(ledger, statement, &row);
  if (err)
    return err;
  hash = row ? sqlite3_column_blob(statement, 0) : NULL;
  if (hash && sqlite3_column_bytes(statement, 0) == FR_SHA256_SIZE)
    memcpy(ret_hash, hash, FR_SHA256_SIZE);
  else
    err = fr_sql_odd(ledger, "event %" PRId64 " is missing", seq);
  sqlite3_reset(statement);
  return err;
}

enum fr_err fr_verify_tail(struct fr_ledger *ledger)
{
  struct fr_chain chain = { 0 };
  sqlite3_stmt *statement;
  enum fr_err err = fr_event_head(ledger);

  if (!err && ledger->head.seq == 0)
    err = fr_sql_odd(ledger, "it has no events");
  if (!err && ledger->head.seq > FR_LEDGER_TAIL) {
    chain.events = ledger->head.seq - FR_LEDGER_TAIL;
    err = hash_of(ledger, chain.events, chain.head);
  }
  if (!err)
    err = fr_sql_get(ledger, FR_SQL_EVENTS_AFTER, &statement);
  if (err)
    return err;
  sqlite3_bind_int64(statement, 1, chain.events);
  return walk(ledger, statement, NULL, NULL, &chain);
}

/* ---- the derived tables -------------------------------------------------- */

static bool same_value(sqlite3_stmt *a, sqlite3_stmt *b, int column)
{
  int type = sqlite3_column_type(a, column), len;
  const void *left, *right;

  if (type != sqlite3_column_type(b, column))
    return false;
  if (type == SQLITE_NULL)
    return true;
  if (type == SQLITE_INTEGER)
    return sqlite3_column_int64(a, column) == sqlite3_column_int64(b, column);
  left = sqlite3_column_blob(a, column);
  right = sqlite3_column_blob(b, column);
  len = sqlite3_column_bytes(a, column);
  return len == sqlite3_column_bytes(b, column) &&
         (len == 0 || (left && right && memcmp(left, right, len) == 0));
}

static bool same_row(sqlite3_stmt *a, sqlite3_stmt *b)
{
  int i, columns = sqlite3_column_count(a);

  if (columns != sqlite3_column_count(b))
    return false;
  for (i = 0; i < columns; i++)
    if (!same_value(a, b, i))
      return false;
  return true;
}

static enum fr_err same_rows(struct fr_ledger *ledger, sqlite3_stmt *found,
                             sqlite3_stmt *expected, const char *table)
{
  int left, right;

  do {
    left = sqlite3_step(found);
    right = sqlite3_step(expected);
    if ((left != SQLITE_ROW && left != SQLITE_DONE) ||
        (right != SQLITE_ROW && right != SQLITE_DONE))
      return fr_sql_fail(ledger, left == SQLITE_ROW || left == SQLITE_DONE
                                 ? right : left);
    if (left != right || (left == SQLITE_ROW && !same_row(found, expected)))
      return fr_sql_odd(ledger, "its table %s is not what its events add up "
                        "to", table);
  } while (left == SQLITE_ROW);
  return FR_OK;
}

static enum fr_err compare_one(struct fr_ledger *ledger,
                               struct fr_ledger *scratch,
                               const struct derived *table,
                               const struct fr_position *position)
{
  const char *expect = table->expected ? table->expected : table->found;
  sqlite3_stmt *found = NULL, *expected = NULL;
  enum fr_err err;
  int result = sqlite3_prepare_v2(ledger->db, table->found, -1, &found,
                                  NULL);

  if (result == SQLITE_OK)
    result = sqlite3_prepare_v2(scratch->db, expect, -1, &expected, NULL);
  if (result == SQLITE_OK)
    fr_index_bind(expected, position);
  err = result == SQLITE_OK
        ? same_rows(ledger, found, expected, table->table)
        : fr_sql_fail(ledger, result);
  sqlite3_finalize(found);
  sqlite3_finalize(expected);
  return err;
}

static enum fr_err compare(struct fr_ledger *ledger,
                           struct fr_ledger *scratch)
{
  struct fr_position position;
  enum fr_err err = fr_index_position(ledger, &position);
  size_t i;

  for (i = 0; !err && i < sizeof(derived) / sizeof(derived[0]); i++)
    err = compare_one(ledger, scratch, &derived[i], &position);
  return err;
}

/* ---- everything ---------------------------------------------------------- */

static enum fr_err open_scratch(struct fr_ledger *ledger,
                                struct fr_ledger **ret_scratch)
{
  struct fr_ledger *scratch = calloc(1, sizeof(*scratch));
  enum fr_err err;

  if (!scratch || !(scratch->path = strdup(ledger->path))) {
    free(scratch);
    (void)fr_ledger_fail(ledger, FR_ENOMEM, "out of memory in the ledger");
    return FR_ENOMEM;
  }
  scratch->lock_fd = -1;
  scratch->residue = scratch->quarantined = FR_NONE;
  fr_index_init(&scratch->index, true);
  err = fr_sql_connect(scratch, "", SQLITE_OPEN_READWRITE |
                                    SQLITE_OPEN_CREATE);
  if (!err)
    err = fr_sql_exec(scratch, "PRAGMA synchronous = OFF; BEGIN");
  if (!err)
    err = fr_schema_build(scratch, 0);
  if (!err) {
    *ret_scratch = scratch;
    return FR_OK;
  }
  (void)fr_ledger_fail(ledger, err, "a temporary database for verifying "
                       "failed: %.500s", scratch->detail);
  fr_ledger_close(scratch);
  return err;
}

static enum fr_err verify(struct fr_ledger *ledger, struct fr_ledger *scratch,
                          struct fr_chain *chain)
{
  struct fr_tree tree = { .count = 0 };
  sqlite3_stmt *statement;
  enum fr_err err = fr_sql_get(ledger, FR_SQL_EVENTS, &statement);

  ledger->detail[0] = '\0';
  if (!err)
    err = walk(ledger, statement, scratch, &tree, chain);
  if (!err)
    err = fr_tree_root(&tree, chain->root);
  if (!err && chain->events == 0 && !ledger->blank)
    err = fr_sql_odd(ledger, "it has no events");
  return err ? err : compare(ledger, scratch);
}

enum fr_err fr_history_verify(struct fr_ledger *ledger,
                              struct fr_chain *ret_chain)
{
  bool snapshot = !fr_group_steady(ledger);
  struct fr_ledger *scratch = NULL;
  struct fr_chain chain = { 0 };
  enum fr_err err = open_scratch(ledger, &scratch);

  if (!err && snapshot)
    err = fr_ledger_glimpse(ledger);
  if (!err)
    err = verify(ledger, scratch, &chain);
  if (snapshot)
    fr_ledger_glimpse_over(ledger);
  fr_ledger_close(scratch);
  if (!err || err == FR_ECORRUPT)
    *ret_chain = chain;
  return err;
}
