/* tests/unit/http/test_curl.c - many calls, time, and ending early. */
#include "tests/unit/http/world.h"

static void test_many_at_once(void **state)
{
  static const struct peer_reply replies[] = { { .text = OK_4 } };
  struct world *w = *state;
  struct fr_call_spec spec = spec_of(w);
  struct fr_call *calls[200];

  ANSWER(replies);
  for (unsigned i = 0; i < COUNT(calls); i++)
    calls[i] = started(w, &spec);
  assert_int_equal(w->peer.requests, 0);
  turn_until(w, COUNT(calls));
  for (unsigned i = 0; i < COUNT(calls); i++) {
    assert_int_equal(fr_call_op(calls[i])->err, FR_OK);
    fr_call_free(calls[i]);
  }
  assert_int_equal(w->peer.requests, COUNT(calls));
}

static void test_connections_are_kept(void **state)
{
  static const struct peer_reply replies[] = { { .text = OK_4 } };
  struct world *w = *state;
  struct fr_call_spec spec = spec_of(w);
  struct fr_call *calls[40];

  ANSWER(replies);
  for (unsigned round = 1; round <= 5; round++) {
    for (unsigned i = 0; i < COUNT(calls); i++)
      calls[i] = started(w, &spec);
    turn_until(w, round * COUNT(calls));
    for (unsigned i = 0; i < COUNT(calls); i++)
      fr_call_free(calls[i]);
  }
  assert_in_range(w->peer.accepted, 1, COUNT(calls));
  assert_int_equal(w->peer.closed, 0);
}

static void test_max_connections(void **state)
{
  static const struct peer_reply replies[] = { { .text = OK_4 } };
  struct world *w = *state;
  struct fr_call_spec spec = spec_of(w);
  struct fr_call *calls[20];

  ANSWER(replies);
  open_client(w, &(struct fr_http_config){ .max_connections = 3 });
  for (unsigned i = 0; i < COUNT(calls); i++)
    calls[i] = started(w, &spec);
  turn_until(w, COUNT(calls));
  for (unsigned i = 0; i < COUNT(calls); i++)
    fr_call_free(calls[i]);
  assert_in_range(w->peer.accepted, 1, 3);
}

static void test_stall(void **state)
{
  static const struct peer_reply replies[] = {
    { .text = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1" } };
  struct world *w = *state;
  struct fr_call_spec spec = spec_of(w);
  struct fr_call *call;
  uint64_t began = real_ms();

  ANSWER(replies);
  spec.stall_ms = 200;
  call = run(w, &spec, FR_ETIMEOUT);
  assert_in_range(real_ms() - began, 200, 2000);
  assert_string_equal(fr_call_detail(call), "not a byte came for 200 ms");
  assert_int_equal(fr_call_status(call), 200);
  assert_true(fr_call_sent(call));
  fr_call_free(call);
}

static void test_slow_is_not_stalled_but_ends(void **state)
{
  static const struct peer_reply replies[] = {
    { .text = "HTTP/1.1 200 OK\r\n\r\n", .again = "x", .every_ms = 20 } };
  struct world *w = *state;
  struct fr_call_spec spec = spec_of(w);
  struct fr_call *call;
  uint64_t began = real_ms();
  size_t len;

  ANSWER(replies);
  spec.stall_ms = 250;
  spec.total_ms = 700;
  call = run(w, &spec, FR_ETIMEOUT);
  assert_in_range(real_ms() - began, 690, 3000);
  (void)fr_call_body(call, &len);
  assert_in_range(len, 5, 40);
  fr_call_free(call);
}

static void test_no_connection_in_time(void **state)
{
  struct world *w = *state;
  struct fr_call_spec spec = spec_of(w);
  struct fr_call *calls[3];

  snprintf(w->url, sizeof(w->url), "https://127.0.0.1:%u/", w->peer.port);
  spec.connect_ms = 200;
  spec.total_ms = 600;
  for (unsigned i = 0; i < COUNT(calls); i++)
    calls[i] = started(w, &spec);
  turn_until(w, COUNT(calls));
  for (unsigned i = 0; i < COUNT(calls); i++) {
    assert_int_equal(fr_call_op(calls[i])->err, FR_ECONNECT);
    assert_false(fr_call_sent(calls[i]));
    fr_call_free(calls[i]);
  }
}

static void test_time_starts_with_the_loop(void **state)
{
  static const struct peer_reply replies[] = { { .text = OK_4 } };
  struct world *w = *state;
  struct fr_call_spec spec = spec_of(w);
  struct fr_call *call;

  ANSWER(replies);
  expect(w, FR_OK);
  spec.total_ms = spec.stall_ms = spec.connect_ms = 150;
  call = started(w, &spec);
  usleep(400000);
  turn_until(w, 2);
  assert_int_equal(fr_call_op(call)->err, FR_OK);
  fr_call_free(call);
}

static void test_cancel_in_the_middle(void **state)
{
  static const struct peer_reply replies[] = {
    { .text = "HTTP/1.1 200 OK\r\n\r\n", .again = "x", .every_ms = 5 } };
  struct world *w = *state;
  struct fr_call_spec spec = spec_of(w);
  struct fr_call *call;

  ANSWER(replies);
  call = started(w, &spec);
  turn_for(w, 100);
  assert_true(fr_call_sent(call));      /* known while it runs */
  fr_op_cancel(fr_call_op(call));
  assert_int_equal(w->done, 0);
  turn_until(w, 1);
  assert_int_equal(fr_call_op(call)->err, FR_ECANCELLED);
  assert_true(fr_call_sent(call));
  turn_for(w, 50);
  assert_int_equal(w->peer.closed, 1);
  fr_call_free(call);
}

static void test_cancel_before_the_first_turn(void **state)
{
  static const struct peer_reply replies[] = { { .text = OK_4 } };
  struct world *w = *state;
  struct fr_call_spec spec = spec_of(w);
  struct fr_call *call;

  ANSWER(replies);
  expect(w, FR_OK);             /* its handle is used again */
  call = started(w, &spec);
  fr_op_cancel(fr_call_op(call));
  turn_until(w, 2);
  assert_false(fr_call_sent(call));
  assert_int_equal(fr_call_status(call), 0);
  fr_call_free(call);
  turn_for(w, 50);
  assert_int_equal(w->peer.requests, 1);
}

static void test_free_while_it_runs(void **state)
{
  static const struct peer_reply replies[] = { { .text = NULL } };
  struct world *w = *state;
  struct fr_call_spec spec = spec_of(w);
  struct fr_call *call;

  ANSWER(replies);
  call = started(w, &spec);
  turn_for(w, 50);
  assert_int_equal(w->peer.requests, 1);
  fr_call_free(call);
  turn_for(w, 50);
  assert_int_equal(w->done, 0);
  assert_int_equal(w->peer.closed, 1);
  assert_int_equal(fr_loop_pending(w->loop), 0);
}

static void test_never_started(void **state)
{
  struct world *w = *state;
  struct fr_call_spec spec = spec_of(w);
  struct fr_call *call = NULL;

  assert_int_equal(fr_call_new(w->http, &spec, &call), 0);
  fr_call_free(call);
  fr_call_free(NULL);
  fr_http_free(NULL);
}

static void test_idle_costs_nothing(void **state)
{
  static const struct peer_reply replies[] = { { .text = OK_4 } };
  struct world *w = *state;
  clock_t before;
  unsigned turns = 0;
  uint64_t end;

  ANSWER(replies);
  expect(w, FR_OK);
  peer_drop(fr_container_of(w->peer.connections.next,
                            struct peer_connection, link));
  before = clock();
  for (end = real_ms() + 300; real_ms() < end; turns++)
    fr_loop_turn(w->loop, 50);
  assert_in_range(turns, 5, 20);
  assert_in_range(clock() - before, 0, CLOCKS_PER_SEC / 10);
  expect(w, FR_OK);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    TEST(many_at_once),
    TEST(connections_are_kept),
    TEST(max_connections),
    TEST(stall),
    TEST(slow_is_not_stalled_but_ends),
    TEST(no_connection_in_time),
    TEST(time_starts_with_the_loop),
    TEST(cancel_in_the_middle),
    TEST(cancel_before_the_first_turn),
    TEST(free_while_it_runs),
    TEST(never_started),
    TEST(idle_costs_nothing),
  };

  return cmocka_run_group_tests_name("http/curl", tests, NULL, NULL);
}
