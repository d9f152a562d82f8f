/* ledger/proof.c - see proof.h.
 *
 * A commit is synced before another connection, or this one, can see its
 * rows (WAL, synchronous=FULL), so what is read here is on the disk. */
#include <inttypes.h>
#include <string.h>

#include "base/date.h"
#include "ledger/event.h"
#include "ledger/proof.h"
#include "ledger/tree.h"

static enum fr_err read_name(struct fr_ledger *ledger,
                             char ret_name[FR_UUID_TEXT])
{
  sqlite3_stmt *statement;
  enum fr_err err = fr_sql_get(ledger, FR_SQL_NAME_OF, &statement);
  const char *text;
  bool row;

  if (!err)
    err = fr_sql_step(ledger, statement, &row);
  if (err)
    return err;
  text = row ? fr_sql_text(statement, 0) : NULL;
  if (text && strlen(text) == FR_UUID_TEXT - 1)
    memcpy(ret_name, text, FR_UUID_TEXT);
  else
    err = fr_sql_odd(ledger, "it has no id of its own");
  sqlite3_reset(statement);
  return err;
}

/* The newest event and when it was; seq 0: there is none. */
static enum fr_err read_head(struct fr_ledger *ledger,
                             struct fr_checkpoint *checkpoint)
{
  sqlite3_stmt *statement;
  enum fr_err err = fr_sql_get(ledger, FR_SQL_HEAD, &statement);
  const void *hash;
  bool row;

  if (!err)
    err = fr_sql_step(ledger, statement, &row);
  if (err)
    return err;
  hash = row ? sqlite3_column_blob(statement, 1) : NULL;
  if (hash && sqlite3_column_bytes(statement, 1) == FR_SHA256_SIZE) {
    checkpoint->seq = sqlite3_column_int64(statement, 0);
    checkpoint->at_ms = sqlite3_column_int64(statement, 2);
    memcpy(checkpoint->hash, hash, FR_SHA256_SIZE);
  } else if (row) {
    err = fr_sql_odd(ledger, "its newest event has no hash");
  }
  sqlite3_reset(statement);
  return err;
}

enum fr_err fr_history_checkpoint(struct fr_ledger *ledger,
                                  struct fr_checkpoint *ret_checkpoint)
{
  struct fr_checkpoint checkpoint = { 0 };
  enum fr_err err = read_head(ledger, &checkpoint);

  if (!err && checkpoint.seq == 0)
    return FR_ENOT_FOUND;
  if (!err)
    err = read_name(ledger, checkpoint.ledger);
  if (!err)
    *ret_checkpoint = checkpoint;
  return err;
}

enum fr_err fr_checkpoint_words(const struct fr_checkpoint *checkpoint,
                                const uint8_t *root, struct fr_buf *words)
{
  char hash[FR_SHA256_TEXT], at[FR_DATE_TEXT];
  enum fr_err err;

  fr_hex(checkpoint->hash, FR_SHA256_SIZE, hash);
  fr_date_format(checkpoint->at_ms, at);
  err = fr_buf_addf(words, "checkpoint seq=%" PRId64 " hash=%s ledger=%s "
                    "at=%s", checkpoint->seq, hash, checkpoint->ledger, at);
  if (err || !root)
    return err;
  fr_hex(root, FR_SHA256_SIZE, hash);
  return fr_buf_addf(words, " root=%s", hash);
}

/* ---- proofs -------------------------------------------------------------- */

struct prover {
  struct fr_ledger *ledger;
  const struct fr_proof *proof;
  struct fr_chain chain;
  struct fr_tree tree;
  size_t next;                  /* of proof->seqs */
};

static enum fr_err take(struct prover *p, sqlite3_stmt *statement)
{
  const struct fr_proof *proof = p->proof;
  uint8_t before[FR_SHA256_SIZE];
  struct fr_event_row event;
  enum fr_err err = fr_event_read(p->ledger, statement, &event);
  bool marked;

  memcpy(before, p->chain.head, sizeof(before));
  if (!err)
    err = fr_event_check(p->ledger, &event, &p->chain);
  if (err)
    return err;
  marked = p->next < proof->count && proof->seqs[p->next] == event.seq;
  if (marked) {
    p->next++;
    if (proof->event(proof->arg, &event, before))
      return FR_ETOO_BIG;
  }
  return fr_tree_add(&p->tree, event.hash, marked);
}

enum fr_err fr_history_prove(struct fr_ledger *ledger,
                             const struct fr_proof *proof,
                             uint8_t ret_root[FR_SHA256_SIZE])
{
  struct prover p = { .ledger = ledger, .proof = proof,
                      .tree = { .rest = proof->rest, .arg = proof->arg } };
  sqlite3_stmt *statement;
  enum fr_err err = fr_sql_get(ledger, FR_SQL_EVENTS, &statement);
  bool row = true;

  if (err)
    return err;
  ledger->detail[0] = '\0';
  while (!err && p.chain.events < proof->size &&
         !(err = fr_sql_step(ledger, statement, &row)) && row)
    err = take(&p, statement);
  sqlite3_reset(statement);
  if (!err && (p.chain.events < proof->size || p.next < proof->count))
    err = fr_sql_odd(ledger, "it ends at event %" PRId64, p.chain.events);
  return err ? err : fr_tree_root(&p.tree, ret_root);
}
