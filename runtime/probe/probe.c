/* probe/probe.c - see probe.h.
 *
 * A probe takes a place for each of its requests; what goes on after an
 * answer stands in front of what has not begun, so few are under way. A 429
 * holds everybody for as long as it asks, at most half a minute. */
#include "probe/probe.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/plain.h"
#include "http/call.h"
#include "probe/link.h"

#define BODY_MOST (32u << 10)   /* more than libcurl hands over at once */
#define HEADERS_MOST (32u << 10)
#define CONNECT_MS 5000
#define STALL_MS 5000
#define TOTAL_MS 10000
#define ATTEMPTS 3
#define AGAIN_MS 500            /* before the second; four times it then */
#define PAUSE_MOST_S 30
#define URL_MOST (4u << 10)

struct fr_prober {
  struct fr_loop *loop;
  struct fr_http *http;
  char *base;
  unsigned concurrency, in_flight;
  double gap_ms, next_at;       /* between requests; when the next may go */
  uint64_t paused_until;
  struct fr_timer timer;
  struct fr_list waiting;
  unsigned mute;                /* probes in a row that nobody answered */
  struct fr_prober_figures figures;
};

struct fr_probe {
  struct fr_prober *prober;
  struct fr_op op;
  struct fr_list link;          /* in prober->waiting */
  struct fr_timer timer;        /* until the next attempt */
  struct fr_call *call;
  struct fr_buf text, url;
  struct fr_cdn_answer answers[2];      /* plain, busting */
  unsigned step, attempts;
  struct fr_probe_result result;
};

static void on_answer(struct fr_op *op, void *arg);

/* ---- the end of a probe -------------------------------------------------- */

static void finish(struct fr_probe *probe, enum fr_err err)
{
  if (!err)
    probe->prober->figures.seen[probe->result.seen]++;
  fr_op_finish(&probe->op, err);
}

static void conclude(struct fr_probe *probe)
{
  struct fr_probe_result *result = &probe->result;

  result->seen = fr_seen_judge(&probe->answers[0], &probe->answers[1],
                               result->why, sizeof(result->why));
  probe->prober->mute = probe->answers[0].err ? probe->prober->mute + 1 : 0;
  finish(probe, FR_OK);
}

/* ---- sending ------------------------------------------------------------- */

static enum fr_err make_url(struct fr_probe *probe)
{
  uint8_t bytes[8];
  char unique[2 * sizeof(bytes) + 1];
  enum fr_err err = fr_random(bytes, sizeof(bytes));

  fr_hex(bytes, sizeof(bytes), unique);
  return err ? err : fr_link_url(fr_buf_text(&probe->text),
                                 probe->prober->base,
                                 probe->step ? unique : NULL, &probe->url);
}

static void send(struct fr_probe *probe)
{
  struct fr_prober *prober = probe->prober;
  struct fr_call_spec spec = {
    .method = "GET", .range = "bytes=0-0", .max_body = BODY_MOST,
    .max_headers = HEADERS_MOST, .connect_ms = CONNECT_MS,
    .total_ms = TOTAL_MS, .stall_ms = STALL_MS
  };
  enum fr_err err = make_url(probe);

  spec.url = fr_buf_text(&probe->url);
  if (!err)
    err = fr_call_new(prober->http, &spec, &probe->call);
  if (err) {
    finish(probe, err);
    return;
  }
  prober->in_flight++;
  fr_call_start(probe->call);
  fr_op_wait(fr_call_op(probe->call), on_answer, probe);
}

static void end_all(struct fr_prober *prober)
{
  while (!fr_list_empty(&prober->waiting)) {
    struct fr_probe *probe =
      fr_container_of(prober->waiting.next, struct fr_probe, link);

    fr_list_del(&probe->link);
    finish(probe, FR_EUNAVAILABLE);
  }
}

/* When the next request may go, on fr_loop_now's scale. */
static uint64_t next_due(const struct fr_prober *prober)
{
  uint64_t paced = (uint64_t)prober->next_at;

  return paced > prober->paused_until ? paced : prober->paused_until;
}

static void pump(struct fr_prober *prober)
{
  uint64_t now = fr_loop_now(prober->loop);

  if (prober->mute >= FR_PROBE_MUTE)
    end_all(prober);
  while (!fr_list_empty(&prober->waiting) &&
         prober->in_flight < prober->concurrency) {
    struct fr_probe *probe =
      fr_container_of(prober->waiting.next, struct fr_probe, link);

    if (next_due(prober) > now) {
      fr_timer_start(prober->loop, &prober->timer, next_due(prober));
      return;
    }
    if (prober->next_at < (double)now)
      prober->next_at = (double)now;
    prober->next_at += prober->gap_ms;
    fr_list_del(&probe->link);
    send(probe);
  }
}

static void on_due(struct fr_timer *timer)
{
  pump(fr_container_of(timer, struct fr_prober, timer));
}

/* ---- answers ------------------------------------------------------------- */

static const char *cache_header(const struct fr_call *call)
{
  static const char *const names[] = { "x-cache", "cf-cache-status",
                                       "x-cache-status", "cache-status" };
  const char *value = NULL;

  for (size_t i = 0; !value && i < sizeof(names) / sizeof(names[0]); i++)
    value = fr_call_header(call, names[i]);
  return value ? value : "";
}

/* Whole seconds, or -1. */
static int64_t seconds(const char *text)
{
  int64_t number = 0;

  if (!text || !*text || strlen(text) > 10)
    return -1;
  for (; *text; text++) {
    if (*text < '0' || *text > '9')
      return -1;
    number = number * 10 + (*text - '0');
  }
  return number;
}

/* A body that is too long was served all the same. */
static struct fr_cdn_answer answer_of(const struct fr_call *call,
                                      enum fr_err err)
{
  size_t len;

  (void)fr_call_body(call, &len);
  if (err == FR_ETOO_BIG && len)
    err = FR_OK;
  return (struct fr_cdn_answer){ err, fr_call_status(call) };
}

static void note_plain(struct fr_probe *probe)
{
  struct fr_probe_result *result = &probe->result;

  result->http_status = probe->answers[0].status;
  result->age_s = seconds(fr_call_header(probe->call, "age"));
  fr_text_copy(result->cache, sizeof(result->cache),
               cache_header(probe->call));
  (void)fr_plain(result->cache, strlen(result->cache));
}

static void on_again(struct fr_timer *timer)
{
  struct fr_probe *probe = fr_container_of(timer, struct fr_probe, timer);

  fr_list_add(probe->prober->waiting.next, &probe->link);
  pump(probe->prober);
}

static void try_again(struct fr_probe *probe, int status, int64_t told_s)
{
  struct fr_prober *prober = probe->prober;
  uint64_t now = fr_loop_now(prober->loop);
  uint64_t wait = AGAIN_MS << 2 * (probe->attempts - 1);

  if (told_s > PAUSE_MOST_S)
    told_s = PAUSE_MOST_S;
  if (told_s > 0 && (uint64_t)told_s * 1000 > wait)
    wait = (uint64_t)told_s * 1000;
  if (status == 429 && prober->paused_until < now + wait)
    prober->paused_until = now + wait;
  probe->timer.on_due = on_again;
  fr_timer_start(prober->loop, &probe->timer, now + wait);
}

/* Without an answer to the plain request the other one proves nothing. */
static void go_on(struct fr_probe *probe)
{
  const struct fr_cdn_answer *answer = &probe->answers[probe->step];

  probe->attempts = 0;
  if (probe->step == 0 && answer->err)
    probe->answers[probe->step = 1] = *answer;
  if (probe->step++ == 0)
    fr_list_add(probe->prober->waiting.next, &probe->link);
  else
    conclude(probe);
}

static void on_answer(struct fr_op *op, void *arg)
{
  struct fr_probe *probe = arg;
  struct fr_prober *prober = probe->prober;
  struct fr_cdn_answer answer = answer_of(probe->call, op->err);
  int64_t told_s = seconds(fr_call_header(probe->call, "retry-after"));

  prober->in_flight--;
  probe->answers[probe->step] = answer;
  if (probe->step == 0)
    note_plain(probe);
  fr_call_free(probe->call);
  probe->call = NULL;
  if (fr_seen_transient(&answer) && ++probe->attempts < ATTEMPTS)
    try_again(probe, answer.status, told_s);
  else
    go_on(probe);
  pump(prober);
}

/* ---- one probe ----------------------------------------------------------- */

enum fr_err fr_probe_new(struct fr_prober *prober, const char *link,
                         struct fr_probe **ret_probe)
{
  struct fr_probe *probe = calloc(1, sizeof(*probe));
  enum fr_err err;

  if (!probe)
    return FR_ENOMEM;
  probe->prober = prober;
  probe->result.age_s = -1;
  fr_list_init(&probe->link);
  fr_buf_init(&probe->text, FR_LINK_MOST + 2);
  fr_buf_init(&probe->url, URL_MOST);
  err = fr_buf_add(&probe->text, link, strnlen(link, FR_LINK_MOST + 1));
  if (err) {
    fr_probe_free(probe);
    return err;
  }
  *ret_probe = probe;
  return FR_OK;
}

static void leave(struct fr_probe *probe)
{
  fr_list_del(&probe->link);
  fr_timer_stop(probe->prober->loop, &probe->timer);
  if (!probe->call)
    return;
  fr_call_free(probe->call);
  probe->call = NULL;
  probe->prober->in_flight--;
  pump(probe->prober);
}

static void on_cancel(struct fr_op *op)
{
  leave(fr_container_of(op, struct fr_probe, op));
}

void fr_probe_start(struct fr_probe *probe)
{
  struct fr_prober *prober = probe->prober;
  const char *fault = fr_link_fault(fr_buf_text(&probe->text));

  fr_op_start(prober->loop, &probe->op, on_cancel);
  if (fault) {
    fr_text_copy(probe->result.why, sizeof(probe->result.why), fault);
    finish(probe, FR_OK);
    return;
  }
  fr_list_add(&prober->waiting, &probe->link);
  pump(prober);
}

void fr_probe_free(struct fr_probe *probe)
{
  if (!probe)
    return;
  fr_op_abandon(&probe->op);
  fr_buf_done(&probe->text);
  fr_buf_done(&probe->url);
  free(probe);
}

struct fr_op *fr_probe_op(struct fr_probe *probe)
{
  return &probe->op;
}

const struct fr_probe_result *fr_probe_result(const struct fr_probe *probe)
{
  return &probe->result;
}

/* ---- the prober ---------------------------------------------------------- */

enum fr_err fr_prober_new(struct fr_loop *loop,
                          const struct fr_prober_config *config,
                          struct fr_buf *why, struct fr_prober **ret_prober)
{
  struct fr_http_config http = {
    .read_only = true, .anonymous = true, .proxy = config->proxy,
    .ca_file = config->ca_file
  };
  struct fr_prober *prober = calloc(1, sizeof(*prober));
  double rate = config->rate > 0 ? config->rate : FR_PROBE_RATE;
  enum fr_err err = FR_OK;

  if (!prober)
    return FR_ENOMEM;
  prober->loop = loop;
  prober->concurrency = config->concurrency ? config->concurrency
                                            : FR_PROBE_CONCURRENCY;
  prober->gap_ms = 1000.0 / rate;
  prober->timer.on_due = on_due;
  fr_list_init(&prober->waiting);
  if (config->base)
    err = fr_link_check_base(config->base, why);
  if (!err && config->base && !(prober->base = strdup(config->base)))
    err = FR_ENOMEM;
  if (!err)
    err = fr_http_new(loop, &http, why, &prober->http);
  if (err)
    fr_prober_free(prober);
  else
    *ret_prober = prober;
  return err;
}

void fr_prober_free(struct fr_prober *prober)
{
  if (!prober)
    return;
  fr_timer_stop(prober->loop, &prober->timer);
  fr_http_free(prober->http);
  free(prober->base);
  free(prober);
}

void fr_prober_expect(struct fr_prober *prober, uint64_t files)
{
  prober->figures.expected = files;
}

void fr_prober_figures(const struct fr_prober *prober,
                       struct fr_prober_figures *ret_figures)
{
  *ret_figures = prober->figures;
}
