/* ledger/open.c - opening a ledger: is it one, is it whole, is it ours.
 *
 *   place, lock --> header --> connect --> version --> whole? --> origin
 *                                             --> create or migrate --> WAL
 *
 * Everything that can refuse a file comes before the first step that could
 * change it. The header is read through SQLite's own file methods: closing
 * a descriptor of ours would drop the POSIX locks that another connection
 * of this process may have on the file.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ledger/internal.h"

#define QUICK_CHECK_MAX (16 << 20)    /* bytes; a larger file takes seconds */
#define HEADER 100                    /* sqlite.org/fileformat2.html, 1.3 */
#define BUSY_MS 5000                  /* how long to wait for other writers */

static off_t size_of(const struct fr_ledger *ledger, const char *suffix)
{
  char *path = sqlite3_mprintf("%s%s", ledger->file, suffix);
  struct stat info;
  off_t size = path && stat(path, &info) == 0 ? info.st_size : 0;

  sqlite3_free(path);
  return size;
}

/* ---- the header ---------------------------------------------------------- */

static enum fr_err read_header(struct fr_ledger *ledger, uint8_t *header)
{
  sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
  sqlite3_file *file = calloc(1, (size_t)vfs->szOsFile);
  const char *name = sqlite3_create_filename(ledger->file, "", "", 0, NULL);
  int result = SQLITE_NOMEM, flags = 0;

  if (file && name)
    result = vfs->xOpen(vfs, name, file, SQLITE_OPEN_READONLY |
                        SQLITE_OPEN_MAIN_DB, &flags);
  if (result == SQLITE_OK) {
    result = file->pMethods->xRead(file, header, HEADER, 0);
    if (result == SQLITE_IOERR_SHORT_READ)      /* the rest is zeros */
      result = SQLITE_OK;
    (void)file->pMethods->xClose(file);
  }
  sqlite3_free_filename((char *)(uintptr_t)name);
  free(file);
  return result == SQLITE_OK ? FR_OK : fr_sql_fail(ledger, result);
}

/* A journal means that the creation was cut short: SQLite will undo it. */
static enum fr_err check_header(struct fr_ledger *ledger)
{
  uint8_t header[HEADER] = { 0 };
  uint32_t application;
  enum fr_err err;

  if (!ledger->file || size_of(ledger, "") == 0 ||
      size_of(ledger, "-journal") > 0)
    return FR_OK;
  err = read_header(ledger, header);
  if (err)
    return err;
  if (memcmp(header, "SQLite format 3", 16) != 0)
    return fr_ledger_fail(ledger, FR_ECORRUPT, "%s is damaged, or is not a "
                          "ledger: it does not begin like a database",
                          ledger->path);
  application = (uint32_t)header[68] << 24 | (uint32_t)header[69] << 16 |
                (uint32_t)header[70] << 8 | header[71];
  if (application != FR_SCHEMA_APPLICATION)
    return fr_ledger_fail(ledger, FR_ECORRUPT, "%s is a database of another "
                          "program, not a ledger of falrun", ledger->path);
  return FR_OK;
}

/* ---- the connection ------------------------------------------------------ */

enum fr_err fr_sql_connect(struct fr_ledger *ledger, const char *name,
                           int flags)
{
  int result = sqlite3_open_v2(name, &ledger->db, flags |
                               SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE,
                               NULL);

  if (result != SQLITE_OK)
    return fr_sql_fail(ledger, result);
  (void)sqlite3_extended_result_codes(ledger->db, 1);
  (void)sqlite3_db_config(ledger->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
  (void)sqlite3_busy_timeout(ledger->db, BUSY_MS);
  return fr_sql_exec(ledger, "PRAGMA trusted_schema = OFF;"
                     "PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0;"
                     "PRAGMA synchronous = FULL; PRAGMA cache_size = -4096");
}

/* Where the folder cannot be written, SQLite cannot make the -shm file that
 * reading a WAL database takes. Without a WAL the file stands alone. */
static enum fr_err connect_immutable(struct fr_ledger *ledger)
{
  sqlite3_str *uri = sqlite3_str_new(NULL);
  const unsigned char *at = (const unsigned char *)ledger->file;
  enum fr_err err;
  char *text;

  sqlite3_str_appendall(uri, "file://");
  for (; *at; at++)
    if (strchr("%?#", *at))
      sqlite3_str_appendf(uri, "%%%02x", *at);
    else
      sqlite3_str_append(uri, (const char *)at, 1);
  sqlite3_str_appendall(uri, "?immutable=1");
  text = sqlite3_str_finish(uri);
  sqlite3_close(ledger->db);
  ledger->db = NULL;
  err = text ? fr_sql_connect(ledger, text, SQLITE_OPEN_READONLY |
                                            SQLITE_OPEN_URI) : FR_ENOMEM;
  sqlite3_free(text);
  return err;
}

static enum fr_err connect_as(struct fr_ledger *ledger, int flags)
{
  int64_t ignored;
  enum fr_err err;

  sqlite3_close(ledger->db);
  ledger->db = NULL;
  err = fr_sql_connect(ledger, ledger->file, flags);
  return err ? err : fr_sql_number(ledger, "SELECT count(*) FROM "
                                   "sqlite_schema", &ignored);
}

/* A creation that was cut short leaves a journal, which only a writer may
 * undo. Most often nothing is left then: the ledger is a blank one. */
static enum fr_err undo_journal(struct fr_ledger *ledger)
{
  enum fr_err err = connect_as(ledger, SQLITE_OPEN_READWRITE);

  if (err || size_of(ledger, "") > 0)
    return err ? err : connect_as(ledger, SQLITE_OPEN_READONLY);
  sqlite3_close(ledger->db);
  ledger->db = NULL;
  ledger->blank = true;
  return fr_sql_connect(ledger, ":memory:", SQLITE_OPEN_READWRITE |
                                            SQLITE_OPEN_CREATE);
}

static enum fr_err connect_reader(struct fr_ledger *ledger)
{
  enum fr_err err = connect_as(ledger, SQLITE_OPEN_READONLY);

  if (err && sqlite3_extended_errcode(ledger->db) ==
             SQLITE_READONLY_ROLLBACK)
    err = undo_journal(ledger);
  if (err != FR_EIO || sqlite3_errcode(ledger->db) == SQLITE_BUSY)
    return err;
  if (size_of(ledger, "-wal") > 0 || size_of(ledger, "-journal") > 0)
    return fr_ledger_fail(ledger, FR_EIO, "the ledger %s has changes beside "
                          "it (-wal, -journal) that cannot be read without "
                          "writing there; read it as its owner, or copy all "
                          "its files to a folder of yours", ledger->path);
  return connect_immutable(ledger);
}

static enum fr_err connect(struct fr_ledger *ledger)
{
  if (!ledger->file)
    return fr_sql_connect(ledger, ":memory:", SQLITE_OPEN_READWRITE |
                                              SQLITE_OPEN_CREATE);
  if (ledger->access == FR_LEDGER_READ)
    return connect_reader(ledger);
  return fr_sql_connect(ledger, ledger->file, SQLITE_OPEN_READWRITE);
}

/* ---- is it whole, is it ours --------------------------------------------- */

static enum fr_err quick_check(struct fr_ledger *ledger)
{
  if (!ledger->file || size_of(ledger, "") >= QUICK_CHECK_MAX)
    return FR_OK;
  return fr_sql_sound(ledger, "PRAGMA quick_check(1)");
}

static enum fr_err check_origin(struct fr_ledger *ledger)
{
  sqlite3_stmt *statement = NULL;
  const char *origin = NULL;
  enum fr_err err = FR_OK;
  int result = sqlite3_prepare_v2(ledger->db, "SELECT value FROM meta "
                                  "WHERE key = 'origin'", -1, &statement,
                                  NULL);

  if (result == SQLITE_OK)
    result = sqlite3_step(statement);
  if (result == SQLITE_ROW)
    origin = fr_sql_text(statement, 0);
  if (result == SQLITE_DONE)
    err = fr_sql_odd(ledger, "it has lost its origin");
  else if (result != SQLITE_ROW)
    err = fr_sql_fail(ledger, result);
  else if (!origin && sqlite3_column_type(statement, 0) != SQLITE_NULL)
    err = fr_sql_fail(ledger, SQLITE_NOMEM);
  else if (origin && ledger->origin && strcmp(origin, ledger->origin) != 0)
    err = fr_ledger_fail(ledger, FR_EORIGIN, "the ledger %s belongs to %s, "
                         "not to %s; use another --ledger for that origin",
                         ledger->path, origin, ledger->origin);
  sqlite3_finalize(statement);
  return err;
}

static enum fr_err check_existing(struct fr_ledger *ledger)
{
  enum fr_err err = FR_OK;

  if (ledger->access == FR_LEDGER_RUN)
    err = quick_check(ledger);
  if (!err)
    err = check_origin(ledger);
  if (!err && ledger->access == FR_LEDGER_RUN)
    err = fr_verify_tail(ledger);
  return err;
}

/* SQLite calls no busy handler for the change of the journal mode. */
static int step_when_free(sqlite3_stmt *statement)
{
  int waited_ms = 0, result = sqlite3_step(statement);

  for (; result == SQLITE_BUSY && waited_ms < BUSY_MS; waited_ms += 5) {
    (void)sqlite3_reset(statement);
    (void)sqlite3_sleep(5);
    result = sqlite3_step(statement);
  }
  return result;
}

/* What is asserted here is what I1 of the design rests on. */
static enum fr_err assert_durable(struct fr_ledger *ledger)
{
  sqlite3_stmt *statement = NULL;
  const char *mode = NULL;
  int64_t level = 0;
  enum fr_err err;
  int result;

  if (!ledger->file)
    return FR_OK;
  err = fr_sql_number(ledger, "PRAGMA synchronous", &level);
  if (err)
    return err;
  result = sqlite3_prepare_v2(ledger->db, "PRAGMA journal_mode = WAL", -1,
                              &statement, NULL);
  if (result == SQLITE_OK)
    result = step_when_free(statement);
  if (result == SQLITE_ROW)
    mode = fr_sql_text(statement, 0);
  if (!mode)
    err = fr_sql_fail(ledger, result == SQLITE_ROW ? SQLITE_NOMEM : result);
  else if (level != 2 || strcmp(mode, "wal") != 0)
    err = fr_ledger_fail(ledger, FR_EIO, "the ledger %s cannot be kept "
                         "durable here: SQLite has journal mode %s instead "
                         "of wal; put it on a local file system",
                         ledger->path, mode);
  sqlite3_finalize(statement);
  if (!err)
    err = fr_sql_exec(ledger, "PRAGMA wal_autocheckpoint = 4000");
  return err;
}

static enum fr_err set_up(struct fr_ledger *ledger, uint64_t lock_wait_ms)
{
  int64_t version = 0;
  enum fr_err err = fr_place_find(ledger, lock_wait_ms);

  if (!err)
    err = check_header(ledger);
  if (!err)
    err = connect(ledger);
  if (!err && ledger->blank)
    return fr_schema_build(ledger, 0);
  if (!err)
    err = fr_schema_version(ledger, &version);
  if (!err && version > 0)
    err = check_existing(ledger);
  if (err)
    return err;
  if (ledger->access != FR_LEDGER_READ) {
    err = fr_schema_ensure(ledger);
    if (!err && version == 0)     /* another process may have created it */
      err = check_origin(ledger);
    return err ? err : assert_durable(ledger);
  }
  if (version < fr_schema_newest())
    return fr_ledger_fail(ledger, FR_EIO, "the ledger %s has an older "
                          "format, and reading does not change it; the next "
                          "run upgrades it", ledger->path);
  return FR_OK;
}

/* ---- the object ---------------------------------------------------------- */

static struct fr_ledger *new_ledger(const struct fr_ledger_config *config)
{
  struct fr_ledger *ledger = calloc(1, sizeof(*ledger));

  if (!ledger)
    return NULL;
  ledger->lock_fd = -1;
  ledger->clock = config->clock;
  ledger->access = config->access;
  ledger->path = strdup(config->path);
  ledger->origin = config->origin ? strdup(config->origin) : NULL;
  fr_buf_init(&ledger->data, FR_LEDGER_DATA);
  fr_buf_init(&ledger->files, FR_LEDGER_DATA);
  fr_index_init(&ledger->index, config->access == FR_LEDGER_RUN);
  if (!ledger->path || (config->origin && !ledger->origin)) {
    fr_ledger_close(ledger);
    return NULL;
  }
  return ledger;
}

enum fr_err fr_ledger_open(const struct fr_ledger_config *config,
                           struct fr_buf *why, struct fr_ledger **ret_ledger)
{
  struct fr_ledger *ledger;
  enum fr_err err;

  fr_sql_configure();
  ledger = new_ledger(config);
  if (!ledger) {
    fr_buf_say(why, "out of memory in the ledger");
    return FR_ENOMEM;
  }
  err = set_up(ledger, config->lock_wait_ms);
  if (err) {
    fr_buf_say(why, "%s", ledger->detail[0] ? ledger->detail
                                            : fr_err_message(err));
    fr_ledger_close(ledger);
    return err;
  }
  *ret_ledger = ledger;
  return FR_OK;
}

void fr_ledger_close(struct fr_ledger *ledger)
{
  size_t i;

  if (!ledger)
    return;
  for (i = 0; i < FR_SQL_COUNT; i++)
    sqlite3_finalize(ledger->statements[i]);
  sqlite3_close(ledger->db);
  if (ledger->lock_fd >= 0)
    (void)close(ledger->lock_fd);
  fr_buf_done(&ledger->data);
  fr_buf_done(&ledger->files);
  fr_index_forget(&ledger->index);
  free(ledger->origin);
  free(ledger->path);
  free(ledger->file);
  free(ledger);
}

const char *fr_ledger_path(const struct fr_ledger *ledger)
{
  return ledger->path;
}

const char *fr_ledger_detail(const struct fr_ledger *ledger)
{
  return ledger->detail;
}
