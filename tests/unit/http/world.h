/* tests/unit/http/world.h - a loop, a client and a scripted peer, made new
 * for every test. */
#ifndef WORLD_H
#define WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <cmocka.h>

#include "http/call.h"
#include "tests/unit/http/peer.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ANSWER(replies) answer_with(w, replies, COUNT(replies))
#define OK_4 "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood"

struct world {
  struct fr_clock clock;
  struct fr_loop *loop;
  struct fr_http *http;
  struct peer peer;
  struct fr_buf why;
  char url[128];
  unsigned done;
};

static inline void on_done(struct fr_op *op, void *arg)
{
  struct world *w = arg;

  (void)op;
  w->done++;
}

static inline void open_client(struct world *w,
                               const struct fr_http_config *config)
{
  fr_http_free(w->http);
  w->http = NULL;
  assert_int_equal(fr_http_new(w->loop, config, &w->why, &w->http), 0);
}

static inline int set_up(void **state)
{
  struct world *w = calloc(1, sizeof(*w));

  fr_clock_real(&w->clock);
  fr_buf_init(&w->why, 512);
  assert_int_equal(fr_loop_new(&w->clock, &w->loop), 0);
  open_client(w, &(struct fr_http_config){ 0 });
  peer_start(&w->peer, w->loop);
  snprintf(w->url, sizeof(w->url), "http://127.0.0.1:%u/v1/x",
           w->peer.port);
  *state = w;
  return 0;
}

static inline int tear_down(void **state)
{
  struct world *w = *state;

  fr_http_free(w->http);
  peer_stop(&w->peer);
  fr_loop_free(w->loop);        /* aborts when anything is left */
  fr_buf_done(&w->why);
  free(w);
  return 0;
}

static inline void answer_with(struct world *w,
                               const struct peer_reply *replies,
                               unsigned count)
{
  w->peer.replies = replies;
  w->peer.nreplies = count;
}

static inline struct fr_call_spec spec_of(const struct world *w)
{
  return (struct fr_call_spec){
    .method = "GET", .url = w->url, .max_body = 100000,
    .max_headers = 65536, .connect_ms = 3000, .total_ms = 5000,
    .stall_ms = 5000
  };
}

static inline uint64_t real_ms(void)
{
  struct timespec t;

  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static inline void turn_until(struct world *w, unsigned done)
{
  uint64_t most = real_ms() + 20000;

  while (w->done < done && real_ms() < most)
    fr_loop_turn(w->loop, 100);
  assert_int_equal(w->done, done);
}

static inline void turn_for(struct world *w, unsigned ms)
{
  uint64_t end = real_ms() + ms;

  while (real_ms() < end)
    fr_loop_turn(w->loop, 5);
}

static inline struct fr_call *started(struct world *w,
                                      const struct fr_call_spec *spec)
{
  struct fr_call *call = NULL;

  assert_int_equal(fr_call_new(w->http, spec, &call), 0);
  assert_false(fr_call_sent(call));
  fr_call_start(call);
  fr_op_wait(fr_call_op(call), on_done, w);
  return call;
}

static inline struct fr_call *run(struct world *w,
                                  const struct fr_call_spec *spec,
                                  enum fr_err expected)
{
  unsigned before = w->done;
  struct fr_call *call = started(w, spec);

  assert_int_equal(w->done, before);
  turn_until(w, before + 1);
  assert_string_equal(fr_err_name(fr_call_op(call)->err),
                      fr_err_name(expected));
  assert_int_equal(expected == FR_OK, !fr_call_detail(call)[0]);
  return call;
}

/* Runs a plain GET that must end so, and frees it. */
static inline void expect(struct world *w, enum fr_err expected)
{
  struct fr_call_spec spec = spec_of(w);

  fr_call_free(run(w, &spec, expected));
}

#define TEST(name) \
  cmocka_unit_test_setup_teardown(test_##name, set_up, tear_down)

#endif
