/* base/buf.c - growth doubles up to the maximum. Every adder works on the
 * bytes behind `len` and moves `len` last, so a failure changes nothing.
 * Blocks of the first size come and go with each request: pool.h. */
#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/plain.h"
#include "base/pool.h"

#define FIRST 256u              /* bytes: most texts need no more */

/* No object is larger; below it, no sum of lengths can overflow. */
#define FR_BUF_MOST ((size_t)PTRDIFF_MAX - 1)

void fr_buf_init(struct fr_buf *buf, size_t max)
{
  *buf = (struct fr_buf){ .max = max < FR_BUF_MOST ? max : FR_BUF_MOST };
}

static struct fr_pool firsts = { .size = FIRST };

static void release(struct fr_buf *buf)
{
  if (buf->cap == FIRST)
    fr_pool_free(&firsts, buf->data);
  else
    free(buf->data);
}

/* A block of that size with what is in the buffer; NULL: no memory. */
static char *move(struct fr_buf *buf, size_t cap)
{
  char *data;

  if (buf->cap && buf->cap != FIRST)
    return realloc(buf->data, cap);
  data = cap == FIRST ? fr_pool_new(&firsts) : malloc(cap);
  if (data && buf->cap) {
    memcpy(data, buf->data, buf->len + 1);
    release(buf);
  }
  return data;
}

void fr_buf_done(struct fr_buf *buf)
{
  release(buf);
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
  size_t need, cap = buf->cap ? buf->cap : FIRST;
  char *data;

  if (more > buf->max - buf->len)
    return FR_ETOO_BIG;
  need = buf->len + more + 1;
  if (need <= buf->cap)
    return FR_OK;
  while (cap < need)
    cap *= 2;
  if (cap > buf->max + 1)
    cap = buf->max + 1;
  data = move(buf, cap);
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

static bool is_bare(char c)
{
  return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* One character that is not bare; `len` as of fr_utf8_sequence. */
static enum fr_err add_json_char(struct fr_buf *buf, const char *s,
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
  return fr_buf_addf(buf, "\\u%04x", (unsigned)*s);
}

enum fr_err fr_buf_add_json(struct fr_buf *buf, const char *text)
{
  size_t before = buf->len;
  const char *s = text;
  enum fr_err err;

  if (!text)
    return fr_buf_add_text(buf, "null");
  err = fr_buf_add_text(buf, "\"");
  while (!err && *s) {
    size_t run = 0, len;

    while (is_bare(s[run]))
      run++;
    if (run) {
      err = fr_buf_add(buf, s, run);
      s += run;
      continue;
    }
    len = fr_utf8_sequence(s);
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
  buf->len = before + fr_plain(buf->data + before, take);
  if (len > most)
    err = fr_buf_add_text(buf, "...");
  return err ? give_up(buf, before, err) : FR_OK;
}

void fr_buf_say(struct fr_buf *buf, const char *format, ...)
{
  char text[2048];
  va_list args;
  size_t len, most;

  text[0] = 0;
  va_start(args, format);
  vsnprintf(text, sizeof(text), format, args);
  va_end(args);
  fr_buf_clear(buf);
  len = most = strlen(text);
  if (len > buf->max)
    most = buf->max > 3 ? buf->max - 3 : 0;     /* leaves room for "..." */
  (void)fr_buf_add_plain(buf, text, len, most);
}
