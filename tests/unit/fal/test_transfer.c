/* tests/unit/fal/test_transfer.c - long answers in pieces. */
#include "tests/unit/fal/support.h"

#include "fal/transfer.h"

#define FILE_PATH "/serverless/files/file/a"
#define BIG (1u << 20)          /* more than waits for its owner */

struct owner {
  struct fr_transfer *transfer;
  struct fr_buf took;
  unsigned told, judged;
  bool begun, lazy, frees;
  enum fr_err verdict;
};

static void ready(void *arg)
{
  struct owner *o = arg;
  const char *bytes;
  size_t len;

  o->told++;
  o->begun |= fr_transfer_begun(o->transfer);
  if (o->frees) {
    fr_transfer_free(o->transfer);
    o->transfer = NULL;
    return;
  }
  if (o->lazy)
    return;
  bytes = fr_transfer_bytes(o->transfer, &len);
  assert_int_equal(fr_buf_add(&o->took, bytes, len), FR_OK);
  fr_transfer_drop(o->transfer, len);
}

static enum fr_err judge(void *arg, int status, struct fr_buf *why)
{
  struct owner *o = arg;

  o->judged++;
  assert_int_equal(status / 100, 2);
  if (o->verdict)
    fr_buf_say(why, "it is odd");
  return o->verdict;
}

static struct fr_transfer_spec spec_of(struct owner *o)
{
  fr_buf_init(&o->took, 4 * BIG);
  return (struct fr_transfer_spec){
    .read = { .method = "GET", .path = FILE_PATH, .key = FR_KEY_API },
    .judge = judge, .ready = ready, .arg = o,
  };
}

static void start(struct rig *rig, struct owner *o,
                  const struct fr_transfer_spec *spec)
{
  assert_int_equal(fr_transfer_new(rig->fal, spec, &o->transfer), FR_OK);
  fr_transfer_start(o->transfer);
}

static void end(struct rig *rig, struct owner *o, enum fr_err err)
{
  run_op(rig, fr_transfer_op(o->transfer));
  assert_string_equal(fr_err_name(fr_transfer_op(o->transfer)->err),
                      fr_err_name(err));
}

static void done(struct rig *rig, struct owner *o)
{
  fr_transfer_free(o->transfer);
  fr_buf_done(&o->took);
  rig_free(rig);
}

static void a_whole_body_comes_as_it_is(void **state)
{
  struct rig *rig = rig_new(API_KEY, NULL);
  struct owner o = { 0 };
  struct fr_transfer_spec spec = spec_of(&o);

  (void)state;
  SCRIPT(rig, { .status = 200, .body = "a " API_KEY " b",
                .name = "ETag", .value = "\"x\"" });
  start(rig, &o, &spec);
  end(rig, &o, FR_OK);
  assert_string_equal(fr_buf_text(&o.took), "a " API_KEY " b");
  assert_string_equal(fr_transfer_header(o.transfer, "etag"), "\"x\"");
  assert_int_equal(rig->arrivals[0].total_ms, 0);
  assert_string_equal(rig->arrivals[0].auth, "Key " API_KEY);
  assert_string_equal(fr_transfer_message(o.transfer), "");
  assert_int_equal(o.judged, 1);
  done(rig, &o);
}

static void text_has_no_key(void **state)
{
  struct rig *rig = rig_new(API_KEY, NULL);
  struct owner o = { .lazy = true };
  struct fr_transfer_spec spec = spec_of(&o);
  const char *text;
  size_t len;

  (void)state;
  SCRIPT(rig, { .status = 200, .body = "data: " API_KEY "\n\n" });
  start(rig, &o, &spec);
  end(rig, &o, FR_OK);
  text = fr_transfer_text(o.transfer, &len);
  assert_int_equal(len, 8 + strlen(API_KEY));
  assert_null(memmem(text, len, "apisecret", 9));
  done(rig, &o);
}

/* Of a line that has no end in sight, less than a key stays behind. */
static void text_of_a_long_line_comes_in_parts(void **state)
{
  struct rig *rig = rig_new(API_KEY, NULL);
  struct owner o = { .lazy = true };
  struct fr_transfer_spec spec = spec_of(&o);
  char *body = calloc(1, BIG + 1);
  size_t len, bytes;

  (void)state;
  memset(body, 'x', BIG);
  SCRIPT(rig, { .status = 200, .body = body });
  start(rig, &o, &spec);
  while (!o.told || (fr_transfer_bytes(o.transfer, &bytes), !bytes))
    fr_loop_turn(rig->loop, -1);
  (void)fr_transfer_text(o.transfer, &len);
  assert_true(len > 0 && len < bytes && bytes - len >= 1024);
  assert_true(fr_transfer_op(o.transfer)->pending);
  free(body);
  done(rig, &o);
}

static void who_takes_nothing_makes_fal_wait(void **state)
{
  struct rig *rig = rig_new(API_KEY, NULL);
  struct owner o = { .lazy = true };
  struct fr_transfer_spec spec = spec_of(&o);
  struct fr_fal_figures figures;
  char *body = calloc(1, BIG + 1);
  size_t len;

  (void)state;
  memset(body, 'x', BIG);
  SCRIPT(rig, { .status = 200, .body = body });
  start(rig, &o, &spec);
  for (int i = 0; i < 50; i++)
    fr_loop_turn(rig->loop, 10);
  (void)fr_transfer_bytes(o.transfer, &len);
  assert_in_range(len, 1, BIG / 2);
  fr_fal_figures(rig->fal, &figures);
  assert_int_equal(figures.in_flight, 0);       /* its slot is free */
  o.lazy = false;
  ready(&o);
  end(rig, &o, FR_OK);
  assert_int_equal(o.took.len, BIG);
  free(body);
  done(rig, &o);
}

static void what_breaks_off_is_no_whole_answer(void **state)
{
  struct rig *rig = rig_new(API_KEY, NULL);
  struct owner o = { 0 };
  struct fr_transfer_spec spec = spec_of(&o);

  (void)state;
  SCRIPT(rig, { .status = 200, .body = "half", .err = FR_EDROPPED });
  start(rig, &o, &spec);
  end(rig, &o, FR_EDROPPED);
  assert_string_equal(fr_buf_text(&o.took), "half");
  assert_non_null(strstr(fr_transfer_message(o.transfer), "broke off"));
  assert_int_equal(rig->narrivals, 1);          /* its owner decides */
  done(rig, &o);
}

static void heads_are_asked_for_again(void **state)
{
  struct rig *rig = rig_new(API_KEY, NULL);
  struct owner o = { 0 };
  struct fr_transfer_spec spec = spec_of(&o);

  (void)state;
  SCRIPT(rig, { .err = FR_EDROPPED },
         { .status = 503, .body = "x", .name = "Retry-After", .value = "7" },
         { .status = 200, .body = "ok" });
  start(rig, &o, &spec);
  end(rig, &o, FR_OK);
  assert_int_equal(rig->narrivals, 3);
  assert_true(rig->arrivals[2].now - rig->arrivals[1].now >= 7000);
  assert_string_equal(fr_buf_text(&o.took), "ok");
  done(rig, &o);
}

static void a_refused_key_ends_the_run(void **state)
{
  struct rig *rig = rig_new(API_KEY, NULL);
  struct owner o = { 0 };
  struct fr_transfer_spec spec = spec_of(&o);

  (void)state;
  SCRIPT(rig, { .status = 401,
                .body = "{\"error\":{\"message\":\"no " API_KEY "\"}}" });
  start(rig, &o, &spec);
  end(rig, &o, FR_EAUTH);
  assert_true(rig->verdict.auth);
  assert_int_equal(fr_fal_stopped(rig->fal), FR_EAUTH);
  assert_null(strstr(fr_transfer_message(o.transfer), "apisecret"));
  assert_int_equal(o.told + o.judged, 0);
  done(rig, &o);
}

static void an_endless_error_is_read_in_part(void **state)
{
  struct rig *rig = rig_new(API_KEY, NULL);
  struct owner o = { 0 };
  struct fr_transfer_spec spec = spec_of(&o);
  char *body = calloc(1, BIG + 1);

  (void)state;
  memset(body, 'x', BIG);
  SCRIPT(rig, { .status = 404, .body = body });
  start(rig, &o, &spec);
  end(rig, &o, FR_ENOT_FOUND);
  assert_int_equal(fr_transfer_status(o.transfer), 404);
  free(body);
  done(rig, &o);
}

static void a_redirect_is_not_followed(void **state)
{
  struct rig *rig = rig_new(API_KEY, NULL);
  struct owner o = { 0 };
  struct fr_transfer_spec spec = spec_of(&o);

  (void)state;
  SCRIPT(rig, { .status = 302, .name = "Location",
                .value = "https://other.example/" });
  start(rig, &o, &spec);
  end(rig, &o, FR_EREDIRECT);
  assert_int_equal(rig->narrivals, 1);
  done(rig, &o);
}

static void an_encoded_body_is_not_what_was_asked_for(void **state)
{
  struct rig *rig = rig_new(API_KEY, NULL);
  struct owner o = { 0 };
  struct fr_transfer_spec spec = spec_of(&o);

  (void)state;
  SCRIPT(rig, { .status = 200, .body = "x", .name = "Content-Encoding",
                .value = "gzip" });
  start(rig, &o, &spec);
  end(rig, &o, FR_EPROTOCOL);
  assert_int_equal(rig->narrivals, 3);
  assert_non_null(strstr(fr_transfer_message(o.transfer), "(gzip)"));
  assert_int_equal(o.took.len, 0);
  done(rig, &o);
}

static void the_judge_has_the_last_word(void **state)
{
  struct rig *rig = rig_new(API_KEY, NULL);
  struct owner o = { .verdict = FR_EIO };
  struct fr_transfer_spec spec = spec_of(&o);

  (void)state;
  SCRIPT(rig, { .status = 200, .body = "x" });
  start(rig, &o, &spec);
  end(rig, &o, FR_EIO);
  assert_int_equal(rig->narrivals, 1);
  assert_non_null(strstr(fr_transfer_message(o.transfer), "it is odd"));
  done(rig, &o);
}

static void a_head_has_its_time(void **state)
{
  struct rig *rig = rig_new(API_KEY, NULL);
  struct owner o = { 0 };
  struct fr_transfer_spec spec = spec_of(&o);

  (void)state;
  spec.read.timeout_ms = 1000;
  spec.attempts = 1;
  SCRIPT(rig, { .status = 200, .body = "x", .after_ms = 20000 });
  start(rig, &o, &spec);
  end(rig, &o, FR_ETIMEOUT);
  assert_in_range(fr_loop_now(rig->loop), 1000, 1500);
  fr_transfer_free(o.transfer);
  o.transfer = NULL;
  fr_timer_stop(rig->loop, &rig->timer);
  done(rig, &o);
}

static void a_stop_ends_what_goes_on(void **state)
{
  struct rig *rig = rig_new(API_KEY, NULL);
  struct owner o = { .lazy = true };
  struct fr_transfer_spec spec = spec_of(&o);

  (void)state;
  SCRIPT(rig, { .status = 200, .body = "xyz" });
  start(rig, &o, &spec);
  while (!o.told)
    fr_loop_turn(rig->loop, -1);
  fr_fal_stop(rig->fal, FR_EINTERRUPTED, "enough");
  end(rig, &o, FR_ESTOPPED);
  assert_string_equal(fr_transfer_message(o.transfer), "enough");
  done(rig, &o);
}

static void freed_and_cancelled_at_any_time(void **state)
{
  (void)state;
  for (int turns_before = 0; turns_before < 8; turns_before++) {
    struct rig *rig = rig_new(API_KEY, NULL);
    struct owner o = { 0 };
    struct fr_transfer_spec spec = spec_of(&o);

    SCRIPT(rig, { .status = 200, .body = "xyz" });
    start(rig, &o, &spec);
    turns(rig, turns_before);
    if (turns_before % 2)
      fr_op_cancel(fr_transfer_op(o.transfer));
    done(rig, &o);
  }
}

static void its_owner_may_free_it_when_told(void **state)
{
  struct rig *rig = rig_new(API_KEY, NULL);
  struct owner o = { .frees = true };
  struct fr_transfer_spec spec = spec_of(&o);

  (void)state;
  SCRIPT(rig, { .status = 200, .body = "xyz" });
  start(rig, &o, &spec);
  for (int i = 0; i < 20; i++)
    fr_loop_turn(rig->loop, 0);
  while (o.transfer)
    fr_loop_turn(rig->loop, 10);
  done(rig, &o);
}

static void only_what_reads(void **state)
{
  struct rig *rig = rig_new(API_KEY, NULL);
  struct owner o = { 0 };
  struct fr_transfer_spec spec = spec_of(&o);

  (void)state;
  spec.read.method = "POST";
  assert_int_equal(fr_transfer_new(rig->fal, &spec, &o.transfer),
                   FR_EREAD_ONLY);
  spec.read.path = "/serverless/logs/stream";
  assert_int_equal(fr_transfer_new(rig->fal, &spec, &o.transfer), FR_OK);
  fr_transfer_free(o.transfer);
  o.transfer = NULL;
  spec.read.path = "/../x";
  assert_int_equal(fr_transfer_new(rig->fal, &spec, &o.transfer),
                   FR_EINVALID);
  done(rig, &o);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_whole_body_comes_as_it_is),
    cmocka_unit_test(text_has_no_key),
    cmocka_unit_test(text_of_a_long_line_comes_in_parts),
    cmocka_unit_test(who_takes_nothing_makes_fal_wait),
    cmocka_unit_test(what_breaks_off_is_no_whole_answer),
    cmocka_unit_test(heads_are_asked_for_again),
    cmocka_unit_test(a_refused_key_ends_the_run),
    cmocka_unit_test(an_endless_error_is_read_in_part),
    cmocka_unit_test(a_redirect_is_not_followed),
    cmocka_unit_test(an_encoded_body_is_not_what_was_asked_for),
    cmocka_unit_test(the_judge_has_the_last_word),
    cmocka_unit_test(a_head_has_its_time),
    cmocka_unit_test(a_stop_ends_what_goes_on),
    cmocka_unit_test(freed_and_cancelled_at_any_time),
    cmocka_unit_test(its_owner_may_free_it_when_told),
    cmocka_unit_test(only_what_reads),
  };

  return cmocka_run_group_tests_name("fal/transfer", tests, NULL, NULL);
}
