/* tests/unit/http/test_piece.c - bodies that come in pieces. */
#include "tests/unit/http/world.h"

#define MOST (2u * FR_PIECE_MOST)
#define PATTERN "0123456789abcdef"

struct owner {
  struct world *world;
  struct fr_call *call;
  unsigned told;
  size_t taken;         /* bytes, all of them as they were sent */
  bool takes, frees;
};

static void take(struct owner *o)
{
  size_t len;
  const char *body = fr_call_body(o->call, &len);

  assert_in_range(len, 0, MOST);
  for (size_t i = 0; i < len; i++)
    assert_int_equal(body[i], PATTERN[(o->taken + i) % 16]);
  o->taken += len;
  fr_call_drop(o->call, len);
}

static void ready(void *arg)
{
  struct owner *o = arg;

  o->told++;
  assert_int_equal(fr_call_status(o->call), 200);
  if (o->takes)
    take(o);
  if (o->frees) {
    fr_call_free(o->call);
    o->call = NULL;
  }
}

static struct fr_call_spec piece_spec(struct world *w, struct owner *o)
{
  struct fr_call_spec spec = spec_of(w);

  spec.total_ms = 0;
  spec.max_body = MOST;
  spec.ready = ready;
  spec.ready_arg = o;
  o->world = w;
  return spec;
}

static void turn_until_told(struct owner *o, unsigned told)
{
  uint64_t most = real_ms() + 20000;

  while (o->told < told && real_ms() < most)
    fr_loop_turn(o->world->loop, 100);
  assert_true(o->told >= told);
}

/* By an owner who looks only now and then: the transfer pauses. */
static void take_until(struct owner *o, size_t taken)
{
  uint64_t most = real_ms() + 20000;

  while (o->taken < taken && real_ms() < most) {
    turn_for(o->world, 30);
    take(o);
  }
  assert_true(o->taken >= taken);
}

static void end(struct owner *o, unsigned done, enum fr_err err)
{
  turn_until(o->world, done);
  assert_string_equal(fr_err_name(fr_call_op(o->call)->err),
                      fr_err_name(err));
}

/* An answer of `len` bytes that announces `said`. */
static const char *answer(size_t said, size_t len)
{
  static char text[100000];
  int at = snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\n"
                    "Content-Length: %zu\r\n\r\n", said);

  for (size_t i = 0; i < len; i++)
    text[at++] = PATTERN[i % 16];
  text[at] = 0;
  return text;
}

static void test_endless_body_waits_for_its_owner(void **state)
{
  static const struct peer_reply replies[] = {
    { .text = "HTTP/1.1 200 OK\r\n\r\n", .again = PATTERN } };
  struct world *w = *state;
  struct owner o = { 0 };
  struct fr_call_spec spec = piece_spec(w, &o);
  size_t len, later;

  ANSWER(replies);
  o.call = started(w, &spec);
  turn_for(w, 300);
  (void)fr_call_body(o.call, &len);
  assert_in_range(len, FR_PIECE_MOST, MOST);
  turn_for(w, 100);
  (void)fr_call_body(o.call, &later);
  assert_int_equal(len, later);
  take_until(&o, 4 * MOST);
  o.takes = true;
  take_until(&o, 20 * MOST);
  assert_int_equal(w->done, 0);
  fr_call_free(o.call);
}

static void test_every_byte_of_a_paused_body(void **state)
{
  const struct peer_reply replies[] = { { .text = answer(90000, 90000) } };
  struct world *w = *state;
  struct owner o = { 0 };
  struct fr_call_spec spec = piece_spec(w, &o);

  ANSWER(replies);
  o.call = started(w, &spec);
  take_until(&o, 90000);
  end(&o, 1, FR_OK);
  assert_int_equal(o.taken, 90000);
  fr_call_free(o.call);
}

static void test_part_of_a_drop_is_kept(void **state)
{
  const struct peer_reply replies[] = { { .text = answer(64, 64) } };
  struct world *w = *state;
  struct owner o = { 0 };
  struct fr_call_spec spec = piece_spec(w, &o);
  size_t len;

  ANSWER(replies);
  o.call = started(w, &spec);
  end(&o, 1, FR_OK);
  fr_call_drop(o.call, 60);
  assert_string_equal(fr_call_body(o.call, &len), "cdef");
  assert_int_equal(len, 4);
  fr_call_free(o.call);
}

static void test_cut_body_is_no_whole_one(void **state)
{
  const struct peer_reply replies[] = {
    { .text = answer(90001, 90000), .close = true } };
  struct world *w = *state;
  struct owner o = { .takes = true };
  struct fr_call_spec spec = piece_spec(w, &o);

  ANSWER(replies);
  o.call = started(w, &spec);
  end(&o, 1, FR_EDROPPED);
  take(&o);
  assert_int_equal(o.taken, 90000);
  fr_call_free(o.call);
}

static void test_head_is_told_before_the_body(void **state)
{
  static const struct peer_reply replies[] = { { .text =
    "HTTP/1.1 103 Early Hints\r\n\r\n"
    "HTTP/1.1 200 OK\r\nETag: \"a\"\r\nContent-Length: 4\r\n\r\n" } };
  struct world *w = *state;
  struct owner o = { .frees = true };
  struct fr_call_spec spec = piece_spec(w, &o);

  ANSWER(replies);
  o.call = started(w, &spec);
  turn_until_told(&o, 1);
  assert_null(o.call);          /* freed in the middle, by its owner */
  turn_for(w, 50);
  assert_int_equal(o.told, 1);
  assert_int_equal(w->done, 0);
}

static void test_a_pause_is_no_stall(void **state)
{
  const struct peer_reply replies[] = { { .text = answer(99000, 90000) } };
  struct world *w = *state;
  struct owner o = { 0 };
  struct fr_call_spec spec = piece_spec(w, &o);

  ANSWER(replies);
  spec.stall_ms = 200;
  o.call = started(w, &spec);
  turn_for(w, 900);
  assert_int_equal(w->done, 0);
  o.takes = true;
  take(&o);
  end(&o, 1, FR_ETIMEOUT);      /* of the 9000 bytes that never come */
  assert_int_equal(o.taken, 90000);
  fr_call_free(o.call);
}

static void test_spec_of_pieces(void **state)
{
  struct world *w = *state;
  struct owner o = { 0 };
  struct fr_call_spec spec = piece_spec(w, &o);

  spec.max_body = FR_PIECE_MOST - 1;
  assert_int_equal(fr_call_new(w->http, &spec, &o.call), FR_EINVALID);
  spec.max_body = MOST;
  spec.total_ms = 1;
  assert_int_equal(fr_call_new(w->http, &spec, &o.call), FR_EINVALID);
}

static void serve(void *arg, struct fr_call *call)
{
  fr_call_answer(call, arg);
}

static void test_local_answer_in_pieces(void **state)
{
  struct world *w = *state;
  struct owner o = { 0 };
  struct fr_call_spec spec = piece_spec(w, &o);
  struct fr_call_reply reply = {
    .status = 200, .err = FR_EDROPPED, .sent = true,
    .body = strstr(answer(90000, 90000), "\r\n\r\n") + 4, .body_len = 90000
  };

  fr_http_free(w->http);
  assert_int_equal(fr_http_new_local(w->loop, false, serve, &reply,
                                     &w->http), 0);
  spec.stall_ms = 50;
  o.call = started(w, &spec);
  turn_for(w, 200);
  assert_int_equal(w->done, 0);         /* full: it waits, and stalls not */
  assert_int_equal(o.told, 2);          /* of the head, and of bytes */
  o.takes = true;
  take(&o);
  end(&o, 1, FR_EDROPPED);
  take(&o);
  assert_int_equal(o.taken, 90000);
  fr_call_free(o.call);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    TEST(endless_body_waits_for_its_owner),
    TEST(every_byte_of_a_paused_body),
    TEST(part_of_a_drop_is_kept),
    TEST(cut_body_is_no_whole_one),
    TEST(head_is_told_before_the_body),
    TEST(a_pause_is_no_stall),
    TEST(spec_of_pieces),
    TEST(local_answer_in_pieces),
  };

  return cmocka_run_group_tests_name("http/piece", tests, NULL, NULL);
}
