/* host/progress.c - see progress.h. The figures are the gate's and the
 * client's own counters; a script cannot make them look better. */
#include "host/progress.h"

#define TERMINAL_MS 100
#define ELSEWHERE_MS 10000
#define QUIET_START_MS 500      /* a short run shows nothing at all */

static uint64_t done(const struct fr_counts *counts)
{
  return counts->deleted + counts->already_deleted + counts->planned +
         counts->partial + counts->held + counts->refused + counts->failed;
}

/* "1,200 of 5,000 files, 1,180 gone, 50/s, 1 min left" */
static void show_files(struct fr_progress *progress)
{
  uint64_t elapsed = fr_loop_now(progress->loop) - progress->began;
  struct fr_prober_figures f;
  struct fr_buf line;
  uint64_t over = 0;
  double rate;

  fr_prober_figures(progress->prober, &f);
  for (unsigned i = 0; i < FR_FILE_SEENS; i++)
    over += f.seen[i];
  rate = elapsed ? (double)over * 1000.0 / (double)elapsed : 0.0;
  fr_buf_init(&line, 512);
  fr_buf_addf(&line, "%llu of %llu files, %llu gone", (unsigned long long)over,
              (unsigned long long)f.expected,
              (unsigned long long)f.seen[FR_FILE_GONE]);
  if (over > f.seen[FR_FILE_GONE])
    fr_buf_addf(&line, ", %llu not",
                (unsigned long long)(over - f.seen[FR_FILE_GONE]));
  fr_buf_addf(&line, ", %.0f/s", rate);
  if (rate > 0.0 && f.expected > over)
    fr_buf_addf(&line, ", %.0f s left", (double)(f.expected - over) / rate);
  fr_console_progress(progress->console, fr_buf_text(&line));
  fr_buf_done(&line);
}

/* "12.3 MB of 64.0 MB, 5.1 MB/s, 10 s left"; nothing when none is saved. */
static void show_saving(struct fr_progress *progress)
{
  double seconds = (double)(fr_loop_now(progress->loop) - progress->began)
                   / 1000.0, bytes, total, rate;
  struct fr_fal_figures f;
  struct fr_buf line;

  fr_fal_figures(progress->fal, &f);
  if (!f.files)
    return;
  bytes = (double)f.file_bytes;
  total = (double)f.file_total;
  rate = seconds > 0.0 ? (bytes - (double)f.file_resumed) / seconds : 0.0;
  fr_buf_init(&line, 512);
  fr_buf_addf(&line, "%.1f MB", bytes / 1e6);
  if (total > bytes)
    fr_buf_addf(&line, " of %.1f MB", total / 1e6);
  fr_buf_addf(&line, ", %.1f MB/s", rate / 1e6);
  if (rate > 0.0 && total > bytes)
    fr_buf_addf(&line, ", %.0f s left", (total - bytes) / rate);
  fr_console_progress(progress->console, fr_buf_text(&line));
  fr_buf_done(&line);
}

static void show_run(struct fr_progress *progress)
{
  uint64_t elapsed = fr_loop_now(progress->loop) - progress->began;
  struct fr_fal_figures figures;
  struct fr_counts counts;
  struct fr_buf line;
  uint64_t missed, sent, all;
  double rate;

  fr_fal_uploads(progress->fal, &sent, &all);
  fr_fal_figures(progress->fal, &figures);
  fr_gate_counts(progress->gate, &counts);
  missed = counts.failed + counts.partial;
  rate = elapsed ? (double)done(&counts) * 1000.0 / (double)elapsed : 0.0;
  fr_buf_init(&line, 512);
  fr_buf_addf(&line, "%llu done",
              (unsigned long long)done(&counts));
  if (missed)
    fr_buf_addf(&line, ", %llu not", (unsigned long long)missed);
  fr_buf_addf(&line, ", %.0f/s, %u in flight, %u waiting", rate,
              figures.in_flight, figures.waiting);
  if (all)
    fr_buf_addf(&line, ", %.1f of %.1f MB sent", (double)sent / 1e6,
                (double)all / 1e6);
  if (figures.retries)
    fr_buf_addf(&line, ", %llu retries",
                (unsigned long long)figures.retries);
  if (figures.paused_ms)
    fr_buf_addf(&line, ", the API asks to wait %llu s",
                (unsigned long long)figures.paused_ms / 1000 + 1);
  fr_console_progress(progress->console, fr_buf_text(&line));
  fr_buf_done(&line);
}

static void show(struct fr_progress *progress)
{
  if (progress->gate)
    show_run(progress);
  else if (progress->prober)
    show_files(progress);
  else
    show_saving(progress);
}

static void due(struct fr_timer *timer)
{
  struct fr_progress *progress =
    fr_container_of(timer, struct fr_progress, timer);
  uint64_t step = progress->console->tty ? TERMINAL_MS : ELSEWHERE_MS;

  show(progress);
  fr_timer_start(progress->loop, timer, fr_loop_now(progress->loop) + step);
}

void fr_progress_start(struct fr_progress *progress)
{
  uint64_t first = progress->console->tty ? QUIET_START_MS : ELSEWHERE_MS;

  progress->began = fr_loop_now(progress->loop);
  progress->timer.on_due = due;
  fr_timer_start(progress->loop, &progress->timer, progress->began + first);
}

void fr_progress_stop(struct fr_progress *progress)
{
  if (progress->loop)
    fr_timer_stop(progress->loop, &progress->timer);
}
