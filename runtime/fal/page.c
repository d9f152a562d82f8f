/* fal/page.c - see page.h.
 *
 * jansson makes a tree, with several allocations for each field, to find two
 * of them: that was half of the cost of a listing. Here every byte is looked
 * at once, by descent over the grammar; whatever is rare ends the pass. Keys
 * of the objects that are open lie on one small stack, where a double is
 * found: jansson refuses it, because Lua could read the other value.
 */
#include "fal/page.h"

#include <string.h>

#define DEPTH_MOST 60
#define KEYS_MOST 256           /* of all objects that are open */
#define ROWS_MOST 10000
#define NUMBER_MOST 40          /* such a number is finite */

struct key {
  const char *at;
  size_t len;
};

struct scan {
  const char *at, *end;
  struct fr_page *page;
  struct key keys[KEYS_MOST];
  size_t nkeys;
  int depth, lists;
  enum fr_err err;              /* other than doubt */
};

/* Reads the value of the member `key`; false: doubt. */
typedef bool (*member_fn)(struct scan *scan, const struct key *key,
                          struct fr_row *row);

static bool value(struct scan *scan, struct fr_span *ret_span);

static const struct key facts[FR_FACTS] = {
  [FR_FACT_REQUEST_ID] = { "request_id", 10 },
  [FR_FACT_ENDPOINT_ID] = { "endpoint_id", 11 },
  [FR_FACT_SENT_AT] = { "sent_at", 7 },
  [FR_FACT_STARTED_AT] = { "started_at", 10 },
  [FR_FACT_ENDED_AT] = { "ended_at", 8 },
  [FR_FACT_STATUS_CODE] = { "status_code", 11 },
  [FR_FACT_DURATION] = { "duration", 8 },
};

static bool is(const struct key *key, const struct key *other)
{
  return key->len == other->len && !memcmp(key->at, other->at, key->len);
}

/* ---- what stands between ------------------------------------------------- */

static void space(struct scan *scan)
{
  while (scan->at < scan->end && (*scan->at == ' ' || *scan->at == '\n' ||
                                  *scan->at == '\t' || *scan->at == '\r'))
    scan->at++;
}

/* The next character that is no space; 0 at the end. */
static char next(struct scan *scan)
{
  space(scan);
  return scan->at < scan->end ? *scan->at : 0;
}

static bool take(struct scan *scan, char c)
{
  if (next(scan) != c)
    return false;
  scan->at++;
  return true;
}

/* ---- single values ------------------------------------------------------- */

/* One character past ASCII (RFC 3629: no surrogates, no longer form than
 * needed, nothing past U+10FFFF). */
static bool wide(struct scan *scan)
{
  const unsigned char *at = (const unsigned char *)scan->at;
  unsigned low = at[0] == 0xE0 ? 0xA0 : at[0] == 0xF0 ? 0x90 : 0x80;
  unsigned high = at[0] == 0xED ? 0x9F : at[0] == 0xF4 ? 0x8F : 0xBF;
  ptrdiff_t len = at[0] < 0xC2 ? 0 : at[0] < 0xE0 ? 2 : at[0] < 0xF0 ? 3
                  : at[0] < 0xF5 ? 4 : 0;

  if (!len || scan->end - scan->at < len || at[1] < low || at[1] > high)
    return false;
  for (ptrdiff_t i = 2; i < len; i++)
    if (at[i] < 0x80 || at[i] > 0xBF)
      return false;
  scan->at += len;
  return true;
}

/* After the backslash. A pair of surrogates is rare enough for jansson. */
static bool escape(struct scan *scan)
{
  char c = scan->at < scan->end ? *scan->at++ : 0;
  unsigned code = 0;

  if (c != 'u')
    return c && strchr("\"\\/bfnrt", c);
  if (scan->end - scan->at < 4)
    return false;
  for (int i = 0; i < 4; i++) {
    char digit = *scan->at++;

    if (digit >= '0' && digit <= '9')
      code = code << 4 | (unsigned)(digit - '0');
    else if ((digit | 0x20) >= 'a' && (digit | 0x20) <= 'f')
      code = code << 4 | (unsigned)((digit | 0x20) - 'a' + 10);
    else
      return false;
  }
  return code < 0xD800 || code > 0xDFFF;
}

static bool text(struct scan *scan, struct fr_span *ret_span)
{
  const char *begin = ++scan->at;
  bool plain = true;

  while (scan->at < scan->end && *scan->at != '"') {
    unsigned char c = (unsigned char)*scan->at;

    if (c >= 0x80) {
      if (!wide(scan))
        return false;
      continue;
    }
    if (c < ' ')
      return false;
    scan->at++;
    if (c != '\\')
      continue;
    plain = false;
    if (!escape(scan))
      return false;
  }
  if (scan->at == scan->end)
    return false;
  ret_span->at = begin;
  ret_span->len = (unsigned)(scan->at++ - begin);
  ret_span->kind = plain ? FR_SPAN_TEXT : FR_SPAN_OTHER;
  return true;
}

static bool digits(struct scan *scan)
{
  const char *begin = scan->at;

  while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9')
    scan->at++;
  return scan->at > begin;
}

/* -? (0 | [1-9][0-9]*) ([.][0-9]+)?, short; an exponent is in doubt, as what
 * follows a value is a comma or a bracket. */
static bool number(struct scan *scan, struct fr_span *ret_span)
{
  const char *begin = scan->at, *whole;

  if (*scan->at == '-')
    scan->at++;
  whole = scan->at;
  if (!digits(scan) || (*whole == '0' && scan->at - whole > 1))
    return false;
  if (scan->at < scan->end && *scan->at == '.') {
    scan->at++;
    if (!digits(scan))
      return false;
  }
  if (scan->at - begin > NUMBER_MOST)
    return false;
  ret_span->at = begin;
  ret_span->len = (unsigned)(scan->at - begin);
  ret_span->kind = FR_SPAN_NUMBER;
  return true;
}

static bool word(struct scan *scan, const char *text_of, size_t len,
                 struct fr_span *ret_span)
{
  if ((size_t)(scan->end - scan->at) < len ||
      memcmp(scan->at, text_of, len) != 0)
    return false;
  ret_span->at = scan->at;
  ret_span->len = (unsigned)len;
  ret_span->kind = *text_of == 'n' ? FR_SPAN_NULL : FR_SPAN_OTHER;
  scan->at += len;
  return true;
}

/* ---- objects and lists --------------------------------------------------- */

/* A member's name, its colon, and whether the object has it already. */
static bool key_of(struct scan *scan, size_t since, struct key *ret_key)
{
  struct fr_span name = { NULL, 0, FR_SPAN_ABSENT };

  if (next(scan) != '"' || !text(scan, &name) || name.kind != FR_SPAN_TEXT ||
      !take(scan, ':') || scan->nkeys == KEYS_MOST)
    return false;
  *ret_key = (struct key){ name.at, name.len };
  for (size_t i = since; i < scan->nkeys; i++)
    if (is(&scan->keys[i], ret_key))
      return false;
  scan->keys[scan->nkeys++] = *ret_key;
  return true;
}

static bool object(struct scan *scan, member_fn member, struct fr_row *row)
{
  size_t since = scan->nkeys;
  struct key key;

  scan->at++;
  if (++scan->depth > DEPTH_MOST)
    return false;
  if (!take(scan, '}')) {
    do {
      if (!key_of(scan, since, &key) || !member(scan, &key, row))
        return false;
    } while (take(scan, ','));
    if (!take(scan, '}'))
      return false;
  }
  scan->nkeys = since;
  scan->depth--;
  return true;
}

static bool list(struct scan *scan, bool (*element)(struct scan *scan))
{
  scan->at++;
  if (++scan->depth > DEPTH_MOST)
    return false;
  if (!take(scan, ']')) {
    do {
      if (!element(scan))
        return false;
    } while (take(scan, ','));
    if (!take(scan, ']'))
      return false;
  }
  scan->depth--;
  return true;
}

static bool any_element(struct scan *scan)
{
  struct fr_span ignored;

  return value(scan, &ignored);
}

static bool any_member(struct scan *scan, const struct key *key,
                       struct fr_row *row)
{
  (void)key;
  (void)row;
  return any_element(scan);
}

static bool value(struct scan *scan, struct fr_span *ret_span)
{
  switch (next(scan)) {
  case '"': return text(scan, ret_span);
  case 'n': return word(scan, "null", 4, ret_span);
  case 't': return word(scan, "true", 4, ret_span);
  case 'f': return word(scan, "false", 5, ret_span);
  case '{':
    ret_span->kind = FR_SPAN_OTHER;
    return object(scan, any_member, NULL);
  case '[':
    ret_span->kind = FR_SPAN_OTHER;
    return list(scan, any_element);
  default:
    return number(scan, ret_span);
  }
}

/* ---- the page ------------------------------------------------------------ */

static bool row_member(struct scan *scan, const struct key *key,
                       struct fr_row *row)
{
  struct fr_span ignored;
  enum fr_fact i;

  for (i = 0; i < FR_FACTS && !is(key, &facts[i]); i++)
    ;
  return value(scan, i < FR_FACTS ? &row->facts[i] : &ignored);
}

/* A text with escapes has a value that its bytes do not show. */
static bool is_plain(const struct fr_row *row)
{
  for (enum fr_fact i = 0; i < FR_FACTS; i++)
    if (row->facts[i].kind == FR_SPAN_OTHER && row->facts[i].at &&
        row->facts[i].at[-1] == '"')
      return false;
  return true;
}

static bool row_element(struct scan *scan)
{
  struct fr_row row;

  if (next(scan) != '{') {
    scan->page->is_list = false;
    return any_element(scan);
  }
  memset(&row, 0, sizeof(row));
  if (!object(scan, row_member, &row) || !is_plain(&row))
    return false;
  scan->err = fr_buf_add(&scan->page->rows, &row, sizeof(row));
  return !scan->err;
}

static bool rows(struct scan *scan, bool is_items)
{
  struct fr_page *page = scan->page;

  scan->lists++;
  page->is_list = is_items && scan->lists == 1 && next(scan) == '[';
  return next(scan) == '[' ? list(scan, row_element) : any_element(scan);
}

static bool root_member(struct scan *scan, const struct key *key,
                        struct fr_row *row)
{
  static const struct key items = { "items", 5 }, results = { "results", 7 },
    more = { "has_more", 8 }, cursor = { "next_cursor", 11 };

  if (is(key, &items) || is(key, &results))
    return rows(scan, is(key, &items));
  if (is(key, &more))
    return value(scan, &scan->page->more);
  if (is(key, &cursor))
    return value(scan, &scan->page->cursor);
  return any_member(scan, key, row);
}

enum fr_err fr_page_read(struct fr_page *page, const char *body, size_t len)
{
  struct scan scan;
  bool sure;

  fr_buf_clear(&page->rows);
  page->is_list = false;
  page->body = body;
  page->len = len;
  page->more = page->cursor = (struct fr_span){ NULL, 0, FR_SPAN_ABSENT };
  scan.at = body;
  scan.end = body + len;
  scan.page = page;
  scan.nkeys = 0;
  scan.depth = scan.lists = 0;
  scan.err = FR_OK;
  sure = next(&scan) == '{' && object(&scan, root_member, NULL);
  if (sure && next(&scan) == 0 && scan.at == scan.end)
    return FR_OK;
  page->is_list = false;
  fr_buf_clear(&page->rows);
  return scan.err == FR_ENOMEM ? FR_ENOMEM : FR_EPROTOCOL;
}

void fr_page_init(struct fr_page *page)
{
  memset(page, 0, sizeof(*page));
  fr_buf_init(&page->rows, ROWS_MOST * sizeof(struct fr_row));
}

void fr_page_done(struct fr_page *page)
{
  fr_buf_done(&page->rows);
}

const struct fr_row *fr_page_rows(const struct fr_page *page,
                                  size_t *ret_count)
{
  *ret_count = page->rows.len / sizeof(struct fr_row);
  return (const struct fr_row *)(const void *)page->rows.data;
}

const char *fr_fact_name(enum fr_fact fact)
{
  return facts[fact].at;
}
