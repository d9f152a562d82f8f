/* bindings/json_scan.c - the strictness that lua-cjson lacks. See json.h.
 *
 * lua-cjson takes 01, "1.", 0x10, NaN and 1e400 for numbers and does not
 * look at encodings. This pass reads the text once, outside of its grammar:
 * brackets, commas and colons are left to lua-cjson.
 */
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "bindings/json.h"

#define LONGEST_NUMBER 1000

struct scan {
  const char *at, *end;
  int depth;
};

static bool is_digit(const struct scan *scan, const char *at)
{
  return at < scan->end && *at >= '0' && *at <= '9';
}

static bool is_next(const struct scan *scan, const char *chars)
{
  return scan->at < scan->end && *scan->at && strchr(chars, *scan->at);
}

static bool skip_digits(struct scan *scan)
{
  if (!is_digit(scan, scan->at))
    return false;
  while (is_digit(scan, scan->at))
    scan->at++;
  return true;
}

static bool skip_exponent(struct scan *scan)
{
  scan->at++;
  if (is_next(scan, "+-"))
    scan->at++;
  return skip_digits(scan);
}

/* -? (0 | [1-9][0-9]*) ([.][0-9]+)? ([eE][+-]?[0-9]+)?, and finite */
static bool skip_number(struct scan *scan)
{
  const char *begin = scan->at;
  bool zero, exponent;

  if (*scan->at == '-')
    scan->at++;
  zero = is_next(scan, "0");
  if (!skip_digits(scan))
    return false;
  if (zero && scan->at - begin > 1 + (*begin == '-'))
    return false;
  if (is_next(scan, ".")) {
    scan->at++;
    if (!skip_digits(scan))
      return false;
  }
  exponent = is_next(scan, "eE");
  if (exponent && !skip_exponent(scan))
    return false;
  if (!exponent && scan->at - begin < 300)
    return true;
  return scan->at - begin < LONGEST_NUMBER && isfinite(strtod(begin, NULL));
}

static bool skip_string(struct scan *scan)
{
  for (scan->at++; scan->at < scan->end; scan->at++) {
    if (*scan->at == '"') {
      scan->at++;
      return true;
    }
    if ((unsigned char)*scan->at < ' ')
      return false;
    if (*scan->at == '\\')
      scan->at++;
  }
  return false;
}

static bool skip_word(struct scan *scan, const char *word)
{
  size_t len = strlen(word);

  if ((size_t)(scan->end - scan->at) < len ||
      memcmp(scan->at, word, len) != 0)
    return false;
  scan->at += len;
  return true;
}

static const char *skip_token(struct scan *scan)
{
  char c = *scan->at;

  if (c == '"')
    return skip_string(scan) ? NULL : "a string that does not end, or has a "
                                      "control character";
  if (c == '-' || is_digit(scan, scan->at))
    return skip_number(scan) ? NULL : "not a JSON number";
  if (c && strchr("[{", c) && ++scan->depth > FRL_JSON_DEPTH)
    return "deeper than 100 levels";
  if (c && strchr("]}", c))
    scan->depth--;
  if (c && strchr("[]{},: \t\r\n", c)) {
    scan->at++;
    return NULL;
  }
  if (skip_word(scan, "true") || skip_word(scan, "false") ||
      skip_word(scan, "null"))
    return NULL;
  return "an unexpected character";
}

const char *frl_json_scan(const char *text, size_t len, size_t *ret_at)
{
  struct scan scan = { .at = text, .end = text + len };
  size_t utf8 = frl_utf8_prefix(text, len);

  if (utf8 < len) {
    *ret_at = utf8;
    return "not UTF-8";
  }
  while (scan.at < scan.end) {
    const char *begin = scan.at;
    const char *problem = skip_token(&scan);

    if (problem) {
      *ret_at = (size_t)(begin - text);
      return problem;
    }
  }
  return NULL;
}

/* Length of the UTF-8 sequence at `at`, or 0 (RFC 3629: no surrogates, no
 * longer form than needed, nothing past U+10FFFF). */
static size_t sequence(const unsigned char *at, size_t left)
{
  unsigned low = 0x80, high = 0xBF;
  size_t len = at[0] < 0x80 ? 1 : at[0] < 0xC2 ? 0 : at[0] < 0xE0 ? 2
               : at[0] < 0xF0 ? 3 : at[0] < 0xF5 ? 4 : 0;

  if (len > left)
    return 0;
  if (at[0] == 0xE0)
    low = 0xA0;
  else if (at[0] == 0xED)
    high = 0x9F;
  else if (at[0] == 0xF0)
    low = 0x90;
  else if (at[0] == 0xF4)
    high = 0x8F;
  for (size_t i = 1; i < len; i++) {
    if (at[i] < low || at[i] > high)
      return 0;
    low = 0x80;
    high = 0xBF;
  }
  return len;
}

size_t frl_utf8_prefix(const char *text, size_t len)
{
  const unsigned char *bytes = (const unsigned char *)text;
  size_t at = 0;

  while (at < len) {
    size_t step = sequence(bytes + at, len - at);

    if (step == 0)
      break;
    at += step;
  }
  return at;
}
