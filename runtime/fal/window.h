/* fal/window.h - the rows of one window of a list: kept small, sorted, each
 * id once.
 *
 *   page, page, ... --add--> rows --sort--> next, next, ... oldest first
 *
 * A window is read whole before anything of it is handed out (DESIGN 5), and
 * ten thousand tables of Lua are much slower to keep than to make; so rows
 * wait here, and become a table when they are asked for.
 *
 * Promise: a row is kept only if every fact is as the API documents it; one
 * that is not keeps its whole page out, and the caller reads it another way.
 *
 * Ownership: bodies are copied, so pages may go; rows are borrowed and live as
 * long as the window, up to the next fr_window_add.
 */
#ifndef FR_FAL_WINDOW_H
#define FR_FAL_WINDOW_H

#include <stdint.h>

#include "base/uuid.h"
#include "fal/page.h"

struct fr_window;

struct fr_window_row {
  struct fr_row row;
  struct fr_uuid id;
  int64_t ended_ms;             /* -1: it has no end */
};

/* When the rows of the pages so far ended, those that did; `count` is 0 as
 * long as there is none. */
struct fr_reach {
  uint64_t count;
  int64_t first, last, oldest, newest;
};

enum fr_err fr_window_new(struct fr_window **ret_window);
void fr_window_free(struct fr_window *window);  /* NULL is fine */

/* FR_EPROTOCOL: a row is not as documented; FR_EINVALID: a page with these
 * very rows came before; nothing is added then. After FR_ETOO_BIG, FR_ENOMEM
 * the window lacks rows. */
enum fr_err fr_window_add(struct fr_window *window,
                          const struct fr_page *page);
const struct fr_reach *fr_window_reach(const struct fr_window *window);
bool fr_window_has(const struct fr_window *window, const struct fr_uuid *id);

/* By end, then by id; what has no end comes first. */
void fr_window_sort(struct fr_window *window);
/* All rows, as they lie. */
const struct fr_window_row *fr_window_rows(const struct fr_window *window,
                                           size_t *ret_count);
/* The next row, or NULL after the last. */
const struct fr_window_row *fr_window_next(struct fr_window *window);

#endif
