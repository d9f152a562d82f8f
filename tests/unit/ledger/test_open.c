/* Opening: what is created, with which rights, and what is refused. */
#include "support.h"

static void test_creates_files_and_folders_for_the_owner_only(void **state)
{
  struct world *world = *state;
  char path[256];
  mode_t mask = umask(0);

  snprintf(path, sizeof(path), "%s/a/b/ledger.db", world->folder);
  assert_int_equal(try_open(world, path, FR_LEDGER_RUN, ORIGIN,
                            &world->ledger), FR_OK);
  begin_run(world);
  umask(mask);
  assert_int_equal(mode_of(path, ""), 0600);
  assert_int_equal(mode_of(path, "-wal"), 0600);
  assert_int_equal(mode_of(path, "-shm"), 0600);
  assert_int_equal(mode_of(path, ".lock"), 0600);
  snprintf(path, sizeof(path), "%s/a", world->folder);
  assert_int_equal(mode_of(path, ""), 0700);
  assert_int_equal(mode_of(path, "/b"), 0700);
}

/* A service has a user of its own, and root adds a hold before its first
 * run. */
static void test_what_root_creates_is_the_folder_s_owner_s(void **state)
{
  static const char *const files[] = { "", "-wal", "-shm", ".lock" };
  struct world *world = *state;
  char path[256];
  struct stat info;

  if (geteuid() != 0)
    skip();
  assert_int_equal(chown(world->folder, 4711, 4712), 0);
  open_run(world);
  begin_run(world);
  for (size_t i = 0; i < 4; i++) {
    snprintf(path, sizeof(path), "%s%s", world->path, files[i]);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_uid, 4711);
    assert_int_equal(info.st_gid, 4712);
  }
}

static void test_a_strict_umask_does_not_matter(void **state)
{
  struct world *world = *state;
  mode_t mask = umask(0777);

  open_run(world);
  umask(mask);
  assert_int_equal(mode_of(world->path, ""), 0600);
}

static void test_nor_for_the_folders(void **state)
{
  struct world *world = *state;
  char path[256];
  mode_t mask = umask(0477);

  snprintf(path, sizeof(path), "%s/a/b/ledger.db", world->folder);
  assert_int_equal(try_open(world, path, FR_LEDGER_RUN, ORIGIN,
                            &world->ledger), FR_OK);
  umask(mask);
  snprintf(path, sizeof(path), "%s/a", world->folder);
  assert_int_equal(mode_of(path, "/b"), 0700);
}

static void test_is_wal_and_synced_in_full(void **state)
{
  struct world *world = *state;

  open_run(world);
  assert_int_equal(number_of(world->ledger, "PRAGMA synchronous"), 2);
  assert_int_equal(number_of(world->ledger, "SELECT journal_mode = 'wal'"
                             " FROM pragma_journal_mode"), 1);
  assert_int_equal(number_of(world->ledger, "PRAGMA trusted_schema"), 0);
  assert_int_equal(number_of(world->ledger, "PRAGMA application_id"),
                   FR_SCHEMA_APPLICATION);
  assert_int_equal(number_of(world->ledger, "PRAGMA user_version"),
                   fr_schema_newest());
  assert_string_equal(fr_ledger_path(world->ledger), world->path);
}

/* Nothing at all may change in a file that is refused. */
static void refuse(struct world *world, const char *path, enum fr_err expect,
                   const char *words)
{
  static char before[1 << 20], after[1 << 20];
  size_t len = read_all(path, before, sizeof(before));
  enum fr_ledger_access access;

  for (access = FR_LEDGER_READ; access <= FR_LEDGER_RUN; access++) {
    enum fr_err err = try_open(world, path, access, ORIGIN, &world->ledger);

    if (err != expect || !strstr(fr_buf_text(&world->why), words))
      print_error("access %d: %s: %s\n", access, fr_err_name(err),
                  fr_buf_text(&world->why));
    assert_int_equal(err, expect);
    assert_non_null(strstr(fr_buf_text(&world->why), words));
    assert_null(world->ledger);
    assert_int_equal(read_all(path, after, sizeof(after)), len);
    assert_memory_equal(before, after, len);
  }
}

static void test_refuses_garbage(void **state)
{
  struct world *world = *state;
  char garbage[8192];

  memset(garbage, 'x', sizeof(garbage));
  write_all(world->path, garbage, sizeof(garbage));
  refuse(world, world->path, FR_ECORRUPT, "not a ledger");
  write_all(world->path, garbage, 7);
  refuse(world, world->path, FR_ECORRUPT, "not a ledger");
  memset(garbage, 0, sizeof(garbage));
  write_all(world->path, garbage, sizeof(garbage));
  refuse(world, world->path, FR_ECORRUPT, "not a ledger");
}

static void test_refuses_a_database_of_another_program(void **state)
{
  struct world *world = *state;

  tamper(world->path, "CREATE TABLE photos(name TEXT)");
  refuse(world, world->path, FR_ECORRUPT, "another program");
  assert_false(there(world->path, "-wal"));
  tamper(world->path, "PRAGMA application_id = 252006674");
  refuse(world, world->path, FR_ECORRUPT, "another program");
}

static void test_refuses_a_newer_format(void **state)
{
  struct world *world = *state;

  open_run(world);
  fr_ledger_close(world->ledger);
  world->ledger = NULL;
  tamper(world->path, "PRAGMA user_version = 99");
  refuse(world, world->path, FR_EIO, "written by a newer falrun");
}

static void fill(struct world *world, unsigned count)
{
  unsigned i;

  open_run(world);
  begin_run(world);
  begin(world);
  for (i = 0; i < count; i++)
    assert_int_equal(intend(world, i), FR_OK);
  commit(world);
  fr_ledger_close(world->ledger);
  world->ledger = NULL;
}

static void test_refuses_a_truncated_file(void **state)
{
  struct world *world = *state;
  static char before[1 << 20], after[1 << 20];
  struct stat info;
  off_t size;

  fill(world, 1000);
  assert_int_equal(stat(world->path, &info), 0);
  for (size = info.st_size - 4096; size > 0; size -= 8 * 4096) {
    size_t len;

    assert_int_equal(truncate(world->path, size), 0);
    len = read_all(world->path, before, sizeof(before));
    assert_int_equal(try_open(world, world->path, FR_LEDGER_RUN, ORIGIN,
                              &world->ledger), FR_ECORRUPT);
    assert_null(world->ledger);
    assert_int_equal(read_all(world->path, after, sizeof(after)), len);
    assert_memory_equal(before, after, len);
  }
  assert_int_equal(truncate(world->path, 60), 0);
  refuse(world, world->path, FR_ECORRUPT, "another program");
}

static void test_refuses_a_flipped_byte(void **state)
{
  struct world *world = *state;
  static char data[1 << 20];
  size_t len, at;

  fill(world, 200);
  len = read_all(world->path, data, sizeof(data));
  for (at = 200; at + 11 < len; at++)
    if (memcmp(data + at, "30 day rule", 11) == 0)
      break;
  assert_true(at + 11 < len);
  data[at] = '9';
  write_all(world->path, data, len);
  assert_int_equal(try_open(world, world->path, FR_LEDGER_RUN, ORIGIN,
                            &world->ledger), FR_ECORRUPT);
}

/* In a table that opening does not read. */
static void test_refuses_a_damaged_page(void **state)
{
  struct world *world = *state;
  static char data[1 << 20];
  size_t len, page;

  fill(world, 200);
  world->ledger = open_as(world, FR_LEDGER_READ);
  page = (size_t)number_of(world->ledger, "SELECT rootpage FROM "
                           "sqlite_schema WHERE name = 'residue'");
  fr_ledger_close(world->ledger);
  world->ledger = NULL;
  len = read_all(world->path, data, sizeof(data));
  assert_true(page * 4096 <= len);
  memset(data + (page - 1) * 4096, 0x55, 4096);
  write_all(world->path, data, len);
  assert_int_equal(try_open(world, world->path, FR_LEDGER_RUN, ORIGIN,
                            &world->ledger), FR_ECORRUPT);
}

static void test_an_empty_file_is_a_new_ledger(void **state)
{
  struct world *world = *state;

  write_all(world->path, "", 0);
  world->ledger = open_as(world, FR_LEDGER_READ);
  fr_ledger_close(world->ledger);
  open_run(world);
  assert_int_equal(begin_run(world), 1);
}

/* kill -9 within a creation leaves a journal, which SQLite undoes. `before`
 * is done and committed first. */
static void cut_short(struct world *world, const char *before)
{
  sqlite3 *db = NULL;
  pid_t child = fork();

  if (child == 0) {
    sqlite3_open(world->path, &db);
    sqlite3_exec(db, before, NULL, NULL, NULL);
    sqlite3_exec(db, "PRAGMA cache_size = 1; PRAGMA cache_spill = 1;"
                 "BEGIN EXCLUSIVE; CREATE TABLE a(b);"
                 "CREATE TABLE c(d);"
                 "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n"
                 " LIMIT 2000) INSERT INTO a SELECT randomblob(99) FROM n",
                 NULL, NULL, NULL);
    _exit(0);
  }
  assert_int_equal(wait_for(child), 0);
  assert_true(there(world->path, "-journal"));
}

static void test_a_creation_that_was_cut_short_is_done_again(void **state)
{
  struct world *world = *state;

  cut_short(world, "");
  open_run(world);
  assert_int_equal(begin_run(world), 1);
  assert_false(there(world->path, "-journal"));
}

static void test_a_creation_that_was_cut_short_is_blank_to_readers(void **state)
{
  struct world *world = *state;
  struct fr_chain chain = { .events = 9 };

  cut_short(world, "");
  world->ledger = open_as(world, FR_LEDGER_READ);
  assert_int_equal(fr_history_verify(world->ledger, &chain), FR_OK);
  assert_int_equal(chain.events, 0);
  fr_ledger_close(world->ledger);
  open_run(world);
  assert_int_equal(begin_run(world), 1);
}

/* What was there before the journal is what a reader sees. */
static void test_a_journal_hides_nothing_from_readers(void **state)
{
  struct world *world = *state;
  struct fr_chain chain = { .events = 0 };

  open_run(world);
  assert_int_equal(begin_run(world), 1);
  fr_ledger_close(world->ledger);
  cut_short(world, "PRAGMA journal_mode = DELETE");
  world->ledger = open_as(world, FR_LEDGER_READ);
  assert_int_equal(fr_history_verify(world->ledger, &chain), FR_OK);
  assert_true(chain.events > 1);
}

static void test_reading_what_is_not_there_creates_nothing(void **state)
{
  struct world *world = *state;
  struct fr_chain chain = { .events = 9 };
  struct fr_uuid id = id_of(1);
  struct fr_record record;
  char path[256], reason[8];

  world->ledger = open_as(world, FR_LEDGER_READ);
  assert_int_equal(fr_ledger_find(world->ledger, &id, &record),
                   FR_ENOT_FOUND);
  assert_int_equal(fr_hold_find(world->ledger, &id, reason, sizeof(reason)),
                   FR_ENOT_FOUND);
  assert_int_equal(fr_history_verify(world->ledger, &chain), FR_OK);
  assert_int_equal(chain.events, 0);
  assert_int_equal(fr_ledger_begin(world->ledger), FR_EINVALID);
  assert_int_equal(fr_hold_add(world->ledger, &id, 1, "x"), FR_EINVALID);
  fr_ledger_close(world->ledger);
  snprintf(path, sizeof(path), "%s/no/such/folder/ledger.db",
           world->folder);
  assert_int_equal(try_open(world, path, FR_LEDGER_READ, ORIGIN,
                            &world->ledger), FR_OK);
  assert_int_equal(rmdir(world->folder), 0);        /* so it is empty */
  assert_int_equal(mkdir(world->folder, 0700), 0);
}

static void test_a_reader_sees_and_changes_nothing(void **state)
{
  struct world *world = *state;
  struct fr_ledger *reader;

  open_run(world);
  begin_run(world);
  begin(world);
  assert_int_equal(intend(world, 1), FR_OK);
  commit(world);
  reader = open_as(world, FR_LEDGER_READ);      /* while the run is on */
  assert_int_equal(state_of(reader, 1), FR_STATE_OPEN);
  assert_int_equal(fr_ledger_begin(reader), FR_EINVALID);
  fr_ledger_close(reader);
  begin(world);                      /* its locks have survived that */
  assert_int_equal(intend(world, 2), FR_OK);
  commit(world);
}

/* In a child without rights on the folder. 0 when all is as expected. */
static int read_without_rights(struct world *world, enum fr_err expect)
{
  pid_t child = fork();

  if (child == 0) {
    struct fr_ledger *ledger = NULL;
    enum fr_err err;

    if (geteuid() == 0 && setuid(65534) != 0)
      _exit(2);
    err = try_open(world, world->path, FR_LEDGER_READ, ORIGIN, &ledger);
    if (err != expect)
      print_error("%s: %s\n", fr_err_name(err), fr_buf_text(&world->why));
    if (err == expect && !err && state_of(ledger, 1) != FR_STATE_OPEN)
      err = FR_EINVALID;
    fr_ledger_close(ledger);
    _exit(err == expect ? 0 : 1);
  }
  return wait_for(child);
}

static void test_reads_from_a_folder_that_cannot_be_written(void **state)
{
  struct world *world = *state;
  char path[256];

  fill(world, 5);
  assert_int_equal(chmod(world->path, 0644), 0);
  assert_int_equal(chmod(world->folder, 0555), 0);
  assert_int_equal(read_without_rights(world, FR_OK), 0);
  snprintf(path, sizeof(path), "%s-wal", world->path);
  assert_int_equal(chmod(world->folder, 0755), 0);
  write_all(path, "not empty", 9);
  assert_int_equal(chmod(world->folder, 0555), 0);
  assert_int_equal(read_without_rights(world, FR_EIO), 0);
  assert_int_equal(chmod(world->folder, 0755), 0);
}

static void test_an_origin_is_kept(void **state)
{
  struct world *world = *state;

  open_run(world);
  fr_ledger_close(world->ledger);
  world->ledger = NULL;
  assert_int_equal(try_open(world, world->path, FR_LEDGER_RUN,
                            "http://127.0.0.1:1", &world->ledger),
                   FR_EORIGIN);
  assert_non_null(strstr(fr_buf_text(&world->why), ORIGIN));
  assert_non_null(strstr(fr_buf_text(&world->why), "http://127.0.0.1:1"));
  assert_int_equal(try_open(world, world->path, FR_LEDGER_READ,
                            "http://127.0.0.1:1", &world->ledger),
                   FR_EORIGIN);
  assert_int_equal(try_open(world, world->path, FR_LEDGER_RUN, NULL,
                            &world->ledger), FR_OK);
}

/* `hold add` may come first and know no origin; the first run binds it. */
static void test_the_first_run_binds_the_origin(void **state)
{
  struct world *world = *state;

  assert_int_equal(try_open(world, world->path, FR_LEDGER_HOLD, NULL,
                            &world->ledger), FR_OK);
  fr_ledger_close(world->ledger);
  open_run(world);
  begin_run(world);
  fr_ledger_close(world->ledger);
  world->ledger = NULL;
  assert_int_equal(try_open(world, world->path, FR_LEDGER_HOLD,
                            "https://other", &world->ledger), FR_EORIGIN);
}

static void test_refuses_what_is_no_file(void **state)
{
  struct world *world = *state;

  assert_int_equal(try_open(world, world->folder, FR_LEDGER_RUN, ORIGIN,
                            &world->ledger), FR_EIO);
  assert_non_null(strstr(fr_buf_text(&world->why), "not a regular file"));
  assert_int_equal(try_open(world, "", FR_LEDGER_RUN, ORIGIN,
                            &world->ledger), FR_EIO);
  assert_int_equal(try_open(world, "/dev/null/ledger.db", FR_LEDGER_RUN,
                            ORIGIN, &world->ledger), FR_EIO);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    TEST(test_creates_files_and_folders_for_the_owner_only),
    TEST(test_what_root_creates_is_the_folder_s_owner_s),
    TEST(test_a_strict_umask_does_not_matter),
    TEST(test_nor_for_the_folders),
    TEST(test_is_wal_and_synced_in_full), TEST(test_refuses_garbage),
    TEST(test_refuses_a_database_of_another_program),
    TEST(test_refuses_a_newer_format), TEST(test_refuses_a_truncated_file),
    TEST(test_refuses_a_flipped_byte), TEST(test_refuses_a_damaged_page),
    TEST(test_an_empty_file_is_a_new_ledger),
    TEST(test_a_creation_that_was_cut_short_is_done_again),
    TEST(test_a_creation_that_was_cut_short_is_blank_to_readers),
    TEST(test_a_journal_hides_nothing_from_readers),
    TEST(test_reading_what_is_not_there_creates_nothing),
    TEST(test_a_reader_sees_and_changes_nothing),
    TEST(test_reads_from_a_folder_that_cannot_be_written),
    TEST(test_an_origin_is_kept), TEST(test_the_first_run_binds_the_origin),
    TEST(test_refuses_what_is_no_file)
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
