/* answer.c - the body of an answer to a deletion, and of a failure: only a
 * whole, well-formed answer is success, and no word of it is dangerous. */
#include <jansson.h>

#include "fal/answer.h"
#include "fal/cdn.h"
#include "fuzz.h"

#define SECRET "0123456789abcdefsecret"

static struct fr_keys *keys;

/* By another reader: every file of the list is there without exception. */
static bool is_success(const char *text, size_t size)
{
  json_t *root = json_loadb(text, size, 0, NULL), *file, *list;
  bool fine = root != NULL;
  size_t i;

  list = json_object_get(root, "cdn_delete_results");
  fine = fine && json_is_array(list);
  json_array_foreach(list, i, file)
    fine = fine && json_is_string(json_object_get(file, "link")) &&
           json_is_null(json_object_get(file, "exception"));
  json_decref(root);
  return fine;
}

static void check_cdn(const char *text, size_t size)
{
  struct fr_buf why;
  struct fr_cdn cdn = { 0 };
  enum fr_err err;
  size_t i, left = 0;

  fr_buf_init(&why, 512);
  err = fr_cdn_read(text, size, keys, &why, &cdn);
  CHECK(err == FR_OK || err == FR_EPARTIAL || err == FR_EPROTOCOL);
  if (err == FR_OK)
    CHECK(is_success(text, size) && cdn.left == 0);
  for (i = 0; !err && i < cdn.nfiles; i++)
    CHECK(cdn.files[i].link && !cdn.files[i].exception);
  for (i = 0; err == FR_EPARTIAL && i < cdn.nfiles; i++) {
    CHECK(!strstr(cdn.files[i].link, SECRET));
    left += cdn.files[i].exception != NULL;
  }
  if (err == FR_EPARTIAL)
    CHECK(left == cdn.left && left > 0);
  check_plain(fr_buf_text(&why));
  fr_cdn_done(&cdn);
  fr_buf_done(&why);
}

static void check_words(const char *text, size_t size, int status)
{
  struct fr_buf sentence;

  fr_buf_init(&sentence, FR_ANSWER_SENTENCE_MOST);
  fr_answer_say(&sentence, status, text, size, keys);
  check_plain(fr_buf_text(&sentence));
  CHECK(sentence.len > 0 && !strstr(fr_buf_text(&sentence), SECRET));
  fr_buf_clear(&sentence);
  fr_answer_say_none(&sentence, FR_ECONNECT, text, keys);
  check_plain(fr_buf_text(&sentence));
  CHECK(!strstr(fr_buf_text(&sentence), SECRET));
  fr_buf_done(&sentence);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  char *text = text_of(data, size);

  if (!keys)
    CHECK(fr_keys_new("id0123456789:" SECRET, NULL, &keys) == FR_OK);
  check_cdn(text, size);
  check_words(text, size, size % 2 ? 500 : 404);
  free(text);
  return 0;
}
