/* fal/act.c - an exchange that changes something.
 *
 * What a path means is for the server to say, so a path that two servers
 * could read in two ways is refused: escapes of anything but a byte that
 * has to be escaped, empty and dot segments, parameters after a semicolon.
 * What is left has one reading, and that is held against the one path that
 * is not for here.
 */
#include "fal/act.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fal/exchange.h"
#include "fal/json.h"

#define ACT_ATTEMPTS 5
#define ACT_BODY_MOST (16u << 20)
#define REQUEST_BODY_MOST (1u << 20)
#define URL_MOST (64u << 10)
#define KEY_MOST 255

struct fr_act {
  struct fr_exchange exchange;
  struct fr_buf url, body;
  char key[KEY_MOST + 1];
};

/* ---- what may be sent ---------------------------------------------------- */

static const char *method_of(const char *method)
{
  static const char *const known[] = { "POST", "PUT", "PATCH", "DELETE" };

  for (size_t i = 0; method && i < sizeof(known) / sizeof(known[0]); i++)
    if (!strcmp(method, known[i]))
      return known[i];
  return NULL;
}

/* Letters, digits and -._~ need no escape (RFC 3986, 2.3); a slash, a
 * backslash and control bytes have none that is read alike. A percent and a
 * semicolon may be in the name of a file, and are looked for there alone. */
static bool bad_escape(const char *at, bool file)
{
  unsigned value;
  char hex[3];

  if (!isxdigit((unsigned char)at[1]) || !isxdigit((unsigned char)at[2]))
    return true;
  hex[0] = at[1];
  hex[1] = at[2];
  hex[2] = '\0';
  value = (unsigned)strtoul(hex, NULL, 16);
  return value < 0x20 || value == 0x7f ||
         (value < 0x80 && isalnum((int)value)) ||
         strchr(file ? "-._~/\\" : "-._~/\\%;", (int)value);
}

static bool bad_segment(const char *at, size_t len)
{
  return len == 0 || (len == 1 && at[0] == '.') ||
         (len == 2 && at[0] == '.' && at[1] == '.');
}

/* One slash at the end is spared: the API may want it. */
static bool is_plain(const char *path)
{
  bool file = !strncmp(path, "/serverless/files/", 18);
  const char *at = path;
  size_t len;

  for (; *at; at++)
    if (*at <= ' ' || *at > '~' || strchr("?#\\;", *at) ||
        (*at == '%' && bad_escape(at, file)))
      return false;
  for (at = path; *at == '/'; at += len) {
    len = strcspn(++at, "/");
    if (bad_segment(at, len) && (len || *at || at == path + 1))
      return false;
  }
  return at != path;
}

static bool segment_is(const char **at, const char *name)
{
  size_t len = strcspn(*at, "/");
  bool same = !name || (strlen(name) == len && !strncasecmp(*at, name, len));

  *at += len;
  *at += **at == '/';
  return same;
}

/* Whatever follows the word: a server may cut it off. */
static bool deletes_payloads(const char *path)
{
  const char *at = path + 1;

  return segment_is(&at, "models") && segment_is(&at, "requests") &&
         segment_is(&at, NULL) && !strncasecmp(at, "payloads", 8);
}

static bool is_query(const char *query)
{
  for (; *query; query++)
    if (*query <= ' ' || *query > '~' || strchr("#\\", *query))
      return false;
  return true;
}

static bool is_key(const char *key)
{
  size_t i;

  for (i = 0; key[i]; i++)
    if (i >= KEY_MOST || key[i] < ' ' || key[i] > '~')
      return false;
  return i > 0;
}

enum fr_err fr_act_check(const struct fr_act_spec *spec, struct fr_buf *why)
{
  if (!method_of(spec->method))
    fr_buf_say(why, "the method of a change is POST, PUT, PATCH or DELETE");
  else if (!spec->path || !is_plain(spec->path))
    fr_buf_say(why, "it is no plain path of the API, like "
               "/compute/instances");
  else if (deletes_payloads(spec->path))
    fr_buf_say(why, "payloads are deleted by fal.delete_payloads (falrun "
               "delete) alone, which knows holds and limits");
  else if (spec->query && !is_query(spec->query))
    fr_buf_say(why, "its query is not escaped");
  else if (spec->idempotency_key && !is_key(spec->idempotency_key))
    fr_buf_say(why, "an Idempotency-Key is 1 to %d visible ASCII characters",
               KEY_MOST);
  else if (spec->body && strlen(spec->body) >= REQUEST_BODY_MOST)
    fr_buf_say(why, "its body is longer than %u bytes", REQUEST_BODY_MOST);
  else
    return FR_OK;
  return FR_EINVALID;
}

/* ---- the exchange -------------------------------------------------------- */

/* The two shapes in which the API says whether it did it. */
static bool says_no(const json_t *root)
{
  return json_is_false(root) || json_is_false(json_object_get(root,
                                                              "success"));
}

static enum fr_err judge(struct fr_exchange *exchange, int status,
                         const char *body, size_t len, struct fr_buf *why)
{
  json_t *root = NULL;
  enum fr_err err = FR_OK;

  (void)exchange;
  (void)status;
  if (len > 0)
    err = fr_json_load(body, len, JSON_DECODE_ANY | JSON_ALLOW_NUL |
                       JSON_DECODE_INT_AS_REAL, &root);
  if (err == FR_EPROTOCOL)
    fr_buf_say(why, "its body is not whole, valid JSON");
  if (!err && says_no(root)) {
    fr_buf_say(why, "its body says that it was not done");
    err = FR_EBAD_REQUEST;
  }
  json_decref(root);
  return err;
}

static enum fr_err put_texts(struct fr_act *act, const struct fr_fal *fal,
                             const struct fr_act_spec *spec)
{
  enum fr_err err = fr_buf_addf(&act->url, "%s%s%s%s",
                                fal->config.origin->base, spec->path,
                                spec->query ? "?" : "",
                                spec->query ? spec->query : "");

  if (!err && spec->body)
    err = fr_buf_add_text(&act->body, spec->body);
  if (spec->idempotency_key)
    memcpy(act->key, spec->idempotency_key, strlen(spec->idempotency_key));
  return err == FR_ETOO_BIG ? FR_EINVALID : err;
}

enum fr_err fr_act_new(struct fr_fal *fal, const struct fr_act_spec *spec,
                       struct fr_act **ret_act)
{
  struct fr_exchange_spec exchange = {
    .method = method_of(spec->method), .max_body = ACT_BODY_MOST,
    .key = spec->key, .changes = true, .attempts = ACT_ATTEMPTS,
    .timeout_ms = spec->timeout_ms, .key_at_ms = spec->key_at_ms,
    .upload = spec->upload, .judge = judge, .once = !spec->idempotency_key
  };
  struct fr_buf why;
  struct fr_act *act;
  enum fr_err err;

  fr_buf_init(&why, 512);
  err = fr_act_check(spec, &why);
  fr_buf_done(&why);
  if (err)
    return err;
  act = calloc(1, sizeof(*act));
  if (!act)
    return FR_ENOMEM;
  fr_buf_init(&act->url, URL_MOST);
  fr_buf_init(&act->body, REQUEST_BODY_MOST);
  err = put_texts(act, fal, spec);
  if (err) {
    fr_act_free(act);
    return err;
  }
  exchange.url = fr_buf_text(&act->url);
  exchange.idempotency_key = spec->idempotency_key ? act->key : NULL;
  exchange.content_type = spec->body ? "application/json" : NULL;
  exchange.body = spec->body ? fr_buf_text(&act->body) : NULL;
  exchange.body_len = act->body.len;
  fr_exchange_init(&act->exchange, fal, &exchange);
  *ret_act = act;
  return FR_OK;
}

void fr_act_start(struct fr_act *act)
{
  fr_exchange_start(&act->exchange);
}

bool fr_act_withdraw(struct fr_act *act)
{
  return fr_exchange_withdraw(&act->exchange, FR_ECANCELLED);
}

void fr_act_break(struct fr_act *act)
{
  struct fr_exchange *exchange = &act->exchange;
  const struct fr_upload *upload = exchange->spec.upload;

  if (exchange->state != FR_EXCHANGE_SENT || !upload ||
      upload->at == fr_upload_size(upload))
    return;
  fr_buf_say(&exchange->message, "the run ended before its file was sent "
             "whole, and it was broken off");
  fr_op_cancel(&exchange->op);
}

void fr_act_free(struct fr_act *act)
{
  if (!act)
    return;
  fr_exchange_done(&act->exchange);
  fr_buf_done(&act->url);
  fr_buf_done(&act->body);
  free(act);
}

struct fr_op *fr_act_op(struct fr_act *act)
{
  return &act->exchange.op;
}

struct fr_act_answer fr_act_answer(const struct fr_act *act)
{
  const struct fr_exchange *exchange = &act->exchange;
  struct fr_act_answer answer = {
    .err = exchange->err,
    .retryable = fr_err_retryable(exchange->err),
    .http_status = exchange->status,
    .attempts = exchange->attempts,
    .replayed = exchange->replayed,
    .message = fr_exchange_message(exchange),
    .body = ""
  };

  answer.unanswered = exchange->err &&
                      (exchange->unanswered || exchange->doubtful);
  if (!exchange->err && exchange->call)
    answer.body = fr_call_body(exchange->call, &answer.body_len);
  return answer;
}
