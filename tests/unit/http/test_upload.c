/* tests/unit/http/test_upload.c - which files are taken, the form they are
 * sent in, and that one that changes is never read whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <fcntl.h>

#include "http/upload.h"

#define TEN "0123456789"

static char path[80], folder[64];
static int fd;

/* A name that would break a form that believed it. */
static int set_up(void **state)
{
  (void)state;
  strcpy(folder, "/tmp/falrun-upload-XXXXXX");
  if (!mkdtemp(folder))
    return -1;
  (void)snprintf(path, sizeof(path), "%s/a\"b\r\n\xc3\xa4.bin", folder);
  fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
  return fd < 0;
}

static int tear_down(void **state)
{
  (void)state;
  close(fd);
  return unlink(path) || rmdir(folder);
}

static void refused(const char *name, const char *words)
{
  struct fr_upload upload;
  struct fr_buf why;

  fr_buf_init(&why, 500);
  assert_int_equal(fr_upload_open(name, "f", &why, &upload), FR_ECONFIG);
  assert_non_null(strstr(fr_buf_text(&why), words));
  assert_memory_equal(fr_buf_text(&why), name, strcspn(name, "\r"));
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
  assert_int_equal(write(fd, TEN, 10), 10);
  assert_int_equal(fr_upload_open(path, "a \"field\"", &why, upload), FR_OK);
  fr_buf_done(&why);
}

/* All of it, `step` bytes at a time. */
static size_t read_all(struct fr_upload *upload, char *data, size_t step)
{
  size_t len = 0;
  ssize_t got;

  while ((got = fr_upload_read(upload, data + len, step)) > 0)
    len += (size_t)got;
  assert_int_equal(got, 0);
  data[len] = '\0';
  return len;
}

static void test_the_form(void **state)
{
  char data[1000], want[1000];
  struct fr_upload upload;
  const char *mark;

  (void)state;
  opened(&upload);
  mark = strstr(upload.type, "boundary=");
  assert_memory_equal(upload.type, "multipart/form-data; ", 21);
  assert_non_null(mark);
  (void)snprintf(want, sizeof(want), "--%s\r\nContent-Disposition: form-data;"
                 " name=\"a %%22field%%22\"; filename=\"a%%22b%%0D%%0A"
                 "\xc3\xa4.bin\"\r\nContent-Type: application/octet-stream"
                 "\r\n\r\n" TEN "\r\n--%s--\r\n", mark + 9, mark + 9);
  for (size_t step = 1; step < 500; step += 7) {
    assert_true(fr_upload_rewind(&upload));
    assert_int_equal(read_all(&upload, data, step), strlen(want));
    assert_string_equal(data, want);
    assert_int_equal(fr_upload_size(&upload), strlen(want));
  }
  assert_string_equal(fr_buf_text(&upload.name), "a\"b??\xc3\xa4.bin");
  fr_upload_close(&upload);
  fr_upload_close(&upload);
}

static void test_boundaries_differ(void **state)
{
  struct fr_upload one, two;

  (void)state;
  opened(&one);
  opened(&two);
  assert_string_not_equal(one.type, two.type);
  fr_upload_close(&one);
  fr_upload_close(&two);
}

/* When the file becomes another, before its last byte or after it. */
static void changed(off_t size, off_t after)
{
  struct fr_upload upload;
  char data[1000];
  ssize_t got;

  opened(&upload);
  while (upload.at < (off_t)upload.head.len + after)
    assert_int_equal(fr_upload_read(&upload, data, 1), 1);
  assert_int_equal(ftruncate(fd, size), 0);
  got = fr_upload_read(&upload, data, 20);
  assert_int_equal(got, -1);
  assert_false(fr_upload_rewind(&upload));
  fr_upload_close(&upload);
}

static void test_grown(void **state)
{
  (void)state;
  changed(11, 4);
}

static void test_shrunk(void **state)
{
  (void)state;
  changed(6, 4);
}

static void test_shrunk_to_what_was_read(void **state)
{
  (void)state;
  changed(4, 4);
}

static void test_grown_before_the_tail(void **state)
{
  (void)state;
  changed(11, 10);
}

#define TEST(name) \
  cmocka_unit_test_setup_teardown(test_##name, set_up, tear_down)

int main(void)
{
  const struct CMUnitTest tests[] = {
    TEST(what_is_refused), TEST(the_form), TEST(boundaries_differ),
    TEST(grown), TEST(shrunk), TEST(shrunk_to_what_was_read),
    TEST(grown_before_the_tail),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
