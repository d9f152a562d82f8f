/* host/run.c - the turns, what ends them, and the exit code.
 *
 * A turn is: Lua, barrier, loop (README.md). The end is reached when no task
 * is left and the gate has nothing in motion; an interrupt or a stop only
 * makes that sooner. */
#include "host/run.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/log.h"
#include "gate/mutation.h"
#include "host/console.h"
#include "host/heading.h"
#include "host/jobs.h"
#include "host/parts.h"
#include "host/ping.h"
#include "host/progress.h"
#include "host/signals.h"
#include "host/summary.h"
#include "host/textfile.h"
#include "ledger/proof.h"

#define PATIENCE_MS 5000        /* for <close> after the run was ended */

struct run {
  struct fr_parts parts;
  struct fr_console console;
  struct fr_signals signals;
  struct fr_progress progress;
  struct fr_ping ping;
  struct fr_heading heading;
  struct fr_timer runtime, patience;
  struct fr_buf why;
  struct frl *frl;
  bool began;                   /* the ledger knows of this run */
  bool over;                    /* --max-runtime is; tasks may still wait */
  bool lost;                    /* the patience with tasks that go on */
};

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
  fr_timer_start(run->parts.loop, &run->patience,
                 fr_loop_now(run->parts.loop) + PATIENCE_MS);
}

static struct fr_gate *gate_of(const struct run *run)
{
  return run->frl ? frl_gate(run->frl) : run->parts.gate;
}

static void stop_sending(struct run *run, enum fr_err err,
                         const char *sentence)
{
  struct fr_gate *gate = gate_of(run);

  if (gate)
    fr_gate_stop(gate, err, sentence);
  else if (run->parts.fal)
    fr_fal_stop(run->parts.fal, err, sentence);
}

static void signalled(void *arg, int number)
{
  struct run *run = arg;
  const char *sentence = "the run was interrupted; what was not sent is for "
                         "the next one";

  if (number == SIGUSR1) {
    fr_progress_state(&run->progress);
    return;
  }
  run->parts.verdict.signal = number;
  if (run->parts.fal)           /* a server ends by a signal: no news */
    fr_verdict_say(&run->parts.verdict, "%s", sentence);
  stop_sending(run, FR_EINTERRUPTED, sentence);
  if (run->frl)
    cancel_tasks(run);
}

/* --max-runtime ends what the policy still waits for, but only when all
 * answers are in, so that its last words count them. */
static void end_waiting(struct run *run)
{
  run->over = false;
  cancel_tasks(run);
}

/* Tasks that never wait, taking turns, are not waited for so long. */
static void end_busy_lua(struct fr_timer *timer)
{
  end_waiting(fr_container_of(timer, struct run, patience));
}

static void runtime_over(struct fr_timer *timer)
{
  struct run *run = fr_container_of(timer, struct run, runtime);
  const char *sentence = "--max-runtime is over; the next run goes on from "
                         "here";

  run->over = true;
  run->patience.on_due = end_busy_lua;
  fr_timer_start(run->parts.loop, &run->patience,
                 fr_loop_now(run->parts.loop) + PATIENCE_MS);
  run->parts.verdict.unavailable = true;
  fr_verdict_say(&run->parts.verdict, "%s", sentence);
  stop_sending(run, FR_EUNAVAILABLE, sentence);
}

static void turns(struct run *run)
{
  for (;;) {
    bool more = frl_step(run->frl), busy;
    struct fr_gate *gate = frl_gate(run->frl);

    if (gate)
      fr_gate_barrier(gate);
    busy = gate && fr_gate_busy(gate);
    if ((!more || run->lost) && !busy)
      break;
    if (run->over && !busy && !frl_ready(run->frl))
      end_waiting(run);
    fr_loop_turn(run->parts.loop, frl_ready(run->frl) ? 0 : -1);
  }
  fr_signals_poll(&run->signals);
}

static void end(struct run *run);
static void say_why(struct run *run);

/* Lua is lost in the middle of a call, and this runs on top of it, from a
 * signal handler (bindings.h). What is in flight is answered and recorded;
 * nothing is freed, for Lua holds much of it. */
static void end_without_lua(void *arg)
{
  struct run *run = arg;
  struct fr_gate *gate = run->parts.gate;

  while (gate && fr_gate_busy(gate)) {
    fr_gate_barrier(gate);
    if (fr_gate_busy(gate))
      fr_loop_turn(run->parts.loop, -1);
  }
  fr_signals_poll(&run->signals);
  end(run);
  say_why(run);
  fr_textfile_write(&run->parts, run->began,
                    fr_verdict_exit_code(&run->parts.verdict));
  fr_progress_stop(&run->progress);
  fr_ping_end(&run->ping, &run->parts,
              fr_verdict_exit_code(&run->parts.verdict));
  fr_console_close(&run->console);
  fr_sandbox_stop(&run->parts.sandbox);
  _exit(fr_verdict_exit_code(&run->parts.verdict));
}

/* ---- the beginning ------------------------------------------------------ */

static enum fr_err open_watches(struct run *run)
{
  const struct fr_parts *parts = &run->parts;
  uint64_t most = parts->config.max_runtime_ms;

  run->signals.on_signal = signalled;
  run->signals.on_arrival = arrival;
  run->signals.arg = run;
  run->signals.same_ms = fr_jobs_same_ms();
  if (most) {
    run->runtime.on_due = runtime_over;
    fr_timer_start(parts->loop, &run->runtime,
                   fr_loop_now(parts->loop) + most);
  }
  fr_progress_open(&run->progress, &run->console, parts);
  if ((parts->gate || parts->prober || parts->fal) && !parts->config.quiet &&
      !parts->config.no_progress)
    fr_progress_start(&run->progress);
  return fr_signals_open(&run->signals, parts->loop);
}

static void before_write(void *arg, int fd)
{
  struct run *run = arg;

  fr_console_yield(&run->console, fd);
  if (fd == STDOUT_FILENO)
    fr_heading_write(&run->heading);
}

static void talk(void *arg, const char *text, size_t len)
{
  struct run *run = arg;

  fr_console_talk(&run->console, text, len);
}

/* FALRUN_TURN_MS lowers the cap of a turn, for tests; nothing raises it. */
static uint32_t turn_ms(void)
{
  const char *text = getenv("FALRUN_TURN_MS");
  char *rest;
  unsigned long number = text ? strtoul(text, &rest, 10) : 0;

  return number && !*rest && number < 10000 ? (uint32_t)number : 0;
}

static enum fr_err open_lua(struct run *run)
{
  struct fr_parts *parts = &run->parts;
  struct frl_config config = {
    .loop = parts->loop, .clock = &parts->clock, .verdict = &parts->verdict,
    .fal = parts->fal, .gate = parts->gate, .prober = parts->prober,
    .net = parts->net, .sendmail = parts->config.sendmail,
    .ledger = parts->ledger,
    .mode = parts->config.command.deletes ? FR_MODE_RUN : FR_MODE_PLAN,
    .may_hold = parts->config.command.holds,
    .may_record = parts->config.command.ledger == FR_NEED_RUN,
    .command = parts->options->command,
    .policy = parts->policy.path ? &parts->policy : NULL,
    .words = parts->options->words, .options = parts->options->values,
    .option_specs = fr_option_table,
    .module_path = getenv("FALRUN_PATH"), .version = FALRUN_VERSION,
    .origin = parts->config.origin.name, .account = parts->account,
    .health = parts->config.command.examines ? &parts->health : NULL,
    .keys = parts->keys, .setup = parts->view ? &parts->view->setup : NULL,
    .color = fr_console_color(STDOUT_FILENO),
    .columns = fr_console_columns(STDOUT_FILENO),
    .before_write = before_write, .write_arg = run,
    .talk = run->console.json ? talk : NULL,
    .max_turn_ms = turn_ms(), .on_stuck = end_without_lua, .stuck_arg = run
  };

  enum fr_err err = frl_new(&config, &run->frl);

  run->progress.frl = err ? NULL : run->frl;
  return err;
}

/* From here on the ledger knows of this run. */
static enum fr_err begin(struct run *run)
{
  const struct fr_parts *parts = &run->parts;
  struct fr_part text = { parts->policy.text, parts->policy.len };
  struct fr_run_spec spec = { .command = parts->options->command,
                              .policy = parts->policy.path };
  char digest[FR_SHA256_TEXT] = "";
  uint8_t sum[FR_SHA256_SIZE];
  enum fr_err err = FR_OK;
  struct fr_buf json;
  int64_t number;

  if (parts->config.command.ledger != FR_NEED_RUN)
    return FR_OK;
  fr_buf_init(&json, 4096);
  if (spec.policy)
    err = fr_sha256(&text, 1, sum);
  if (!err && spec.policy) {
    fr_hex(sum, sizeof(sum), digest);
    spec.policy_sha256 = digest;
  }
  if (!err)
    err = fr_config_json(&parts->config, parts->account, &json);
  spec.options = fr_buf_text(&json);
  if (!err)
    err = fr_ledger_run_begin(parts->ledger, &spec, &number);
  if (err)
    fr_buf_say(&run->why, "the ledger %s cannot be written: %s",
               parts->config.ledger, fr_ledger_detail(parts->ledger));
  else
    run->ping.run = number;
  run->began = !err;
  run->console.run = err ? 0 : number;
  fr_buf_done(&json);
  return err;
}

/* Says once what a killed run may have changed. */
static enum fr_err recover(struct run *run)
{
  const struct fr_parts *parts = &run->parts;
  struct fr_buf words;
  size_t count = 0;
  enum fr_err err = FR_OK;

  fr_buf_init(&words, 512);
  if (run->began && parts->gate)
    err = fr_mutations_recover(parts->gate, &words, &count);
  if (err)
    fr_buf_say(&run->why, "the ledger %s failed: %s", parts->config.ledger,
               fr_ledger_detail(parts->ledger));
  else if (count > 0)
    fr_log(FR_LOG_WARN, "%s", fr_buf_text(&words));
  fr_buf_done(&words);
  return err;
}

/* ---- the end ------------------------------------------------------------ */

/* The anchor of all that was written, for whoever keeps the log. */
static void say_checkpoint(const struct fr_parts *parts)
{
  struct fr_checkpoint checkpoint;
  struct fr_buf words;

  fr_buf_init(&words, 512);
  if (!fr_history_checkpoint(parts->ledger, &checkpoint) &&
      !fr_checkpoint_words(&checkpoint, NULL, &words))
    fr_log(FR_LOG_INFO, "%s", fr_buf_text(&words));
  fr_buf_done(&words);
}

static void end(struct run *run)
{
  struct fr_parts *parts = &run->parts;
  struct fr_buf json;

  if (!run->began)
    return;
  fr_buf_init(&json, (size_t)1 << 20);
  if (fr_summary_json(parts, run->frl, &json) ||
      fr_ledger_run_end(parts->ledger, fr_verdict_exit_code(&parts->verdict),
                        fr_buf_text(&json))) {
    parts->verdict.ledger = true;
    fr_verdict_say(&parts->verdict, "the end of the run could not be written "
                   "to the ledger %s: %s", parts->config.ledger,
                   fr_ledger_detail(parts->ledger));
  } else if (!parts->sandbox.folder[0] && !parts->verdict.config) {
    say_checkpoint(parts);              /* a wrong line has one sentence */
  }
  fr_buf_done(&json);
}

static void close_all(struct run *run)
{
  run->progress.frl = NULL;
  frl_free(run->frl);
  fr_progress_stop(&run->progress);
  if (run->parts.loop) {
    fr_timer_stop(run->parts.loop, &run->runtime);
    fr_timer_stop(run->parts.loop, &run->patience);
    fr_signals_close(&run->signals);
  }
  fr_parts_close(&run->parts);
  fr_console_close(&run->console);
  fr_buf_done(&run->why);
}

/* What a failure before the first turn is in the table of exit codes. */
static int start_code(enum fr_err err)
{
  switch (err) {
  case FR_ELOCKED: return 6;
  case FR_ECORRUPT:
  case FR_EIO: return 8;
  case FR_ENOMEM: return 9;     /* no bug: the machine has none left */
  default: return 2;
  }
}

static int not_started(struct run *run, enum fr_err err)
{
  fr_verdict_say(&run->parts.verdict, "%s",
                 run->why.len ? fr_buf_text(&run->why) : fr_err_message(err));
  return start_code(err);
}

static void say_why(struct run *run)
{
  if (run->parts.verdict.why[0] && !run->console.why_said)
    fr_console_say(&run->console, FR_LOG_ERROR, run->parts.verdict.why);
}

/* --quiet leaves what somebody must look at: warnings and errors. */
static enum fr_log_level level_of(const struct fr_options *options)
{
  if (fr_option_flag(options, "verbose"))
    return FR_LOG_DEBUG;
  return fr_option_flag(options, "quiet") ? FR_LOG_WARN : FR_LOG_INFO;
}

int fr_run(const struct fr_options *options)
{
  struct run run = { .began = false };
  enum fr_err err;
  int code;

  fr_buf_init(&run.why, 2048);
  fr_console_open(&run.console, fr_option_is(options, "log-format", "json"),
                  level_of(options));
  run.console.why = run.parts.verdict.why;
  run.console.account = options->account;
  fr_heading_init(&run.heading, options);
  if (options->note[0])
    fr_log(FR_LOG_INFO, "%s", options->note);
  err = fr_ping_open(&run.ping, options, &run.why);
  if (!err)
    err = fr_parts_open(&run.parts, options, &run.why);
  if (!err)
    err = open_watches(&run);
  if (!err)
    err = open_lua(&run);
  if (!err)
    err = begin(&run);
  if (!err)
    err = recover(&run);
  if (err) {
    code = not_started(&run, err);
  } else {
    fr_ping_start(&run.ping, &run.parts);
    turns(&run);
    end(&run);
    code = fr_verdict_exit_code(&run.parts.verdict);
  }
  say_why(&run);
  fr_textfile_write(&run.parts, run.began, code);
  fr_ping_end(&run.ping, &run.parts, code);
  close_all(&run);
  return code;
}
