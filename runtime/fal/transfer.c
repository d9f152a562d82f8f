/* fal/transfer.c - see transfer.h. Up to the head it is an exchange as any
 * other; the exchange is over then, and its call goes on. What comes after
 * the head is told by the call, perhaps before the op of the exchange was
 * delivered: nothing is looked at before that. */
#include "fal/transfer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fal/answer.h"
#include "fal/exchange.h"
#include "fal/keyring.h"

#define ATTEMPTS 3u
#define KEPT_MOST (256u << 10)          /* bytes that wait for the owner */
#define TEXTS_MOST (70u << 10)
#define BODY_MOST (1u << 20)
#define HELD_BACK (2u * FR_KEY_MOST)    /* of a line: more than any key */

struct fr_transfer {
  struct fr_op op;
  struct fr_exchange exchange;
  struct fr_transfer_spec spec;         /* its texts are not: see below */
  struct fr_buf url, body, headers;
  char range[40];
  struct fr_buf message;                /* of what broke off */
  bool begun;
};

/* ---- making -------------------------------------------------------------- */

/* Each text with its NUL, one after the other; the room was set before. */
static enum fr_err keep(struct fr_buf *texts, const char *text,
                        const char **ret_text)
{
  size_t at = texts->len;
  enum fr_err err = text ? fr_buf_add(texts, text, strlen(text) + 1) : FR_OK;

  *ret_text = text && !err ? texts->data + at : NULL;
  return err;
}

static size_t size_of(const char *text)
{
  return text ? strlen(text) + 1 : 0;
}

/* Room for all at once, so that none moves when the next one comes. */
static enum fr_err make_room(struct fr_buf *texts, size_t size)
{
  char *room = size ? calloc(1, size) : NULL;
  enum fr_err err = FR_OK;

  if (size && !room)
    return FR_ENOMEM;
  if (room)
    err = fr_buf_add(texts, room, size);
  free(room);
  fr_buf_clear(texts);
  return err;
}

static enum fr_err put_texts(struct fr_transfer *transfer, struct fr_fal *fal,
                             const struct fr_transfer_spec *spec,
                             struct fr_exchange_spec *exchange)
{
  struct fr_buf *texts = &transfer->headers;
  enum fr_err err = fr_read_url(fal, &spec->read, &transfer->url);

  if (!err && spec->read.body)
    err = fr_buf_add_text(&transfer->body, spec->read.body);
  if (!err)
    err = make_room(texts, size_of(spec->accept) + size_of(spec->if_range) +
                           size_of(spec->last_event_id));
  if (!err)
    err = keep(texts, spec->accept, &exchange->accept);
  if (!err)
    err = keep(texts, spec->if_range, &exchange->if_range);
  if (!err)
    err = keep(texts, spec->last_event_id, &exchange->last_event_id);
  if (!err && spec->from) {
    snprintf(transfer->range, sizeof(transfer->range), "bytes=%llu-",
             (unsigned long long)spec->from);
    exchange->range = transfer->range;
  }
  return err == FR_ETOO_BIG ? FR_EINVALID : err;
}

static enum fr_err judge(struct fr_exchange *exchange, int status,
                         const char *body, size_t len, struct fr_buf *why);
static void on_piece(struct fr_exchange *exchange);

enum fr_err fr_transfer_new(struct fr_fal *fal,
                            const struct fr_transfer_spec *spec,
                            struct fr_transfer **ret_transfer)
{
  struct fr_exchange_spec exchange = {
    .method = spec->read.method && !strcmp(spec->read.method, "POST")
              ? "POST" : "GET",
    .max_body = KEPT_MOST,
    .key = spec->read.key,
    .attempts = spec->attempts ? spec->attempts : ATTEMPTS,
    .timeout_ms = spec->read.timeout_ms,
    .stall_ms = spec->stall_ms,
    .judge = judge,
    .piece = on_piece,
  };
  struct fr_transfer *transfer = calloc(1, sizeof(*transfer));
  enum fr_err err;

  if (!transfer)
    return FR_ENOMEM;
  transfer->spec = *spec;
  fr_buf_init(&transfer->url, TEXTS_MOST);
  fr_buf_init(&transfer->body, BODY_MOST);
  fr_buf_init(&transfer->headers, TEXTS_MOST);
  fr_buf_init(&transfer->message, FR_ANSWER_SENTENCE_MOST);
  err = put_texts(transfer, fal, spec, &exchange);
  if (err) {
    fr_transfer_free(transfer);
    return err;
  }
  exchange.url = fr_buf_text(&transfer->url);
  exchange.content_type = spec->read.body ? "application/json" : NULL;
  exchange.body = spec->read.body ? fr_buf_text(&transfer->body) : NULL;
  exchange.body_len = transfer->body.len;
  fr_exchange_init(&transfer->exchange, fal, &exchange);
  *ret_transfer = transfer;
  return FR_OK;
}

void fr_transfer_free(struct fr_transfer *transfer)
{
  if (!transfer)
    return;
  fr_op_abandon(&transfer->op);
  fr_exchange_done(&transfer->exchange);
  fr_buf_done(&transfer->url);
  fr_buf_done(&transfer->body);
  fr_buf_done(&transfer->headers);
  fr_buf_done(&transfer->message);
  free(transfer);
}

/* ---- the head ------------------------------------------------------------ */

/* No encoding was asked for: what came is not the bytes that are meant. */
static bool is_plain(const struct fr_transfer *transfer, struct fr_buf *why)
{
  const char *encoding = fr_transfer_header(transfer, "Content-Encoding");

  if (!encoding || !*encoding || !strcasecmp(encoding, "identity"))
    return true;
  fr_buf_say(why, "its body is encoded (");
  (void)fr_buf_add_plain(why, encoding, strlen(encoding), 20);
  (void)fr_buf_add_text(why, "), which nobody asked for");
  return false;
}

static enum fr_err judge(struct fr_exchange *exchange, int status,
                         const char *body, size_t len, struct fr_buf *why)
{
  struct fr_transfer *transfer =
    fr_container_of(exchange, struct fr_transfer, exchange);

  (void)body;
  (void)len;
  if (!is_plain(transfer, why))
    return FR_EPROTOCOL;
  return transfer->spec.judge
         ? transfer->spec.judge(transfer->spec.arg, status, why) : FR_OK;
}

/* ---- the body ------------------------------------------------------------ */

static void stop(struct fr_transfer *transfer, enum fr_err err)
{
  fr_call_free(transfer->exchange.call);
  transfer->exchange.call = NULL;
  fr_op_finish(&transfer->op, err);
}

static void break_off(struct fr_transfer *transfer)
{
  struct fr_exchange *exchange = &transfer->exchange;
  const char *detail = exchange->call ? fr_call_detail(exchange->call) : "";

  fr_answer_say_cut(&transfer->message, exchange->call_err, detail,
                    exchange->fal->config.keys);
}

/* The owner may free the transfer in `ready`; nothing comes after it. */
static void look(struct fr_transfer *transfer)
{
  struct fr_exchange *exchange = &transfer->exchange;

  if (exchange->fal->stopped) {
    fr_buf_say(&transfer->message, "%s",
               fr_fal_stop_sentence(exchange->fal));
    stop(transfer, FR_ESTOPPED);
    return;
  }
  if (exchange->call_over) {
    if (exchange->call_err)
      break_off(transfer);
    fr_op_finish(&transfer->op, exchange->call_err);
  }
  transfer->spec.ready(transfer->spec.arg);
}

static void on_piece(struct fr_exchange *exchange)
{
  struct fr_transfer *transfer =
    fr_container_of(exchange, struct fr_transfer, exchange);

  if (transfer->begun && transfer->op.pending)
    look(transfer);
}

static void on_head(struct fr_op *op, void *arg)
{
  struct fr_transfer *transfer = arg;

  if (op->err) {
    fr_op_finish(&transfer->op, op->err);
    return;
  }
  transfer->begun = true;
  look(transfer);
}

static void on_cancel(struct fr_op *op)
{
  struct fr_transfer *transfer = fr_container_of(op, struct fr_transfer, op);

  if (!transfer->begun)
    fr_op_cancel(&transfer->exchange.op);
  stop(transfer, FR_ECANCELLED);
}

void fr_transfer_start(struct fr_transfer *transfer)
{
  fr_op_start(transfer->exchange.fal->loop, &transfer->op, on_cancel);
  fr_exchange_start(&transfer->exchange);
  fr_op_wait(&transfer->exchange.op, on_head, transfer);
}

struct fr_op *fr_transfer_op(struct fr_transfer *transfer)
{
  return &transfer->op;
}

bool fr_transfer_begun(const struct fr_transfer *transfer)
{
  return transfer->begun;
}

/* ---- what came ----------------------------------------------------------- */

int fr_transfer_status(const struct fr_transfer *transfer)
{
  return transfer->exchange.status;
}

const char *fr_transfer_header(const struct fr_transfer *transfer,
                               const char *name)
{
  const struct fr_call *call = transfer->exchange.call;

  return call ? fr_call_header(call, name) : NULL;
}

const char *fr_transfer_bytes(const struct fr_transfer *transfer,
                              size_t *ret_len)
{
  const struct fr_call *call = transfer->exchange.call;

  if (transfer->begun && call)
    return fr_call_body(call, ret_len);
  *ret_len = 0;
  return "";
}

/* A key has no line end in it: behind the last one nothing can be cut. */
static size_t whole_lines(const char *text, size_t len)
{
  while (len && text[len - 1] != '\n' && text[len - 1] != '\r')
    len--;
  return len;
}

const char *fr_transfer_text(struct fr_transfer *transfer, size_t *ret_len)
{
  struct fr_call *call = transfer->exchange.call;
  size_t len, lines;
  char *text;

  *ret_len = 0;
  if (!transfer->begun || !call)
    return "";
  text = fr_call_body_edit(call, &len);
  fr_keys_scrub(transfer->exchange.fal->config.keys, text, len);
  lines = whole_lines(text, len);
  if (transfer->exchange.call_over)
    *ret_len = len;
  else if (lines)
    *ret_len = lines;
  else if (KEPT_MOST - len < FR_PIECE_MOST)
    *ret_len = len - HELD_BACK;
  return text;
}

void fr_transfer_drop(struct fr_transfer *transfer, size_t len)
{
  if (transfer->exchange.call)
    fr_call_drop(transfer->exchange.call, len);
}

const char *fr_transfer_message(const struct fr_transfer *transfer)
{
  return transfer->message.len ? fr_buf_text(&transfer->message)
                               : fr_exchange_message(&transfer->exchange);
}
