/* fal/client.c - what all calls of the process share.
 *
 * A stop walks over the exchanges of which nothing has left and ends them; one
 * that is in flight sees the stop when its answer comes, and is not repeated.
 */
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/digest.h"
#include "fal/exchange.h"

#define SENTENCE_MOST 512
#define MOVED_MS 60000          /* more than NTP slews, or a turn takes */

enum fr_err fr_fal_new(struct fr_loop *loop, struct fr_http *http,
                       const struct fr_fal_config *config,
                       struct fr_fal **ret_fal)
{
  struct fr_fal *fal = calloc(1, sizeof(*fal));
  enum fr_err err;

  if (!fal)
    return FR_ENOMEM;
  fal->loop = loop;
  fal->http = http;
  fal->config = *config;
  fal->unit = fr_random_unit;
  fal->offset_ms = fr_loop_offset(loop);
  fr_list_init(&fal->exchanges);
  fr_buf_init(&fal->stop_sentence, SENTENCE_MOST);
  err = fr_seen_new(FR_SEEN_MOST, config->age_floor_ms, &fal->seen);
  if (err) {
    free(fal);
    return err;
  }
  fr_budget_init(&fal->budget);
  fr_throttle_init(&fal->throttle, loop, config->max_concurrency,
                   config->max_rate);
  *ret_fal = fal;
  return FR_OK;
}

void fr_fal_free(struct fr_fal *fal)
{
  if (!fal)
    return;
  fr_throttle_done(&fal->throttle);
  fr_seen_free(fal->seen);
  fr_buf_done(&fal->stop_sentence);
  free(fal);
}

struct fr_seen *fr_fal_seen(struct fr_fal *fal)
{
  return fal->seen;
}

/* ---- the stop ----------------------------------------------------------- */

void fr_fal_stop(struct fr_fal *fal, enum fr_err err, const char *sentence)
{
  struct fr_list *link, *next;

  if (fal->stopped)
    return;
  fal->stopped = err ? err : FR_ESTOPPED;
  fr_buf_say(&fal->stop_sentence, "%s",
             sentence && *sentence ? sentence : fr_err_message(err));
  for (link = fal->exchanges.next; link != &fal->exchanges; link = next) {
    next = link->next;
    fr_exchange_withdraw(fr_container_of(link, struct fr_exchange, link),
                         FR_ESTOPPED);
  }
}

enum fr_err fr_fal_stopped(const struct fr_fal *fal)
{
  return fal->stopped;
}

const char *fr_fal_stop_sentence(const struct fr_fal *fal)
{
  if (fal->stopped && !fal->stop_sentence.len)
    return fr_err_message(fal->stopped);        /* there was no memory */
  return fr_buf_text(&fal->stop_sentence);
}

const char *fr_fal_lacks_key(struct fr_fal *fal, enum fr_key which)
{
  static const char sentence[] =
    "no key: set FAL_KEY (or FAL_ADMIN_KEY for what needs an admin key), or "
    "name a key file in FAL_KEY_FILE";

  if (which == FR_KEY_NONE || which == FR_KEY_OPTIONAL ||
      fr_keys_has(fal->config.keys, which))
    return NULL;
  fal->config.verdict->config = true;
  fr_verdict_say(fal->config.verdict, "%s", sentence);
  return sentence;
}

void fr_fal_refused(struct fr_fal *fal, const char *sentence)
{
  fal->config.verdict->auth = true;
  fr_verdict_say(fal->config.verdict, "%s", sentence);
  fr_fal_stop(fal, FR_EAUTH, sentence);
}

void fr_fal_unavailable(struct fr_fal *fal, const char *sentence)
{
  struct fr_buf whole;

  fr_buf_init(&whole, SENTENCE_MOST);
  fr_buf_say(&whole, "the API is unavailable: %s", sentence);
  fal->config.verdict->unavailable = true;
  fr_verdict_say(fal->config.verdict, "%s", fr_buf_text(&whole));
  fr_fal_stop(fal, FR_EUNAVAILABLE, fr_buf_text(&whole));
  fr_buf_done(&whole);
}

/* ---- what answers tell -------------------------------------------------- */

void fr_fal_note_alive(struct fr_fal *fal)
{
  fal->failures = 0;
}

void fr_fal_note_failure(struct fr_fal *fal, uint64_t sent,
                         const char *sentence)
{
  uint64_t pause;

  if (fal->stopped || (sent && sent <= fal->failed_after))
    return;
  fal->failed_after = fal->requests;
  if (++fal->failures >= FR_BREAKER_AT) {
    fr_fal_unavailable(fal, sentence);
    return;
  }
  if (sent || fal->failures > 1)
    fr_throttle_few(&fal->throttle);
  if (fal->failures > 1) {
    pause = fr_retry_delay(FR_RETRY_BASE_MS, fal->failures, fal->unit());
    fr_throttle_pause(&fal->throttle, fr_loop_now(fal->loop) + pause);
  }
}

/* ---- the clock ---------------------------------------------------------- */

/* The wall clock has moved against the monotonic one. */
static bool was_set(const struct fr_fal *fal)
{
  return llabs(fr_loop_offset(fal->loop) - fal->offset_ms) > MOVED_MS;
}

static void keep_worst(struct fr_fal *fal, int64_t skew_ms)
{
  if (llabs(skew_ms) > llabs(fal->skew_ms))
    fal->skew_ms = skew_ms;
}

/* When it was set before the first answer, what was asked for had been
 * computed with the clock as it was at the start. */
void fr_fal_note_answer(struct fr_fal *fal, const struct fr_call *call)
{
  const char *date = fr_call_header(call, "Date");
  int64_t server_ms, skew_ms, offset_ms = fr_loop_offset(fal->loop);

  if (fal->skew == FR_SKEW_BROKEN ||
      (fal->skew == FR_SKEW_KNOWN && !was_set(fal)))
    return;
  if (!date || fr_date_parse_http(date, strlen(date), &server_ms)) {
    if (fal->skew == FR_SKEW_NONE)
      fal->skew = FR_SKEW_BROKEN;
    return;
  }
  skew_ms = fr_loop_at(fal->loop) - server_ms;
  keep_worst(fal, skew_ms);
  if (fal->skew == FR_SKEW_NONE && was_set(fal))
    keep_worst(fal, skew_ms + fal->offset_ms - offset_ms);
  fal->skew = FR_SKEW_KNOWN;
  fal->offset_ms = offset_ms;
}

enum fr_err fr_fal_clock_skew(const struct fr_fal *fal, int64_t *ret_ms)
{
  if (fal->skew == FR_SKEW_BROKEN)
    return FR_EPROTOCOL;
  if (fal->skew == FR_SKEW_NONE || was_set(fal))
    return FR_ENOT_FOUND;
  *ret_ms = fal->skew_ms;
  return FR_OK;
}

void fr_fal_figures(const struct fr_fal *fal,
                    struct fr_fal_figures *ret_figures)
{
  const struct fr_throttle *throttle = &fal->throttle;
  uint64_t now = fr_loop_now(fal->loop);

  *ret_figures = (struct fr_fal_figures){
    .in_flight = throttle->in_flight,
    .waiting = throttle->waiting,
    .concurrency = throttle->width.limit,
    .rate = throttle->rate.speed,
    .requests = fal->requests,
    .retries = fal->retries,
    .limited = fal->limited,
    .paused_ms = throttle->paused_until > now ?
                 throttle->paused_until - now : 0,
    .files = fal->files,
    .file_bytes = fal->file_bytes,
    .file_total = fal->file_total,
    .file_resumed = fal->file_resumed,
  };
}
