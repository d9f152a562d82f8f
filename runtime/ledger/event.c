/* ledger/event.c - the chain: appending events, and reading them back.
 *
 *   hash(n) = SHA-256(hash(n-1) | seq | at_ms | run | kind 0x00 | id | data)
 *
 * with the numbers as 8 bytes, big-endian, the id as 0x00 or 0x01 and its
 * 16 bytes, and 32 zero bytes before the first. Every part but the last has
 * a fixed length or an end, so no two events share their bytes. The first
 * event, genesis, carries a random id of the ledger: two ledgers differ
 * from there on.
 *
 * The head is read again at the begin of each group: `hold add` appends
 * from another process.
 */
#include <inttypes.h>
#include <string.h>

#include "ledger/event.h"

/* When an effect is needed. */
enum when {
  ALWAYS,
  KNOWN,                        /* the id has a deletion already */
  INDEXED,                      /* and it lies behind the index's position */
  RESIDUE,                      /* there is residue of somebody */
  QUARANTINED,                  /* somebody is in quarantine */
  WITH_ID                       /* the event is about a request */
};

/* What each kind of event does to the derived tables, in this order; the rows
 * of a kind stand together. The needle spares the parsing of data that has
 * nothing for a statement; it is exact, because a quote within a JSON string
 * has a backslash before it. */
static const struct effect {
  const char *kind;
  enum fr_sql apply;
  enum when when;
  const char *needle;
} effects[] = {
  { "intent", FR_SQL_AGAIN, KNOWN, NULL },
  { "intent", FR_SQL_NO_DELETION, KNOWN, NULL },
  { "intent", FR_SQL_NO_ID, KNOWN, NULL },
  { "intent", FR_SQL_NOT_OPEN, INDEXED, NULL },
  { "intent", FR_SQL_INTENT, ALWAYS, NULL },
  { "intent", FR_SQL_USER_KEY, ALWAYS, "\"user_key\":true" },
  { "outcome", FR_SQL_OUTCOME, KNOWN, NULL },
  { "outcome", FR_SQL_NOT_OPEN, INDEXED, NULL },
  { "outcome", FR_SQL_CLEAR, RESIDUE, "\"exception\":null" },
  { "outcome", FR_SQL_REMAIN, ALWAYS, "\"exception\":\"" },
  { "outcome", FR_SQL_REMAIN_MORE, ALWAYS, "\"exceptions_left_out\":" },
  { "outcome", FR_SQL_ERASED, QUARANTINED, NULL },
  { "unanswered", FR_SQL_MENTION, ALWAYS, NULL },
  { "unanswered", FR_SQL_UNANSWERED, KNOWN, NULL },
  { "generation", FR_SQL_MENTION, ALWAYS, NULL },
  { "generation", FR_SQL_GENERATION, KNOWN, NULL },
  { "held", FR_SQL_MENTION, ALWAYS, NULL },
  { "refused", FR_SQL_MENTION, ALWAYS, NULL },
  { "hold_add", FR_SQL_MENTION, ALWAYS, NULL },
  { "hold_add", FR_SQL_HOLD_ADD, ALWAYS, NULL },
  { "hold_remove", FR_SQL_MENTION, ALWAYS, NULL },
  { "hold_remove", FR_SQL_HOLD_REMOVE, ALWAYS, NULL },
  { "change", FR_SQL_MENTION, WITH_ID, NULL },
  { "change", FR_SQL_CHANGE, ALWAYS, NULL },
  { "change_outcome", FR_SQL_MENTION, WITH_ID, NULL },
  { "change_outcome", FR_SQL_CHANGE_END, ALWAYS, NULL },
  { "looked", FR_SQL_LOOKED_WITHIN, ALWAYS, NULL },
  { "looked", FR_SQL_LOOKED, ALWAYS, NULL },
  { "quarantine", FR_SQL_MENTION, ALWAYS, NULL },
  { "quarantine", FR_SQL_QUARANTINE, ALWAYS, NULL },
  { "release", FR_SQL_MENTION, ALWAYS, NULL },
  { "release", FR_SQL_RELEASE, ALWAYS, NULL },
  { "probe", FR_SQL_MENTION, ALWAYS, NULL },
  { "probe", FR_SQL_PROBE_CLEAR, ALWAYS, "\"seen\":\"gone\"" },
  { "probe", FR_SQL_PROBE_INPUT, ALWAYS, "\"seen\":\"gone\"" },
  { "probe", FR_SQL_PROBE_DONE, KNOWN, "\"seen\":\"gone\"" },
  { "probe", FR_SQL_PROBE_REMAIN, KNOWN, "\"seen\":\"there\"" },
  { "probe", FR_SQL_PROBE_PARTIAL, KNOWN, "\"seen\":\"there\"" },
  { "input_files", FR_SQL_MENTION, ALWAYS, NULL },
  { "input_files", FR_SQL_INPUTS, ALWAYS, NULL },
  { "run_begin", FR_SQL_RUN_BEGIN, ALWAYS, NULL },
  { "run_begin", FR_SQL_RUN_ORIGIN, ALWAYS, NULL },
  { "run_end", FR_SQL_RUN_END, ALWAYS, NULL },
  { "genesis", FR_SQL_GENESIS, ALWAYS, NULL },
  { NULL, FR_SQL_GENESIS, ALWAYS, NULL }
};

enum fr_err fr_event_head(struct fr_ledger *ledger)
{
  sqlite3_stmt *statement;
  const void *hash;
  bool row;
  enum fr_err err = fr_sql_get(ledger, FR_SQL_HEAD, &statement);

  if (!err)
    err = fr_sql_step(ledger, statement, &row);
  if (err)
    return err;
  memset(&ledger->head, 0, sizeof(ledger->head));
  if (row) {
    hash = sqlite3_column_blob(statement, 1);
    ledger->head.seq = sqlite3_column_int64(statement, 0);
    if (hash && sqlite3_column_bytes(statement, 1) == FR_SHA256_SIZE)
      memcpy(ledger->head.hash, hash, FR_SHA256_SIZE);
    else
      err = fr_sql_odd(ledger, "event %" PRId64 " has no hash",
                       ledger->head.seq);
  }
  sqlite3_reset(statement);
  return err;
}

static void put_number(uint8_t *to, int64_t number)
{
  uint64_t bits = (uint64_t)number;
  int i;

  for (i = 7; i >= 0; i--, bits >>= 8)
    to[i] = (uint8_t)bits;
}

enum fr_err fr_event_hash(const struct fr_event_row *event,
                          const uint8_t before[FR_SHA256_SIZE],
                          uint8_t ret_hash[FR_SHA256_SIZE])
{
  uint8_t numbers[24], id[17];
  struct fr_part parts[] = {
    { before, FR_SHA256_SIZE }, { numbers, sizeof(numbers) },
    { event->kind, strlen(event->kind) + 1 },
    { id, event->has_id ? sizeof(id) : 1 },
    { event->data, strlen(event->data) }
  };

  put_number(numbers, event->seq);
  put_number(numbers + 8, event->at_ms);
  put_number(numbers + 16, event->run);
  id[0] = event->has_id;
  memcpy(id + 1, event->id.bytes, sizeof(event->id.bytes));
  return fr_sha256(parts, sizeof(parts) / sizeof(parts[0]), ret_hash);
}

static void bind_event(sqlite3_stmt *statement,
                       const struct fr_event_row *event)
{
  sqlite3_bind_int64(statement, 1, event->seq);
  sqlite3_bind_int64(statement, 2, event->run);
  sqlite3_bind_int64(statement, 3, event->at_ms);
}

/* ---- the derived tables -------------------------------------------------- */

static enum fr_err apply_one(struct fr_ledger *ledger, enum fr_sql which,
                             const struct fr_event_row *event,
                             const struct fr_told *told)
{
  sqlite3_stmt *statement;
  enum fr_err err = fr_sql_get(ledger, which, &statement);

  if (err)
    return err;
  bind_event(statement, event);
  fr_sql_bind_id(statement, 4, event->has_id ? &event->id : NULL);
  fr_sql_bind_text(statement, 5, event->data);
  sqlite3_bind_int64(statement, 6, told->place.seq);
  fr_sql_bind_text(statement, 7, told->state);
  return fr_sql_run(ledger, statement);
}

static bool needed(const struct fr_ledger *ledger,
                   const struct effect *effect,
                   const struct fr_event_row *event,
                   const struct fr_told *told)
{
  int64_t place = told->place.seq;

  if (effect->when == KNOWN && place == 0)
    return false;
  if (effect->when == INDEXED &&
      (place == 0 || place > ledger->index.is.seq))
    return false;
  if ((effect->when == RESIDUE && ledger->residue == FR_NONE) ||
      (effect->when == QUARANTINED && ledger->quarantined == FR_NONE) ||
      (effect->when == WITH_ID && !event->has_id))
    return false;
  return !effect->needle || strstr(event->data, effect->needle);
}

/* What memory keeps of the tables. */
static enum fr_err note(struct fr_ledger *ledger, enum fr_sql applied,
                        const struct fr_event_row *event,
                        const struct fr_told *told)
{
  struct fr_place place = { event->seq, true };

  switch (applied) {
  case FR_SQL_INTENT:
    return fr_index_note(ledger, &event->id, place);
  case FR_SQL_OUTCOME:
    place = (struct fr_place){ told->place.seq, false };
    return fr_index_note(ledger, &event->id, place);
  case FR_SQL_REMAIN:
  case FR_SQL_REMAIN_MORE:
  case FR_SQL_PROBE_REMAIN:
    ledger->residue = FR_SOME;
    return FR_OK;
  case FR_SQL_QUARANTINE:
    ledger->quarantined = FR_SOME;
    ledger->graces++;
    return FR_OK;
  case FR_SQL_HOLD_ADD:
  case FR_SQL_HOLD_REMOVE:
    ledger->holds = FR_UNKNOWN;
    return FR_OK;
  default:
    return FR_OK;
  }
}

/* The first of its kind, or the end. */
static const struct effect *effects_of(const char *kind)
{
  const struct effect *effect = effects;

  while (effect->kind && strcmp(effect->kind, kind) != 0)
    effect++;
  return effect;
}

static enum fr_err apply(struct fr_ledger *ledger,
                         const struct fr_event_row *event,
                         const struct fr_told *told)
{
  const struct effect *effect = effects_of(event->kind), *first = effect;
  enum fr_err err = FR_OK;

  for (; !err && effect->kind && !strcmp(effect->kind, first->kind);
       effect++) {
    if (!needed(ledger, effect, event, told))
      continue;
    err = apply_one(ledger, effect->apply, event, told);
    if (!err)
      err = note(ledger, effect->apply, event, told);
  }
  return err;
}

/* Only a ledger that is alone is told of deletions. */
enum fr_err fr_event_apply(struct fr_ledger *ledger,
                           const struct fr_event_row *event,
                           const struct fr_told *told)
{
  struct fr_told own = { 0 };
  enum fr_err err = FR_OK;

  if (told && told->looked)
    return apply(ledger, event, told);
  if (told)
    own = *told;
  if (event->has_id && ledger->index.alone)
    err = fr_index_find(ledger, &event->id, &own.place);
  return err && err != FR_ENOT_FOUND ? err : apply(ledger, event, &own);
}

static enum fr_err insert(struct fr_ledger *ledger,
                          const struct fr_event_row *event)
{
  sqlite3_stmt *statement;
  enum fr_err err = fr_sql_get(ledger, FR_SQL_ADD, &statement);

  if (err)
    return err;
  bind_event(statement, event);
  fr_sql_bind_text(statement, 4, event->kind);
  fr_sql_bind_id(statement, 5, event->has_id ? &event->id : NULL);
  fr_sql_bind_text(statement, 6, event->data);
  sqlite3_bind_blob(statement, 7, event->hash, FR_SHA256_SIZE,
                    SQLITE_STATIC);
  return fr_sql_run(ledger, statement);
}

enum fr_err fr_event_add(struct fr_ledger *ledger, const char *kind,
                         const struct fr_uuid *id,
                         const struct fr_told *told)
{
  uint8_t hash[FR_SHA256_SIZE];
  struct fr_event_row event = {
    .seq = ledger->head.seq + 1, .run = ledger->run,
    .at_ms = fr_clock_at(ledger->clock), .kind = kind,
    .data = fr_buf_text(&ledger->data), .hash = hash
  };
  enum fr_err err;

  if (id) {
    event.has_id = true;
    event.id = *id;
  }
  ledger->written = true;
  err = fr_event_hash(&event, ledger->head.hash, hash);
  if (err)
    (void)fr_ledger_fail(ledger, err, "an event could not be hashed");
  if (!err)
    err = insert(ledger, &event);
  if (!err)
    err = fr_event_apply(ledger, &event, told);
  if (err) {
    ledger->broken = err;
    return err;
  }
  ledger->head.seq = event.seq;
  memcpy(ledger->head.hash, hash, sizeof(hash));
  return FR_OK;
}

/* ---- reading ------------------------------------------------------------- */

enum fr_err fr_event_read(struct fr_ledger *ledger, sqlite3_stmt *statement,
                          struct fr_event_row *ret_event)
{
  bool null = sqlite3_column_type(statement, 4) == SQLITE_NULL;
  struct fr_event_row event = {
    .seq = sqlite3_column_int64(statement, 0),
    .run = sqlite3_column_int64(statement, 1),
    .at_ms = sqlite3_column_int64(statement, 2),
    .kind = fr_sql_text(statement, 3),
    .data = fr_sql_text(statement, 5),
    .hash = sqlite3_column_blob(statement, 6)
  };

  event.has_id = fr_sql_id(statement, 4, &event.id);
  if (!event.kind || !event.data || !event.hash || null == event.has_id ||
      strlen(event.data) != (size_t)sqlite3_column_bytes(statement, 5) ||
      strlen(event.kind) != (size_t)sqlite3_column_bytes(statement, 3) ||
      sqlite3_column_bytes(statement, 6) != FR_SHA256_SIZE) {
    ret_event->seq = event.seq;
    return fr_sql_odd(ledger, "event %" PRId64 " is not an event",
                      event.seq);
  }
  *ret_event = event;
  return FR_OK;
}

enum fr_err fr_event_check(struct fr_ledger *ledger,
                           const struct fr_event_row *event,
                           struct fr_chain *chain)
{
  uint8_t hash[FR_SHA256_SIZE];
  enum fr_err err = fr_event_hash(event, chain->head, hash);

  if (err)
    return fr_ledger_fail(ledger, err, "an event could not be hashed");
  if (event->seq != chain->events + 1 ||
      memcmp(hash, event->hash, sizeof(hash)) != 0) {
    chain->broken_seq = event->seq;
    return fr_sql_odd(ledger, "event %" PRId64 " does not fit the one "
                      "before", event->seq);
  }
  chain->events = event->seq;
  memcpy(chain->head, hash, sizeof(hash));
  return FR_OK;
}
