/* fal/exchange.c - the state machine of one request and its repeats.
 *
 * One attempt ends in on_answer: the call's error and status become a class,
 * a 2xx is judged by the owner, everything shared learns of it (throttle,
 * breaker, clock, stop), and then `settle` either ends the exchange or
 * pauses it. Whether the key is still good is asked when the repeat is due
 * and once more when its slot comes, because a pause can be long.
 *
 * A repeat costs the run's budget, at once when it is decided. One that
 * needs a new key waits for its moment first and ends then:
 * whoever makes the next generation may send at once.
 */
#include "fal/exchange.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "fal/answer.h"

#define CONNECT_MS 10000u
#define TOTAL_MS 60000u
#define STALL_MS 30000u
#define HEADERS_MOST 65536u

static void on_grant(struct fr_slot *slot);
static void on_due(struct fr_timer *timer);
static void on_ready(void *arg);
static void on_answer(struct fr_op *op, void *arg);
static void answered(struct fr_exchange *exchange, enum fr_err transport);

void fr_exchange_init(struct fr_exchange *exchange, struct fr_fal *fal,
                      const struct fr_exchange_spec *spec)
{
  memset(exchange, 0, sizeof(*exchange));
  exchange->fal = fal;
  exchange->spec = *spec;
  exchange->generation.key_at_ms = spec->key_at_ms;
  exchange->slot.on_grant = on_grant;
  exchange->timer.on_due = on_due;
  fr_list_init(&exchange->link);
  fr_buf_init(&exchange->message, FR_ANSWER_SENTENCE_MOST);
}

const char *fr_exchange_message(const struct fr_exchange *exchange)
{
  if (!exchange->err)
    return "";
  if (!exchange->message.len)
    return fr_err_message(exchange->err);
  return fr_buf_text(&exchange->message);
}

/* ---- the end ------------------------------------------------------------ */

static void finish(struct fr_exchange *exchange, enum fr_err err)
{
  if (exchange->state == FR_EXCHANGE_OVER)
    return;
  fr_throttle_leave(&exchange->fal->throttle, &exchange->slot);
  fr_timer_stop(exchange->fal->loop, &exchange->timer);
  fr_list_del(&exchange->link);
  exchange->state = FR_EXCHANGE_OVER;
  exchange->err = err;
  exchange->ended = fr_loop_now(exchange->fal->loop);
  fr_op_finish(&exchange->op, err);
}

bool fr_exchange_withdraw(struct fr_exchange *exchange, enum fr_err err)
{
  if (exchange->state == FR_EXCHANGE_SENT &&
      (!exchange->call || !fr_call_recall(exchange->call)))
    return false;
  if (exchange->state == FR_EXCHANGE_NEW ||
      exchange->state == FR_EXCHANGE_OVER)
    return true;
  if (!exchange->message.len && err == FR_ESTOPPED)
    fr_buf_say(&exchange->message, "%s",
               fr_fal_stop_sentence(exchange->fal));
  finish(exchange, err);
  return true;
}

static void on_cancel(struct fr_op *op)
{
  struct fr_exchange *exchange = fr_container_of(op, struct fr_exchange, op);

  if (exchange->state == FR_EXCHANGE_OVER)
    return;
  if (exchange->state == FR_EXCHANGE_SENT) {
    if (fr_call_sent(exchange->call)) {
      exchange->attempts++;
      exchange->unanswered = true;
    }
    fr_call_free(exchange->call);
    exchange->call = NULL;
  }
  finish(exchange, FR_ECANCELLED);
}

void fr_exchange_done(struct fr_exchange *exchange)
{
  if (!exchange->fal)
    return;
  if (exchange->state != FR_EXCHANGE_NEW)
    on_cancel(&exchange->op);
  fr_op_abandon(&exchange->op);
  fr_call_free(exchange->call);
  exchange->call = NULL;
  fr_buf_done(&exchange->message);
}

/* ---- sending ------------------------------------------------------------ */

static uint32_t at_most(uint32_t ms, uint32_t most)
{
  return ms < most ? ms : most;
}

/* Without a byte: in pieces and of a file that is sent it is the only time;
 * a file is sent as long as it moves. */
static uint32_t stall_of(const struct fr_exchange_spec *spec, uint32_t total)
{
  uint32_t stall = spec->stall_ms ? spec->stall_ms : STALL_MS;

  if (spec->upload)
    return total;
  return spec->piece ? stall : at_most(stall, total);
}

static enum fr_err make_call(struct fr_exchange *exchange,
                             struct fr_call **ret_call)
{
  const struct fr_exchange_spec *spec = &exchange->spec;
  uint32_t total = spec->timeout_ms ? spec->timeout_ms : TOTAL_MS;
  struct fr_call_spec call = {
    .method = spec->method,
    .url = spec->url,
    .changes = spec->changes,
    .authorization = fr_keys_authorization(exchange->fal->config.keys,
                                           spec->key),
    .idempotency_key = spec->idempotency_key,
    .content_type = spec->content_type,
    .body = spec->body,
    .body_len = spec->body_len,
    .upload = spec->upload,
    .max_body = spec->max_body,
    .max_headers = HEADERS_MOST,
    .connect_ms = at_most(CONNECT_MS, total),
    .total_ms = spec->piece || spec->upload ? 0 : total,
    .stall_ms = stall_of(spec, total),
    .range = spec->range, .if_range = spec->if_range,
    .last_event_id = spec->last_event_id, .accept = spec->accept,
    .ready = spec->piece ? on_ready : NULL, .ready_arg = exchange,
  };

  return fr_call_new(exchange->fal->http, &call, ret_call);
}

/* Also the first one with a new key. */
static bool is_repeat(const struct fr_exchange *exchange)
{
  return exchange->tries > 0 || exchange->spec.backoff > 0;
}

/* In pieces the head has a time of its own, and the body none. */
static void time_head(struct fr_exchange *exchange)
{
  uint32_t ms = exchange->spec.timeout_ms;

  fr_timer_start(exchange->fal->loop, &exchange->timer,
                 fr_loop_now(exchange->fal->loop) + (ms ? ms : TOTAL_MS));
}

static void send_attempt(struct fr_exchange *exchange)
{
  enum fr_err err;

  fr_call_free(exchange->call);
  exchange->call = NULL;
  err = make_call(exchange, &exchange->call);
  if (err) {
    fr_buf_say(&exchange->message, "%s", fr_err_message(err));
    finish(exchange, err);
    return;
  }
  exchange->state = FR_EXCHANGE_SENT;
  exchange->sent = ++exchange->fal->requests;
  exchange->fal->retries += is_repeat(exchange);
  exchange->tries++;
  exchange->call_over = false;
  if (exchange->spec.piece)
    time_head(exchange);
  fr_call_start(exchange->call);
  fr_op_wait(fr_call_op(exchange->call), on_answer, exchange);
}

/* The key of a repeat is too old, or brought the same failure twice: the
 * caller announces a new one. True: the exchange is over. */
static bool key_is_over(struct fr_exchange *exchange)
{
  if (!exchange->tries || !exchange->spec.idempotency_key ||
      fr_generation_good(&exchange->generation,
                         fr_loop_at(exchange->fal->loop)))
    return false;
  exchange->again = true;
  finish(exchange, exchange->err);
  return true;
}

static void on_grant(struct fr_slot *slot)
{
  struct fr_exchange *exchange = fr_container_of(slot, struct fr_exchange,
                                                 slot);

  if (!key_is_over(exchange))
    send_attempt(exchange);
}

static void on_due(struct fr_timer *timer)
{
  struct fr_exchange *exchange = fr_container_of(timer, struct fr_exchange,
                                                 timer);

  if (exchange->state == FR_EXCHANGE_SENT) {
    answered(exchange, FR_ETIMEOUT);
    return;
  }
  if (key_is_over(exchange))
    return;
  exchange->state = FR_EXCHANGE_QUEUED;
  fr_throttle_wait(&exchange->fal->throttle, &exchange->slot,
                   exchange->spec.changes ? FR_LANE_RETRY : FR_LANE_READ);
}

void fr_exchange_start(struct fr_exchange *exchange)
{
  struct fr_fal *fal = exchange->fal;
  const char *lacks;

  if (exchange->state != FR_EXCHANGE_NEW)
    return;
  exchange->started = fr_loop_now(fal->loop);
  exchange->state = FR_EXCHANGE_QUEUED;
  fr_list_add(&fal->exchanges, &exchange->link);
  fr_op_start(fal->loop, &exchange->op, on_cancel);
  if (fal->stopped) {
    fr_exchange_withdraw(exchange, FR_ESTOPPED);
  } else if ((lacks = fr_fal_lacks_key(fal, exchange->spec.key))) {
    fr_buf_say(&exchange->message, "%s", lacks);
    finish(exchange, FR_ECONFIG);
  } else {
    fr_throttle_wait(&fal->throttle, &exchange->slot,
                     exchange->spec.changes ? FR_LANE_CHANGE : FR_LANE_READ);
  }
}

void fr_fal_uploads(const struct fr_fal *fal, uint64_t *ret_sent,
                    uint64_t *ret_all)
{
  const struct fr_list *link = fal->exchanges.next;

  *ret_sent = *ret_all = 0;
  for (; link != &fal->exchanges; link = link->next) {
    const struct fr_upload *upload =
      fr_container_of(link, struct fr_exchange, link)->spec.upload;

    if (!upload)
      continue;
    *ret_sent += (uint64_t)upload->at;
    *ret_all += (uint64_t)fr_upload_size(upload);
  }
}

/* ---- answers ------------------------------------------------------------ */

/* The class of the attempt that is over, and its sentence. */
static enum fr_err judge(struct fr_exchange *exchange, enum fr_err transport)
{
  const struct fr_keys *keys = exchange->fal->config.keys;
  struct fr_call *call = exchange->call;
  enum fr_err err = fr_retry_class(transport, exchange->status);
  struct fr_buf why;
  size_t len = 0;
  char *body;

  if (transport) {
    fr_answer_say_none(&exchange->message, err, fr_call_detail(call), keys);
    return err;
  }
  body = fr_call_body_edit(call, &len);
  if (err || !exchange->spec.piece)
    fr_keys_scrub(keys, body, len);     /* a file stays as it is */
  if (err) {
    fr_answer_say(&exchange->message, exchange->status, body, len, keys);
    return err;
  }
  fr_buf_init(&why, FR_ANSWER_WORDS_MOST);
  err = exchange->spec.judge(exchange, exchange->status, body, len, &why);
  if (err)
    fr_buf_say(&exchange->message, "fal answered %d, but %s",
               exchange->status,
               why.len ? fr_buf_text(&why) : fr_err_message(err));
  fr_buf_done(&why);
  return err;
}

/* No answer, or none that can be used: the effect is unknown. */
static bool is_unusable(enum fr_err transport, enum fr_err err)
{
  return transport || err == FR_EPROTOCOL || err == FR_ENOMEM;
}

/* 501 and 503 say that nothing was done; any other 5xx may come from a gateway
 * whose upstream has done it. */
static bool is_doubtful(int status)
{
  return status >= 500 && status < 600 && status != 501 && status != 503;
}

static void tell_throttle(struct fr_exchange *exchange, uint64_t told)
{
  struct fr_throttle *throttle = &exchange->fal->throttle;
  enum fr_load load = FR_LOAD_NEUTRAL;

  if (exchange->status == 429) {
    exchange->fal->limited++;
    fr_throttle_refused(throttle, &exchange->slot, told);
    return;
  }
  if (exchange->status == 503)
    load = FR_LOAD_BUSY;
  else if (exchange->status >= 200 && exchange->status < 500)
    load = FR_LOAD_GOOD;
  fr_throttle_release(throttle, &exchange->slot, load);
}

/* The wait that the answer asks for, 0: none. */
static uint64_t told_wait(const struct fr_exchange *exchange)
{
  const struct fr_call *call = exchange->call;
  bool limited = exchange->status == 429 || exchange->status == 503;
  struct fr_retry_told told = {
    .retry_after = fr_call_header(call, "Retry-After"),
    .reset = limited ? fr_call_header(call, "x-ratelimit-reset") : NULL,
    .date = fr_call_header(call, "Date"),
    .at_ms = fr_loop_at(exchange->fal->loop),
  };
  uint64_t ms = 0;

  return exchange->status && fr_retry_wait(&told, &ms) ? ms : 0;
}

/* No repeat: the breaker counts it, a listing that cannot be read marks the
 * run. A question without a key (/meta, for its Date) says nothing of the
 * run: who asked it decides. */
static void give_up(struct fr_exchange *exchange, bool cut_short)
{
  const char *sentence = fr_exchange_message(exchange);
  bool counts = !cut_short || exchange->err == FR_ETIMEOUT;

  if (exchange->spec.key != FR_KEY_NONE) {
    if (!exchange->spec.changes && !exchange->fal->stopped) {
      exchange->fal->config.verdict->unavailable = true;
      fr_verdict_say(exchange->fal->config.verdict, "%s", sentence);
    }
    fr_fal_note_failure(exchange->fal, counts ? 0 : exchange->sent, sentence);
  }
  finish(exchange, exchange->err);
}

/* A repeat is due, but the budget of the run does not have it. */
static void cut_short(struct fr_exchange *exchange)
{
  struct fr_buf whole;

  fr_buf_init(&whole, FR_ANSWER_SENTENCE_MOST);
  fr_buf_say(&whole, "%s; not repeated, for too many requests of this run "
             "had to be", fr_exchange_message(exchange));
  fr_buf_say(&exchange->message, "%s", fr_buf_text(&whole));
  fr_buf_done(&whole);
  give_up(exchange, true);
}

/* After a failure that a repeat may cure. The exchange still counts as SENT,
 * so that a stop which begins here leaves it its own, truer error. */
static void settle(struct fr_exchange *exchange, uint64_t told)
{
  struct fr_fal *fal = exchange->fal;
  bool limited = exchange->status == 429 || exchange->status == 503;
  uint64_t now = fr_loop_now(fal->loop), wait = told;

  if (told > FR_RETRY_WAIT_MOST_MS) {
    fr_fal_unavailable(fal, fr_exchange_message(exchange));
  } else if (limited && told) {
    fr_throttle_pause(&fal->throttle, now + told);
  }
  if (fal->stopped || exchange->tries >= exchange->spec.attempts ||
      (exchange->spec.once && exchange->attempts > 0)) {
    give_up(exchange, false);
    return;
  }
  if (!fr_budget_take(&fal->budget, exchange->err)) {
    cut_short(exchange);
    return;
  }
  if (!told)
    wait = fr_retry_delay(limited ? FR_RETRY_LIMITED_MS : FR_RETRY_BASE_MS,
                          exchange->tries - 1 + exchange->spec.backoff,
                          fal->unit());
  exchange->state = FR_EXCHANGE_PAUSED;
  fr_timer_start(fal->loop, &exchange->timer, now + wait);
}

/* What everybody else learns from this attempt. */
static void note(struct fr_exchange *exchange, enum fr_err transport)
{
  struct fr_fal *fal = exchange->fal;
  enum fr_err err = exchange->err;

  if (!transport)
    fr_fal_note_answer(fal, exchange->call);
  if (!transport && err != FR_EPROTOCOL &&
      (exchange->status / 100 == 2 || err == FR_EBAD_REQUEST ||
       err == FR_ENOT_FOUND)) {
    fr_fal_note_alive(fal);
    if (exchange->tries == 1 && !exchange->spec.backoff)
      fr_budget_give(&fal->budget);
  }
  if (fr_call_sent(exchange->call))
    exchange->attempts++;
  exchange->replayed = exchange->unanswered && !is_unusable(transport, err);
  if (fr_call_sent(exchange->call) && is_unusable(transport, err))
    exchange->unanswered = true;
  exchange->doubtful |= is_doubtful(exchange->status);
  if (exchange->status)
    fr_generation_note(&exchange->generation, exchange->status);
}

/* In pieces a call that failed may have more to say; nobody listens. */
static void hang_up(struct fr_exchange *exchange)
{
  fr_timer_stop(exchange->fal->loop, &exchange->timer);
  if (!exchange->err)
    return;
  fr_call_free(exchange->call);
  exchange->call = NULL;
}

static void answered(struct fr_exchange *exchange, enum fr_err transport)
{
  uint64_t told = 0;
  bool transient;

  exchange->status = transport ? 0 : fr_call_status(exchange->call);
  exchange->err = judge(exchange, transport);
  note(exchange, transport);
  transient = fr_retry_transient(exchange->err);
  if (!transport && (transient || exchange->status == 429))
    told = told_wait(exchange);
  tell_throttle(exchange, told);
  if (exchange->spec.piece)
    hang_up(exchange);
  if (transient) {
    settle(exchange, told);
    return;
  }
  if (exchange->err == FR_EAUTH && exchange->spec.key != FR_KEY_NONE &&
      !exchange->spec.trial)
    fr_fal_refused(exchange->fal, fr_exchange_message(exchange));
  if (exchange->err == FR_ETLS)
    give_up(exchange, false);
  else
    finish(exchange, exchange->err);
}

/* In pieces a head is one, also if the body broke off in the same moment. */
static bool has_head(const struct fr_exchange *exchange)
{
  return exchange->spec.piece && fr_call_begun(exchange->call) &&
         fr_call_status(exchange->call) / 100 == 2;
}

static void on_answer(struct fr_op *op, void *arg)
{
  struct fr_exchange *exchange = arg;

  exchange->call_over = true;
  exchange->call_err = op->err;
  if (exchange->state == FR_EXCHANGE_OVER)
    exchange->spec.piece(exchange);
  else
    answered(exchange, has_head(exchange) ? FR_OK : op->err);
}

/* The head, or bytes. What went wrong is read to its end, but when it is full
 * the rest is not waited for. */
static void on_ready(void *arg)
{
  struct fr_exchange *exchange = arg;
  size_t len;

  (void)fr_call_body(exchange->call, &len);
  if (exchange->state == FR_EXCHANGE_OVER)
    exchange->spec.piece(exchange);
  else if (fr_call_status(exchange->call) / 100 == 2 ||
           exchange->spec.max_body - len < FR_PIECE_MOST)
    answered(exchange, FR_OK);
}
