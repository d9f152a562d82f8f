/* Changes that are no deletion. The world's server counts a change that
 * comes before its event is durable as a violation. */
#include <signal.h>
#include <sys/resource.h>

#include "gate/mutation.h"
#include "world.h"

static struct fr_mutation *begin_one(struct world *w,
                                     const struct fr_mutation_spec *spec)
{
  struct fr_mutation *mutation = NULL;
  struct fr_buf why;

  fr_buf_init(&why, 512);
  if (fr_mutation_new(w->gate, spec, &why, &mutation))
    fail_msg("%s", fr_buf_text(&why));
  fr_buf_done(&why);
  fr_mutation_start(mutation);
  return mutation;
}

static struct fr_mutation *begin_plain(struct world *w, bool idempotent)
{
  struct fr_mutation_spec spec = {
    .operation = "compute.create", .method = "POST",
    .path = "/compute/instances", .body = "{\"a\":1}", .key = FR_KEY_API,
    .idempotent = idempotent, .target = "instance", .reason = "why"
  };

  return begin_one(w, &spec);
}

static void expect_m(struct fr_mutation *mutation, const char *status,
                     enum fr_err err)
{
  const struct fr_mutation_result *result = fr_mutation_result(mutation);

  if (strcmp(result->status, status) != 0 || result->err != err)
    fail_msg("%s/%s, not %s/%s: %s", result->status,
             fr_err_name(result->err), status, fr_err_name(err),
             result->message);
  if (err)
    assert_true(strlen(result->message) > 10);
}

/* To its end, and away. */
static void run_m(struct world *w, struct fr_mutation *mutation,
                  const char *status, enum fr_err err)
{
  settle_down(w);
  expect_m(mutation, status, err);
  fr_mutation_free(mutation);
}

static int last_state(void *arg, const struct fr_fact_row *fact)
{
  (void)snprintf(arg, 40, "%s", fact->name);
  return 0;
}

/* Of the latest change, as a second connection sees it; "" without one. */
static const char *recorded(struct world *w)
{
  static const struct fr_fact_filter all;
  static char state[40];

  state[0] = '\0';
  assert_int_equal(fr_facts_each(w->peer, FR_FACTS_CHANGES, &all, last_state,
                                 state), FR_OK);
  return state;
}

/* ---- answers ------------------------------------------------------------- */

static void done_is_recorded_first(void **state)
{
  struct world *w = *state;
  struct fr_mutation *m;
  struct fr_counts counts;

  world_begin(w);
  world_answer(w, 201, "{\"id\":\"i-1\"}");
  m = begin_plain(w, true);
  settle_down(w);
  expect_m(m, "done", FR_OK);
  assert_string_equal(fr_mutation_result(m)->body, "{\"id\":\"i-1\"}");
  assert_int_equal(fr_mutation_result(m)->http_status, 201);
  assert_string_equal(fr_mutation_result(m)->evidence, "answered");
  assert_string_equal(fr_mutation_result(m)->idempotency_key, w->key[0]);
  assert_memory_equal(w->key[0], "falrun-", 7);
  fr_mutation_free(m);
  assert_string_equal(recorded(w), "done");
  assert_int_equal(w->changes, 1);
  assert_int_equal(w->metas, 0);
  assert_false(w->verdict.failed);
  fr_gate_counts(w->gate, &counts);
  assert_int_equal(counts.changed, 1);
}

static void an_empty_answer_is_one(void **state)
{
  struct world *w = *state;

  world_begin(w);
  world_answer(w, 204, "");
  run_m(w, begin_plain(w, false), "done", FR_OK);
  assert_string_equal(w->key[0], "");
}

static void without_a_key_it_leaves_once(void **state)
{
  static const struct { int status; enum fr_err err; const char *end; }
  all[] = {
    { 0, FR_ETIMEOUT, "unknown" }, { 0, FR_EDROPPED, "unknown" },
    { 500, FR_ESERVER, "unknown" }, { 502, FR_ESERVER, "unknown" },
    { 504, FR_ESERVER, "unknown" }, { 503, FR_ESERVER, "failed" },
    { 501, FR_ESERVER, "failed" }, { 429, FR_ERATE_LIMITED, "failed" },
    { 400, FR_EBAD_REQUEST, "failed" }, { 404, FR_ENOT_FOUND, "failed" },
    { 302, FR_EREDIRECT, "failed" }
  };
  struct world *w = *state;

  for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
    if (w->gate)
      world_end(w);
    world_begin(w);
    if (all[i].status)
      world_answer(w, all[i].status, "{}");
    else
      world_lose(w, all[i].err, true);
    run_m(w, begin_plain(w, false), all[i].end, all[i].err);
    assert_int_equal(w->changes, 1);
    assert_string_equal(recorded(w), all[i].end);
    assert_true(w->verdict.failed);
    assert_int_equal(fr_verdict_exit_code(&w->verdict), 3);
  }
}

static void what_never_left_is_sent_again(void **state)
{
  struct world *w = *state;

  world_begin(w);
  world_lose(w, FR_ECONNECT, false);
  world_lose(w, FR_ERESOLVE, false);
  world_answer(w, 200, "{}");
  run_m(w, begin_plain(w, false), "done", FR_OK);
  assert_int_equal(w->changes, 3);
  for (int i = 0; i < 5; i++)
    world_lose(w, FR_ECONNECT, false);
  run_m(w, begin_plain(w, false), "failed", FR_ECONNECT);
  assert_string_equal(recorded(w), "unsent");
}

static void a_key_is_repeated_as_it_is(void **state)
{
  struct world *w = *state;
  struct fr_mutation *m;

  world_begin(w);
  world_lose(w, FR_ETIMEOUT, true);
  world_answer(w, 500, "{}");
  world_answer(w, 200, "{}");
  m = begin_plain(w, true);
  settle_down(w);
  expect_m(m, "done", FR_OK);
  assert_string_equal(fr_mutation_result(m)->evidence, "replayed");
  assert_int_equal(fr_mutation_result(m)->attempts, 3);
  fr_mutation_free(m);
  assert_int_equal(w->changes, 3);
  assert_string_equal(w->key[0], w->key[1]);
  assert_string_equal(w->key[0], w->key[2]);
}

/* The same 5xx twice: another key would be another change. */
static void no_other_key_is_made(void **state)
{
  struct world *w = *state;

  world_begin(w);
  world_answer(w, 500, "{}");
  world_answer(w, 500, "{}");
  run_m(w, begin_plain(w, true), "unknown", FR_ESERVER);
  assert_int_equal(w->changes, 2);
  assert_string_equal(w->key[0], w->key[1]);
  assert_string_equal(recorded(w), "unknown");
}

static void half_an_answer_says_nothing(void **state)
{
  struct world *w = *state;

  world_begin(w);
  world_answer(w, 200, "{\"id\":");
  run_m(w, begin_plain(w, false), "unknown", FR_EPROTOCOL);
  assert_int_equal(w->changes, 1);
}

static void a_refused_key_ends_the_run(void **state)
{
  struct world *w = *state;

  world_begin(w);
  world_answer(w, 401, "{}");
  run_m(w, begin_plain(w, true), "failed", FR_EAUTH);
  assert_string_equal(recorded(w), "refused");
  assert_int_equal(fr_verdict_exit_code(&w->verdict), 5);
  run_m(w, begin_plain(w, true), "refused", FR_ESTOPPED);
  assert_int_equal(w->changes, 1);
  assert_int_equal(events(w, "change"), 1);
}

/* ---- modes, holds, keys -------------------------------------------------- */

static void a_plan_sends_nothing(void **state)
{
  struct world *w = *state;

  w->mode = FR_MODE_PLAN;
  world_begin(w);
  run_m(w, begin_plain(w, true), "planned", FR_OK);
  assert_int_equal(w->changes, 0);
  assert_int_equal(events(w, "change"), 0);
}

static void a_dry_run_sends_nothing(void **state)
{
  struct world *w = *state;
  struct fr_mutation_spec spec = {
    .operation = "keys.delete", .method = "DELETE", .path = "/keys/1",
    .key = FR_KEY_ADMIN, .dry_run = true
  };

  world_begin(w);
  run_m(w, begin_one(w, &spec), "planned", FR_OK);
  assert_int_equal(w->changes, 0);
  assert_int_equal(events(w, "change"), 0);
}

static void a_hold_forbids_what_cannot_be_undone(void **state)
{
  struct world *w = *state;
  struct fr_uuid id = id_of(1);
  struct fr_mutation_spec spec = {
    .operation = "assets.delete", .method = "DELETE", .path = "/assets/1",
    .key = FR_KEY_API, .id = &id, .irreversible = true
  };

  world_begin(w);
  add_hold(w, id);
  run_m(w, begin_one(w, &spec), "refused", FR_EHELD);
  assert_int_equal(w->changes, 0);
  assert_int_equal(events(w, "change"), 0);
  spec.irreversible = false;
  run_m(w, begin_one(w, &spec), "done", FR_OK);
  assert_int_equal(w->changes, 1);
}

static void what_no_mode_would_send(void **state)
{
  struct world *w = *state;
  struct fr_mutation_spec spec = {
    .operation = "x", .method = "DELETE", .key = FR_KEY_ADMIN,
    .path = "/models/requests/019e6d0a-e5be-7b82-b329-35ae64296902/payloads"
  };
  struct fr_mutation *mutation = NULL;
  struct fr_buf why;

  world_begin(w);
  fr_buf_init(&why, 512);
  assert_int_equal(fr_mutation_new(w->gate, &spec, &why, &mutation),
                   FR_EINVALID);
  assert_non_null(strstr(fr_buf_text(&why), "falrun delete"));
  spec.path = "/keys/1";
  spec.idempotency_key = "mine";
  assert_int_equal(fr_mutation_new(w->gate, &spec, &why, &mutation),
                   FR_EINVALID);
  assert_null(mutation);
  spec.idempotent = true;
  run_m(w, begin_one(w, &spec), "done", FR_OK);
  assert_string_equal(w->key[0], "mine");
  fr_buf_done(&why);
}

/* ---- stops, and nobody who waits ----------------------------------------- */

static void a_stop_before_the_barrier(void **state)
{
  struct world *w = *state;
  struct fr_mutation *m;

  world_begin(w);
  m = begin_plain(w, true);
  fr_gate_stop(w->gate, FR_EINTERRUPTED, "the run was interrupted");
  run_m(w, m, "refused", FR_ESTOPPED);
  assert_int_equal(w->changes, 0);
  assert_int_equal(events(w, "change"), 0);
}

static void a_stop_while_it_waits_for_a_repeat(void **state)
{
  struct world *w = *state;
  struct fr_mutation *m;

  world_begin(w);
  world_lose(w, FR_ETIMEOUT, true);
  m = begin_plain(w, true);
  turns(w, 3);
  assert_int_equal(w->changes, 1);
  fr_gate_stop(w->gate, FR_EUNAVAILABLE, "--max-runtime is over");
  settle_down(w);
  assert_string_equal(fr_mutation_result(m)->status, "unknown");
  fr_mutation_free(m);
  assert_int_equal(w->changes, 1);
  assert_string_equal(recorded(w), "unknown");
}

static void a_stop_while_it_is_in_flight(void **state)
{
  struct world *w = *state;
  struct fr_mutation *m;

  world_begin(w);
  w->park = true;
  m = begin_plain(w, false);
  turns(w, 3);
  assert_int_equal(w->nparked, 1);
  fr_gate_stop(w->gate, FR_EINTERRUPTED, "the run was interrupted");
  world_unpark(w, NULL);
  run_m(w, m, "done", FR_OK);
  assert_string_equal(recorded(w), "done");
}

static void nobody_waits_and_it_is_recorded(void **state)
{
  struct world *w = *state;

  world_begin(w);
  fr_mutation_free(begin_plain(w, false));
  settle_down(w);
  assert_int_equal(w->changes, 1);
  assert_string_equal(recorded(w), "done");
}

/* ---- the ledger ---------------------------------------------------------- */

static void disk_full(bool full)
{
  struct rlimit limit;

  (void)signal(SIGXFSZ, SIG_IGN);
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
  limit.rlim_cur = full ? 0 : limit.rlim_max;
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void nothing_leaves_without_a_record(void **state)
{
  struct world *w = *state;
  struct fr_mutation *m;

  world_begin(w);
  m = begin_plain(w, true);
  disk_full(true);
  settle_down(w);
  disk_full(false);
  expect_m(m, "refused", FR_ESTOPPED);
  fr_mutation_free(m);
  assert_int_equal(w->changes, 0);
  assert_int_equal(events(w, "change"), 0);
  assert_int_equal(fr_verdict_exit_code(&w->verdict), 8);
}

static void recover(struct world *w, size_t expected)
{
  struct fr_buf words;
  size_t count = 99;

  fr_buf_init(&words, 512);
  assert_int_equal(fr_mutations_recover(w->gate, &words, &count), FR_OK);
  assert_int_equal(count, expected);
  assert_int_equal(words.len > 0, expected > 0);
  fr_buf_done(&words);
}

static void an_end_that_cannot_be_recorded(void **state)
{
  struct world *w = *state;
  struct fr_mutation *m;

  world_begin(w);
  w->park = true;
  m = begin_plain(w, false);
  turns(w, 3);
  disk_full(true);
  world_unpark(w, NULL);
  settle_down(w);
  disk_full(false);
  expect_m(m, "unknown", FR_EIO);
  fr_mutation_free(m);
  assert_int_equal(world_left(w), 1);
  assert_int_equal(fr_verdict_exit_code(&w->verdict), 8);
  world_again(w);
  recover(w, 1);
  recover(w, 0);
  assert_string_equal(recorded(w), "unknown");
  assert_int_equal(w->changes, 0);
}

static void many_that_a_killed_run_left(void **state)
{
  struct world *w = *state;

  world_begin(w);
  w->park = true;
  w->concurrency = 8;
  for (int i = 0; i < 600; i++)
    fr_mutation_free(begin_plain(w, false));
  turns(w, 3);
  assert_int_equal(world_left(w), 600);
  world_again(w);               /* without a word of how they ended */
  recover(w, 600);
  assert_int_equal(world_left(w), 0);
  recover(w, 0);
}

static void a_plan_recovers_nothing(void **state)
{
  struct world *w = *state;

  world_begin(w);
  w->park = true;
  fr_mutation_free(begin_plain(w, false));
  turns(w, 3);
  w->mode = FR_MODE_PLAN;
  world_again(w);
  recover(w, 0);
  assert_int_equal(world_left(w), 1);
}

/* ---- files --------------------------------------------------------------- */

static char file[40];

static struct fr_mutation_spec file_spec(const char *content, bool idempotent)
{
  int fd;

  strcpy(file, "/tmp/falrun-mutation-XXXXXX");
  fd = mkstemp(file);
  assert_int_equal(write(fd, content, strlen(content)), strlen(content));
  close(fd);
  return (struct fr_mutation_spec){
    .operation = "serverless.files.upload", .method = "POST",
    .path = "/serverless/files/file/local/a", .key = FR_KEY_API,
    .idempotent = idempotent, .target = "target_path a",
    .file = file, .field = "file_upload"
  };
}

static int data_of(void *arg, const struct fr_event_row *row)
{
  (void)snprintf(arg, 2000, "%s", row->data);
  return strcmp(row->kind, "change") == 0;
}

static void a_file_is_announced_by_name_and_size(void **state)
{
  struct world *w = *state;
  struct fr_event_filter all = { 0 };
  struct fr_mutation_spec spec = file_spec("its secret", false);
  char data[2000], want[100];

  world_begin(w);
  world_answer(w, 200, "true");
  run_m(w, begin_one(w, &spec), "done", FR_OK);
  assert_int_equal(w->changes, 1);
  assert_int_equal(fr_history_events(w->peer, &all, data_of, data), FR_OK);
  (void)snprintf(want, sizeof(want), "\"target\":\"target_path a, from the "
                 "file %s of 10 bytes\"", file + 5);
  assert_non_null(strstr(data, want));
  assert_null(strstr(data, "secret"));
  unlink(file);
}

/* Whatever the mode: a plan that cannot be carried out is none. */
static void a_file_that_cannot_be_sent(void **state)
{
  static const enum fr_mode modes[] = { FR_MODE_RUN, FR_MODE_PLAN };
  struct world *w = *state;
  struct fr_mutation_spec spec = file_spec("", false);
  struct fr_mutation *mutation = NULL;
  struct fr_buf why;

  fr_buf_init(&why, 512);
  for (size_t i = 0; i < 2; i++) {
    if (w->gate)
      world_end(w);
    w->mode = modes[i];
    world_begin(w);
    assert_int_equal(fr_mutation_new(w->gate, &spec, &why, &mutation),
                     FR_ECONFIG);
    assert_non_null(strstr(fr_buf_text(&why), file));
    assert_non_null(strstr(fr_buf_text(&why), "is empty"));
    turns(w, 3);
    assert_int_equal(w->changes, 0);
    assert_int_equal(events(w, "change"), 0);
  }
  spec.body = "{}";
  assert_int_equal(fr_mutation_new(w->gate, &spec, &why, &mutation),
                   FR_EINVALID);
  fr_buf_done(&why);
  unlink(file);
}

static void a_file_that_changes_before_it_leaves(void **state)
{
  struct world *w = *state;
  struct fr_mutation_spec spec = file_spec("ten bytes.", false);
  struct fr_mutation *m;

  world_begin(w);
  m = begin_one(w, &spec);
  assert_int_equal(truncate(file, 9), 0);
  settle_down(w);
  expect_m(m, "failed", FR_EIO);
  assert_non_null(strstr(fr_mutation_result(m)->message, "has changed"));
  fr_mutation_free(m);
  assert_int_equal(w->changes, 0);
  assert_string_equal(recorded(w), "unsent");
  unlink(file);
}

static void a_file_is_repeated_under_a_key_alone(void **state)
{
  struct world *w = *state;
  struct fr_mutation_spec spec = file_spec("ten bytes.", false);

  world_begin(w);
  world_lose(w, FR_EDROPPED, true);
  run_m(w, begin_one(w, &spec), "unknown", FR_EDROPPED);
  assert_int_equal(w->changes, 1);
  assert_string_equal(recorded(w), "unknown");
  spec.idempotent = true;
  world_lose(w, FR_EDROPPED, true);
  world_answer(w, 200, "true");
  run_m(w, begin_one(w, &spec), "done", FR_OK);
  assert_int_equal(w->changes, 3);
  unlink(file);
}

/* A 200 alone is no success. */
static void an_answer_that_says_no(void **state)
{
  static const char *const all[] = { "false", " false\n",
                                     "{\"success\":false}" };
  struct world *w = *state;
  struct fr_mutation_spec spec = file_spec("ten bytes.", false);

  for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
    struct fr_mutation *m;

    if (w->gate)
      world_end(w);
    world_begin(w);
    world_answer(w, 200, all[i]);
    m = begin_one(w, &spec);
    settle_down(w);
    expect_m(m, "failed", FR_EBAD_REQUEST);
    assert_int_equal(fr_mutation_result(m)->http_status, 200);
    assert_string_equal(fr_mutation_result(m)->evidence, "answered");
    fr_mutation_free(m);
    assert_string_equal(recorded(w), "failed");
    assert_int_equal(fr_verdict_exit_code(&w->verdict), 3);
  }
  unlink(file);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    WORLD_TEST(done_is_recorded_first), WORLD_TEST(an_empty_answer_is_one),
    WORLD_TEST(without_a_key_it_leaves_once),
    WORLD_TEST(what_never_left_is_sent_again),
    WORLD_TEST(a_key_is_repeated_as_it_is), WORLD_TEST(no_other_key_is_made),
    WORLD_TEST(half_an_answer_says_nothing),
    WORLD_TEST(a_refused_key_ends_the_run), WORLD_TEST(a_plan_sends_nothing),
    WORLD_TEST(a_dry_run_sends_nothing),
    WORLD_TEST(a_hold_forbids_what_cannot_be_undone),
    WORLD_TEST(what_no_mode_would_send),
    WORLD_TEST(a_stop_before_the_barrier),
    WORLD_TEST(a_stop_while_it_waits_for_a_repeat),
    WORLD_TEST(a_stop_while_it_is_in_flight),
    WORLD_TEST(nobody_waits_and_it_is_recorded),
    WORLD_TEST(nothing_leaves_without_a_record),
    WORLD_TEST(an_end_that_cannot_be_recorded),
    WORLD_TEST(many_that_a_killed_run_left),
    WORLD_TEST(a_plan_recovers_nothing),
    WORLD_TEST(a_file_is_announced_by_name_and_size),
    WORLD_TEST(a_file_that_cannot_be_sent),
    WORLD_TEST(a_file_that_changes_before_it_leaves),
    WORLD_TEST(a_file_is_repeated_under_a_key_alone),
    WORLD_TEST(an_answer_that_says_no)
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
