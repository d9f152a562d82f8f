/* A message and programs that take it, fail, hang, or are not there. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "net/mail.h"

struct state {
  struct fr_clock clock;
  struct fr_loop *loop;
  char folder[64], path[96], out[96];
  bool done;
};

static void on_done(struct fr_op *op, void *arg)
{
  (void)op;
  *(bool *)arg = true;
}

static int set_up(void **state)
{
  struct state *s = calloc(1, sizeof(*s));

  strcpy(s->folder, "/tmp/falrun-mail-XXXXXX");
  assert_non_null(mkdtemp(s->folder));
  snprintf(s->path, sizeof(s->path), "%s/sendmail", s->folder);
  snprintf(s->out, sizeof(s->out), "%s/out", s->folder);
  fr_clock_real(&s->clock);
  assert_int_equal(fr_loop_new(&s->clock, &s->loop), FR_OK);
  *state = s;
  return 0;
}

static int tear_down(void **state)
{
  struct state *s = *state;

  fr_loop_free(s->loop);
  unlink(s->path);
  unlink(s->out);
  rmdir(s->folder);
  free(s);
  return 0;
}

static void program(const struct state *s, const char *text)
{
  FILE *file = fopen(s->path, "w");

  assert_non_null(file);
  fprintf(file, "#!/bin/sh\nOUT=%s\n%s\n", s->out, text);
  fclose(file);
  assert_int_equal(chmod(s->path, 0755), 0);
}

static struct fr_mail *send(struct state *s, const char *text, size_t len,
                            enum fr_err expected)
{
  struct fr_mail *mail = NULL;

  assert_int_equal(fr_mail_new(s->loop, s->path, text, len, &mail), FR_OK);
  fr_mail_start(mail);
  fr_op_wait(fr_mail_op(mail), on_done, &s->done);
  while (!s->done)
    fr_loop_turn(s->loop, 100);
  assert_string_equal(fr_err_name(fr_mail_op(mail)->err),
                      fr_err_name(expected));
  return mail;
}

static void test_it_takes_all(void **state)
{
  struct state *s = *state;
  size_t len = 300000;
  char *text = malloc(len);
  struct stat st;

  memset(text, 'x', len);
  program(s, "echo \"$@\" >$OUT; env | grep -c FAL_ >>$OUT; cat >>$OUT");
  setenv("FAL_KEY", "id:secret", 1);
  fr_mail_free(send(s, text, len, FR_OK));
  assert_int_equal(stat(s->out, &st), 0);
  assert_int_equal((size_t)st.st_size, len + strlen("-t -i\n0\n"));
  free(text);
}

static void test_it_fails(void **state)
{
  struct state *s = *state;
  struct fr_mail *mail;

  program(s, "printf 'no such\\033 user\\n' >&2; exit 67");
  mail = send(s, "x", 1, FR_EIO);
  assert_non_null(strstr(fr_mail_detail(mail), "exit code 67: no such? user"));
  fr_mail_free(mail);
}

/* It closes its input unread: that is its own business. */
static void test_it_does_not_read(void **state)
{
  struct state *s = *state;
  char *text = calloc(1, 500000);

  program(s, "exec <&-; sleep 0.1; exit 0");
  fr_mail_free(send(s, text, 500000, FR_OK));
  free(text);
}

static void test_it_is_not_there(void **state)
{
  struct state *s = *state;
  struct fr_buf why;
  struct fr_mail *mail = send(s, "x", 1, FR_EIO);

  assert_non_null(strstr(fr_mail_detail(mail), "could not be started"));
  fr_mail_free(mail);
  fr_buf_init(&why, 512);
  assert_int_equal(fr_mail_check(s->path, &why), FR_ECONFIG);
  assert_int_equal(fr_mail_check("sendmail", &why), FR_ECONFIG);
  program(s, "true");
  assert_int_equal(fr_mail_check(s->path, &why), FR_OK);
  fr_buf_done(&why);
}

/* Freed while it runs: it is ended, and so is what it started. */
static void test_it_does_not_outlive_us(void **state)
{
  struct state *s = *state;
  struct fr_mail *mail = NULL;

  program(s, "echo begun >$OUT; sleep 2; echo alive >$OUT");
  assert_int_equal(fr_mail_new(s->loop, s->path, "x", 1, &mail), FR_OK);
  fr_mail_start(mail);
  for (int i = 0; i < 100 && access(s->out, F_OK); i++)
    fr_loop_turn(s->loop, 50);
  assert_int_equal(access(s->out, F_OK), 0);
  fr_mail_free(mail);
  usleep(2500000);
  {
    char text[16] = "";
    FILE *file = fopen(s->out, "r");

    assert_non_null(file);
    assert_non_null(fgets(text, sizeof(text), file));
    fclose(file);
    assert_string_equal(text, "begun\n");
  }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
    TEST(test_it_takes_all), TEST(test_it_fails),
    TEST(test_it_does_not_read), TEST(test_it_is_not_there),
    TEST(test_it_does_not_outlive_us),
  };

  signal(SIGPIPE, SIG_IGN);
  return cmocka_run_group_tests_name("net/mail", tests, NULL, NULL);
}
