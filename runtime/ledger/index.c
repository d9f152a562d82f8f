/* ledger/index.c - asking where the deletion of an id lies.
 *
 * `deletions` is ordered by intent, so that writing it is appending. A
 * unique index on its random ids would touch a page for each row, and cost
 * more than all the rest by some 100,000 rows. So the ids of the newest
 * deletions are kept in memory, which costs one walk over the tail when the
 * first question comes, and merge.c brings them into the table `ids` later.
 *
 * The filter is filled as ids are merged. In a ledger that had many before,
 * reading them all pays only after as many questions as that is worth; until
 * then at least the second question for a new id, by its intent, is spared.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/event.h"

#define FILTER_AFTER 64               /* seq / 64 questions: read them all */
#define ABSENT_MOST 16384             /* ids; all are forgotten together */

void fr_index_init(struct fr_index *index, bool alone)
{
  index->alone = alone;
  index->least = FR_INDEX_LEAST;
  if (fr_random(&index->seed, sizeof(index->seed)))
    index->seed = 1;
}

/* The filter too: filled in a group that took ids away, it lacks those. */
void fr_index_forget(struct fr_index *index)
{
  free(index->round);
  index->round = NULL;
  fr_recent_done(&index->recent);
  fr_recent_done(&index->absent);
  fr_filter_done(&index->filter);
  index->loaded = false;
  index->seen_seq = 0;
  index->added = 0;
}

/* ---- filling ------------------------------------------------------------- */

static bool is_position(sqlite3_stmt *statement,
                        struct fr_position *position)
{
  position->seq = sqlite3_column_int64(statement, 0);
  position->next_seq = sqlite3_column_int64(statement, 1);
  position->partly = position->next_seq > position->seq;
  return sqlite3_column_int64(statement, 3) == 1 && position->seq >= 0 &&
         position->seq <= position->next_seq &&
         position->next_seq <= sqlite3_column_int64(statement, 4) &&
         (position->partly ? fr_sql_id(statement, 2, &position->next_id)
                           : sqlite3_column_bytes(statement, 2) == 0);
}

enum fr_err fr_index_position(struct fr_ledger *ledger,
                              struct fr_position *ret_position)
{
  struct fr_position position = { 0 };
  sqlite3_stmt *statement;
  bool row;
  enum fr_err err = fr_sql_get(ledger, FR_SQL_POSITION, &statement);

  if (!err)
    err = fr_sql_step(ledger, statement, &row);
  if (err)
    return err;
  if (row && is_position(statement, &position))
    *ret_position = position;
  else
    err = fr_sql_odd(ledger, "its table indexing makes no sense");
  sqlite3_reset(statement);
  return err;
}

static enum fr_err read_tail(struct fr_ledger *ledger)
{
  struct fr_index *index = &ledger->index;
  sqlite3_stmt *statement;
  bool row = true;
  enum fr_err err = fr_sql_get(ledger, FR_SQL_TAIL, &statement);

  if (err)
    return err;
  sqlite3_bind_int64(statement, 1, index->seen_seq > index->is.seq
                                   ? index->seen_seq : index->is.seq);
  while (!(err = fr_sql_step(ledger, statement, &row)) && row) {
    struct fr_place place = { sqlite3_column_int64(statement, 1),
                              sqlite3_column_int(statement, 2) != 0 };
    struct fr_uuid id;

    if (!fr_sql_id(statement, 0, &id))
      err = fr_sql_odd(ledger, "a deletion has no request id");
    else if ((err = fr_recent_put(&index->recent, index->seed, &id, place)))
      (void)fr_ledger_fail(ledger, err, "out of memory in the ledger");
    if (err)
      break;
    index->seen_seq = place.seq;
  }
  sqlite3_reset(statement);
  return err;
}

static enum fr_err load(struct fr_ledger *ledger)
{
  struct fr_index *index = &ledger->index;
  enum fr_err err = fr_index_position(ledger, &index->is);

  if (err)
    return err;
  if (!index->alone)              /* others may have added to ids */
    fr_filter_done(&index->filter);
  if (index->recent.count)
    fr_recent_trim(&index->recent, index->seed, index->is.seq);
  err = read_tail(ledger);
  index->loaded = !err;
  return err;
}

static enum fr_err fill_filter(struct fr_ledger *ledger)
{
  struct fr_index *index = &ledger->index;
  sqlite3_stmt *statement;
  struct fr_uuid id;
  bool row = true;
  enum fr_err err = fr_sql_get(ledger, FR_SQL_IDS, &statement);

  if (err || fr_filter_init(&index->filter, index->is.seq))
    return err;                   /* without memory it goes without */
  while (!(err = fr_sql_step(ledger, statement, &row)) && row) {
    if (fr_sql_id(statement, 0, &id))
      fr_filter_add(&index->filter, fr_id_hash(index->seed, &id));
    else if ((err = fr_sql_odd(ledger, "ids has no request id")))
      break;
  }
  sqlite3_reset(statement);
  if (err)
    fr_filter_done(&index->filter);
  return err;
}

void fr_index_bind(sqlite3_stmt *statement,
                   const struct fr_position *position)
{
  sqlite3_bind_int64(statement, 1, position->seq);
  sqlite3_bind_int64(statement, 2, position->next_seq);
  sqlite3_bind_blob(statement, 3, position->next_id.bytes,
                    position->partly ? sizeof(position->next_id.bytes) : 0,
                    SQLITE_STATIC);
}

/* ---- asking -------------------------------------------------------------- */

static bool is_absent(const struct fr_index *index, const struct fr_uuid *id)
{
  const struct fr_seat *seat = fr_recent_find(&index->absent, index->seed,
                                              id);

  return seat && seat->place.open;
}

/* Without memory it will be asked again. */
static void note_absent(struct fr_index *index, const struct fr_uuid *id,
                        bool absent)
{
  struct fr_place place = { 1, absent };

  if (index->absent.count >= ABSENT_MOST)
    fr_recent_done(&index->absent);
  if (absent ? index->alone && !index->filter.words
             : fr_recent_find(&index->absent, index->seed, id) != NULL)
    (void)fr_recent_put(&index->absent, index->seed, id, place);
}

static enum fr_err ask_table(struct fr_ledger *ledger,
                             const struct fr_uuid *id,
                             struct fr_place *ret_place)
{
  sqlite3_stmt *statement;
  enum fr_err err = fr_sql_ask(ledger, FR_SQL_ID_FIND, id, &statement);

  if (err)
    return err;
  if (sqlite3_column_type(statement, 1) == SQLITE_NULL)
    err = fr_sql_odd(ledger, "an id leads to no deletion");
  else
    *ret_place = (struct fr_place){ sqlite3_column_int64(statement, 0),
                                    sqlite3_column_int(statement, 1) != 0 };
  sqlite3_reset(statement);
  return err;
}

enum fr_err fr_index_find(struct fr_ledger *ledger, const struct fr_uuid *id,
                          struct fr_place *ret_place)
{
  struct fr_index *index = &ledger->index;
  const struct fr_seat *seat;
  enum fr_err err = index->loaded ? FR_OK : load(ledger);

  if (err)
    return err;
  seat = fr_recent_find(&index->recent, index->seed, id);
  if (seat) {
    *ret_place = seat->place;
    return FR_OK;
  }
  if ((!index->is.seq && !index->is.partly) ||  /* nothing is merged yet */
      is_absent(index, id))
    return FR_ENOT_FOUND;
  if (!index->filter.words &&
      ++index->asked > (uint64_t)index->is.seq / FILTER_AFTER) {
    index->asked = 0;
    err = fill_filter(ledger);
  }
  if (!err && index->filter.words &&
      !fr_filter_has(&index->filter, fr_id_hash(index->seed, id)))
    err = FR_ENOT_FOUND;
  if (!err)
    err = ask_table(ledger, id, ret_place);
  if (err == FR_ENOT_FOUND)
    note_absent(index, id, true);
  return err;
}

enum fr_err fr_index_note(struct fr_ledger *ledger, const struct fr_uuid *id,
                          struct fr_place place)
{
  struct fr_index *index = &ledger->index;
  struct fr_seat *seat;
  enum fr_err err = FR_OK;

  if (!place.open) {
    seat = fr_recent_find(&index->recent, index->seed, id);
    if (seat)
      seat->place.open = false;
    return FR_OK;
  }
  note_absent(index, id, false);
  index->added++;
  index->seen_seq = place.seq;
  err = fr_recent_put(&index->recent, index->seed, id, place);
  if (err)
    (void)fr_ledger_fail(ledger, err, "out of memory in the ledger");
  return err;
}
