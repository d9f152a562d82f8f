/* ledger/data.c - the JSON object that an event carries.
 *
 * Everything that comes from outside is cut to a known length, so that no
 * answer, however hostile, can swell the ledger. A link that is too long
 * ends in the SHA-256 of the whole instead: residue is matched by link, and
 * two links that share their first 2,000 bytes must stay two.
 */
#include <string.h>

#include "base/plain.h"
#include "ledger/event.h"

/* ---- bytes --------------------------------------------------------------- */

/* Two events are made for each deletion, so the ordinary case, short text
 * into a buffer that is large enough already, is a copy and nothing else. */
static char *room_for(struct fr_buf *buf, size_t len)
{
  return buf->cap - buf->len > len ? buf->data + buf->len : NULL;
}

static enum fr_err add_bytes(struct fr_buf *buf, const char *text, size_t len)
{
  char *to = room_for(buf, len);

  if (!to)
    return fr_buf_add(buf, text, len);
  memcpy(to, text, len);
  to[len] = '\0';
  buf->len += len;
  return FR_OK;
}

/* As fr_buf_add_json, which does what is not plain ASCII. */
static enum fr_err add_json(struct fr_buf *buf, const char *text, size_t len)
{
  char *to = room_for(buf, len + 2);

  if (!to || !fr_plain_json(text, len))
    return fr_buf_add_json(buf, text);
  to[0] = '"';
  memcpy(to + 1, text, len);
  to[len + 1] = '"';
  to[len + 2] = '\0';
  buf->len += len + 2;
  return FR_OK;
}

/* The copy has a function of its own: its bytes are cleared when it is
 * entered. */
static __attribute__((noinline))
enum fr_err add_cut(struct fr_buf *buf, const char *text, size_t most)
{
  char copy[FR_LEDGER_LINK + 1];

  fr_text_copy(copy, most < sizeof(copy) ? most + 1 : sizeof(copy), text);
  return fr_buf_add_json(buf, copy);
}

static enum fr_err add_text(struct fr_buf *buf, const char *text, size_t most)
{
  size_t len = text ? strlen(text) : 0;

  if (!text)
    return add_bytes(buf, "null", 4);
  return len > most ? add_cut(buf, text, most) : add_json(buf, text, len);
}

/* ---- an object ----------------------------------------------------------- */

static void add(struct fr_data *data, const char *text, size_t len)
{
  if (!data->err)
    data->err = add_bytes(data->buf, text, len);
}

static void name_it(struct fr_data *data, const char *name)
{
  if (data->buf->len > 1)
    add(data, ",", 1);
  add(data, "\"", 1);
  add(data, name, strlen(name));
  add(data, "\":", 2);
}

void fr_data_begin(struct fr_data *data, struct fr_buf *buf)
{
  fr_buf_clear(buf);
  data->buf = buf;
  data->err = FR_OK;
  add(data, "{", 1);
}

void fr_data_text(struct fr_data *data, const char *name, const char *text,
                  size_t most)
{
  name_it(data, name);
  if (!data->err)
    data->err = add_text(data->buf, text, most);
}

void fr_data_number(struct fr_data *data, const char *name, int64_t number)
{
  uint64_t left = number < 0 ? -(uint64_t)number : (uint64_t)number;
  char digits[20];
  size_t at = sizeof(digits);

  name_it(data, name);
  do {
    digits[--at] = (char)('0' + left % 10);
    left /= 10;
  } while (left > 0);
  if (number < 0)
    add(data, "-", 1);
  add(data, digits + at, sizeof(digits) - at);
}

void fr_data_raw(struct fr_data *data, const char *name, const char *json)
{
  name_it(data, name);
  json = json ? json : "null";
  add(data, json, strlen(json));
}

enum fr_err fr_data_end(struct fr_data *data)
{
  add(data, "}", 1);
  return data->err;
}

/* ---- the files of an answer ---------------------------------------------- */

static __attribute__((noinline))
enum fr_err add_long_link(struct fr_buf *buf, const struct fr_part *part)
{
  char copy[FR_LEDGER_LINK + 1];
  size_t room = FR_LEDGER_LINK - FR_SHA256_TEXT;
  uint8_t digest[FR_SHA256_SIZE];
  enum fr_err err = fr_sha256(part, 1, digest);

  if (err)
    return err;
  fr_text_copy(copy, room + 1, part->data);
  strcat(copy, "~");
  fr_hex(digest, sizeof(digest), copy + strlen(copy));
  return fr_buf_add_json(buf, copy);
}

static enum fr_err add_link(struct fr_buf *buf, const char *link)
{
  struct fr_part part = { link, strlen(link) };

  if (part.len > FR_LEDGER_LINK)
    return add_long_link(buf, &part);
  return add_json(buf, link, part.len);
}

void fr_data_link(struct fr_data *data, const char *name, const char *link)
{
  name_it(data, name);
  if (!data->err)
    data->err = add_link(data->buf, link);
}

void fr_data_links(struct fr_data *data, const char *name,
                   const char *const *links, size_t count)
{
  size_t i;

  name_it(data, name);
  add(data, "[", 1);
  for (i = 0; i < count; i++) {
    if (i > 0)
      add(data, ",", 1);
    if (!data->err)
      data->err = add_link(data->buf, links[i]);
  }
  add(data, "]", 1);
}

static enum fr_err add_file(struct fr_buf *buf,
                            const struct fr_file_result *file)
{
  enum fr_err err = fr_buf_add_text(buf, buf->len > 1 ? ",{\"link\":"
                                                      : "{\"link\":");

  if (!err)
    err = add_link(buf, file->link ? file->link : "");
  if (!err)
    err = fr_buf_add_text(buf, ",\"exception\":");
  if (!err)
    err = add_text(buf, file->exception, FR_LEDGER_LINK);
  if (!err)
    err = fr_buf_add_text(buf, "}");
  return err;
}

/* Exceptions first: where there are too many files, what remains on fal
 * matters more than what is gone. */
enum fr_err fr_data_files(struct fr_buf *buf,
                          const struct fr_outcome *outcome)
{
  size_t room = FR_LEDGER_FILES;
  enum fr_err err;
  int pass;

  fr_buf_clear(buf);
  err = fr_buf_add_text(buf, "[");
  for (pass = 0; pass < 2; pass++) {
    size_t i;

    for (i = 0; !err && room > 0 && i < outcome->nfiles; i++) {
      if ((outcome->files[i].exception != NULL) != (pass == 0))
        continue;
      err = add_file(buf, &outcome->files[i]);
      room--;
    }
  }
  if (!err)
    err = fr_buf_add_text(buf, "]");
  return err;
}
