/* tests/unit/http/test_upload.c - which files are taken, and that one that
 * changes is never read whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "http/upload.h"

static char path[64];
static int fd;

static int set_up(void **state)
{
  (void)state;
  strcpy(path, "/tmp/falrun-upload-XXXXXX");
  fd = mkstemp(path);
  return fd < 0;
}

static int tear_down(void **state)
{
  (void)state;
  close(fd);
  return unlink(path);
}

static void refused(const char *name, const char *words)
{
  struct fr_upload upload;
  struct fr_buf why;

  fr_buf_init(&why, 500);
  assert_int_equal(fr_upload_open(name, &why, &upload), FR_EINVALID);
  assert_non_null(strstr(fr_buf_text(&why), words));
  fr_buf_done(&why);
}

static void test_what_is_refused(void **state)
{
  (void)state;
  refused(path, "empty");
  refused("/tmp", "no regular file");
  refused("/tmp/falrun/none/such", "No such file");
  assert_int_equal(ftruncate(fd, FR_UPLOAD_MOST + 1), 0);
  refused(path, "larger");
  assert_int_equal(unlink(path), 0);
  assert_int_equal(mkfifo(path, 0600), 0);
  refused(path, "no regular file");
}

static void opened(struct fr_upload *upload)
{
  struct fr_buf why;

  fr_buf_init(&why, 500);
  assert_int_equal(write(fd, "0123456789", 10), 10);
  assert_int_equal(fr_upload_open(path, &why, upload), FR_OK);
  fr_buf_done(&why);
}

static void test_read_whole(void **state)
{
  struct fr_upload upload;
  char data[20];

  (void)state;
  opened(&upload);
  assert_int_equal(fr_upload_read(&upload, data, 4), 4);
  assert_int_equal(fr_upload_read(&upload, data + 4, 16), 6);
  assert_memory_equal(data, "0123456789", 10);
  assert_int_equal(fr_upload_read(&upload, data, 20), 0);
  fr_upload_close(&upload);
  fr_upload_close(&upload);
}

static void changed(off_t size)
{
  struct fr_upload upload;
  char data[20];

  opened(&upload);
  assert_int_equal(fr_upload_read(&upload, data, 4), 4);
  assert_int_equal(ftruncate(fd, size), 0);
  assert_int_equal(fr_upload_read(&upload, data, 20), -1);
  fr_upload_close(&upload);
}

static void test_grown(void **state)
{
  (void)state;
  changed(11);
}

static void test_shrunk(void **state)
{
  (void)state;
  changed(6);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(test_what_is_refused, set_up, tear_down),
    cmocka_unit_test_setup_teardown(test_read_whole, set_up, tear_down),
    cmocka_unit_test_setup_teardown(test_grown, set_up, tear_down),
    cmocka_unit_test_setup_teardown(test_shrunk, set_up, tear_down),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
