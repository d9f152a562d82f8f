/* tests/unit/fal/test_download.c - files that are saved, cut off, gone on
 * from, and changed under way. */
#include "tests/unit/fal/support.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fal/download.h"
#include "fal/part.h"

#define FILE_PATH "/serverless/files/file/a"
#define TAG "ETag", "\"one\""
#define OLD "Last-Modified", "Tue, 14 Nov 2023 20:00:00 GMT", "Date", DATE0

static char folder[64], name[80], part[90], note[100];

static int setup(void **state)
{
  (void)state;
  strcpy(folder, "/tmp/falrun-download-XXXXXX");
  assert_non_null(mkdtemp(folder));
  snprintf(name, sizeof(name), "%s/file", folder);
  snprintf(part, sizeof(part), "%s.part", name);
  snprintf(note, sizeof(note), "%s.part.from", name);
  return 0;
}

static int teardown(void **state)
{
  (void)state;
  (void)unlink(name);
  (void)unlink(part);
  (void)unlink(note);
  assert_int_equal(rmdir(folder), 0);
  return 0;
}

static bool has(const char *path)
{
  struct stat info;

  return !lstat(path, &info);
}

/* What is in a file, as text. */
static const char *text_of(const char *path)
{
  static char text[4096];
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

  if (fd < 0)
    return "(none)";
  close(fd);
  text[len < 0 ? 0 : len] = 0;
  return text;
}

static void put(const char *path, const char *text)
{
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

  assert_true(fd >= 0);
  assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
  close(fd);
}

struct result {
  enum fr_err err;
  uint64_t size, resumed;
  char message[700];
};

static struct result run_with(struct rig *rig, bool replace)
{
  struct fr_download_spec spec = {
    .read = { .path = FILE_PATH, .method = "GET", .key = FR_KEY_API },
    .path = name, .replace = replace,
  };
  struct fr_download *download = NULL;
  struct fr_fal_figures figures;
  struct result result;

  assert_int_equal(fr_download_new(rig->fal, &spec, &download), FR_OK);
  fr_download_start(download);
  run_op(rig, fr_download_op(download));
  result.err = fr_download_op(download)->err;
  result.size = fr_download_size(download);
  result.resumed = fr_download_resumed(download);
  copy_text(result.message, sizeof(result.message),
            fr_download_message(download));
  fr_download_free(download);
  fr_fal_figures(rig->fal, &figures);
  assert_int_equal(figures.files, 0);
  return result;
}

static struct result run(struct rig *rig)
{
  return run_with(rig, false);
}

static void a_whole_file(void **state)
{
  struct rig *rig = rig_new(API_KEY, NULL);
  struct result r;
  struct stat info;

  (void)state;
  SCRIPT(rig, { .status = 200, .body = "hello", .name = "Content-Length",
                .value = "5", .more = { TAG } });
  r = run(rig);
  assert_int_equal(r.err, FR_OK);
  assert_int_equal(r.size, 5);
  assert_int_equal(r.resumed, 0);
  assert_string_equal(text_of(name), "hello");
  assert_false(has(part) || has(note));
  assert_int_equal(lstat(name, &info), 0);
  assert_int_equal(info.st_mode & 0077, 0);
  assert_string_equal(rig->arrivals[0].range, "");
  rig_free(rig);
}

static void an_empty_file(void **state)
{
  struct rig *rig = rig_new(API_KEY, NULL);

  (void)state;
  SCRIPT(rig, { .status = 200, .body = "", .name = "Content-Length",
                .value = "0" });
  assert_int_equal(run(rig).err, FR_OK);
  assert_string_equal(text_of(name), "");
  rig_free(rig);
}

/* In the same process. */
static void what_breaks_off_is_gone_on_from(void **state)
{
  struct rig *rig = rig_new(API_KEY, NULL);
  struct result r;

  (void)state;
  SCRIPT(rig, { .status = 200, .body = "hel", .err = FR_EDROPPED,
                .name = "Content-Length", .value = "5", .more = { TAG } },
         { .status = 206, .body = "lo", .name = "Content-Length",
           .value = "2", .more = { TAG, "Content-Range", "bytes 3-4/5" } });
  r = run(rig);
  assert_int_equal(r.err, FR_OK);
  assert_string_equal(text_of(name), "hello");
  assert_int_equal(rig->narrivals, 2);
  assert_string_equal(rig->arrivals[1].range, "bytes=3-");
  assert_string_equal(rig->arrivals[1].if_range, "\"one\"");
  assert_false(rig->verdict.unavailable);
  rig_free(rig);
}

/* Five attempts that bring nothing new; the next process goes on. */
static void it_gives_up_and_the_next_one_goes_on(void **state)
{
  struct rig *rig = rig_new(API_KEY, NULL);
  struct result r;

  (void)state;
  SCRIPT(rig, { .status = 200, .body = "hel", .err = FR_EDROPPED,
                .name = "Content-Length", .value = "5", .more = { TAG } },
         { .status = 206, .body = "", .err = FR_EDROPPED,
           .name = "Content-Range", .value = "bytes 3-4/5" });
  r = run(rig);
  assert_int_equal(r.err, FR_EDROPPED);
  assert_int_equal(rig->narrivals, 5);
  assert_non_null(strstr(r.message, "3 bytes are kept in"));
  assert_true(rig->verdict.unavailable);
  assert_string_equal(text_of(part), "hel");
  assert_false(has(name));
  SCRIPT(rig, { .status = 206, .body = "lo", .name = "Content-Range",
                .value = "bytes 3-4/*" });
  r = run(rig);
  assert_int_equal(r.err, FR_OK);
  assert_int_equal(r.resumed, 3);
  assert_string_equal(rig->arrivals[0].range, "bytes=3-");
  assert_string_equal(text_of(name), "hello");
  assert_false(has(part) || has(note));
  rig_free(rig);
}

static void another_version_begins_again(void **state)
{
  struct rig *rig = rig_new(API_KEY, NULL);
  struct result r;

  (void)state;
  SCRIPT(rig, { .status = 200, .body = "hel", .err = FR_EDROPPED,
                .name = "Content-Length", .value = "5", .more = { TAG } },
         { .status = 200, .body = "other", .name = "Content-Length",
           .value = "5", .more = { "ETag", "\"two\"" } });
  r = run(rig);
  assert_int_equal(r.err, FR_OK);
  assert_int_equal(r.resumed, 0);
  assert_string_equal(text_of(name), "other");
  rig_free(rig);
}

/* A server that makes it begin again and again does not keep it for ever. */
static void a_file_that_never_rests(void **state)
{
  struct rig *rig = rig_new(API_KEY, NULL);

  (void)state;
  SCRIPT(rig, { .status = 200, .body = "hel", .err = FR_EDROPPED,
                .name = "Content-Length", .value = "5", .more = { TAG } });
  assert_int_equal(run(rig).err, FR_EDROPPED);
  assert_int_equal(rig->narrivals, 5);
  rig_free(rig);
}

static void parts_that_are_none(void **state)
{
  static const struct reply parts[] = {
    { .status = 206, .body = "lo" },
    { .status = 206, .body = "lo", .name = "Content-Range",
      .value = "bytes 2-4/5" },
    { .status = 206, .body = "lo", .name = "Content-Range",
      .value = "bytes 3-5/5" },
    { .status = 206, .body = "lo", .name = "Content-Range",
      .value = "bytes 3-4/5x" },
    { .status = 206, .body = "lo", .name = "Content-Range",
      .value = "bytes 4-3/5" },
    { .status = 206, .body = "lo", .name = "Content-Range",
      .value = "bytes 3-4/5", .more = { "Content-Length", "3" } },
    { .status = 206, .body = "lo", .name = "Content-Range",
      .value = "bytes 3-4/5", .more = { "ETag", "\"two\"" } },
    { .status = 206, .body = "lo", .name = "Content-Range",
      .value = "bytes */5" },
    { .status = 204 },
  };

  (void)state;
  for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
    struct rig *rig = rig_new(API_KEY, NULL);

    SCRIPT(rig, { .status = 200, .body = "hel", .err = FR_EDROPPED,
                  .name = "Content-Length", .value = "5", .more = { TAG } },
           parts[i]);
    if (run(rig).err != FR_EPROTOCOL)
      fail_msg("row %zu", i);
    assert_false(has(name) || has(part) || has(note));
    rig_free(rig);
  }
}

static void a_body_that_ends_where_it_was_not_said(void **state)
{
  struct rig *rig = rig_new(API_KEY, NULL);

  (void)state;
  SCRIPT(rig, { .status = 200, .body = "hel", .name = "Content-Length",
                .value = "5" });
  assert_int_equal(run(rig).err, FR_EDROPPED);
  SCRIPT(rig, { .status = 200, .body = "hel" });
  assert_int_equal(run(rig).err, FR_EPROTOCOL);
  SCRIPT(rig, { .status = 200, .body = "hello!", .name = "Content-Length",
                .value = "5" });
  assert_int_equal(run(rig).err, FR_EPROTOCOL);
  assert_false(has(name) || has(part) || has(note));
  rig_free(rig);
}

static void chunks_tell_their_end(void **state)
{
  struct rig *rig = rig_new(API_KEY, NULL);

  (void)state;
  SCRIPT(rig, { .status = 200, .body = "hello", .name = "Transfer-Encoding",
                .value = "chunked" });
  assert_int_equal(run(rig).err, FR_OK);
  assert_string_equal(text_of(name), "hello");
  rig_free(rig);
}

static void a_part_of_the_rest_is_not_the_rest(void **state)
{
  struct rig *rig = rig_new(API_KEY, NULL);

  (void)state;
  SCRIPT(rig, { .status = 200, .body = "he", .err = FR_EDROPPED,
                .name = "Content-Length", .value = "5", .more = { TAG } },
         { .status = 206, .body = "l", .name = "Content-Range",
           .value = "bytes 2-2/5" },
         { .status = 206, .body = "lo", .name = "Content-Range",
           .value = "bytes 3-4/5" });
  assert_int_equal(run(rig).err, FR_OK);
  assert_string_equal(text_of(name), "hello");
  rig_free(rig);
}

static void nothing_that_is_left_to_ask_for(void **state)
{
  struct rig *rig = rig_new(API_KEY, NULL);

  (void)state;
  SCRIPT(rig, { .status = 200, .body = "hel", .err = FR_EDROPPED,
                .name = "Content-Length", .value = "5", .more = { TAG } },
         { .status = 416, .name = "Content-Range", .value = "bytes */3" },
         { .status = 200, .body = "new", .name = "Content-Length",
           .value = "3" });
  assert_int_equal(run(rig).err, FR_OK);
  assert_string_equal(rig->arrivals[2].range, "");
  assert_string_equal(text_of(name), "new");
  assert_false(rig->verdict.unavailable);
  rig_free(rig);
}

static void what_can_be_a_validator(void **state)
{
  static const struct {
    const char *header[6];
    const char *if_range;               /* ""; it begins again */
  } rows[] = {
    { { "ETag", "W/\"one\"" }, "" },
    { { "ETag", "W/\"one\"", OLD }, "" },
    { { OLD }, "Tue, 14 Nov 2023 20:00:00 GMT" },
    { { "Last-Modified", DATE0, "Date", DATE0 }, "" },
    { { "Last-Modified", "yesterday", "Date", DATE0 }, "" },
    { { "ETag", "" }, "" },
  };

  (void)state;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    struct rig *rig = rig_new(API_KEY, NULL);
    struct reply cut = { .status = 200, .body = "hel", .err = FR_EDROPPED,
                         .name = "Content-Length", .value = "5" };

    memcpy(cut.more, rows[i].header, sizeof(rows[i].header));
    SCRIPT(rig, cut, { .status = 404 });
    assert_int_equal(run(rig).err, FR_ENOT_FOUND);
    assert_string_equal(rig->arrivals[1].if_range, rows[i].if_range);
    assert_int_equal(has(part), rows[i].if_range[0] != 0);
    (void)unlink(part);
    (void)unlink(note);
    rig_free(rig);
  }
}

static void what_is_there_stays(void **state)
{
  struct rig *rig = rig_new(API_KEY, NULL);
  struct result r;

  (void)state;
  put(name, "mine");
  SCRIPT(rig, { .status = 200, .body = "x", .name = "Content-Length",
                .value = "1" });
  r = run(rig);
  assert_int_equal(r.err, FR_EINVALID);
  assert_non_null(strstr(r.message, "is there already"));
  assert_int_equal(rig->narrivals, 0);
  assert_string_equal(text_of(name), "mine");
  assert_false(has(part));
  assert_int_equal(run_with(rig, true).err, FR_OK);
  assert_string_equal(text_of(name), "x");
  rig_free(rig);
}

static void links_and_other_writers(void **state)
{
  struct rig *rig = rig_new(API_KEY, NULL);
  struct result r;
  int fd;

  (void)state;
  SCRIPT(rig, { .status = 200, .body = "x", .name = "Content-Length",
                .value = "1" });
  assert_int_equal(symlink("/etc/hostname", part), 0);
  r = run(rig);
  assert_int_equal(r.err, FR_EIO);
  assert_non_null(strstr(r.message, "is a link"));
  assert_int_equal(unlink(part), 0);
  put(part, "theirs");
  fd = open(part, O_RDWR | O_CLOEXEC);
  assert_int_equal(flock(fd, LOCK_EX), 0);
  assert_int_equal(run(rig).err, FR_ELOCKED);
  assert_string_equal(text_of(part), "theirs");
  close(fd);
  assert_int_equal(rig->narrivals, 0);
  rig_free(rig);
}

/* Only what a note vouches for is gone on from. */
static void a_part_that_nobody_vouches_for(void **state)
{
  static const char *const notes[] = {
    "", "falrun part 1\n", "nonsense",
    "falrun part 1\n00000000000000000003\nhttps://api.fal.ai/v1/other\n"
    "\"one\"\n",
    "falrun part 1\n00000000000000000009\nhttps://api.fal.ai/v1" FILE_PATH
    "\n\"one\"\n",
    "falrun part 1\n00000000000000000003\nhttps://api.fal.ai/v1" FILE_PATH
    "\n\n",
    "falrun part 1\n0000000000000000000x\nhttps://api.fal.ai/v1" FILE_PATH
    "\n\"one\"\n",
    "falrun part 1\n99999999999999999999\nhttps://api.fal.ai/v1" FILE_PATH
    "\n\"one\"\n",
  };
  const char good[] =
    "falrun part 1\n00000000000000000002\nhttps://api.fal.ai/v1" FILE_PATH
    "\n\"one\"\n";

  (void)state;
  for (size_t i = 0; i < sizeof(notes) / sizeof(notes[0]); i++) {
    struct rig *rig = rig_new(API_KEY, NULL);

    put(part, "hel");
    put(note, notes[i]);
    SCRIPT(rig, { .status = 200, .body = "hello", .name = "Content-Length",
                  .value = "5" });
    assert_int_equal(run(rig).err, FR_OK);
    assert_string_equal(rig->arrivals[0].range, "");
    assert_string_equal(text_of(name), "hello");
    assert_int_equal(unlink(name), 0);
    put(part, "heX");           /* of which two bytes were kept */
    put(note, good);
    SCRIPT(rig, { .status = 206, .body = "llo", .name = "Content-Range",
                  .value = "bytes 2-4/5" });
    assert_int_equal(run(rig).err, FR_OK);
    assert_string_equal(rig->arrivals[0].range, "bytes=2-");
    assert_string_equal(text_of(name), "hello");
    assert_int_equal(unlink(name), 0);
    rig_free(rig);
  }
}

static void names_that_are_none(void **state)
{
  static const char *const names[] = { "", "x/", "/nowhere/at/all/x" };
  struct fr_buf why;

  (void)state;
  fr_buf_init(&why, 1000);
  for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
    struct fr_part *one = NULL;

    assert_int_not_equal(fr_part_open(names[i], "u", false, &why, &one), 0);
    assert_true(why.len > 0);
    assert_null(one);
  }
  fr_buf_done(&why);
}

static void left_in_the_middle(void **state)
{
  (void)state;
  for (int before = 0; before < 8; before++) {
    struct rig *rig = rig_new(API_KEY, NULL);
    struct fr_download_spec spec = {
      .read = { .path = FILE_PATH, .method = "GET", .key = FR_KEY_API },
      .path = name,
    };
    struct fr_download *download = NULL;

    SCRIPT(rig, { .status = 200, .body = "hel", .err = FR_EDROPPED,
                  .name = "Content-Length", .value = "5", .more = { TAG } });
    assert_int_equal(fr_download_new(rig->fal, &spec, &download), FR_OK);
    fr_download_start(download);
    for (int i = 0; i < before; i++)
      fr_loop_turn(rig->loop, -1);
    if (before % 2) {
      fr_op_cancel(fr_download_op(download));
      run_op(rig, fr_download_op(download));
    }
    fr_download_free(download);
    assert_false(has(name));
    assert_int_equal(has(part), has(note));
    rig_free(rig);
  }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
  const struct CMUnitTest tests[] = {
    TEST(a_whole_file),
    TEST(an_empty_file),
    TEST(what_breaks_off_is_gone_on_from),
    TEST(it_gives_up_and_the_next_one_goes_on),
    TEST(another_version_begins_again),
    TEST(a_file_that_never_rests),
    TEST(parts_that_are_none),
    TEST(a_body_that_ends_where_it_was_not_said),
    TEST(chunks_tell_their_end),
    TEST(a_part_of_the_rest_is_not_the_rest),
    TEST(nothing_that_is_left_to_ask_for),
    TEST(what_can_be_a_validator),
    TEST(what_is_there_stays),
    TEST(links_and_other_writers),
    TEST(a_part_that_nobody_vouches_for),
    TEST(names_that_are_none),
    TEST(left_in_the_middle),
  };

  return cmocka_run_group_tests_name("fal/download", tests, NULL, NULL);
}
