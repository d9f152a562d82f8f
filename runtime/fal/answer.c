/* fal/answer.c - finding the words in an error answer.
 *
 * fal's own shape is {"error": {"message", "request_id"}}; its inference
 * hosts say {"detail": string, or [{"msg"}]}; gateways in front send plain
 * text or HTML. The words go into a buffer of their own first, where keys
 * are blanked after JSON has been decoded and before the text is cut.
 */
#include "fal/answer.h"

#include <stdbool.h>
#include <string.h>

#include "fal/json.h"

#define WORK_MOST 4096          /* bytes looked at before the cut */

/* ---- JSON --------------------------------------------------------------- */

static const char *detail_of(const json_t *root)
{
  const json_t *detail = json_object_get(root, "detail");

  if (json_is_array(detail))
    detail = json_object_get(json_array_get(detail, 0), "msg");
  return json_string_value(detail);
}

/* Adds at most the work space; growth past it is cut, not refused. */
static void add_cut(struct fr_buf *buf, const char *text, size_t len)
{
  size_t room = buf->max > buf->len + 1 ? buf->max - buf->len - 1 : 0;

  (void)fr_buf_add(buf, text, len < room ? len : room);
}

/* False: it is no JSON, or has no words in a place that is known. */
static bool read_json(const char *body, size_t len, struct fr_buf *words,
                      struct fr_buf *call_id)
{
  const char *text, *id;
  const json_t *error;
  json_t *root;

  if (fr_json_load(body, len, 0, &root))
    return false;
  error = json_object_get(root, "error");
  text = json_string_value(json_object_get(error, "message"));
  id = json_string_value(json_object_get(error, "request_id"));
  if (!text)
    text = detail_of(root);
  if (text)
    add_cut(words, text, strlen(text));
  if (text && id)
    add_cut(call_id, id, strlen(id));
  json_decref(root);
  return text != NULL;
}

/* ---- text of a gateway -------------------------------------------------- */

static bool is_html(const char *body, size_t len)
{
  size_t i = 0;

  while (i < len && strchr(" \t\r\n", body[i]))
    i++;
  return i < len && body[i] == '<';
}

/* The first line that has anything on it, tags left out. */
static void read_text(const char *body, size_t len, struct fr_buf *words)
{
  bool html = is_html(body, len), tag = false, line = false;
  size_t i;

  for (i = 0; i < len && i < WORK_MOST; i++) {
    bool blank = body[i] <= ' ' && body[i] >= 0;

    if (line && (body[i] == '\n' || body[i] == '\r'))
      return;
    if (html && body[i] == '<')
      tag = true;
    else if (!tag && (line || !blank)) {
      add_cut(words, &body[i], 1);
      line = true;
    }
    if (body[i] == '>')
      tag = false;
  }
}

/* ---- sentences ---------------------------------------------------------- */

static void add_clean(struct fr_buf *sentence, struct fr_buf *words,
                      const struct fr_keys *keys, size_t most)
{
  size_t len = words->len, i;

  if (!len)
    return;
  fr_keys_scrub(keys, words->data, len);
  for (i = 0; i < len; i++) {
    if (strchr("\t\r\n", words->data[i]))
      words->data[i] = ' ';
  }
  while (len && words->data[len - 1] == ' ')
    len--;
  (void)fr_buf_add_plain(sentence, words->data, len, most);
}

static const char *advice_for(int status)
{
  if (status == 401)
    return "; check the key, fal did not accept it";
  if (status == 403)
    return "; it needs a key with ADMIN scope (FAL_ADMIN_KEY) of the "
           "account that owns the request";
  if (status >= 300 && status < 400)
    return "; redirects are never followed, check --api-url";
  return "";
}

void fr_answer_say(struct fr_buf *sentence, int status, const char *body,
                   size_t len, const struct fr_keys *keys)
{
  struct fr_buf words, call_id;

  fr_buf_init(&words, WORK_MOST);
  fr_buf_init(&call_id, WORK_MOST);
  if (!read_json(body, len, &words, &call_id))
    read_text(body, len, &words);
  fr_buf_say(sentence, "fal answered %d%s", status, words.len ? ": " : "");
  add_clean(sentence, &words, keys, FR_ANSWER_WORDS_MOST);
  if (call_id.len) {
    (void)fr_buf_add_text(sentence, " (API call id ");
    add_clean(sentence, &call_id, keys, 80);
    (void)fr_buf_add_text(sentence, ")");
  }
  (void)fr_buf_add_text(sentence, advice_for(status));
  fr_buf_done(&words);
  fr_buf_done(&call_id);
}

static const char *opening_for(enum fr_err err)
{
  if (err == FR_EPROTOCOL || err == FR_ETOO_BIG)
    return "the answer of fal cannot be used: ";
  if (err == FR_EIO || err == FR_EINVALID)      /* the file that is sent */
    return "";
  return err == FR_EREAD_ONLY ? "nothing was sent: " : "no answer from fal: ";
}

static void say_detail(struct fr_buf *sentence, const char *opening,
                       enum fr_err err, const char *detail,
                       const struct fr_keys *keys)
{
  struct fr_buf words;

  fr_buf_init(&words, WORK_MOST);
  if (!detail || !*detail)
    detail = fr_err_message(err);
  add_cut(&words, detail, strlen(detail));
  fr_buf_say(sentence, "%s", opening);
  add_clean(sentence, &words, keys, FR_ANSWER_WORDS_MOST);
  fr_buf_done(&words);
}

void fr_answer_say_none(struct fr_buf *sentence, enum fr_err err,
                        const char *detail, const struct fr_keys *keys)
{
  say_detail(sentence, opening_for(err), err, detail, keys);
}

void fr_answer_say_cut(struct fr_buf *sentence, enum fr_err err,
                       const char *detail, const struct fr_keys *keys)
{
  say_detail(sentence, "the answer of fal broke off: ", err, detail, keys);
}
