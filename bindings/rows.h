/* bindings/rows.h - rows on their way from the ledger into Lua.
 *
 *   each() of the ledger --put--> rows (plain C) --frl_rows_next--> tables
 *
 * The ledger's callbacks run on top of SQLite's frames, where no Lua error
 * may pass; so they copy their rows here, and tables are made afterwards.
 *
 * Ownership: rows live in a userdata on the stack, which owns the copies.
 */
#ifndef FRL_ROWS_H
#define FRL_ROWS_H

#include <lua.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/uuid.h"

struct frl_rows {
  struct fr_buf bytes;
  size_t at;                    /* of the next row to hand out */
  size_t count;                 /* rows put, ever */
  enum fr_err err;              /* the first that a put met */
};

/* Pushes empty rows that hold at most `most` bytes.         [-0, +1, m] */
struct frl_rows *frl_rows_new(lua_State *L, size_t most);
void frl_rows_clear(struct frl_rows *rows);

/* A row is a number of fields and an end. Names are kept by address: they
 * are literals. NULL text is left out. Errors are kept in rows->err. */
void frl_rows_integer(struct frl_rows *rows, const char *name, int64_t value);
void frl_rows_time(struct frl_rows *rows, const char *name, int64_t at_ms);
void frl_rows_text(struct frl_rows *rows, const char *name, const char *text);
void frl_rows_json(struct frl_rows *rows, const char *name, const char *text);
void frl_rows_id(struct frl_rows *rows, const char *name,
                 const struct fr_uuid *id);
void frl_rows_end(struct frl_rows *rows);

/* Pushes the next row as a table; false, and nothing, after the last.
 *                                                        [-0, +(0|1), e] */
bool frl_rows_next(lua_State *L, struct frl_rows *rows);
/* Pushes a list of all rows that are left.                   [-0, +1, e] */
void frl_rows_push(lua_State *L, struct frl_rows *rows);

#endif
