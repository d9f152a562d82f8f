/* host/run.c - the wiring, the turns and the order of the end.
 *
 * A turn is: Lua, barrier, loop (DESIGN 2). The end is reached when no task
 * is left and the gate has nothing in motion; an interrupt or a stop only
 * makes that sooner. Everything is opened in one order and closed in the
 * reverse one, from whatever point was reached. */
#include "host/run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "host/config.h"
#include "host/console.h"
#include "host/progress.h"
#include "host/sandbox.h"
#include "host/signals.h"

#define POLICY_MAX (4u << 20)
#define PATIENCE_MS 5000        /* for <close> after the run was ended */

/* Any key with "admin" scope; the sandbox takes every well-formed one. */
#define SANDBOX_API_KEY "api-sandbox:sandbox-secret"
#define SANDBOX_ADMIN_KEY "admin-sandbox:sandbox-admin-secret"

struct run {
  const struct fr_options *options;
  struct fr_config config;
  struct fr_verdict verdict;
  struct fr_clock clock;
  struct fr_console console;
  struct fr_signals signals;
  struct fr_progress progress;
  struct fr_sandbox sandbox;
  struct fr_timer runtime, patience;
  struct fr_buf why, policy_text;
  struct frl_policy policy;
  struct fr_loop *loop;
  struct fr_keys *keys;
  struct fr_ledger *ledger;
  struct fr_http *http;
  struct fr_fal *fal;
  struct fr_gate *gate;
  struct frl *frl;
  bool began;                   /* the ledger knows of this run */
  bool over;                    /* --max-runtime is; tasks may still wait */
  bool lost;                    /* the patience with tasks that go on */
};

/* ---- opening ------------------------------------------------------------ */

static enum fr_err fail(struct run *run, enum fr_err err)
{
  if (!run->why.len)
    fr_buf_say(&run->why, "%s", fr_err_message(err));
  fr_verdict_say(&run->verdict, "%s", fr_buf_text(&run->why));
  return err;
}

static enum fr_err read_all(struct run *run, int fd)
{
  char chunk[16384];

  for (;;) {
    ssize_t n = read(fd, chunk, sizeof(chunk));

    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return FR_EIO;
    if (n == 0)
      return FR_OK;
    if (fr_buf_add(&run->policy_text, chunk, (size_t)n))
      return FR_ETOO_BIG;
  }
}

static enum fr_err open_policy(struct run *run)
{
  const char *path = run->options->policy;
  struct stat st;
  enum fr_err err;
  int fd;

  if (!path)
    return FR_OK;
  fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode)) {
    fr_buf_say(&run->why, "the policy %s cannot be read: %s", path,
               fd < 0 ? strerror(errno) : "it is not a file");
    if (fd >= 0)
      close(fd);
    return FR_ECONFIG;
  }
  err = read_all(run, fd);
  close(fd);
  if (err) {
    fr_buf_say(&run->why, "the policy %s cannot be read whole: %s", path,
               err == FR_ETOO_BIG ? "it is larger than 4 MiB"
                                  : strerror(errno));
    return FR_ECONFIG;
  }
  run->policy = (struct frl_policy){ .path = path,
                                     .text = fr_buf_text(&run->policy_text),
                                     .len = run->policy_text.len };
  return FR_OK;
}

static enum fr_err open_sandbox(struct run *run)
{
  enum fr_err err;

  if (!run->config.sandbox || !run->config.command.network)
    return FR_OK;
  err = fr_sandbox_start(&run->sandbox, run->options->forward, &run->why);
  if (!err && !run->config.ledger[0])
    err = fr_sandbox_ledger(&run->sandbox, &run->why, run->config.ledger,
                            sizeof(run->config.ledger));
  if (err)
    return FR_ECONFIG;          /* nothing was opened yet: no ledger failed */
  err = fr_origin_parse(run->sandbox.url, &run->why, &run->config.origin);
  /* Its port changes, its history does not: the ledger knows it by name. */
  if (!err)
    strcpy(run->config.origin.name, "sandbox");
  return err;
}

static enum fr_err open_keys(struct run *run)
{
  if (!run->config.command.network)
    return FR_OK;
  if (run->config.sandbox)
    return fr_keys_new(SANDBOX_API_KEY, SANDBOX_ADMIN_KEY, &run->keys);
  return fr_keys_load(&run->why, &run->keys);
}

static bool only_lists(const struct run *run)
{
  return run->options->nwords && !strcmp(run->options->words[0], "list");
}

static enum fr_err open_ledger(struct run *run)
{
  struct fr_ledger_config config = {
    .path = run->config.ledger, .clock = &run->clock,
    .lock_wait_ms = run->config.lock_wait_ms,
    .access = FR_LEDGER_READ
  };

  if (run->config.command.ledger == FR_NEED_NONE)
    return FR_OK;
  if (run->config.command.ledger == FR_NEED_RUN)
    config.access = FR_LEDGER_RUN;
  if (run->config.command.ledger == FR_NEED_HOLD && !only_lists(run))
    config.access = FR_LEDGER_HOLD;
  if (run->config.command.network)
    config.origin = run->config.origin.name;
  return fr_ledger_open(&config, &run->why, &run->ledger);
}

static enum fr_err open_network(struct run *run)
{
  struct fr_http_config http = {
    .read_only = !run->config.command.deletes,
    .proxy = run->config.proxy, .ca_file = run->config.ca_file
  };
  struct fr_fal_config fal = {
    .origin = &run->config.origin, .keys = run->keys,
    .verdict = &run->verdict, .max_concurrency = run->config.concurrency,
    .max_rate = run->config.rate,
    .age_floor_ms = run->config.limits.min_age_ms
  };
  enum fr_err err;

  if (!run->config.command.network)
    return FR_OK;
  err = fr_http_new(run->loop, &http, &run->why, &run->http);
  return err ? err : fr_fal_new(run->loop, run->http, &fal, &run->fal);
}

static enum fr_err open_gate(struct run *run)
{
  struct fr_gate_config config = {
    .loop = run->loop, .fal = run->fal, .ledger = run->ledger,
    .verdict = &run->verdict, .limits = run->config.limits,
    .mode = run->config.command.deletes ? FR_MODE_RUN : FR_MODE_PLAN
  };

  if (!run->fal || !run->ledger)
    return FR_OK;
  return fr_gate_new(&config, &run->gate);
}

static enum fr_err begin(struct run *run)
{
  char digest[FR_SHA256_TEXT] = "";
  uint8_t sum[FR_SHA256_SIZE];
  struct fr_part part = { run->policy.text, run->policy.len };
  struct fr_run_spec spec = { .command = run->options->command,
                              .policy = run->policy.path };
  struct fr_buf json;
  enum fr_err err = FR_OK;
  int64_t number;

  if (run->config.command.ledger != FR_NEED_RUN)
    return FR_OK;
  fr_buf_init(&json, 4096);
  if (run->policy.path)
    err = fr_sha256(&part, 1, sum);
  if (!err && run->policy.path) {
    fr_hex(sum, sizeof(sum), digest);
    spec.policy_sha256 = digest;
  }
  if (!err)
    err = fr_config_json(&run->config, &json);
  spec.options = fr_buf_text(&json);
  if (!err)
    err = fr_ledger_run_begin(run->ledger, &spec, &number);
  if (err)
    fr_buf_say(&run->why, "the ledger %s cannot be written: %s",
               run->config.ledger, fr_ledger_detail(run->ledger));
  run->began = !err;
  fr_buf_done(&json);
  return err;
}

static enum fr_err open_lua(struct run *run)
{
  struct frl_config config = {
    .loop = run->loop, .clock = &run->clock, .verdict = &run->verdict,
    .fal = run->fal, .gate = run->gate, .ledger = run->ledger,
    .mode = run->config.command.deletes ? FR_MODE_RUN : FR_MODE_PLAN,
    .may_hold = run->config.command.ledger == FR_NEED_HOLD,
    .command = run->options->command,
    .policy = run->policy.path ? &run->policy : NULL,
    .words = run->options->words, .options = run->options->values,
    .module_path = getenv("FALRUN_PATH"), .version = FALRUN_VERSION,
    .color = fr_console_color(STDOUT_FILENO),
    .columns = fr_console_columns(STDOUT_FILENO)
  };

  return frl_new(&config, &run->frl);
}

/* ---- while it runs ------------------------------------------------------ */

static void arrival(void *arg)
{
  struct run *run = arg;

  if (run->frl)
    frl_interrupt(run->frl);
}

static void lose_patience(struct fr_timer *timer)
{
  struct run *run = fr_container_of(timer, struct run, patience);

  run->lost = true;
  frl_interrupt(run->frl);
}

/* Ends every wait once, so that a task can clean up, waits included; one
 * that catches the error and goes on has PATIENCE_MS. */
static void cancel_tasks(struct run *run)
{
  frl_cancel(run->frl);
  run->patience.on_due = lose_patience;
  fr_timer_start(run->loop, &run->patience,
                 fr_loop_now(run->loop) + PATIENCE_MS);
}

static void interrupted(void *arg, int number)
{
  struct run *run = arg;
  const char *sentence = "the run was interrupted; what was not sent is for "
                         "the next one";

  run->verdict.signal = number;
  if (run->fal)                 /* a server ends by a signal: no news */
    fr_verdict_say(&run->verdict, "%s", sentence);
  if (run->gate)
    fr_gate_stop(run->gate, FR_EINTERRUPTED, sentence);
  else if (run->fal)
    fr_fal_stop(run->fal, FR_EINTERRUPTED, sentence);
  if (run->frl)
    cancel_tasks(run);
}

static void runtime_over(struct fr_timer *timer)
{
  struct run *run = fr_container_of(timer, struct run, runtime);
  const char *sentence = "--max-runtime is over; the next run goes on from "
                         "here";

  run->over = true;
  run->verdict.unavailable = true;
  fr_verdict_say(&run->verdict, "%s", sentence);
  if (run->gate)
    fr_gate_stop(run->gate, FR_EUNAVAILABLE, sentence);
  else if (run->fal)
    fr_fal_stop(run->fal, FR_EUNAVAILABLE, sentence);
}

static enum fr_err open_watches(struct run *run)
{
  run->signals.on_signal = interrupted;
  run->signals.on_arrival = arrival;
  run->signals.arg = run;
  if (run->config.max_runtime_ms) {
    run->runtime.on_due = runtime_over;
    fr_timer_start(run->loop, &run->runtime, fr_loop_now(run->loop) +
                                             run->config.max_runtime_ms);
  }
  if (run->gate && !run->config.quiet && !run->config.no_progress) {
    run->progress.loop = run->loop;
    run->progress.console = &run->console;
    run->progress.gate = run->gate;
    run->progress.fal = run->fal;
    fr_progress_start(&run->progress);
  }
  return fr_signals_open(&run->signals, run->loop);
}

/* --max-runtime ends what the policy still waits for, but only when all
 * answers are in, so that its last words count them. */
static void end_waiting(struct run *run)
{
  run->over = false;
  cancel_tasks(run);
}

static void turns(struct run *run)
{
  for (;;) {
    bool more = frl_step(run->frl), busy;

    if (run->gate)
      fr_gate_barrier(run->gate);
    busy = run->gate && fr_gate_busy(run->gate);
    if ((!more || run->lost) && !busy)
      break;
    if (run->over && !busy && !frl_ready(run->frl))
      end_waiting(run);
    fr_loop_turn(run->loop, frl_ready(run->frl) ? 0 : -1);
  }
  fr_signals_poll(&run->signals);
}

/* ---- the end ------------------------------------------------------------ */

static enum fr_err count_json(struct run *run, struct fr_buf *json)
{
  struct fr_counts c;

  fr_gate_counts(run->gate, &c);
  return fr_buf_addf(json, "{\"deleted\":%llu,\"already_deleted\":%llu,"
    "\"partial\":%llu,\"held\":%llu,\"refused\":%llu,\"failed\":%llu,"
    "\"settled\":%llu,\"open\":%llu}", (unsigned long long)c.deleted,
    (unsigned long long)c.already_deleted, (unsigned long long)c.partial,
    (unsigned long long)c.held, (unsigned long long)c.refused,
    (unsigned long long)c.failed, (unsigned long long)c.settled,
    (unsigned long long)c.open);
}

static void end(struct run *run)
{
  struct fr_buf json;

  if (!run->began)
    return;
  fr_buf_init(&json, 4096);
  if (count_json(run, &json) ||
      fr_ledger_run_end(run->ledger, fr_verdict_exit_code(&run->verdict),
                        fr_buf_text(&json))) {
    run->verdict.ledger = true;
    fr_verdict_say(&run->verdict, "the end of the run could not be written "
                   "to the ledger %s: %s", run->config.ledger,
                   fr_ledger_detail(run->ledger));
  }
  fr_buf_done(&json);
}

static void close_all(struct run *run)
{
  frl_free(run->frl);
  fr_progress_stop(&run->progress);
  if (run->loop) {
    fr_timer_stop(run->loop, &run->runtime);
    fr_timer_stop(run->loop, &run->patience);
    fr_signals_close(&run->signals);
  }
  fr_gate_free(run->gate);
  fr_fal_free(run->fal);
  fr_http_free(run->http);
  fr_ledger_close(run->ledger);
  fr_loop_free(run->loop);
  fr_keys_free(run->keys);
  fr_sandbox_stop(&run->sandbox);
  fr_buf_done(&run->policy_text);
  fr_buf_done(&run->why);
}

/* What a failure before the first turn is in the table of exit codes. */
static int start_code(enum fr_err err)
{
  switch (err) {
  case FR_ELOCKED: return 6;
  case FR_ECORRUPT:
  case FR_EIO: return 8;
  case FR_ENOMEM: return 70;
  default: return 2;
  }
}

typedef enum fr_err (*step_fn)(struct run *run);

static enum fr_err open_all(struct run *run)
{
  static const step_fn steps[] = {
    open_policy, open_keys, open_sandbox, open_ledger, open_network,
    open_gate, open_watches, begin, open_lua
  };
  enum fr_err err = fr_config_read(run->options, &run->why, &run->config);

  if (!err)
    err = fr_loop_new(&run->clock, &run->loop);
  for (size_t i = 0; !err && i < sizeof(steps) / sizeof(steps[0]); i++)
    err = steps[i](run);
  return err;
}

static void say_why(struct run *run)
{
  if (run->verdict.why[0] && !run->console.why_said)
    fr_console_say(&run->console, FR_LOG_ERROR, run->verdict.why);
}

int fr_run(const struct fr_options *options)
{
  struct run run = { .options = options };
  bool verbose = fr_option_flag(options, "verbose");
  enum fr_err err;
  int code;

  fr_buf_init(&run.why, 2048);
  fr_buf_init(&run.policy_text, POLICY_MAX);
  fr_clock_real(&run.clock);
  fr_console_open(&run.console, verbose ? FR_LOG_DEBUG : FR_LOG_INFO);
  run.console.why = run.verdict.why;
  err = open_all(&run);
  if (err) {
    fail(&run, err);
    code = start_code(err);
  } else {
    turns(&run);
    end(&run);
    code = fr_verdict_exit_code(&run.verdict);
  }
  say_why(&run);
  close_all(&run);
  fr_console_close(&run.console);
  return code;
}
