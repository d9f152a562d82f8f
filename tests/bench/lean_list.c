/* bench/lean_list.c - the leanest listing: pages one after the other.
 *
 *   lean_list URLS fetch|parse
 *
 * URLS is a file with the first address of each chain of pages. `fetch` goes
 * to a next page by a search for the bytes of "next_cursor" and reads no row;
 * `parse` reads the page with jansson and looks at request_id and ended_at of
 * each row, which is the least that a program which decides must do. */
#include <curl/curl.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lean.h"

#define PAGE (1u << 20)
#define LINE 16384
#define AUTH "Authorization: Key 0123456789abcdef0123456789abcdef:" \
             "0123456789abcdef0123456789abcdef"

static char page[PAGE + 1];
static size_t used, rows, pages, sum;

static size_t take(char *data, size_t size, size_t n, void *arg)
{
  (void)arg;
  if (used + size * n > PAGE)
    return 0;
  memcpy(page + used, data, size * n);
  used += size * n;
  return size * n;
}

static bool find_cursor(char *cursor, size_t most)
{
  const char *at = strstr(page, "\"next_cursor\":\"");
  size_t len;

  if (!at)
    return false;
  at += 15;
  len = strcspn(at, "\"");
  snprintf(cursor, most, "%.*s", (int)len, at);
  return true;
}

static bool parse(char *cursor, size_t most)
{
  json_t *root = json_loadb(page, used, 0, NULL), *row;
  const char *next;
  size_t i;

  if (!root)
    lean_fail("a page", "is no JSON");
  json_array_foreach(json_object_get(root, "items"), i, row) {
    const char *id = json_string_value(json_object_get(row, "request_id"));
    const char *end = json_string_value(json_object_get(row, "ended_at"));

    if (!id || !end)
      lean_fail("a row", "has no id or no end");
    sum += (unsigned char)id[35] + (unsigned char)end[0];
    rows++;
  }
  next = json_string_value(json_object_get(root, "next_cursor"));
  if (next)
    snprintf(cursor, most, "%s", next);
  json_decref(root);
  return next != NULL;
}

static void get(CURL *easy, const char *url)
{
  long status = 0;

  used = 0;
  curl_easy_setopt(easy, CURLOPT_URL, url);
  if (curl_easy_perform(easy) ||
      curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status) ||
      status != 200)
    lean_fail(url, "was not answered with a page");
  page[used] = '\0';
  pages++;
}

static void walk(CURL *easy, const char *first, bool parsing)
{
  char url[LINE + 4096], cursor[2048];
  bool more;

  snprintf(url, sizeof(url), "%s", first);
  do {
    get(easy, url);
    more = (parsing ? parse : find_cursor)(cursor, sizeof(cursor));
    if (more)
      snprintf(url, sizeof(url), "%s&cursor=%s", first, cursor);
  } while (more);
}

int main(int argc, char **argv)
{
  struct curl_slist *headers = NULL;
  char line[LINE];
  FILE *file;
  CURL *easy;

  if (argc < 3 || !(file = fopen(argv[1], "r")))
    lean_fail(argv[0], "URLS fetch|parse");
  curl_global_init(CURL_GLOBAL_ALL);
  easy = curl_easy_init();
  headers = curl_slist_append(headers, AUTH);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  while (fgets(line, sizeof(line), file)) {
    line[strcspn(line, "\n")] = '\0';
    walk(easy, line, !strcmp(argv[2], "parse"));
  }
  fclose(file);
  printf("{\"pages\":%zu,\"rows\":%zu,\"sum\":%zu}\n", pages, rows, sum);
  curl_easy_cleanup(easy);
  curl_slist_free_all(headers);
  return 0;
}
