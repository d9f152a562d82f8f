/* ledger/internal.h - what the files of runtime/ledger share; private.
 *
 *   place.c  path, folder, lock file      event.c   the chain
 *   open.c   opening and checking         data.c    the JSON of an event
 *   schema.c tables and migrations        ledger.c  groups and runs
 *   sql.c    statements and errors        story.c   one request's story
 *   ask.c    questions                    verify.c  everything, again
 *   acts.c   changes                      facts.c   what else a run knows
 *   index.c, recent.c, filter.c, merge.c  where the deletion of an id lies
 */
#ifndef FR_LEDGER_INTERNAL_H
#define FR_LEDGER_INTERNAL_H

#include <sqlite3.h>

#include "base/digest.h"
#include "ledger/history.h"
#include "ledger/holds.h"
#include "ledger/index.h"
#include "ledger/story.h"
#include "ledger/sql.h"

#define FR_SCHEMA_APPLICATION 0x66616c72      /* "falr" */
#define FR_LEDGER_TAIL 10000          /* events checked before each run */
#define FR_LEDGER_POLICY 64           /* of the name of a policy */
#define FR_LEDGER_REASON 1000         /* bytes of a reason that are kept */
#define FR_LEDGER_LINK 2048           /* of a link, of an exception */
#define FR_LEDGER_FILES 1000          /* files kept of one answer */
#define FR_LEDGER_DATA (32 << 20)     /* no event is larger */

enum fr_known { FR_UNKNOWN, FR_NONE, FR_SOME };

struct fr_ledger {
  sqlite3 *db;
  sqlite3_stmt *statements[FR_SQL_COUNT];
  const struct fr_clock *clock;
  enum fr_ledger_access access;
  char *path;                   /* as it was given */
  char *file;                   /* absolute, no links; NULL: in memory */
  char *origin;                 /* as it was given, or NULL */
  int lock_fd;
  bool blank;                   /* READ, and there is no file */
  bool grouped;                 /* between begin and commit */
  bool glimpsing;               /* in a read transaction */
  bool written;                 /* an event of this group */
  enum fr_err broken;           /* a write of this group failed so */
  int64_t run;                  /* the current run, or 0 */
  struct {
    int64_t seq;
    uint8_t hash[FR_SHA256_SIZE];
  } head;                       /* of the chain, within a group */
  struct fr_buf data, files;    /* JSON in the making */
  struct fr_index index;
  int64_t version;              /* data_version, of this transaction */
  /* Rows of three tables; of holds within a transaction only. */
  enum fr_known holds, residue, quarantined;
  int64_t graces;               /* quarantines that this one has told */
  char detail[1024];
};

/* ---- sql.c --------------------------------------------------------------- */

void fr_sql_configure(void);
/* Sets the detail and returns err. */
enum fr_err fr_ledger_fail(struct fr_ledger *ledger, enum fr_err err,
                           const char *format, ...)
  __attribute__((format(printf, 3, 4)));
/* The words for SQLite's result; FR_ECORRUPT, FR_EIO or FR_ENOMEM. */
enum fr_err fr_sql_fail(struct fr_ledger *ledger, int result);
/* A row is not as it must be: FR_ECORRUPT, unless memory ran out. */
enum fr_err fr_sql_odd(struct fr_ledger *ledger, const char *format, ...)
  __attribute__((format(printf, 2, 3)));
enum fr_err fr_sql_exec(struct fr_ledger *ledger, const char *sql);
/* Asks SQLite's own check of the file, PRAGMA quick_check or another. */
enum fr_err fr_sql_sound(struct fr_ledger *ledger, const char *pragma);
/* The first column of the first row; 0 where it is NULL. */
enum fr_err fr_sql_number(struct fr_ledger *ledger, const char *sql,
                          int64_t *ret_number);

/* A statement that is ready for its parameters. Whoever got it steps it,
 * reads the columns, and resets it before returning. */
enum fr_err fr_sql_get(struct fr_ledger *ledger, enum fr_sql which,
                       sqlite3_stmt **ret_statement);
enum fr_err fr_sql_step(struct fr_ledger *ledger, sqlite3_stmt *statement,
                        bool *ret_row);
/* To its end, and resets it. */
enum fr_err fr_sql_run(struct fr_ledger *ledger, sqlite3_stmt *statement);
/* Whether a table has rows: asked once; from then on what is written says. */
enum fr_err fr_sql_any(struct fr_ledger *ledger, enum fr_sql which,
                       enum fr_known *known);
/* The row of a statement that asks for a request id (?1), which the caller
 * resets; FR_ENOT_FOUND, and nothing to reset, when there is none. */
enum fr_err fr_sql_ask(struct fr_ledger *ledger, enum fr_sql which,
                       const struct fr_uuid *id, sqlite3_stmt **ret_row);
void fr_sql_bind_id(sqlite3_stmt *statement, int index,
                    const struct fr_uuid *id);            /* NULL: null */
void fr_sql_bind_text(sqlite3_stmt *statement, int index, const char *text);
/* False unless the column is a blob of 16 bytes. */
bool fr_sql_id(sqlite3_stmt *statement, int column, struct fr_uuid *ret_id);
const char *fr_sql_text(sqlite3_stmt *statement, int column);   /* or NULL */

/* A position as ?1 to ?3. */
void fr_index_bind(sqlite3_stmt *statement,
                   const struct fr_position *position);

/* ---- ledger.c ------------------------------------------------------------ */

/* As fr_ledger_begin, for whoever may write holds. */
enum fr_err fr_group_begin(struct fr_ledger *ledger);
/* Commits, or after an error rolls back; returns the error. */
enum fr_err fr_group_end(struct fr_ledger *ledger, enum fr_err err);
/* FR_OK within a group that can still be committed. */
enum fr_err fr_group_check(struct fr_ledger *ledger);
/* In a transaction: what was asked in it stays true until it ends. */
bool fr_group_steady(const struct fr_ledger *ledger);
enum fr_state fr_state_parse(const char *name);       /* NONE: no such */

/* ---- schema.c, place.c, open.c, verify.c -------------------------------- */

int fr_schema_newest(void);
enum fr_err fr_schema_version(struct fr_ledger *ledger, int64_t *ret_version);
enum fr_err fr_schema_build(struct fr_ledger *ledger, int64_t from);
/* Creates or migrates, with the genesis event, in one transaction. */
enum fr_err fr_schema_ensure(struct fr_ledger *ledger);
enum fr_err fr_place_find(struct fr_ledger *ledger, uint64_t lock_wait_ms);
enum fr_err fr_sql_connect(struct fr_ledger *ledger, const char *name,
                           int flags);
enum fr_err fr_verify_tail(struct fr_ledger *ledger);

#endif
