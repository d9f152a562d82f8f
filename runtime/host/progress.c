/* host/progress.c - see progress.h. The figures are the gate's and the
 * client's own counters; a script cannot make them look better. Lua only
 * names the phase, and says how many deletions belong to it. */
#include "host/progress.h"

#include <string.h>

#define TERMINAL_MS 100
#define ELSEWHERE_MS 10000
#define QUIET_START_MS 500      /* a short run shows nothing at all */
#define RATE_MS 15000
#define LINE_MAX 512

typedef unsigned long long llu;

static uint64_t done(const struct fr_counts *counts)
{
  return counts->deleted + counts->already_deleted + counts->planned +
         counts->partial + counts->held + counts->refused + counts->failed;
}

/* "12 s", "3 min", "2 h 5 min": no finer than anybody wants to know. */
static void add_seconds(struct fr_buf *line, double seconds)
{
  llu s = (llu)(seconds + 0.5);

  if (s < 100)
    fr_buf_addf(line, "%llu s", s);
  else if (s < 6000)
    fr_buf_addf(line, "%llu min", (s + 30) / 60);
  else
    fr_buf_addf(line, "%llu h %llu min", s / 3600, s % 3600 / 60);
}

/* ", 50/s, 12 s left": the rate since a mark. */
static void add_rate(const struct fr_progress *progress, struct fr_buf *line,
                     const struct fr_progress_mark *mark, uint64_t over,
                     uint64_t total)
{
  uint64_t elapsed = fr_loop_now(progress->parts->loop) - mark->at;
  double made = over > mark->over ? (double)(over - mark->over) : 0.0;
  double rate = elapsed ? made * 1000.0 / (double)elapsed : 0.0;

  fr_buf_addf(line, rate < 10.0 ? ", %.1f/s" : ", %.0f/s", rate);
  if (rate <= 0.0 || total <= over)
    return;
  fr_buf_add_text(line, ", ");
  add_seconds(line, (double)(total - over) / rate);
  fr_buf_add_text(line, " left");
}

static uint64_t since(const struct fr_progress *progress, uint64_t began)
{
  return fr_loop_now(progress->parts->loop) - began;
}

/* "1,200 of 5,000 files, 1,180 gone, 50/s, 1 min left" */
static void add_files(const struct fr_progress *progress, struct fr_buf *line)
{
  const struct fr_progress_mark begin = { .at = progress->began };
  struct fr_prober_figures f;
  uint64_t over = 0;

  fr_prober_figures(progress->parts->prober, &f);
  for (unsigned i = 0; i < FR_FILE_SEENS; i++)
    over += f.seen[i];
  fr_buf_addf(line, "%llu of %llu files, %llu gone", (llu)over,
              (llu)f.expected, (llu)f.seen[FR_FILE_GONE]);
  if (over > f.seen[FR_FILE_GONE])
    fr_buf_addf(line, ", %llu not", (llu)(over - f.seen[FR_FILE_GONE]));
  add_rate(progress, line, &begin, over, f.expected);
}

/* "12.3 MB of 64.0 MB, 5.1 MB/s, 10 s left"; nothing when none is saved. */
static void add_saving(const struct fr_progress *progress,
                       struct fr_buf *line)
{
  double seconds = (double)since(progress, progress->began) / 1000.0;
  double bytes, total, rate;
  struct fr_fal_figures f;

  fr_fal_figures(progress->parts->fal, &f);
  if (!f.files)
    return;
  bytes = (double)f.file_bytes;
  total = (double)f.file_total;
  rate = seconds > 0.0 ? (bytes - (double)f.file_resumed) / seconds : 0.0;
  fr_buf_addf(line, "%.1f MB", bytes / 1e6);
  if (total > bytes)
    fr_buf_addf(line, " of %.1f MB", total / 1e6);
  fr_buf_addf(line, ", %.1f MB/s", rate / 1e6);
  if (rate > 0.0 && total > bytes)
    fr_buf_addf(line, ", %.0f s left", (total - bytes) / rate);
}

/* ", 24 in flight, 900 waiting (for one of 24 places), 14 retries, the API
 * asks to wait 12 s": what the throttle waits for. */
static void add_throttle(const struct fr_progress *progress,
                         struct fr_buf *line)
{
  struct fr_fal_figures f;
  uint64_t sent, all;

  fr_fal_figures(progress->parts->fal, &f);
  fr_fal_uploads(progress->parts->fal, &sent, &all);
  fr_buf_addf(line, ", %u in flight, %u waiting", f.in_flight, f.waiting);
  if (f.waiting && !f.paused_ms && f.in_flight >= f.concurrency)
    fr_buf_addf(line, " (for one of %u places)", f.concurrency);
  else if (f.waiting && !f.paused_ms && f.rate > 0.0)
    fr_buf_addf(line, f.rate < 10.0 ? " (%.1f/s at most)"
                                    : " (%.0f/s at most)", f.rate);
  if (all)
    fr_buf_addf(line, ", %.1f of %.1f MB sent", (double)sent / 1e6,
                (double)all / 1e6);
  if (f.retries)
    fr_buf_addf(line, ", %llu retries", (llu)f.retries);
  if (f.paused_ms)
    fr_buf_addf(line, ", the API asks to wait %llu s",
                (llu)f.paused_ms / 1000 + 1);
}

static const struct frl_phase *phase_of(const struct fr_progress *progress)
{
  static const struct frl_phase none = { .total = 0 };

  return progress->frl ? frl_phase(progress->frl) : &none;
}

static bool is_listing(const struct frl_phase *phase)
{
  return !strcmp(phase->name, "listing");
}

/* How many of the phase are over. */
static uint64_t over_of(const struct fr_progress *progress,
                        const struct frl_phase *phase)
{
  struct fr_counts counts;

  if (is_listing(phase))
    return phase->scanned;
  fr_gate_counts(progress->parts->gate, &counts);
  return done(&counts) - done(&phase->before);
}

/* The rate is that of the last 15 to 30 seconds: the throttle changes it. */
static void move_marks(struct fr_progress *progress)
{
  const struct frl_phase *phase = phase_of(progress);
  uint64_t now = fr_loop_now(progress->parts->loop);
  struct fr_progress_mark *marks = progress->marks;

  if (!progress->parts->gate)
    return;
  if (marks[0].at < phase->since || !marks[0].at)
    marks[0] = marks[1] = (struct fr_progress_mark){
      .at = *phase->name ? phase->since : progress->began };
  if (now - marks[1].at < RATE_MS)
    return;
  marks[0] = marks[1];
  marks[1].at = now;
  marks[1].over = over_of(progress, phase);
}

/* "deleting: 1200 of 5000 done, 3 not, 50/s, 76 s left, ..." */
static void add_run(const struct fr_progress *progress, struct fr_buf *line)
{
  const struct frl_phase *phase = phase_of(progress);
  uint64_t over = over_of(progress, phase), missed;
  bool listing = is_listing(phase);
  struct fr_counts counts;

  fr_gate_counts(progress->parts->gate, &counts);
  missed = counts.failed + counts.partial;
  if (*phase->name)
    fr_buf_addf(line, "%s: ", phase->name);
  fr_buf_addf(line, "%llu", (llu)over);
  if (phase->total)
    fr_buf_addf(line, " of %llu", (llu)phase->total);
  fr_buf_add_text(line, listing ? " requests" : " done");
  if (missed)
    fr_buf_addf(line, ", %llu not", (llu)missed);
  add_rate(progress, line, &progress->marks[0], over, phase->total);
  add_throttle(progress, line);
}

static void add_line(const struct fr_progress *progress, struct fr_buf *line)
{
  if (progress->parts->gate)
    add_run(progress, line);
  else if (progress->parts->prober)
    add_files(progress, line);
  else if (progress->parts->fal)
    add_saving(progress, line);
}

static void due(struct fr_timer *timer)
{
  struct fr_progress *progress =
    fr_container_of(timer, struct fr_progress, timer);
  struct fr_loop *loop = progress->parts->loop;
  uint64_t step = progress->console->tty ? TERMINAL_MS : ELSEWHERE_MS;
  struct fr_buf line;

  move_marks(progress);
  fr_buf_init(&line, LINE_MAX);
  add_line(progress, &line);
  if (line.len)
    fr_console_progress(progress->console, fr_buf_text(&line));
  fr_buf_done(&line);
  fr_timer_start(loop, timer, fr_loop_now(loop) + step);
}

void fr_progress_open(struct fr_progress *progress,
                      struct fr_console *console,
                      const struct fr_parts *parts)
{
  progress->console = console;
  progress->parts = parts;
  progress->timer.on_due = due;
  progress->began = fr_loop_now(parts->loop);
}

void fr_progress_start(struct fr_progress *progress)
{
  uint64_t first = progress->console->tty ? QUIET_START_MS : ELSEWHERE_MS;

  fr_timer_start(progress->parts->loop, &progress->timer,
                 progress->began + first);
}

void fr_progress_stop(struct fr_progress *progress)
{
  if (progress->parts && progress->parts->loop)
    fr_timer_stop(progress->parts->loop, &progress->timer);
}

/* ---- the state, for whoever asks ----------------------------------------- */

static void say(const struct fr_progress *progress, struct fr_buf *line)
{
  fr_console_say(progress->console, FR_LOG_INFO, fr_buf_text(line));
  fr_buf_clear(line);
}

static void say_what(const struct fr_progress *progress, struct fr_buf *line)
{
  const struct fr_options *options = progress->parts->options;
  const char *policy = progress->parts->policy.path;

  fr_buf_addf(line, "state: %s%s%s for ", options->command,
              policy ? " " : "", policy ? policy : "");
  add_seconds(line, (double)since(progress, progress->began) / 1000.0);
  say(progress, line);
  fr_buf_add_text(line, "state: ");
  add_line(progress, line);
  if (line->len > strlen("state: "))
    say(progress, line);
  fr_buf_clear(line);
}

static void say_counts(const struct fr_progress *progress,
                       struct fr_buf *line)
{
  struct fr_gate *gate = progress->parts->gate;
  struct fr_counts c;

  fr_gate_counts(gate, &c);
  fr_buf_addf(line, "state: deleted %llu, already deleted %llu, planned %llu, "
              "partial %llu, held %llu, refused %llu, failed %llu; settled "
              "%llu, open %llu", (llu)c.deleted, (llu)c.already_deleted,
              (llu)c.planned, (llu)c.partial, (llu)c.held, (llu)c.refused,
              (llu)c.failed, (llu)c.settled, (llu)c.open);
  say(progress, line);
  if (!fr_gate_stopped(gate))
    return;
  fr_buf_addf(line, "state: nothing new is sent: %s",
              fr_gate_stop_sentence(gate));
  say(progress, line);
}

static void say_throttle(const struct fr_progress *progress,
                         struct fr_buf *line)
{
  struct fr_fal_figures f;

  fr_fal_figures(progress->parts->fal, &f);
  fr_buf_addf(line, "state: %llu requests sent, %llu of them again, %llu "
              "answers of 429; at most %u in flight", (llu)f.requests,
              (llu)f.retries, (llu)f.limited, f.concurrency);
  if (f.rate > 0.0)
    fr_buf_addf(line, ", %.1f a second", f.rate);
  say(progress, line);
}

void fr_progress_state(struct fr_progress *progress)
{
  const struct fr_parts *parts = progress->parts;
  struct fr_buf line;

  if (!parts)
    return;
  move_marks(progress);
  fr_buf_init(&line, 8 * LINE_MAX);
  say_what(progress, &line);
  if (parts->gate)
    say_counts(progress, &line);
  if (parts->fal)
    say_throttle(progress, &line);
  if (parts->ledger) {
    fr_buf_addf(&line, "state: ledger %s", fr_ledger_path(parts->ledger));
    say(progress, &line);
  }
  fr_buf_done(&line);
}
