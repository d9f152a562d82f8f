/* ledger/merge.c - bringing the newest ids into the table `ids`.
 *
 *   recent ... enough? --> round: all up to next_seq, sorted by id
 *                            | slice by slice, with the groups' commits
 *                            v
 *                          ids    ... done: seq = next_seq
 *
 * In sorted order each page of ids is touched once a round. A round begins
 * when there are enough ids for several to fall on one page, so the cost of
 * an id does not grow with the table; and it is done in slices, so that no
 * commit waits for all of it. The position is written with each slice: a
 * process that is killed goes on where it was, and verify knows what must
 * be there.
 */
#include <stdlib.h>
#include <string.h>

#include "ledger/event.h"

static size_t enough(const struct fr_index *index)
{
  uint64_t share = (uint64_t)index->is.seq / FR_INDEX_SHARE;

  if (share > FR_INDEX_MOST)
    share = FR_INDEX_MOST;
  return share > index->least ? share : index->least;
}

static int by_id(const void *a, const void *b)
{
  const struct fr_uuid *one = &((const struct fr_seat *)a)->id;
  const struct fr_uuid *two = &((const struct fr_seat *)b)->id;

  if (one->bytes[0] != two->bytes[0])   /* mostly: ids are random */
    return one->bytes[0] < two->bytes[0] ? -1 : 1;
  return fr_uuid_compare(one, two);
}

static bool belongs(const struct fr_index *index, const struct fr_seat *seat)
{
  return seat->place.seq && seat->place.seq <= index->is.next_seq &&
         (!index->is.partly ||
          fr_uuid_compare(&seat->id, &index->is.next_id) >= 0);
}

/* Sorts what the round has left to do. */
static enum fr_err sort(struct fr_ledger *ledger)
{
  struct fr_index *index = &ledger->index;
  const struct fr_recent *recent = &index->recent;
  struct fr_seat *round = malloc((recent->count + 1) * sizeof(*round));
  size_t i;

  if (!round)
    return fr_ledger_fail(ledger, FR_ENOMEM, "out of memory in the ledger");
  index->count = index->at = 0;
  for (i = 0; i < recent->cap; i++)
    if (belongs(index, &recent->seats[i]))
      round[index->count++] = recent->seats[i];
  qsort(round, index->count, sizeof(*round), by_id);
  index->round = round;
  return FR_OK;
}

static enum fr_err add_id(struct fr_ledger *ledger,
                          const struct fr_seat *row)
{
  struct fr_index *index = &ledger->index;
  const struct fr_seat *seat = fr_recent_find(&index->recent, index->seed,
                                              &row->id);
  sqlite3_stmt *statement;
  enum fr_err err;

  if (!seat || seat->place.seq != row->place.seq)
    return FR_OK;               /* it was announced again meanwhile */
  err = fr_sql_get(ledger, FR_SQL_ID_ADD, &statement);
  if (err)
    return err;
  fr_sql_bind_id(statement, 1, &row->id);
  sqlite3_bind_int64(statement, 2, row->place.seq);
  if (index->filter.words)
    fr_filter_add(&index->filter, fr_id_hash(index->seed, &row->id));
  return fr_sql_run(ledger, statement);
}

/* What stays open behind the position is listed: it is looked for often. */
static enum fr_err leave_open(struct fr_ledger *ledger)
{
  const struct fr_recent *recent = &ledger->index.recent;
  sqlite3_stmt *statement;
  size_t i;
  enum fr_err err = fr_sql_get(ledger, FR_SQL_LEAVE_OPEN, &statement);

  for (i = 0; !err && i < recent->cap; i++) {
    const struct fr_place *place = &recent->seats[i].place;

    if (!place->open || place->seq > ledger->index.is.next_seq)
      continue;
    sqlite3_bind_int64(statement, 1, place->seq);
    err = fr_sql_run(ledger, statement);
  }
  return err;
}

static enum fr_err advance(struct fr_ledger *ledger)
{
  sqlite3_stmt *statement;
  enum fr_err err = fr_sql_get(ledger, FR_SQL_ADVANCE, &statement);

  if (err)
    return err;
  fr_index_bind(statement, &ledger->index.is);
  return fr_sql_run(ledger, statement);
}

static enum fr_err finish(struct fr_ledger *ledger)
{
  struct fr_index *index = &ledger->index;
  enum fr_err err = leave_open(ledger);

  if (err)
    return err;
  index->is.seq = index->is.next_seq;
  index->is.partly = false;
  fr_recent_trim(&index->recent, index->seed, index->is.seq);
  free(index->round);
  index->round = NULL;
  return FR_OK;
}

static enum fr_err begin(struct fr_ledger *ledger)
{
  struct fr_index *index = &ledger->index;

  if (!index->is.partly) {
    if (index->is.seq == 0 && !index->filter.words)
      (void)fr_filter_init(&index->filter, 0);
    index->is.next_seq = index->seen_seq;
  }
  return sort(ledger);
}

enum fr_err fr_merge_step(struct fr_ledger *ledger)
{
  struct fr_index *index = &ledger->index;
  size_t slice = index->added * FR_INDEX_SLICE;
  enum fr_err err = FR_OK;

  index->added = 0;
  if (slice == 0 || (!index->is.partly &&
                     index->recent.count < enough(index)))
    return FR_OK;
  if (!index->round)
    err = begin(ledger);
  for (; !err && slice > 0 && index->at < index->count; slice--)
    err = add_id(ledger, &index->round[index->at++]);
  if (err)
    return err;
  index->is.partly = index->at < index->count;
  if (index->is.partly)
    index->is.next_id = index->round[index->at].id;
  else
    err = finish(ledger);
  return err ? err : advance(ledger);
}
