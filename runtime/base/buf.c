/* base/buf.c - growth doubles up to the maximum. Every adder works on the
 * bytes behind `len` and moves `len` last, so a failure changes nothing. */
#include "base/buf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fr_buf_init(struct fr_buf *buf, size_t max)
{
  *buf = (struct fr_buf){ .max = max };
}

void fr_buf_done(struct fr_buf *buf)
{
  free(buf->data);
  fr_buf_init(buf, buf->max);
}

void fr_buf_clear(struct fr_buf *buf)
{
  buf->len = 0;
  if (buf->data)
    buf->data[0] = 0;
}

const char *fr_buf_text(const struct fr_buf *buf)
{
  return buf->data ? buf->data : "";
}

/* Makes room for `more` bytes and the NUL. */
static enum fr_err reserve(struct fr_buf *buf, size_t more)
{
  size_t need, cap = buf->cap ? buf->cap : 64;
  char *data;

  if (more > buf->max - buf->len)
    return FR_ETOO_BIG;
  need = buf->len + more + 1;
  if (need <= buf->cap)
    return FR_OK;
  while (cap < need)
    cap = cap > SIZE_MAX / 2 ? need : cap * 2;
  data = realloc(buf->data, cap);
  if (!data)
    return FR_ENOMEM;
  buf->data = data;
  buf->cap = cap;
  return FR_OK;
}

enum fr_err fr_buf_add(struct fr_buf *buf, const void *data, size_t len)
{
  enum fr_err err = reserve(buf, len);

  if (err)
    return err;
  if (len)
    memcpy(buf->data + buf->len, data, len);
  buf->len += len;
  buf->data[buf->len] = 0;
  return FR_OK;
}

enum fr_err fr_buf_add_text(struct fr_buf *buf, const char *text)
{
  return fr_buf_add(buf, text, strlen(text));
}

static enum fr_err add_formatted(struct fr_buf *buf, const char *format,
                                 va_list args)
{
  va_list again;
  enum fr_err err;
  int len;

  va_copy(again, args);
  len = vsnprintf(NULL, 0, format, again);
  va_end(again);
  if (len < 0)
    return FR_EINVALID;
  err = reserve(buf, (size_t)len);
  if (err)
    return err;
  vsnprintf(buf->data + buf->len, (size_t)len + 1, format, args);
  buf->len += (size_t)len;
  return FR_OK;
}

enum fr_err fr_buf_addf(struct fr_buf *buf, const char *format, ...)
{
  va_list args;
  enum fr_err err;

  va_start(args, format);
  err = add_formatted(buf, format, args);
  va_end(args);
  return err;
}

/* Takes back what a half-done adder wrote. */
static enum fr_err give_up(struct fr_buf *buf, size_t len, enum fr_err err)
{
  buf->len = len;
  if (buf->data)
    buf->data[len] = 0;
  return err;
}

/* Bytes of the UTF-8 sequence at `s` (NUL-terminated), 0 when broken. */
static size_t sequence(const unsigned char *s)
{
  if (s[0] < 0x80)
    return 1;
  if (s[0] >= 0xc2 && s[0] <= 0xdf)
    return (s[1] & 0xc0) == 0x80 ? 2 : 0;
  if (s[0] >= 0xe0 && s[0] <= 0xef) {
    unsigned char low = s[0] == 0xe0 ? 0xa0 : 0x80;
    unsigned char high = s[0] == 0xed ? 0x9f : 0xbf;

    return s[1] >= low && s[1] <= high && (s[2] & 0xc0) == 0x80 ? 3 : 0;
  }
  if (s[0] >= 0xf0 && s[0] <= 0xf4) {
    unsigned char low = s[0] == 0xf0 ? 0x90 : 0x80;
    unsigned char high = s[0] == 0xf4 ? 0x8f : 0xbf;

    return s[1] >= low && s[1] <= high && (s[2] & 0xc0) == 0x80 &&
           (s[3] & 0xc0) == 0x80 ? 4 : 0;
  }
  return 0;
}

static enum fr_err add_json_char(struct fr_buf *buf, const unsigned char *s,
                                 size_t len)
{
  if (len == 0)
    return fr_buf_add_text(buf, "\xef\xbf\xbd");
  if (len > 1)
    return fr_buf_add(buf, s, len);
  if (*s == '"' || *s == '\\')
    return fr_buf_addf(buf, "\\%c", *s);
  if (*s == '\n')
    return fr_buf_add_text(buf, "\\n");
  if (*s < 0x20 || *s == 0x7f)
    return fr_buf_addf(buf, "\\u%04x", *s);
  return fr_buf_add(buf, s, 1);
}

static bool plain_json(unsigned char c)
{
  return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

enum fr_err fr_buf_add_json(struct fr_buf *buf, const char *text)
{
  const unsigned char *s = (const unsigned char *)text;
  size_t before = buf->len;
  enum fr_err err;

  if (!text)
    return fr_buf_add_text(buf, "null");
  err = fr_buf_add_text(buf, "\"");
  while (!err && *s) {
    size_t run = 0, len;

    while (plain_json(s[run]))
      run++;
    if (run) {
      err = fr_buf_add(buf, s, run);
      s += run;
      continue;
    }
    len = sequence(s);
    err = add_json_char(buf, s, len);
    s += len ? len : 1;
  }
  if (!err)
    err = fr_buf_add_text(buf, "\"");
  return err ? give_up(buf, before, err) : FR_OK;
}

/* Backs up to the start of a sequence that was cut at `len`. */
static size_t whole_chars(const char *text, size_t len)
{
  size_t at = len;

  while (at && at + 3 > len && ((unsigned char)text[at] & 0xc0) == 0x80)
    at--;
  return ((unsigned char)text[at] & 0xc0) == 0x80 ? len : at;
}

enum fr_err fr_buf_add_plain(struct fr_buf *buf, const char *text,
                             size_t len, size_t most)
{
  size_t take = len > most ? whole_chars(text, most) : len;
  size_t before = buf->len;
  enum fr_err err = fr_buf_add(buf, text, take);

  if (err)
    return err;
  for (size_t i = before; i < buf->len; i++) {
    unsigned char c = (unsigned char)buf->data[i];

    /* C1 controls come as C2 80..9F in UTF-8; the second byte is enough. */
    if (c < 0x20 || c == 0x7f ||
        (c >= 0x80 && c < 0xa0 && i > before &&
         (unsigned char)buf->data[i - 1] == 0xc2))
      buf->data[i] = '?';
  }
  if (len > most)
    err = fr_buf_add_text(buf, "...");
  return err ? give_up(buf, before, err) : FR_OK;
}

void fr_buf_say(struct fr_buf *buf, const char *format, ...)
{
  char text[2048];
  va_list args;
  size_t len;

  va_start(args, format);
  vsnprintf(text, sizeof(text), format, args);
  va_end(args);
  fr_buf_clear(buf);
  len = strlen(text);
  fr_buf_add_plain(buf, text, len, len < buf->max ? len : buf->max);
}
