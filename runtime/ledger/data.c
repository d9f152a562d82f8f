/* ledger/data.c - the JSON object that an event carries.
 *
 * Everything that comes from outside is cut to a known length, so that no
 * answer, however hostile, can swell the ledger. A link that is too long
 * ends in the SHA-256 of the whole instead: residue is matched by link, and
 * two links that share their first 2,000 bytes must stay two.
 */
#include <inttypes.h>
#include <string.h>

#include "base/plain.h"
#include "ledger/event.h"

static void add(struct fr_data *data, const char *text)
{
  if (!data->err)
    data->err = fr_buf_add_text(data->buf, text);
}

static void name_it(struct fr_data *data, const char *name)
{
  add(data, data->buf->len > 1 ? ",\"" : "\"");
  add(data, name);
  add(data, "\":");
}

void fr_data_begin(struct fr_data *data, struct fr_buf *buf)
{
  fr_buf_clear(buf);
  data->buf = buf;
  data->err = FR_OK;
  add(data, "{");
}

void fr_data_text(struct fr_data *data, const char *name, const char *text,
                  size_t most)
{
  char copy[FR_LEDGER_LINK + 1];

  name_it(data, name);
  if (text && strlen(text) > most) {
    fr_text_copy(copy, most < sizeof(copy) ? most + 1 : sizeof(copy), text);
    text = copy;
  }
  if (!data->err)
    data->err = fr_buf_add_json(data->buf, text);
}

void fr_data_number(struct fr_data *data, const char *name, int64_t number)
{
  name_it(data, name);
  if (!data->err)
    data->err = fr_buf_addf(data->buf, "%" PRId64, number);
}

void fr_data_raw(struct fr_data *data, const char *name, const char *json)
{
  name_it(data, name);
  add(data, json ? json : "null");
}

enum fr_err fr_data_end(struct fr_data *data)
{
  add(data, "}");
  return data->err;
}

/* ---- the files of an answer ---------------------------------------------- */

static enum fr_err add_link(struct fr_buf *buf, const char *link)
{
  struct fr_part part = { link, strlen(link) };
  char copy[FR_LEDGER_LINK + 1];
  size_t room = FR_LEDGER_LINK - FR_SHA256_TEXT;
  uint8_t digest[FR_SHA256_SIZE];
  enum fr_err err;

  if (part.len <= FR_LEDGER_LINK)
    return fr_buf_add_json(buf, link);
  err = fr_sha256(&part, 1, digest);
  if (err)
    return err;
  fr_text_copy(copy, room + 1, link);
  strcat(copy, "~");
  fr_hex(digest, sizeof(digest), copy + strlen(copy));
  return fr_buf_add_json(buf, copy);
}

static enum fr_err add_file(struct fr_buf *buf,
                            const struct fr_file_result *file)
{
  char copy[FR_LEDGER_LINK + 1];
  enum fr_err err = fr_buf_add_text(buf, buf->len > 1 ? ",{\"link\":"
                                                      : "{\"link\":");

  if (!err)
    err = add_link(buf, file->link ? file->link : "");
  if (!err)
    err = fr_buf_add_text(buf, ",\"exception\":");
  if (file->exception)
    fr_text_copy(copy, sizeof(copy), file->exception);
  if (!err)
    err = fr_buf_add_json(buf, file->exception ? copy : NULL);
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
