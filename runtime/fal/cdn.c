/* fal/cdn.c - reading cdn_delete_results, strictly.
 *
 * jansson refuses what is not UTF-8, holds a NUL, is nested too deeply or
 * has text behind it; a key given twice is refused too, because two readers
 * could take two different values. An exception that is no string is kept
 * as its JSON text: only null means "gone".
 */
#include "fal/cdn.h"

#include <stdlib.h>
#include <string.h>

#include "fal/json.h"

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

enum fr_err fr_cdn_read(const char *body, size_t len,
                        const struct fr_keys *keys, struct fr_buf *why,
                        struct fr_cdn *ret_cdn)
{
  struct fr_cdn cdn = { NULL, 0, 0 };
  const json_t *results;
  json_t *root = NULL;
  enum fr_err err = fr_json_load(body, len, JSON_REJECT_DUPLICATES, &root);

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
