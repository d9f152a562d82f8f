/* fal/cdn.c - reading cdn_delete_results, strictly.
 *
 * jansson refuses what is not UTF-8, holds a NUL, is nested too deeply or
 * has text behind it; a key given twice is refused too, because two readers
 * could take two different values. An exception that is no string is kept
 * as its JSON text: only null means "gone".
 *
 * Nearly every answer is the plainest one: an array of objects with a link
 * of printable ASCII and a null, in this order. `read_plain` takes exactly
 * that, for a tenth of the work; whatever differs by a byte is jansson's.
 */
#include "fal/cdn.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/plain.h"
#include "fal/json.h"

#define PLAIN_FILES 16          /* of a plain answer; jansson knows no limit */

void fr_cdn_done(struct fr_cdn *cdn)
{
  size_t i;

  for (i = 0; i < cdn->nfiles; i++) {
    free((char *)cdn->files[i].link);
    free((char *)cdn->files[i].exception);
  }
  free(cdn->files);
  memset(cdn, 0, sizeof(*cdn));
}

static enum fr_err odd(struct fr_buf *why, const char *words)
{
  fr_buf_say(why, "%s", words);
  return FR_EPROTOCOL;
}

static char *text_of(const json_t *value, const struct fr_keys *keys)
{
  char *text = json_is_string(value) ?
               strdup(json_string_value(value)) :
               json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

  if (text)
    fr_keys_scrub(keys, text, strlen(text));
  return text;
}

static enum fr_err read_file(const json_t *item, const struct fr_keys *keys,
                             struct fr_buf *why, struct fr_cdn_result *file)
{
  const json_t *link = json_object_get(item, "link");
  const json_t *exception = json_object_get(item, "exception");

  if (!json_is_object(item))
    return odd(why, "an element of cdn_delete_results is not an object");
  if (!json_is_string(link))
    return odd(why, "an element of cdn_delete_results has no link");
  if (!exception)
    return odd(why, "an element of cdn_delete_results has no exception");
  file->link = text_of(link, keys);
  if (!file->link)
    return FR_ENOMEM;
  if (json_is_null(exception))
    return FR_OK;
  file->exception = text_of(exception, keys);
  return file->exception ? FR_OK : FR_ENOMEM;
}

static enum fr_err read_files(const json_t *results,
                              const struct fr_keys *keys, struct fr_buf *why,
                              struct fr_cdn *cdn)
{
  size_t count = json_array_size(results), i;
  enum fr_err err = FR_OK;

  if (!count)
    return FR_OK;
  cdn->files = calloc(count, sizeof(*cdn->files));
  if (!cdn->files)
    return FR_ENOMEM;
  cdn->nfiles = count;
  for (i = 0; !err && i < count; i++) {
    err = read_file(json_array_get(results, i), keys, why, &cdn->files[i]);
    cdn->left += cdn->files[i].exception != NULL;
  }
  return err;
}

/* ---- the plainest answer ------------------------------------------------- */

struct scan {
  const char *at, *end;
};

static void skip_blanks(struct scan *scan)
{
  while (scan->at < scan->end &&
         (*scan->at == ' ' || *scan->at == '\n' || *scan->at == '\r' ||
          *scan->at == '\t'))
    scan->at++;
}

/* This text, after blanks. */
static bool take(struct scan *scan, const char *text)
{
  size_t len = strlen(text);

  skip_blanks(scan);
  if ((size_t)(scan->end - scan->at) < len || memcmp(scan->at, text, len))
    return false;
  scan->at += len;
  return true;
}

static char *copy_of(const char *from, size_t len)
{
  char *copy = malloc(len + 1);

  if (!copy)
    return NULL;
  memcpy(copy, from, len);
  copy[len] = 0;
  return copy;
}

/* A string without an escape, copied; NULL: another one, or no memory. */
static char *take_link(struct scan *scan)
{
  const char *from, *end;

  if (!take(scan, "\""))
    return NULL;
  from = scan->at;
  end = memchr(from, '"', (size_t)(scan->end - from));
  if (!end || !fr_plain_json(from, (size_t)(end - from)))
    return NULL;
  scan->at = end + 1;
  return copy_of(from, (size_t)(end - from));
}

/* {"link": "...", "exception": null} */
static bool take_file(struct scan *scan, struct fr_cdn_result *ret_file)
{
  char *link = NULL;

  if (take(scan, "{") && take(scan, "\"link\"") && take(scan, ":"))
    link = take_link(scan);
  if (link && take(scan, ",") && take(scan, "\"exception\"") &&
      take(scan, ":") && take(scan, "null") && take(scan, "}")) {
    ret_file->link = link;
    return true;
  }
  free(link);
  return false;
}

static bool take_files(struct scan *scan, struct fr_cdn *cdn)
{
  if (take(scan, "]"))
    return true;
  cdn->files = calloc(PLAIN_FILES, sizeof(*cdn->files));
  while (cdn->files && cdn->nfiles < PLAIN_FILES) {
    if (!take_file(scan, &cdn->files[cdn->nfiles]))
      return false;
    cdn->nfiles++;
    if (take(scan, "]"))
      return true;
    if (!take(scan, ","))
      return false;
  }
  return false;
}

static bool read_plain(const char *body, size_t len,
                       const struct fr_keys *keys, struct fr_cdn *ret_cdn)
{
  struct scan scan = { body, body + len };
  struct fr_cdn cdn = { NULL, 0, 0 };
  bool whole = take(&scan, "{") && take(&scan, "\"cdn_delete_results\"") &&
               take(&scan, ":") && take(&scan, "[") &&
               take_files(&scan, &cdn) && take(&scan, "}");
  size_t i;

  skip_blanks(&scan);
  if (!whole || scan.at != scan.end) {
    fr_cdn_done(&cdn);
    return false;
  }
  for (i = 0; i < cdn.nfiles; i++)
    fr_keys_scrub(keys, (char *)(uintptr_t)cdn.files[i].link,
                  strlen(cdn.files[i].link));
  *ret_cdn = cdn;
  return true;
}

/* ---- any answer ---------------------------------------------------------- */

enum fr_err fr_cdn_read(const char *body, size_t len,
                        const struct fr_keys *keys, struct fr_buf *why,
                        struct fr_cdn *ret_cdn)
{
  struct fr_cdn cdn = { NULL, 0, 0 };
  const json_t *results;
  json_t *root = NULL;
  enum fr_err err;

  if (read_plain(body, len, keys, ret_cdn))
    return FR_OK;
  err = fr_json_load(body, len, JSON_REJECT_DUPLICATES, &root);
  if (err == FR_EPROTOCOL)
    return odd(why, "it is not whole, valid JSON");
  if (err)
    return err;
  results = json_object_get(root, "cdn_delete_results");
  if (!json_is_array(results))
    err = odd(why, "it has no array cdn_delete_results");
  else
    err = read_files(results, keys, why, &cdn);
  json_decref(root);
  if (err) {
    fr_cdn_done(&cdn);
    return err;
  }
  *ret_cdn = cdn;
  return cdn.left ? FR_EPARTIAL : FR_OK;
}
