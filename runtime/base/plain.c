/* base/plain.c - the well-formed sequences of Unicode, table 3-7. */
#include "base/plain.h"

#include <string.h>

static bool is_tail(unsigned char c)
{
  return (c & 0xc0) == 0x80;
}

size_t fr_utf8_sequence(const char *text)
{
  const unsigned char *s = (const unsigned char *)text;
  unsigned char low = 0x80, high = 0xbf;

  if (s[0] < 0x80)
    return 1;
  if (s[0] >= 0xc2 && s[0] <= 0xdf)
    return is_tail(s[1]) ? 2 : 0;
  if (s[0] == 0xe0)
    low = 0xa0;                                 /* or it is overlong */
  if (s[0] == 0xed)
    high = 0x9f;                                /* or it is a surrogate */
  if (s[0] == 0xf0)
    low = 0x90;
  if (s[0] == 0xf4)
    high = 0x8f;                                /* or it passes U+10FFFF */
  if (s[0] < 0xe0 || s[0] > 0xf4 || s[1] < low || s[1] > high ||
      !is_tail(s[2]))
    return 0;
  if (s[0] < 0xf0)
    return 3;
  return is_tail(s[3]) ? 4 : 0;
}

/* C1 controls are U+0080 to U+009F: C2 80 to C2 9F. */
static bool is_control(const char *at, size_t len)
{
  unsigned char first = (unsigned char)at[0];

  if (len == 1)
    return first < 0x20 || first == 0x7f;
  return len == 2 && first == 0xc2 && (unsigned char)at[1] < 0xa0;
}

size_t fr_plain(char *text, size_t len)
{
  size_t from = 0, to = 0;

  while (from < len) {
    size_t n = fr_utf8_sequence(text + from);

    if (n && !is_control(text + from, n)) {
      memmove(text + to, text + from, n);
      to += n;
    } else {
      text[to++] = '?';
    }
    from += n ? n : 1;
  }
  text[to] = 0;
  return to;
}

/* Without a way out, so that the compiler may take many bytes at a time. */
bool fr_printable(const char *text, size_t len)
{
  unsigned char odd = 0;

  for (size_t i = 0; i < len; i++)
    odd |= (unsigned char)(text[i] - ' ') > '~' - ' ';
  return !odd;
}

bool fr_plain_json(const char *text, size_t len)
{
  unsigned char odd = 0;

  for (size_t i = 0; i < len; i++)
    odd |= ((unsigned char)(text[i] - ' ') > '~' - ' ') |
           (text[i] == '"') | (text[i] == '\\');
  return !odd;
}

size_t fr_text_cut(const char *text, size_t len, size_t most)
{
  size_t cut = most;

  if (len <= most)
    return len;
  while (cut > 0 && most - cut < 3 && is_tail((unsigned char)text[cut]))
    cut--;
  return cut;
}

void fr_text_copy(char *to, size_t size, const char *text)
{
  size_t len;

  if (size == 0)
    return;
  len = fr_text_cut(text, strlen(text), size - 1);
  memcpy(to, text, len);
  to[len] = '\0';
}
