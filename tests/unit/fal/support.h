/* tests/unit/fal/support.h - a client on a virtual clock, its server a list
 * of replies in this process.
 *
 * Every call that arrives is recorded (when, method, url, headers) and gets
 * the next reply of the script; the last one repeats. `hold` keeps calls
 * unanswered until release_calls().
 */
#ifndef FAL_SUPPORT_H
#define FAL_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fal/internal.h"

#define AT0 1700000000000               /* 2023-11-14T22:13:20Z */
#define DATE0 "Tue, 14 Nov 2023 22:13:20 GMT"
#define API_KEY "apiid:apisecret0123"
#define ADMIN_KEY "admid:admsecret4567"
#define GOOD "{\"cdn_delete_results\":[]}"
#define ID "764cabcf-b745-4b3e-ae38-1200304cf45b"

struct reply {
  enum fr_err err;
  bool unsent;
  int status;
  const char *body;
  const char *name, *value;             /* one header */
  const char *more[7];                  /* further ones: name, value, ... */
  uint64_t after_ms;
};

struct arrival {
  uint64_t now;
  char method[8], url[256], auth[128], key[64], range[64], if_range[64];
  uint32_t total_ms;
};

struct rig {
  struct fr_clock clock;
  struct fr_loop *loop;
  struct fr_http *http;
  struct fr_origin origin;
  struct fr_keys *keys;
  struct fr_verdict verdict;
  struct fr_fal *fal;
  const struct reply *script;
  size_t nscript, narrivals;
  struct arrival arrivals[256];
  bool hold;
  struct fr_call *held[64];
  size_t nheld;
  struct fr_timer timer;                /* for after_ms; one at a time */
  struct fr_call *late;
  struct reply late_reply;
};

static inline double half(void)
{
  return 0.5;
}

static inline void answer_with(struct fr_call *call, const struct reply *reply)
{
  const char *headers[] = {
    reply->name, reply->value, reply->more[0], reply->more[1],
    reply->more[2], reply->more[3], reply->more[4], reply->more[5], NULL
  };
  struct fr_call_reply wire = {
    .err = reply->err,
    .sent = !reply->unsent,
    .status = reply->status,
    .headers = reply->name ? headers : NULL,
    .body = reply->body ? reply->body : "",
    .body_len = reply->body ? strlen(reply->body) : 0,
  };

  fr_call_answer(call, &wire);
}

static inline void copy_text(char *to, size_t size, const char *from)
{
  snprintf(to, size, "%s", from ? from : "");
}

static inline void on_late(struct fr_timer *timer)
{
  struct rig *rig = fr_container_of(timer, struct rig, timer);

  answer_with(rig->late, &rig->late_reply);
}

static inline void serve(void *arg, struct fr_call *call)
{
  struct rig *rig = arg;
  const struct fr_call_spec *spec = fr_call_spec(call);
  struct arrival *arrival = &rig->arrivals[rig->narrivals];
  size_t at = rig->narrivals < rig->nscript ? rig->narrivals :
                                              rig->nscript - 1;

  assert_true(rig->narrivals < 256);
  rig->narrivals++;
  arrival->now = fr_loop_now(rig->loop);
  arrival->total_ms = spec->total_ms;
  copy_text(arrival->method, sizeof(arrival->method), spec->method);
  copy_text(arrival->url, sizeof(arrival->url), spec->url);
  copy_text(arrival->auth, sizeof(arrival->auth), spec->authorization);
  copy_text(arrival->key, sizeof(arrival->key), spec->idempotency_key);
  copy_text(arrival->range, sizeof(arrival->range), spec->range);
  copy_text(arrival->if_range, sizeof(arrival->if_range), spec->if_range);
  if (rig->hold) {
    assert_true(rig->nheld < 64);
    rig->held[rig->nheld++] = call;
  } else if (rig->script[at].after_ms) {
    rig->late = call;
    rig->late_reply = rig->script[at];
    rig->timer.on_due = on_late;
    fr_timer_start(rig->loop, &rig->timer,
                   fr_loop_now(rig->loop) + rig->script[at].after_ms);
  } else {
    answer_with(call, &rig->script[at]);
  }
}

static inline void release_calls(struct rig *rig, const struct reply *reply)
{
  size_t i;

  for (i = 0; i < rig->nheld; i++)
    answer_with(rig->held[i], reply);
  rig->nheld = 0;
}

static inline struct rig *rig_new(const char *api, const char *admin)
{
  struct rig *rig = calloc(1, sizeof(*rig));
  struct fr_fal_config config = { .age_floor_ms = 24 * 3600 * 1000 };

  assert_non_null(rig);
  fr_clock_virtual(&rig->clock, AT0);
  assert_int_equal(fr_loop_new(&rig->clock, &rig->loop), FR_OK);
  assert_int_equal(fr_http_new_local(rig->loop, false, serve, rig,
                                     &rig->http), FR_OK);
  assert_int_equal(fr_keys_new(api, admin, &rig->keys), FR_OK);
  copy_text(rig->origin.base, sizeof(rig->origin.base),
            "https://api.fal.ai/v1");
  config.origin = &rig->origin;
  config.keys = rig->keys;
  config.verdict = &rig->verdict;
  assert_int_equal(fr_fal_new(rig->loop, rig->http, &config, &rig->fal),
                   FR_OK);
  rig->fal->unit = half;
  return rig;
}

static inline void rig_free(struct rig *rig)
{
  fr_timer_stop(rig->loop, &rig->timer);
  fr_fal_free(rig->fal);
  fr_http_free(rig->http);
  fr_loop_free(rig->loop);
  fr_keys_free(rig->keys);
  free(rig);
}

static inline void rig_script(struct rig *rig, const struct reply *script,
                              size_t n)
{
  rig->script = script;
  rig->nscript = n;
  rig->narrivals = 0;
}
#define SCRIPT(rig, ...) \
  rig_script((rig), (const struct reply[]){ __VA_ARGS__ }, \
             sizeof((const struct reply[]){ __VA_ARGS__ }) / \
             sizeof(struct reply))

/* Without a step of the clock. */
static inline void turns(struct rig *rig, int count)
{
  while (count--)
    fr_loop_turn(rig->loop, 0);
}

static inline void count_done(struct fr_op *op, void *arg)
{
  (void)op;
  ++*(int *)arg;
}

/* Turns until `op` was delivered, once; it may have been already. */
static inline void run_op(struct rig *rig, struct fr_op *op)
{
  int done = 0, guard = 10000;

  if (!op->pending)
    return;
  fr_op_wait(op, count_done, &done);
  while (!done && --guard)
    fr_loop_turn(rig->loop, -1);
  assert_int_equal(done, 1);
}

#endif
