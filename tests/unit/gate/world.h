/* tests/unit/gate/world.h - a gate with a fal of its own, in one process.
 *
 * The server part looks at each DELETE through a second connection to the
 * ledger, before it answers: `violations` counts requests whose intent was
 * not durable and open by then, and ids with two requests in flight.
 */
#ifndef TEST_GATE_WORLD_H
#define TEST_GATE_WORLD_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fal/keys.h"
#include "gate/gate.h"
#include "http/call.h"
#include "ledger/facts.h"
#include "ledger/history.h"
#include "ledger/holds.h"

#define NOON 1790000000000      /* the virtual clock begins here */
#define DAY_MS (24 * 3600 * 1000LL)
#define EMPTY "{\"cdn_delete_results\":[]}"
#define ONE_OK "{\"cdn_delete_results\":[" \
  "{\"link\":\"https://f/a\",\"exception\":null}]}"
#define ONE_BAD "{\"cdn_delete_results\":[" \
  "{\"link\":\"https://f/a\",\"exception\":null}," \
  "{\"link\":\"https://f/b\",\"exception\":\"boom\"}]}"

struct answer {
  int status;             /* 0: the transport fails with `err` */
  const char *body;
  enum fr_err err;
  bool sent;
  const char *retry_after;
};

struct world {
  char dir[40], path[80];
  struct fr_clock clock;
  struct fr_loop *loop;
  struct fr_http *http;
  struct fr_origin origin;
  struct fr_keys *keys;
  struct fr_fal *fal;
  struct fr_ledger *ledger, *peer;
  struct fr_verdict verdict;
  struct fr_gate *gate;
  enum fr_mode mode;
  struct fr_limits limits;
  unsigned concurrency;
  /* the server: answers in order, then EMPTY for ever */
  struct answer answers[32];
  size_t nanswers, next, deletes, metas, violations, nparked, changes;
  struct answer meta;
  int64_t skew_ms;
  bool no_date, park;
  struct fr_call *parked[64];
  struct fr_uuid parked_id[64], last_id;
  char key[32][FR_KEY_TEXT];    /* of each DELETE */
  int64_t run;
};

/* ---- the server ---------------------------------------------------------- */

static inline void world_reply(struct world *w, struct fr_call *call,
                               const struct answer *answer)
{
  time_t at = (time_t)((fr_clock_at(&w->clock) - w->skew_ms) / 1000);
  const char *headers[5] = { NULL };
  char date[64];
  struct tm tm;
  int n = 0;
  struct fr_call_reply reply = {
    .err = answer->err, .sent = answer->sent, .status = answer->status,
    .headers = headers, .body = answer->body,
    .body_len = answer->body ? strlen(answer->body) : 0
  };

  gmtime_r(&at, &tm);
  strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
  if (!w->no_date)
    headers[n++] = "Date", headers[n++] = date;
  if (answer->retry_after)
    headers[n++] = "Retry-After", headers[n++] = answer->retry_after;
  fr_call_answer(call, &reply);
}

static inline void world_see(struct world *w, struct fr_call *call)
{
  const struct fr_call_spec *spec = fr_call_spec(call);
  const char *at = strstr(spec->url, "/models/requests/");
  struct fr_record record;
  struct fr_uuid id;

  assert_non_null(at);
  assert_int_equal(fr_uuid_parse(at + 17, 36, &id), FR_OK);
  if (fr_ledger_find(w->peer, &id, &record) || record.state != FR_STATE_OPEN)
    w->violations++;
  for (size_t i = 0; i < w->nparked; i++)
    w->violations += fr_uuid_compare(&w->parked_id[i], &id) == 0;
  w->last_id = id;
  (void)snprintf(w->key[w->deletes % 32], FR_KEY_TEXT, "%s",
                 spec->idempotency_key);
  w->deletes++;
}

static inline int world_count(void *arg, const struct fr_fact_row *fact)
{
  (void)fact;
  ++*(size_t *)arg;
  return 0;
}

/* How many changes a second connection sees as open. */
static inline size_t world_left(struct world *w)
{
  static const struct fr_fact_filter all;
  size_t count = 0;

  assert_int_equal(fr_facts_each(w->peer, FR_FACTS_LEFT, &all, world_count,
                                 &count), FR_OK);
  return count;
}

/* A request that changes something else: is it announced? */
static inline void world_see_change(struct world *w, struct fr_call *call)
{
  const struct fr_call_spec *spec = fr_call_spec(call);

  w->violations += world_left(w) == 0;
  (void)snprintf(w->key[w->changes % 32], FR_KEY_TEXT, "%s",
                 spec->idempotency_key ? spec->idempotency_key : "");
  w->changes++;
}

static inline void world_serve(void *arg, struct fr_call *call)
{
  static const struct answer fine = { .status = 200, .body = EMPTY };
  struct world *w = arg;

  if (strcmp(fr_call_spec(call)->method, "GET") == 0) {
    w->metas++;
    world_reply(w, call, &w->meta);
    return;
  }
  if (strstr(fr_call_spec(call)->url, "/payloads"))
    world_see(w, call);
  else
    world_see_change(w, call);
  if (w->park) {
    w->parked[w->nparked] = call;
    w->parked_id[w->nparked++] = w->last_id;
    return;
  }
  world_reply(w, call, w->next < w->nanswers ? &w->answers[w->next++]
                                             : &fine);
}

static inline void world_unpark(struct world *w, const struct answer *answer)
{
  struct answer fine = { .status = 200, .body = EMPTY };
  size_t n = w->nparked;

  w->park = false;
  w->nparked = 0;
  for (size_t i = 0; i < n; i++)
    world_reply(w, w->parked[i], answer ? answer : &fine);
}

static inline void world_answer(struct world *w, int status,
                                const char *body)
{
  w->answers[w->nanswers++] = (struct answer){ status, body, 0, true, NULL };
}

static inline void world_lose(struct world *w, enum fr_err err, bool sent)
{
  w->answers[w->nanswers++] = (struct answer){ .err = err, .sent = sent };
}

/* ---- a run --------------------------------------------------------------- */

static inline void world_open_ledger(struct world *w,
                                     enum fr_ledger_access access,
                                     struct fr_ledger **ret_ledger)
{
  struct fr_ledger_config config = {
    .path = w->path, .access = access, .origin = w->origin.name,
    .clock = &w->clock
  };
  struct fr_buf why;

  fr_buf_init(&why, 512);
  if (fr_ledger_open(&config, &why, ret_ledger))
    fail_msg("%s", fr_buf_text(&why));
  fr_buf_done(&why);
}

/* Limits, mode and the server's ways are set before, in `w`. */
static inline void world_begin(struct world *w)
{
  struct fr_run_spec run = { .command = "run", .options = "{}" };
  struct fr_fal_config fal = {
    .origin = &w->origin, .keys = w->keys, .verdict = &w->verdict,
    .age_floor_ms = w->limits.min_age_ms, .max_concurrency = w->concurrency
  };
  struct fr_gate_config gate;

  memset(&w->verdict, 0, sizeof(w->verdict));
  w->nanswers = w->next = w->deletes = w->metas = w->changes = 0;
  assert_int_equal(fr_loop_new(&w->clock, &w->loop), FR_OK);
  assert_int_equal(fr_http_new_local(w->loop, w->mode == FR_MODE_PLAN,
                                     world_serve, w, &w->http), FR_OK);
  assert_int_equal(fr_fal_new(w->loop, w->http, &fal, &w->fal), FR_OK);
  world_open_ledger(w, FR_LEDGER_RUN, &w->ledger);
  world_open_ledger(w, FR_LEDGER_READ, &w->peer);
  assert_int_equal(fr_ledger_run_begin(w->ledger, &run, &w->run), FR_OK);
  gate = (struct fr_gate_config){
    w->loop, w->fal, w->ledger, &w->verdict, w->mode, w->limits
  };
  assert_int_equal(fr_gate_new(&gate, &w->gate), FR_OK);
}

static inline void world_end(struct world *w)
{
  struct fr_chain chain;

  fr_gate_free(w->gate);
  fr_fal_free(w->fal);
  fr_http_free(w->http);
  fr_loop_turn(w->loop, 0);
  fr_loop_free(w->loop);
  assert_int_equal(fr_history_verify(w->ledger, &chain), FR_OK);
  fr_ledger_close(w->peer);
  fr_ledger_close(w->ledger);
  w->gate = NULL;
  assert_int_equal(w->violations, 0);
}

/* A new run over the same ledger. */
static inline void world_again(struct world *w)
{
  world_end(w);
  fr_clock_advance(&w->clock, 1000);
  world_begin(w);
}

static inline int world_setup(void **state)
{
  struct world *w = calloc(1, sizeof(*w));
  struct fr_buf why;

  fr_buf_init(&why, 512);
  strcpy(w->dir, "/tmp/fr-gate-XXXXXX");
  assert_non_null(mkdtemp(w->dir));
  (void)snprintf(w->path, sizeof(w->path), "%s/ledger.db", w->dir);
  fr_clock_virtual(&w->clock, NOON);
  w->limits = (struct fr_limits){ FR_MAX_DELETES_DEFAULT, DAY_MS, 0 };
  w->mode = FR_MODE_RUN;
  w->meta = (struct answer){ .status = 200, .body = "{}" };
  assert_int_equal(fr_origin_parse(FR_ORIGIN_DEFAULT, &why, &w->origin), 0);
  assert_int_equal(fr_keys_new("id:secret", "adm:secret", &w->keys), FR_OK);
  fr_buf_done(&why);
  *state = w;
  return 0;
}

static inline int world_teardown(void **state)
{
  struct world *w = *state;
  char command[80];

  if (w->gate)
    world_end(w);
  fr_keys_free(w->keys);
  (void)snprintf(command, sizeof(command), "rm -rf %s", w->dir);
  assert_int_equal(system(command), 0);
  free(w);
  return 0;
}

/* ---- deletions ----------------------------------------------------------- */

/* A version 4 id without an age. */
static inline struct fr_uuid id_of(unsigned n)
{
  struct fr_uuid id = { { 0 } };

  memcpy(id.bytes, &n, sizeof(n));
  id.bytes[6] = 0x40;
  id.bytes[8] = 0x80;
  return id;
}

/* A version 7 id made at `at_ms`. */
static inline struct fr_uuid id_at(int64_t at_ms)
{
  struct fr_uuid id = id_of(7);

  for (int i = 0; i < 6; i++)
    id.bytes[i] = (uint8_t)(at_ms >> (40 - 8 * i));
  id.bytes[6] = 0x70;
  return id;
}

static inline struct fr_deletion *
start_spec(struct world *w, const struct fr_deletion_spec *spec)
{
  struct fr_deletion *deletion = NULL;
  struct fr_buf why;

  fr_buf_init(&why, 512);
  if (fr_deletion_new(w->gate, spec, &why, &deletion))
    fail_msg("%s", fr_buf_text(&why));
  fr_buf_done(&why);
  fr_deletion_start(deletion);
  return deletion;
}

static inline struct fr_deletion *start(struct world *w, struct fr_uuid id)
{
  struct fr_deletion_spec spec = { .id = id, .reason = "t", .retries = -1 };

  return start_spec(w, &spec);
}

static inline void turns(struct world *w, int n)
{
  while (n-- > 0) {
    fr_gate_barrier(w->gate);
    fr_loop_turn(w->loop, 0);
  }
}

/* Barriers and turns, the clock running, until the gate is at rest. */
static inline void settle_down(struct world *w)
{
  for (int i = 0; i < 20000; i++) {
    fr_gate_barrier(w->gate);
    if (!fr_gate_busy(w->gate) && fr_loop_pending(w->loop) == 0)
      return;
    fr_loop_turn(w->loop, -1);
  }
  fail_msg("the gate never came to rest");
}

static inline void expect(struct fr_deletion *deletion, enum fr_fate fate,
                          enum fr_err err)
{
  const struct fr_deletion_result *result = fr_deletion_result(deletion);

  if (result->fate != fate || result->err != err)
    fail_msg("%s/%s, not %s/%s: %s", fr_fate_name(result->fate),
             fr_err_name(result->err), fr_fate_name(fate), fr_err_name(err),
             result->message);
  if (err)
    assert_true(strlen(result->message) > 10);
}

/* Starts one, waits for its end, and compares. */
static inline struct fr_deletion_result run_one(struct world *w,
                                                struct fr_uuid id,
                                                enum fr_fate fate,
                                                enum fr_err err)
{
  struct fr_deletion *deletion = start(w, id);
  struct fr_deletion_result result;

  settle_down(w);
  expect(deletion, fate, err);
  result = *fr_deletion_result(deletion);
  result.message = result.idempotency_key = NULL;
  result.files = NULL;
  fr_deletion_free(deletion);
  return result;
}

static inline enum fr_state state_of(struct world *w, struct fr_uuid id)
{
  struct fr_record record;
  enum fr_err err = fr_ledger_find(w->peer, &id, &record);

  assert_true(err == FR_OK || err == FR_ENOT_FOUND);
  return err ? FR_STATE_NONE : record.state;
}

static inline void add_hold(struct world *w, struct fr_uuid id)
{
  struct fr_ledger *holder;

  world_open_ledger(w, FR_LEDGER_HOLD, &holder);
  assert_int_equal(fr_hold_add(holder, &id, 1, "case 7"), FR_OK);
  fr_ledger_close(holder);
}

static inline int count_kind(void *arg, const struct fr_event_row *row)
{
  size_t *n = (size_t *)(((void **)arg)[0]);

  *n += strcmp(row->kind, ((const char **)arg)[1]) == 0;
  return 0;
}

/* How many events of a kind the ledger has in this run. */
static inline size_t events(struct world *w, const char *kind)
{
  struct fr_event_filter filter = { .run = w->run };
  size_t n = 0;
  const void *arg[2] = { &n, kind };

  assert_int_equal(fr_history_events(w->peer, &filter, count_kind,
                                     (void *)arg), FR_OK);
  return n;
}

#define WORLD_TEST(name) \
  cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

#endif
