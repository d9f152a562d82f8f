/* tests/unit/http/test_send.c - files on their way out, through libcurl. */
#include <sys/resource.h>

#include "tests/unit/http/world.h"
#include "tests/unit/http/taker.h"

#define MIB ((off_t)1 << 20)
#define TRUE_4 "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ntrue"
#define GO_ON "HTTP/1.1 100 Continue\r\n\r\n"

struct sending {
  struct taker taker;
  char path[40], url[64];
  int fd;
  struct fr_upload upload;
  struct fr_call_spec spec;
};

static void begin(struct sending *s, off_t size)
{
  struct fr_buf why;

  fr_buf_init(&why, 500);
  strcpy(s->path, "/tmp/falrun-send-XXXXXX");
  s->fd = mkstemp(s->path);
  assert_true(s->fd >= 0);
  assert_int_equal(ftruncate(s->fd, size), 0);
  assert_int_equal(fr_upload_open(s->path, "file_upload", &why, &s->upload),
                   FR_OK);
  fr_buf_done(&why);
  taker_start(&s->taker);
  snprintf(s->url, sizeof(s->url), "http://127.0.0.1:%u/v1/up",
           s->taker.port);
  s->spec = (struct fr_call_spec){
    .method = "POST", .url = s->url, .changes = true, .upload = &s->upload,
    .max_body = 1000, .max_headers = 65536, .connect_ms = 3000,
    .stall_ms = 3000
  };
}

static void end(struct sending *s)
{
  taker_stop(&s->taker);
  fr_upload_close(&s->upload);
  close(s->fd);
  unlink(s->path);
}

/* It must end so; the call is the caller's. */
static struct fr_call *sent(struct world *w, struct sending *s,
                            enum fr_err expected)
{
  struct fr_call *call = run(w, &s->spec, expected);

  assert_true(fr_call_sent(call));
  return call;
}

static void test_a_small_file(void **state)
{
  struct world *w = *state;
  struct sending s = { .taker = { .most = ALL, .answer = TRUE_4 } };
  struct fr_call *call;
  size_t len;

  begin(&s, 9);
  assert_int_equal(pwrite(s.fd, "some text", 9, 0), 9);
  fr_upload_close(&s.upload);
  assert_int_equal(fr_upload_open(s.path, "f", &w->why, &s.upload), 0);
  call = sent(w, &s, FR_OK);
  assert_int_equal(fr_call_status(call), 200);
  assert_string_equal(fr_call_body(call, &len), "true");
  fr_call_free(call);
  taker_rest(10);
  assert_int_equal(s.taker.len, fr_upload_size(&s.upload));
  assert_int_equal(s.taker.length, fr_upload_size(&s.upload));
  assert_non_null(strstr(s.taker.head, s.upload.type));
  assert_null(strstr(s.taker.head, "Expect"));
  assert_memory_equal(s.taker.body, s.upload.head.data, s.upload.head.len);
  assert_string_equal(s.taker.body + s.upload.head.len + 9,
                      s.upload.tail.data);
  end(&s);
}

static long resident_kib(void)
{
  FILE *file = fopen("/proc/self/statm", "r");
  long all, resident = 0;

  assert_non_null(file);
  assert_int_equal(fscanf(file, "%ld %ld", &all, &resident), 2);
  fclose(file);
  return resident * 4;
}

/* 64 MiB, and never more than a few of them in memory. */
static void test_memory_is_flat(void **state)
{
  struct world *w = *state;
  struct sending s = { .taker = { .most = ALL, .before = GO_ON,
                                  .answer = TRUE_4 } };
  unsigned before = w->done;
  long begun, most = 0;
  struct fr_call *call;

  begin(&s, 64 * MIB);
  begun = resident_kib();
  call = started(w, &s.spec);
  for (unsigned i = 0; w->done == before && i < 1000000; i++) {
    fr_loop_turn(w->loop, 100);
    if (resident_kib() > most)
      most = resident_kib();
  }
  assert_int_equal(fr_call_op(call)->err, FR_OK);
  assert_int_equal(s.taker.len, fr_upload_size(&s.upload));
  assert_in_range(most - begun, 0, 8192);
  assert_non_null(strstr(s.taker.head, "Expect: 100-continue"));
  fr_call_free(call);
  end(&s);
}

static void test_who_ignores_the_expectation_gets_it(void **state)
{
  struct world *w = *state;
  struct sending s = { .taker = { .most = ALL, .answer = TRUE_4 } };
  uint64_t began = real_ms();

  begin(&s, 2 * MIB);
  fr_call_free(sent(w, &s, FR_OK));
  assert_in_range(real_ms() - began, 900, 4000);
  assert_int_equal(s.taker.len, fr_upload_size(&s.upload));
  end(&s);
}

/* Of a no that comes before the body, not a byte of it is sent. */
static void test_a_no_beforehand(void **state)
{
  static const struct { const char *text; int status; } all[] = {
    { "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno", 413 },
    { "HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\nno", 401 },
    { "HTTP/1.1 417 No\r\nContent-Length: 2\r\n\r\nno", 417 },
    { "HTTP/1.1 302 No\r\nLocation: /v1/x\r\nContent-Length: 2\r\n\r\nno",
      302 },
  };
  struct world *w = *state;

  for (size_t i = 0; i < COUNT(all); i++) {
    struct sending s = { .taker = { .most = 1, .before = all[i].text } };
    struct fr_call *call;

    begin(&s, 8 * MIB);
    call = sent(w, &s, FR_OK);
    assert_int_equal(fr_call_status(call), all[i].status);
    assert_in_range(s.taker.len, 0, all[i].status == 302);
    fr_call_free(call);
    end(&s);
  }
}

static void test_a_no_in_the_middle(void **state)
{
  struct world *w = *state;
  struct sending s = { .taker = {
    .most = (size_t)MIB, .before = GO_ON, .hold_ms = 50,
    .answer = "HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno" } };
  struct fr_call *call;

  begin(&s, 8 * MIB);
  call = sent(w, &s, FR_OK);
  assert_int_equal(fr_call_status(call), 413);
  assert_true(s.upload.at < fr_upload_size(&s.upload));
  fr_call_free(call);
  end(&s);
}

static void test_closed_in_the_middle(void **state)
{
  struct world *w = *state;
  struct sending s = { .taker = { .most = (size_t)MIB, .before = GO_ON,
                                  .abrupt = true } };

  begin(&s, 8 * MIB);
  fr_call_free(sent(w, &s, FR_EDROPPED));
  end(&s);
}

static void test_a_storm_of_1xx_ends(void **state)
{
  static char storm[200000];
  struct world *w = *state;
  struct sending s = { .taker = { .most = ALL, .before = storm,
                                  .answer = TRUE_4 } };

  for (size_t at = 0; at + 40 < sizeof(storm);)
    at += (size_t)sprintf(storm + at, "HTTP/1.1 102 Wait\r\n\r\n");
  begin(&s, 2 * MIB);
  fr_call_free(sent(w, &s, FR_ETOO_BIG));
  end(&s);
}

static void test_a_file_that_changes(void **state)
{
  static const off_t sizes[] = { 8 * MIB + 1, 3 * MIB };
  struct world *w = *state;

  for (size_t i = 0; i < COUNT(sizes); i++) {
    struct sending s = { .taker = { .most = ALL, .before = GO_ON,
                                    .piece = 65536, .pace_ms = 1,
                                    .answer = TRUE_4 } };
    unsigned before = w->done;
    struct fr_call *call;

    begin(&s, 8 * MIB);
    call = started(w, &s.spec);
    while (s.upload.at < MIB)
      fr_loop_turn(w->loop, 100);
    assert_int_equal(ftruncate(s.fd, sizes[i]), 0);
    turn_until(w, before + 1);
    assert_int_equal(fr_call_op(call)->err, FR_EIO);
    assert_non_null(strstr(fr_call_detail(call), "has changed"));
    assert_non_null(strstr(fr_call_detail(call), s.path + 5));
    fr_call_free(call);
    taker_stop(&s.taker);
    assert_true(s.taker.len < s.taker.length);
    fr_upload_close(&s.upload);
    close(s.fd);
    unlink(s.path);
  }
}

static void test_a_file_that_changed_before(void **state)
{
  struct world *w = *state;
  struct sending s = { .taker = { .most = ALL, .answer = TRUE_4 } };
  struct fr_call *call;

  begin(&s, 10);
  assert_int_equal(ftruncate(s.fd, 11), 0);
  call = run(w, &s.spec, FR_EIO);
  assert_false(fr_call_sent(call));
  fr_call_free(call);
  end(&s);
  assert_string_equal(s.taker.head, "");
}

/* Who takes nothing for the stall time ends it; who is slow does not. */
static void test_a_stall(void **state)
{
  struct world *w = *state;
  struct sending s = { .taker = { .most = 4096, .before = GO_ON,
                                  .hold_ms = 1500, .abrupt = true } };
  struct fr_call *call;

  begin(&s, 32 * MIB);
  s.spec.stall_ms = 400;
  call = sent(w, &s, FR_ETIMEOUT);
  assert_string_equal(fr_call_detail(call),
                      "not a byte was taken or came for 400 ms");
  fr_call_free(call);
  end(&s);
}

static void test_slow_is_not_stalled(void **state)
{
  struct world *w = *state;
  struct sending s = { .taker = { .most = ALL, .piece = 16384, .pace_ms = 1,
                                  .before = GO_ON, .answer = TRUE_4 } };
  uint64_t began = real_ms();

  begin(&s, 40 * MIB);
  s.spec.stall_ms = 1500;
  fr_call_free(sent(w, &s, FR_OK));
  assert_in_range(real_ms() - began, 2000, 20000);
  end(&s);
}

static void test_read_only_sends_none(void **state)
{
  struct world *w = *state;
  struct sending s = { .taker = { .most = ALL, .answer = TRUE_4 } };

  begin(&s, 10);
  open_client(w, &(struct fr_http_config){ .read_only = true });
  fr_call_free(run(w, &s.spec, FR_EREAD_ONLY));
  end(&s);
  assert_string_equal(s.taker.head, "");
}

static void test_a_spec_that_is_none(void **state)
{
  struct world *w = *state;
  struct sending s = { .taker = { .most = ALL } };
  struct fr_call_spec spec;
  struct fr_call *call;

  begin(&s, 10);
  spec = s.spec;
  spec.total_ms = 1;
  assert_int_equal(fr_call_new(w->http, &spec, &call), FR_EINVALID);
  spec = s.spec;
  spec.body = "";
  assert_int_equal(fr_call_new(w->http, &spec, &call), FR_EINVALID);
  spec = s.spec;
  spec.content_type = "text/plain";
  assert_int_equal(fr_call_new(w->http, &spec, &call), FR_EINVALID);
  end(&s);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    TEST(a_small_file), TEST(memory_is_flat),
    TEST(who_ignores_the_expectation_gets_it), TEST(a_no_beforehand),
    TEST(a_no_in_the_middle), TEST(closed_in_the_middle),
    TEST(a_storm_of_1xx_ends), TEST(a_file_that_changes),
    TEST(a_file_that_changed_before), TEST(a_stall),
    TEST(slow_is_not_stalled), TEST(read_only_sends_none),
    TEST(a_spec_that_is_none),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
