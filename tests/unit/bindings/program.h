/* tests/unit/bindings/program.h - a command in Lua on the real tables.
 *
 *   struct program p;
 *   prepare(&p);                      ... change p.config, p.limits ...
 *   run(&p, "assert(core.mode == 'run')");
 *   done(&p);                         fails on whatever is left over
 *
 * The text runs as the command "test", with `core`, `host`, `same` and
 * `fails` in reach. Behind it are the real scheduler, gate and ledger
 * (":memory:"), on a virtual clock; fal is `answer` below. The embedded
 * files of the program yield to those of this header.
 */
#ifndef TEST_PROGRAM_H
#define TEST_PROGRAM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "bindings/embedded.h"
#include "bindings/internal.h"
#include "http/call.h"
#include "ledger/history.h"
#include "ledger/holds.h"

#define AT_MS 1790000000000             /* the virtual clock begins here */
#define ID "11111111-2222-4333-8444-555555555555"
#define ID2 "21111111-2222-4333-8444-555555555555"
#define ID3 "31111111-2222-4333-8444-555555555555"

struct program {
  struct fr_clock clock;
  struct fr_loop *loop;
  struct fr_http *http;
  struct fr_origin origin;
  struct fr_keys *keys;
  struct fr_fal *fal;
  struct fr_ledger *ledger;
  struct fr_gate *gate;
  struct fr_verdict verdict;
  struct frl_policy policy;
  struct frl_config config;
  struct frl *frl;
  struct fr_limits limits;
  enum fr_mode mode;
  /* fal: each DELETE and each read is answered with these */
  int status;
  const char *body;
  int read_status;
  const char *read_body;
  const char *read_path;        /* below the base; the rest gets {} */
  char url[2048], sent[2048];   /* of the last such read */
  unsigned reads, deletes;
  char log[16384];
};

/* ---- the embedded files -------------------------------------------------- */

static unsigned char script[24000];
static const unsigned char fal_text[] =
  "local core = require 'core'\n"
  "return { delete_payloads = core.delete_payloads }\n";

const struct frl_embedded frl_embedded[] = {
  { "commands.test", "scripts/commands/test.lua", script,
    sizeof(script) - 1, 0, 0, 0 },
  { "commands.other", "scripts/commands/other.lua", fal_text,
    sizeof(fal_text) - 1, 0, 0, 0 },
  { "fal.init", "scripts/fal/init.lua", fal_text,
    sizeof(fal_text) - 1, 0, 0, 0 },
  { 0, 0, 0, 0, 0, 0, 0 },
};

#define PREAMBLE \
  "local core, host = require 'core', require 'host' " \
  "local function same(a, b) if a ~= b then error(('%s is not %s')" \
  ":format(tostring(a), tostring(b)), 2) end end " \
  "local function fails(words, f, ...) local ok, e = pcall(f, ...) " \
  "if ok then error('it did not raise', 2) end " \
  "if not tostring(e):find(words, 1, true) then error(('%q is not in %q')" \
  ":format(words, tostring(e)), 2) end return e end " \
  "return function() "

static inline void set_script(const char *text)
{
  int len = snprintf((char *)script, sizeof(script), "%s%s\nend", PREAMBLE,
                     text);

  assert_in_range(len, 1, sizeof(script) - 1);
  memset(script + len, '\n', sizeof(script) - 1 - (size_t)len);
}

/* ---- fal ----------------------------------------------------------------- */

static inline void answer(void *arg, struct fr_call *call)
{
  struct program *p = arg;
  const struct fr_call_spec *spec = fr_call_spec(call);
  time_t at = (time_t)(fr_clock_at(&p->clock) / 1000);
  char date[64];
  struct tm tm;
  const char *headers[] = { "Date", date, NULL };
  struct fr_call_reply reply = { .sent = true, .status = 200,
                                 .headers = headers, .body = "{}" };

  strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT",
           gmtime_r(&at, &tm));
  if (strcmp(spec->method, "DELETE") == 0) {
    p->deletes++;
    reply.status = p->status;
    reply.body = p->body;
  } else if (p->read_path && strstr(spec->url, p->read_path)) {
    p->reads++;
    snprintf(p->url, sizeof(p->url), "%s", spec->url);
    snprintf(p->sent, sizeof(p->sent), "%.*s", (int)spec->body_len,
             spec->body ? (const char *)spec->body : "");
    reply.status = p->read_status;
    reply.body = p->read_body;
  }
  reply.body_len = strlen(reply.body);
  fr_call_answer(call, &reply);
}

/* ---- life ---------------------------------------------------------------- */

static inline void collect(void *arg, enum fr_log_level level,
                           const char *line)
{
  struct program *p = arg;
  size_t len = strlen(p->log);

  (void)level;
  snprintf(p->log + len, sizeof(p->log) - len, "%s\n", line);
}

static inline void prepare_real(struct program *p, bool real)
{
  struct fr_buf why;

  memset(p, 0, sizeof(*p));
  fr_clock_virtual(&p->clock, AT_MS);
  if (real)
    fr_clock_real(&p->clock);
  assert_int_equal(fr_loop_new(&p->clock, &p->loop), FR_OK);
  fr_buf_init(&why, 512);
  assert_int_equal(fr_origin_parse(FR_ORIGIN_DEFAULT, &why, &p->origin), 0);
  fr_buf_done(&why);
  assert_int_equal(fr_keys_new("id:secret", "adm:secret", &p->keys), FR_OK);
  fr_log_set(collect, p, FR_LOG_INFO);
  p->limits = (struct fr_limits){ FR_MAX_DELETES_DEFAULT, 0, 0 };
  p->mode = FR_MODE_RUN;
  p->status = p->read_status = 200;
  p->body = "{\"cdn_delete_results\":[]}";
  p->read_body = "{}";
  p->config = (struct frl_config){
    .command = "test", .version = "0.1.0", .may_hold = true
  };
}

static inline void open_ledger(struct program *p)
{
  struct fr_ledger_config ledger = {
    .path = ":memory:", .access = FR_LEDGER_RUN, .origin = p->origin.name,
    .clock = &p->clock
  };
  struct fr_run_spec run = { .command = "run", .policy = "p.lua",
                             .options = "{\"max\":5}" };
  struct fr_buf why;
  int64_t number;

  fr_buf_init(&why, 512);
  assert_int_equal(fr_ledger_open(&ledger, &why, &p->ledger), FR_OK);
  fr_buf_done(&why);
  assert_int_equal(fr_ledger_run_begin(p->ledger, &run, &number), FR_OK);
}

static inline void prepare(struct program *p)
{
  prepare_real(p, false);
}

/* The network, the ledger and the gate: without it, none of the three. */
static inline void connect_all(struct program *p)
{
  struct fr_fal_config fal = {
    .origin = &p->origin, .keys = p->keys, .verdict = &p->verdict
  };
  struct fr_gate_config gate;

  assert_int_equal(fr_http_new_local(p->loop, p->mode == FR_MODE_PLAN,
                                     answer, p, &p->http), FR_OK);
  assert_int_equal(fr_fal_new(p->loop, p->http, &fal, &p->fal), FR_OK);
  open_ledger(p);
  gate = (struct fr_gate_config){ p->loop, p->fal, p->ledger, &p->verdict,
                                  p->mode, p->limits };
  assert_int_equal(fr_gate_new(&gate, &p->gate), FR_OK);
}

static inline bool turn(struct program *p)
{
  bool left = frl_step(p->frl);

  if (p->gate)
    fr_gate_barrier(p->gate);
  if (left && !frl_ready(p->frl) && !fr_loop_turn(p->loop, -1))
    fail_msg("tasks wait and nothing will wake them\n%s", p->log);
  return left;
}

static inline void begin(struct program *p, const char *text)
{
  set_script(text);
  p->config.loop = p->loop;
  p->config.clock = &p->clock;
  p->config.verdict = &p->verdict;
  p->config.fal = p->fal;
  p->config.gate = p->gate;
  p->config.ledger = p->ledger;
  p->config.mode = p->mode;
  assert_int_equal(frl_new(&p->config, &p->frl), FR_OK);
}

/* Runs the text to its end; what it says on failure is in p->log. */
static inline void run_any(struct program *p, const char *text)
{
  begin(p, text);
  for (int i = 0; turn(p); i++)
    if (i > 100000)
      fail_msg("no end in sight");
}

/* The same for a text that must not fail. */
static inline void run(struct program *p, const char *text)
{
  run_any(p, text);
  if (p->verdict.bug || p->verdict.policy || p->log[0])
    fail_msg("%s\n%s", p->verdict.why, p->log);
}

static inline void done(struct program *p)
{
  frl_free(p->frl);
  for (int i = 0; p->gate && fr_gate_busy(p->gate) && i < 1000; i++) {
    fr_gate_barrier(p->gate);
    fr_loop_turn(p->loop, -1);
  }
  fr_gate_free(p->gate);
  fr_fal_free(p->fal);
  fr_http_free(p->http);
  fr_ledger_close(p->ledger);
  fr_keys_free(p->keys);
  (void)fr_loop_turn(p->loop, 0);
  assert_int_equal(fr_loop_pending(p->loop), 0);
  fr_loop_free(p->loop);
  fr_log_set(NULL, NULL, FR_LOG_ERROR);
}

/* A program on the whole machinery that must not fail. */
static inline void expect(const char *text)
{
  struct program p;

  prepare(&p);
  connect_all(&p);
  run(&p, text);
  done(&p);
}

#endif
