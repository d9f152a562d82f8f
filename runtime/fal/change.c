/* fal/change.c - the one place that writes a DELETE.
 *
 * An exchange with the admin key, an Idempotency-Key and a strict judge; the
 * answer's struct is filled when somebody asks for it, from what the
 * exchange knows. A 204 is undocumented and counts as success without files.
 */
#include "fal/change.h"

#include <stdlib.h>
#include <string.h>

#include "base/plain.h"
#include "base/pool.h"
#include "fal/exchange.h"

#define CHANGE_ATTEMPTS 5
#define CHANGE_BODY_MOST (1u << 20)
#define KEY_MOST 255           /* FR_KEY_TEXT of the ledger, less the NUL */
#define URL_MOST 1024
#define REPEATS_BEFORE 2                /* of a generation that ended */

struct fr_change {
  struct fr_exchange exchange;
  struct fr_change_answer answer;
  struct fr_cdn cdn;
  struct fr_buf url;
  char key[KEY_MOST + 1];
};

static struct fr_pool pool = FR_POOL(struct fr_change);

static bool is_key(const char *key)
{
  size_t len = key ? strnlen(key, KEY_MOST + 1) : 0;

  return len > 0 && len <= KEY_MOST && fr_printable(key, len);
}

static enum fr_err judge(struct fr_exchange *exchange, int status,
                         const char *body, size_t len, struct fr_buf *why)
{
  struct fr_change *change = fr_container_of(exchange, struct fr_change,
                                             exchange);
  enum fr_err err;
  size_t i = 0;

  if (status == 204 && !len)
    return FR_OK;
  if (status != 200) {          /* 202 would mean: perhaps, later */
    fr_buf_say(why, "only 200 and an empty 204 mean that it was deleted");
    return FR_EPROTOCOL;
  }
  err = fr_cdn_read(body, len, exchange->fal->config.keys, why,
                    &change->cdn);
  if (err != FR_EPARTIAL)
    return err;
  while (!change->cdn.files[i].exception)
    i++;
  fr_buf_say(why, "%zu of %zu files were not deleted: ", change->cdn.left,
             change->cdn.nfiles);
  if (*change->cdn.files[i].exception)
    (void)fr_buf_add_plain(why, change->cdn.files[i].exception,
                           strlen(change->cdn.files[i].exception), 120);
  else
    (void)fr_buf_add_text(why, "the API does not say why");
  return err;
}

static enum fr_err put_url(struct fr_change *change, const struct fr_fal *fal,
                           const struct fr_uuid *id)
{
  char text[FR_UUID_TEXT];
  enum fr_err err = fr_buf_add_text(&change->url, fal->config.origin->base);

  fr_uuid_format(id, text);
  if (!err)
    err = fr_buf_add_text(&change->url, "/models/requests/");
  if (!err)
    err = fr_buf_add_text(&change->url, text);
  return err ? err : fr_buf_add_text(&change->url, "/payloads");
}

enum fr_err fr_change_new(struct fr_fal *fal,
                          const struct fr_change_spec *spec,
                          struct fr_change **ret_change)
{
  struct fr_exchange_spec exchange = {
    .method = "DELETE",
    .max_body = CHANGE_BODY_MOST,
    .key = FR_KEY_ADMIN,
    .changes = true,
    .attempts = spec->attempts ? spec->attempts : CHANGE_ATTEMPTS,
    .timeout_ms = spec->timeout_ms,
    .key_at_ms = spec->key_at_ms,
    .backoff = spec->last_status ? REPEATS_BEFORE : 0,
    .judge = judge,
  };
  struct fr_change *change;

  if (!is_key(spec->idempotency_key))
    return FR_EINVALID;
  change = fr_pool_new(&pool);
  if (!change)
    return FR_ENOMEM;
  fr_buf_init(&change->url, URL_MOST);
  if (put_url(change, fal, &spec->id)) {
    fr_change_free(change);
    return FR_ENOMEM;
  }
  memcpy(change->key, spec->idempotency_key, strlen(spec->idempotency_key));
  exchange.url = fr_buf_text(&change->url);
  exchange.idempotency_key = change->key;
  fr_exchange_init(&change->exchange, fal, &exchange);
  *ret_change = change;
  return FR_OK;
}

void fr_change_start(struct fr_change *change)
{
  fr_exchange_start(&change->exchange);
}

bool fr_change_withdraw(struct fr_change *change)
{
  return fr_exchange_withdraw(&change->exchange, FR_ECANCELLED);
}

void fr_change_free(struct fr_change *change)
{
  if (!change)
    return;
  fr_exchange_done(&change->exchange);
  fr_cdn_done(&change->cdn);
  fr_buf_done(&change->url);
  fr_pool_free(&pool, change);
}

struct fr_op *fr_change_op(struct fr_change *change)
{
  return &change->exchange.op;
}

const struct fr_change_answer *fr_change_answer(const struct fr_change *from)
{
  struct fr_change *change = (struct fr_change *)from;  /* a cache in it */
  const struct fr_exchange *exchange = &change->exchange;
  bool over = exchange->state == FR_EXCHANGE_OVER;

  change->answer = (struct fr_change_answer){
    .err = exchange->err,
    .again = exchange->again,
    .retryable = fr_err_retryable(exchange->err),
    .http_status = exchange->status,
    .attempts = exchange->attempts,
    .unanswered = exchange->unanswered,
    .doubtful = exchange->doubtful,
    .replayed = exchange->replayed,
    .elapsed_ms = over ? exchange->ended - exchange->started : 0,
    .message = fr_exchange_message(exchange),
    .files = change->cdn.files,
    .nfiles = change->cdn.nfiles,
  };
  return &change->answer;
}
