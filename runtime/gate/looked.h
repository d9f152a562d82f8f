/* gate/looked.h - which stretches of a list have nothing left to delete.
 *
 *   window read whole --take--> ids, and when each was sent, started, ended
 *        ... the run deletes ...
 *   pieces: the windows, less a second around each row that the ledger has
 *           not as deleted or gone
 *
 * Promise: whoever lists the span again without these pieces misses no row
 * that was listed before and is not deleted, whichever of a row's times the
 * API's `start` and `end` look at (it does not say). Each doubt costs a
 * window: a row without any time, more rows than are kept in mind. A row that
 * has not ended is left, and ends later than anything that was looked at.
 *
 * Ownership: windows are read and not kept; the ledger is borrowed.
 */
#ifndef FR_GATE_LOOKED_H
#define FR_GATE_LOOKED_H

#include "fal/window.h"
#include "ledger/story.h"

#define FR_LOOKED_ROWS_MAX 500000u      /* 32 bytes each */
#define FR_LOOKED_PIECES_MAX 20u

struct fr_looked_list;

struct fr_looked_piece {
  int64_t from_ms, to_ms;
  uint64_t rows;                /* that were listed in it */
};

enum fr_err fr_looked_new(struct fr_looked_list **ret_list);
void fr_looked_free(struct fr_looked_list *list);       /* NULL is fine */

/* Takes a window that was read whole, without a filter, between these times,
 * which are the next ones after those of the window before. */
enum fr_err fr_looked_take(struct fr_looked_list *list,
                           const struct fr_window *window, int64_t from_ms,
                           int64_t to_ms);

/* The longest pieces, at most FR_LOOKED_PIECES_MAX, the earliest first, by
 * what the ledger says now. Borrowed until the next call. */
enum fr_err fr_looked_pieces(struct fr_looked_list *list,
                             struct fr_ledger *ledger,
                             const struct fr_looked_piece **ret_pieces,
                             size_t *ret_count);

#endif
