/* tests/unit/ledger/support.h - a folder of its own for each test, a ledger
 * in it on a virtual clock, and SQL on the file behind the ledger's back.
 */
#ifndef LEDGER_SUPPORT_H
#define LEDGER_SUPPORT_H

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "ledger/event.h"

#define AT0 1700000000000               /* 2023-11-14T22:13:20Z */
#define ORIGIN "https://api.fal.ai"

struct world {
  struct fr_clock clock;
  struct fr_buf why;
  char folder[64], path[128];
  struct fr_ledger *ledger;
};

static inline int setup(void **state)
{
  struct world *world = calloc(1, sizeof(*world));

  assert_non_null(world);
  fr_clock_virtual(&world->clock, AT0);
  fr_buf_init(&world->why, 4096);
  strcpy(world->folder, "/tmp/falrun-ledger-XXXXXX");
  assert_non_null(mkdtemp(world->folder));
  snprintf(world->path, sizeof(world->path), "%s/ledger.db",
           world->folder);
  *state = world;
  return 0;
}

static inline int teardown(void **state)
{
  struct world *world = *state;
  char command[128];

  fr_ledger_close(world->ledger);
  fr_buf_done(&world->why);
  snprintf(command, sizeof(command), "rm -rf '%s'", world->folder);
  assert_int_equal(system(command), 0);
  free(world);
  return 0;
}

static inline enum fr_err try_open(struct world *world, const char *path,
                                   enum fr_ledger_access access,
                                   const char *origin,
                                   struct fr_ledger **ret_ledger)
{
  struct fr_ledger_config config = {
    .path = path, .access = access, .origin = origin,
    .clock = &world->clock
  };

  fr_buf_clear(&world->why);
  return fr_ledger_open(&config, &world->why, ret_ledger);
}

static inline struct fr_ledger *open_as(struct world *world,
                                        enum fr_ledger_access access)
{
  struct fr_ledger *ledger = NULL;
  enum fr_err err = try_open(world, world->path, access, ORIGIN, &ledger);

  if (err)
    print_error("%s\n", fr_buf_text(&world->why));
  assert_int_equal(err, FR_OK);
  return ledger;
}

static inline void open_run(struct world *world)
{
  world->ledger = open_as(world, FR_LEDGER_RUN);
}

static inline void reopen(struct world *world)
{
  fr_ledger_close(world->ledger);
  world->ledger = NULL;
  open_run(world);
}

static inline int64_t begin_run(struct world *world)
{
  struct fr_run_spec spec = {
    .command = "run", .policy = "p.lua", .policy_sha256 = "ab",
    .options = "{\"max_deletes\":5}"
  };
  int64_t run = 0;

  assert_int_equal(fr_ledger_run_begin(world->ledger, &spec, &run), FR_OK);
  return run;
}

static inline struct fr_uuid id_of(unsigned number)
{
  struct fr_uuid id = { { 0x76, 0x4c, 0xab, 0xcf, 0xb7, 0x45, 0x4b, 0x3e,
                          0xae, 0x38 } };

  id.bytes[12] = (uint8_t)(number >> 24);
  id.bytes[13] = (uint8_t)(number >> 16);
  id.bytes[14] = (uint8_t)(number >> 8);
  id.bytes[15] = (uint8_t)number;
  return id;
}

static inline enum fr_err intend(struct world *world, unsigned number)
{
  struct fr_intent intent = {
    .id = id_of(number), .reason = "30 day rule", .key = "falrun-key",
    .ended_at_ms = 1690000000000
  };

  return fr_ledger_intend(world->ledger, &intent);
}

/* An outcome with at most one file. */
static inline enum fr_state settle(struct world *world, unsigned number,
                                   enum fr_state state, const char *link,
                                   const char *exception)
{
  struct fr_file_result file = { link, exception };
  struct fr_outcome outcome = {
    .id = id_of(number), .state = state, .evidence = "answered",
    .http_status = 200, .attempts = 1, .files = &file,
    .nfiles = link != NULL
  };
  enum fr_state recorded = FR_STATE_NONE;

  assert_int_equal(fr_ledger_outcome(world->ledger, &outcome, &recorded),
                   FR_OK);
  return recorded;
}

static inline void begin(struct world *world)
{
  assert_int_equal(fr_ledger_begin(world->ledger), FR_OK);
}

static inline void commit(struct world *world)
{
  assert_int_equal(fr_ledger_commit(world->ledger), FR_OK);
}

static inline enum fr_state state_of(struct fr_ledger *ledger,
                                     unsigned number)
{
  struct fr_uuid id = id_of(number);
  struct fr_record record;
  enum fr_err err = fr_ledger_find(ledger, &id, &record);

  if (err == FR_ENOT_FOUND)
    return FR_STATE_NONE;
  assert_int_equal(err, FR_OK);
  return record.state;
}

/* What a person with the sqlite3 shell could do to the file. */
static inline void tamper(const char *path, const char *sql)
{
  sqlite3 *db = NULL;
  char *words = NULL;
  int result;

  assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
  result = sqlite3_exec(db, sql, NULL, NULL, &words);
  if (result != SQLITE_OK)
    print_error("%s: %s\n", sql, words ? words : "?");
  assert_int_equal(result, SQLITE_OK);
  sqlite3_free(words);
  sqlite3_close(db);
}

static inline int64_t number_of(struct fr_ledger *ledger, const char *sql)
{
  int64_t number = -1;

  assert_int_equal(fr_sql_number(ledger, sql, &number), FR_OK);
  return number;
}

static inline size_t read_all(const char *path, char *data, size_t size)
{
  FILE *file = fopen(path, "rb");
  size_t len;

  assert_non_null(file);
  len = fread(data, 1, size, file);
  fclose(file);
  return len;
}

static inline void write_all(const char *path, const void *data, size_t len)
{
  FILE *file = fopen(path, "wb");

  assert_non_null(file);
  assert_int_equal(fwrite(data, 1, len, file), len);
  assert_int_equal(fclose(file), 0);
}

static inline bool there(const char *path, const char *suffix)
{
  char name[512];
  struct stat info;

  snprintf(name, sizeof(name), "%s%s", path, suffix);
  return lstat(name, &info) == 0;
}

static inline unsigned mode_of(const char *path, const char *suffix)
{
  char name[512];
  struct stat info;

  snprintf(name, sizeof(name), "%s%s", path, suffix);
  assert_int_equal(stat(name, &info), 0);
  return info.st_mode & 07777;
}

/* Waits for a child of fork() and tells its exit code; -1 for a signal. */
static inline int wait_for(pid_t child)
{
  int status = 0;

  assert_int_equal(waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
