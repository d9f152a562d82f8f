/* gate/looked.c - see looked.h. Rows that are left make holes; what lies
 * between the holes, within the windows, are the pieces. */
#include "gate/looked.h"

#include <stdlib.h>
#include <string.h>

#include "base/date.h"

#define SECOND 1000

struct mark {
  struct fr_uuid id;
  int64_t first_ms, last_ms;    /* of its times */
};

struct span {
  int64_t from_ms, to_ms;
};

struct fr_looked_list {
  struct fr_buf marks;          /* of struct mark */
  struct fr_buf windows;        /* of struct span, one after the other */
  struct fr_buf holes;          /* the same */
  struct fr_buf pieces;         /* of struct fr_looked_piece */
};

enum fr_err fr_looked_new(struct fr_looked_list **ret_list)
{
  struct fr_looked_list *list = calloc(1, sizeof(*list));

  if (!list)
    return FR_ENOMEM;
  fr_buf_init(&list->marks, FR_LOOKED_ROWS_MAX * sizeof(struct mark));
  fr_buf_init(&list->windows, FR_LOOKED_ROWS_MAX * sizeof(struct span));
  fr_buf_init(&list->holes, FR_LOOKED_ROWS_MAX * sizeof(struct span));
  fr_buf_init(&list->pieces, 2 * FR_LOOKED_ROWS_MAX *
              sizeof(struct fr_looked_piece));
  *ret_list = list;
  return FR_OK;
}

void fr_looked_free(struct fr_looked_list *list)
{
  if (!list)
    return;
  fr_buf_done(&list->marks);
  fr_buf_done(&list->windows);
  fr_buf_done(&list->holes);
  fr_buf_done(&list->pieces);
  free(list);
}

/* ---- taking -------------------------------------------------------------- */

/* One of the times of a row. True: there is none, or it could be read. */
static bool widen(struct mark *mark, const struct fr_span *fact)
{
  int64_t at_ms;

  if (fact->kind <= FR_SPAN_NULL)
    return true;
  if (fact->kind != FR_SPAN_TEXT ||
      fr_date_parse(fact->at, fact->len, &at_ms))
    return false;
  if (at_ms < mark->first_ms)
    mark->first_ms = at_ms;
  if (at_ms > mark->last_ms)
    mark->last_ms = at_ms;
  return true;
}

/* False: nobody can say where the list would have this row. */
static bool make_mark(const struct fr_window_row *row, struct mark *mark)
{
  const struct fr_span *facts = row->row.facts;

  *mark = (struct mark){ row->id, INT64_MAX, INT64_MIN };
  return widen(mark, &facts[FR_FACT_SENT_AT]) &&
         widen(mark, &facts[FR_FACT_STARTED_AT]) &&
         widen(mark, &facts[FR_FACT_ENDED_AT]) &&
         mark->first_ms <= mark->last_ms;
}

/* Marks of a window that is not taken in the end do no harm: more holes. */
enum fr_err fr_looked_take(struct fr_looked_list *list,
                           const struct fr_window *window, int64_t from_ms,
                           int64_t to_ms)
{
  struct span span = { from_ms, to_ms };
  size_t count;
  const struct fr_window_row *rows = fr_window_rows(window, &count);
  struct mark mark;
  enum fr_err err = FR_OK;

  for (size_t i = 0; !err && i < count; i++)
    err = make_mark(&rows[i], &mark)
      ? fr_buf_add(&list->marks, &mark, sizeof(mark)) : FR_ETOO_BIG;
  if (!err)
    err = fr_buf_add(&list->windows, &span, sizeof(span));
  return err == FR_ETOO_BIG ? FR_OK : err;
}

/* ---- holes --------------------------------------------------------------- */

static enum fr_err is_over(struct fr_ledger *ledger,
                           const struct fr_uuid *id, bool *ret_over)
{
  struct fr_record record;
  enum fr_err err = fr_ledger_find(ledger, id, &record);

  *ret_over = !err && (record.state == FR_STATE_DELETED ||
                       record.state == FR_STATE_GONE);
  return err == FR_ENOT_FOUND ? FR_OK : err;
}

static int by_begin(const void *a, const void *b)
{
  const struct span *x = a, *y = b;

  return (x->from_ms > y->from_ms) - (x->from_ms < y->from_ms);
}

static enum fr_err dig(struct fr_looked_list *list, struct fr_ledger *ledger)
{
  const struct mark *marks = (const void *)list->marks.data;
  size_t count = list->marks.len / sizeof(*marks);
  enum fr_err err = FR_OK;
  bool over;

  fr_buf_clear(&list->holes);
  for (size_t i = 0; !err && i < count; i++) {
    struct span hole = {
      (marks[i].first_ms / SECOND - 1) * SECOND,
      (marks[i].last_ms / SECOND + 2) * SECOND
    };

    err = is_over(ledger, &marks[i].id, &over);
    if (!err && !over)
      err = fr_buf_add(&list->holes, &hole, sizeof(hole));
  }
  if (!err && list->holes.len)
    qsort(list->holes.data, list->holes.len / sizeof(struct span),
          sizeof(struct span), by_begin);
  return err;
}

/* ---- pieces -------------------------------------------------------------- */

static enum fr_err add_piece(struct fr_looked_list *list, int64_t from_ms,
                             int64_t to_ms)
{
  struct fr_looked_piece piece = { from_ms, to_ms, 0 };

  return from_ms < to_ms ? fr_buf_add(&list->pieces, &piece, sizeof(piece))
                         : FR_OK;
}

/* A stretch of windows without a gap, less the holes. */
static enum fr_err cut(struct fr_looked_list *list, struct span stretch)
{
  const struct span *holes = (const void *)list->holes.data;
  size_t count = list->holes.len / sizeof(*holes);
  enum fr_err err = FR_OK;

  for (size_t i = 0; !err && i < count; i++) {
    if (holes[i].from_ms >= stretch.to_ms)
      break;
    err = add_piece(list, stretch.from_ms, holes[i].from_ms);
    if (holes[i].to_ms > stretch.from_ms)
      stretch.from_ms = holes[i].to_ms;
  }
  return err ? err : add_piece(list, stretch.from_ms, stretch.to_ms);
}

static enum fr_err cut_all(struct fr_looked_list *list)
{
  const struct span *windows = (const void *)list->windows.data;
  size_t count = list->windows.len / sizeof(*windows);
  enum fr_err err = FR_OK;

  fr_buf_clear(&list->pieces);
  for (size_t i = 0; !err && i < count;) {
    struct span stretch = windows[i++];

    while (i < count && windows[i].from_ms == stretch.to_ms)
      stretch.to_ms = windows[i++].to_ms;
    err = cut(list, stretch);
  }
  return err;
}

static int by_length(const void *a, const void *b)
{
  const struct fr_looked_piece *x = a, *y = b;
  int64_t left = x->to_ms - x->from_ms, right = y->to_ms - y->from_ms;

  if (left != right)
    return left < right ? 1 : -1;
  return (x->from_ms > y->from_ms) - (x->from_ms < y->from_ms);
}

static int by_time(const void *a, const void *b)
{
  const struct fr_looked_piece *x = a, *y = b;

  return (x->from_ms > y->from_ms) - (x->from_ms < y->from_ms);
}

static void count_rows(const struct fr_looked_list *list,
                       struct fr_looked_piece *pieces, size_t npieces)
{
  const struct mark *marks = (const void *)list->marks.data;
  size_t count = list->marks.len / sizeof(*marks);

  for (size_t i = 0; i < count; i++)
    for (size_t j = 0; j < npieces; j++)
      pieces[j].rows += marks[i].last_ms >= pieces[j].from_ms &&
                        marks[i].last_ms < pieces[j].to_ms;
}

enum fr_err fr_looked_pieces(struct fr_looked_list *list,
                             struct fr_ledger *ledger,
                             const struct fr_looked_piece **ret_pieces,
                             size_t *ret_count)
{
  enum fr_err err = dig(list, ledger);
  struct fr_looked_piece *pieces;
  size_t count;

  if (!err)
    err = cut_all(list);
  if (err)
    return err;
  pieces = (void *)list->pieces.data;
  count = list->pieces.len / sizeof(*pieces);
  if (count > 1)
    qsort(pieces, count, sizeof(*pieces), by_length);
  if (count > FR_LOOKED_PIECES_MAX)
    count = FR_LOOKED_PIECES_MAX;
  if (count > 1)
    qsort(pieces, count, sizeof(*pieces), by_time);
  count_rows(list, pieces, count);
  *ret_pieces = pieces;
  *ret_count = count;
  return FR_OK;
}
