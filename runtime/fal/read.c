/* fal/read.c - reads: an exchange that may be repeated freely.
 *
 * The short list of POSTs that only read is here and not in Lua's table of
 * operations: a row added there must not become a way around the gate.
 */
#include "fal/read.h"

#include <stdlib.h>
#include <string.h>

#include "fal/exchange.h"
#include "fal/rows.h"

#define READ_ATTEMPTS 3
#define READ_BODY_MOST (16u << 20)
#define URL_MOST (64u << 10)
#define REQUEST_BODY_MOST (1u << 20)

struct fr_read {
  struct fr_exchange exchange;
  struct fr_buf url;
  struct fr_buf body;
  struct fr_page page;          /* of the last answer */
  bool any_body;
};

static const char *const reading_posts[] = {
  "/models/pricing/estimate",
  "/serverless/logs/history",
  "/serverless/logs/stream",
};

static bool only_reads(const struct fr_read_spec *spec)
{
  size_t i;

  if (!strcmp(spec->method, "GET"))
    return !spec->body;
  if (strcmp(spec->method, "POST"))
    return false;
  for (i = 0; i < sizeof(reading_posts) / sizeof(reading_posts[0]); i++) {
    if (!strcmp(spec->path, reading_posts[i]))
      return true;
  }
  return false;
}

/* Printable ASCII that cannot end the part of the URL it stands in. */
static bool is_clean(const char *text, const char *never)
{
  for (; *text; text++) {
    if (*text <= ' ' || *text > '~' || strchr(never, *text))
      return false;
  }
  return true;
}

static bool is_valid(const struct fr_read_spec *spec)
{
  if (!spec->method || !spec->path || spec->path[0] != '/')
    return false;
  if (strstr(spec->path, "/../") || strstr(spec->path, "/./"))
    return false;
  return is_clean(spec->path, "?#\\") &&
         (!spec->query || is_clean(spec->query, "#\\"));
}

/* Is this a list of the account's own requests, read with the very key that
 * deletes? /serverless/requests lists what others sent to one's apps. */
static bool lists_own(const struct fr_exchange *exchange)
{
  static const char own[] = "/models/requests/";
  const struct fr_fal_config *config = &exchange->fal->config;
  const char *path = exchange->spec.url + strlen(config->origin->base);

  return fr_keys_same(config->keys, exchange->spec.key, FR_KEY_ADMIN) &&
         !strncmp(path, own, sizeof(own) - 1);
}

static enum fr_err judge(struct fr_exchange *exchange, int status,
                         const char *body, size_t len, struct fr_buf *why)
{
  struct fr_fal *fal = exchange->fal;
  struct fr_rows rows = {
    .seen = fal->seen,
    .by_deleting_key = lists_own(exchange),
    .at_ms = fr_loop_at(fal->loop),
  };
  struct fr_read *read = fr_container_of(exchange, struct fr_read, exchange);
  enum fr_err err = FR_EPROTOCOL;

  if (status == 200)
    err = read->any_body ? FR_OK
                         : fr_rows_note(&read->page, body, len, &rows);
  if (status != 200)            /* 206 is a part, 202 means: later */
    fr_buf_say(why, "only 200 brings what was asked for");
  else if (err == FR_EPROTOCOL)
    fr_buf_say(why, "its body is not whole, valid JSON");
  else if (err == FR_ETOO_BIG)
    fr_buf_say(why, "this run has listed more young requests than it can "
               "keep in mind (%u); list a smaller window", FR_SEEN_MOST);
  return err;
}

enum fr_err fr_read_url(const struct fr_fal *fal,
                        const struct fr_read_spec *spec, struct fr_buf *url)
{
  enum fr_err err;

  if (!is_valid(spec))
    return FR_EINVALID;
  if (!only_reads(spec))
    return FR_EREAD_ONLY;
  err = fr_buf_addf(url, "%s%s%s%s", fal->config.origin->base, spec->path,
                    spec->query ? "?" : "", spec->query ? spec->query : "");
  return err == FR_ETOO_BIG ? FR_EINVALID : err;
}

static enum fr_err put_texts(struct fr_read *read, const struct fr_fal *fal,
                             const struct fr_read_spec *spec)
{
  enum fr_err err = fr_read_url(fal, spec, &read->url);

  if (!err && spec->body)
    err = fr_buf_add_text(&read->body, spec->body);
  return err == FR_ETOO_BIG ? FR_EINVALID : err;
}

enum fr_err fr_read_new(struct fr_fal *fal, const struct fr_read_spec *spec,
                        struct fr_read **ret_read)
{
  struct fr_exchange_spec exchange = {
    .max_body = READ_BODY_MOST,
    .key = spec->key,
    .attempts = READ_ATTEMPTS,
    .timeout_ms = spec->timeout_ms,
    .trial = spec->trial,
    .judge = judge,
  };
  struct fr_read *read;
  enum fr_err err;

  read = calloc(1, sizeof(*read));
  if (!read)
    return FR_ENOMEM;
  fr_buf_init(&read->url, URL_MOST);
  fr_buf_init(&read->body, REQUEST_BODY_MOST);
  fr_page_init(&read->page);
  read->any_body = spec->any_body;
  err = put_texts(read, fal, spec);
  if (err) {
    fr_read_free(read);
    return err;
  }
  exchange.method = strcmp(spec->method, "POST") ? "GET" : "POST";
  exchange.url = fr_buf_text(&read->url);
  exchange.content_type = spec->body ? "application/json" : NULL;
  exchange.body = spec->body ? fr_buf_text(&read->body) : NULL;
  exchange.body_len = read->body.len;
  fr_exchange_init(&read->exchange, fal, &exchange);
  *ret_read = read;
  return FR_OK;
}

void fr_read_start(struct fr_read *read)
{
  fr_exchange_start(&read->exchange);
}

void fr_read_free(struct fr_read *read)
{
  if (!read)
    return;
  fr_exchange_done(&read->exchange);
  fr_buf_done(&read->url);
  fr_buf_done(&read->body);
  fr_page_done(&read->page);
  free(read);
}

struct fr_op *fr_read_op(struct fr_read *read)
{
  return &read->exchange.op;
}

int fr_read_status(const struct fr_read *read)
{
  return read->exchange.status;
}

const char *fr_read_body(const struct fr_read *read, size_t *ret_len)
{
  if (!read->exchange.call || !read->exchange.status ||
      read->exchange.state == FR_EXCHANGE_SENT) {
    *ret_len = 0;
    return "";
  }
  return fr_call_body(read->exchange.call, ret_len);
}

const char *fr_read_type(const struct fr_read *read)
{
  const char *type = read->exchange.call && read->exchange.status
    ? fr_call_header(read->exchange.call, "Content-Type") : NULL;

  return type ? type : "";
}

const struct fr_page *fr_read_page(const struct fr_read *read)
{
  return !read->exchange.op.err && read->page.is_list ? &read->page : NULL;
}

const char *fr_read_message(const struct fr_read *read)
{
  return fr_exchange_message(&read->exchange);
}
