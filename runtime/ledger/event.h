/* ledger/event.h - making events, and the chain that they form; private.
 *
 *   fr_data_begin, fr_data_text..., fr_data_end --> fr_event_add
 */
#ifndef FR_LEDGER_EVENT_H
#define FR_LEDGER_EVENT_H

#include "ledger/internal.h"

/* ---- data.c -------------------------------------------------------------- */

/* An object in the making; the first error sticks and fr_data_end tells. */
struct fr_data {
  struct fr_buf *buf;
  enum fr_err err;
};

void fr_data_begin(struct fr_data *data, struct fr_buf *buf);
void fr_data_text(struct fr_data *data, const char *name, const char *text,
                  size_t most);
void fr_data_number(struct fr_data *data, const char *name, int64_t number);
/* `json` as it is; NULL adds null. */
void fr_data_raw(struct fr_data *data, const char *name, const char *json);
enum fr_err fr_data_end(struct fr_data *data);

/* A link that is too long is cut as docs/ledger.md says: the same link is
 * the same text wherever it is recorded. */
void fr_data_link(struct fr_data *data, const char *name, const char *link);
void fr_data_links(struct fr_data *data, const char *name,
                   const char *const *links, size_t count);

enum fr_err fr_data_files(struct fr_buf *buf,
                          const struct fr_outcome *outcome);

/* ---- event.c ------------------------------------------------------------- */

/* What is known of an event beside what it says; all zero: nothing. */
struct fr_told {
  bool looked;                  /* `place` was asked for */
  struct fr_place place;        /* of the id, before; seq 0: none */
  const char *state;            /* of an outcome; NULL: as in the data */
};

enum fr_err fr_event_head(struct fr_ledger *ledger);
/* Appends an event with the object in ledger->data and applies it. */
enum fr_err fr_event_add(struct fr_ledger *ledger, const char *kind,
                         const struct fr_uuid *id,
                         const struct fr_told *told);
enum fr_err fr_event_apply(struct fr_ledger *ledger,
                           const struct fr_event_row *event,
                           const struct fr_told *told);
/* Borrowed from the statement; FR_ECORRUPT when the row is no event. */
enum fr_err fr_event_read(struct fr_ledger *ledger, sqlite3_stmt *statement,
                          struct fr_event_row *ret_event);
enum fr_err fr_event_hash(const struct fr_event_row *event,
                          const uint8_t before[FR_SHA256_SIZE],
                          uint8_t ret_hash[FR_SHA256_SIZE]);
/* Checks one event against the one before, which chain->head and
 * chain->events describe, and moves them on; FR_ECORRUPT. */
enum fr_err fr_event_check(struct fr_ledger *ledger,
                           const struct fr_event_row *event,
                           struct fr_chain *chain);

#endif
