/* tests/unit/http/test_local.c - calls served in the process, on a virtual
 * clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "http/call.h"

struct world {
  struct fr_clock clock;
  struct fr_loop *loop;
  struct fr_http *http;
  struct fr_call *served, *victim;
  struct fr_call_reply reply;
  bool later;           /* serve keeps the call unanswered */
  unsigned nserved, done, gone;
};

static void on_gone(void *arg)
{
  ((struct world *)arg)->gone++;
}

static void serve(void *arg, struct fr_call *call)
{
  struct world *w = arg;

  w->nserved++;
  w->served = call;
  fr_call_free(w->victim);
  w->victim = NULL;
  fr_call_on_gone(call, on_gone, w);
  if (!w->later)
    fr_call_answer(call, &w->reply);
}

static void on_done(struct fr_op *op, void *arg)
{
  (void)op;
  ((struct world *)arg)->done++;
}

static int set_up(void **state)
{
  struct world *w = calloc(1, sizeof(*w));

  fr_clock_virtual(&w->clock, 1700000000000);
  assert_int_equal(fr_loop_new(&w->clock, &w->loop), 0);
  assert_int_equal(fr_http_new_local(w->loop, false, serve, w, &w->http), 0);
  w->reply = (struct fr_call_reply){ .status = 200, .body = "body",
                                     .body_len = 4 };
  *state = w;
  return 0;
}

static int tear_down(void **state)
{
  struct world *w = *state;

  fr_http_free(w->http);
  fr_loop_free(w->loop);
  free(w);
  return 0;
}

static const struct fr_call_spec plain = {
  .method = "GET", .url = "https://api.fal.ai/v1/x", .max_body = 10,
  .max_headers = 100, .connect_ms = 1000, .total_ms = 5000, .stall_ms = 1000
};

static struct fr_call *started(struct world *w,
                               const struct fr_call_spec *spec)
{
  struct fr_call *call = NULL;

  assert_int_equal(fr_call_new(w->http, spec, &call), 0);
  fr_call_start(call);
  fr_op_wait(fr_call_op(call), on_done, w);
  return call;
}

static struct fr_call *run(struct world *w, const struct fr_call_spec *spec,
                           enum fr_err expected)
{
  unsigned before = w->done;
  struct fr_call *call = started(w, spec);

  assert_int_equal(w->done, before);
  while (w->done == before && fr_loop_turn(w->loop, -1))
    continue;
  assert_int_equal(w->done, before + 1);
  assert_string_equal(fr_err_name(fr_call_op(call)->err),
                      fr_err_name(expected));
  return call;
}

static void test_served_in_the_turn(void **state)
{
  static const char *const headers[] = { "Retry-After", "3", NULL };
  struct world *w = *state;
  struct fr_call *call;
  size_t len;

  w->reply.headers = headers;
  w->reply.status = 503;
  call = started(w, &plain);
  assert_int_equal(w->nserved, 0);
  assert_false(fr_call_sent(call));
  fr_call_free(call);
  call = run(w, &plain, FR_OK);
  assert_int_equal(w->nserved, 1);
  assert_int_equal(fr_call_status(call), 503);
  assert_string_equal(fr_call_header(call, "retry-after"), "3");
  assert_string_equal(fr_call_body(call, &len), "body");
  assert_true(fr_call_sent(call));
  assert_string_equal(fr_call_spec(call)->url, plain.url);
  fr_call_free(call);
}

static void test_times_out_in_virtual_time(void **state)
{
  struct world *w = *state;
  uint64_t began = fr_clock_now(&w->clock);
  struct fr_call *call;

  w->later = true;
  call = run(w, &plain, FR_ETIMEOUT);
  assert_int_equal(fr_clock_now(&w->clock) - began, 5000);
  assert_true(fr_call_sent(call));
  fr_call_answer(call, &w->reply);      /* too late: ignored */
  assert_int_equal(fr_call_status(call), 0);
  fr_call_free(call);
}

static void test_answered_later(void **state)
{
  struct world *w = *state;
  struct fr_call *call;

  w->later = true;
  call = started(w, &plain);
  while (!w->served)
    fr_loop_turn(w->loop, 0);
  fr_call_answer(call, &w->reply);
  assert_int_equal(w->done, 0);
  fr_loop_turn(w->loop, 0);
  assert_int_equal(w->done, 1);
  fr_call_free(call);
}

static void test_limits_hold_here_too(void **state)
{
  static const char *const headers[] = {
    "X", "0123456789012345678901234567890123456789012345678901234567890123"
         "0123456789012345678901234567890123456789012345678901234567890123",
    NULL
  };
  struct world *w = *state;
  size_t len;
  struct fr_call *call;

  w->reply.body = "01234567890";
  w->reply.body_len = 11;
  call = run(w, &plain, FR_ETOO_BIG);
  (void)fr_call_body(call, &len);
  assert_int_equal(len, 0);
  fr_call_free(call);
  w->reply.body_len = 10;
  fr_call_free(run(w, &plain, FR_OK));
  w->reply.headers = headers;
  fr_call_free(run(w, &plain, FR_ETOO_BIG));
}

static void test_faked_failures(void **state)
{
  struct world *w = *state;
  struct fr_call *call;

  w->reply = (struct fr_call_reply){ .err = FR_ECONNECT };
  call = run(w, &plain, FR_ECONNECT);
  assert_false(fr_call_sent(call));
  assert_true(fr_call_detail(call)[0]);
  fr_call_free(call);
  w->reply = (struct fr_call_reply){ .err = FR_EDROPPED, .sent = true,
                                     .status = 200, .body = "hal",
                                     .body_len = 3 };
  call = run(w, &plain, FR_EDROPPED);
  assert_true(fr_call_sent(call));
  assert_int_equal(fr_call_status(call), 200);
  fr_call_free(call);
}

static void test_read_only(void **state)
{
  struct world *w = *state;
  struct fr_call_spec spec = plain;
  struct fr_call *call;

  fr_http_free(w->http);
  assert_int_equal(fr_http_new_local(w->loop, true, serve, w, &w->http), 0);
  spec.changes = true;
  call = run(w, &spec, FR_EREAD_ONLY);
  assert_false(fr_call_sent(call));
  fr_call_free(call);
  assert_int_equal(w->nserved, 0);
  fr_call_free(run(w, &plain, FR_OK));
}

static void test_cancel_and_free(void **state)
{
  struct world *w = *state;
  struct fr_call *call = started(w, &plain);

  fr_op_cancel(fr_call_op(call));
  fr_loop_turn(w->loop, 0);
  assert_int_equal(fr_call_op(call)->err, FR_ECANCELLED);
  assert_int_equal(w->nserved, 0);
  fr_call_free(call);
  w->later = true;
  call = started(w, &plain);
  while (!w->served)
    fr_loop_turn(w->loop, 0);
  fr_call_free(call);
  assert_int_equal(fr_loop_pending(w->loop), 0);
}

/* Until it is served it can be taken back, and reports nothing then. */
static void test_recall(void **state)
{
  struct world *w = *state;
  struct fr_call *call = started(w, &plain);

  assert_true(fr_call_recall(call));
  assert_false(fr_call_recall(call));
  assert_int_equal(fr_loop_pending(w->loop), 0);
  fr_loop_turn(w->loop, 0);
  assert_int_equal(w->nserved, 0);
  assert_int_equal(w->done, 0);
  fr_call_free(call);
  w->later = true;
  call = started(w, &plain);
  while (!w->served)
    fr_loop_turn(w->loop, 0);
  assert_false(fr_call_recall(call));
  fr_call_free(call);
}

/* The handler frees a call that stands behind the one it serves. */
static void test_handler_frees_another(void **state)
{
  struct world *w = *state;
  struct fr_call *first = started(w, &plain);

  w->victim = started(w, &plain);
  while (!w->done)
    fr_loop_turn(w->loop, 0);
  fr_loop_turn(w->loop, 0);
  assert_int_equal(w->nserved, 1);
  assert_int_equal(w->done, 1);
  fr_call_free(first);
}

#define TEST(name) \
  cmocka_unit_test_setup_teardown(test_##name, set_up, tear_down)

/* Whoever answers hears of a call that ends without it, once. */
static void test_told_that_nobody_waits(void **state)
{
  struct world *w = *state;
  struct fr_call *call = run(w, &plain, FR_OK);

  fr_call_free(call);
  assert_int_equal(w->gone, 0);
  w->later = true;
  call = run(w, &plain, FR_ETIMEOUT);
  assert_int_equal(w->gone, 1);
  fr_call_free(call);
  assert_int_equal(w->gone, 1);
  call = started(w, &plain);
  while (w->nserved < 3)
    fr_loop_turn(w->loop, 0);
  fr_call_free(call);
  assert_int_equal(w->gone, 2);
}

/* A file of `size` bytes, each 'x', sent as it must end. */
static struct fr_call *run_file(struct world *w, struct fr_upload *upload,
                                size_t size, enum fr_err expected)
{
  char path[] = "/tmp/falrun-local-XXXXXX";
  int fd = mkstemp(path);
  struct fr_call_spec spec = plain;
  struct fr_buf why;

  assert_int_equal(ftruncate(fd, (off_t)size), 0);
  assert_int_equal(pwrite(fd, "xxx", 3, 0), 3);
  fr_buf_init(&why, 500);
  assert_int_equal(fr_upload_open(path, "f", &why, upload), FR_OK);
  fr_buf_done(&why);
  assert_int_equal(unlink(path), 0);
  close(fd);
  spec.method = "POST";
  spec.upload = upload;
  spec.total_ms = 0;
  return run(w, &spec, expected);
}

static void test_a_file_is_a_body(void **state)
{
  struct world *w = *state;
  const struct fr_call_spec *spec;
  struct fr_upload upload;
  struct fr_call *call = run_file(w, &upload, 3, FR_OK);

  spec = fr_call_spec(call);
  assert_string_equal(spec->content_type, upload.type);
  assert_int_equal(spec->body_len, fr_upload_size(&upload));
  assert_memory_equal((const char *)spec->body + upload.head.len, "xxx", 3);
  fr_call_free(call);
  fr_upload_close(&upload);
}

static void test_a_file_is_bounded(void **state)
{
  struct world *w = *state;
  struct fr_upload upload;
  struct fr_call *call = run_file(w, &upload, 16 << 20, FR_EINVALID);

  assert_non_null(strstr(fr_call_detail(call), "at most 16 MiB"));
  assert_false(fr_call_sent(call));
  assert_int_equal(w->nserved, 0);
  fr_call_free(call);
  fr_upload_close(&upload);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    TEST(served_in_the_turn),
    TEST(times_out_in_virtual_time),
    TEST(answered_later),
    TEST(limits_hold_here_too),
    TEST(faked_failures),
    TEST(read_only),
    TEST(cancel_and_free),
    TEST(recall),
    TEST(handler_frees_another),
    TEST(told_that_nobody_waits),
    TEST(a_file_is_a_body),
    TEST(a_file_is_bounded),
  };

  return cmocka_run_group_tests_name("http/local", tests, NULL, NULL);
}
