/* link.c - links of an answer, and origins: nobody else is ever asked. */
#include "fal/origin.h"
#include "fuzz.h"
#include "http/http.h"
#include "probe/link.h"

/* By libcurl's parser: does the URL lead to fal's CDN? */
static bool is_of_fal(const char *text)
{
  struct fr_url url;
  size_t len;

  if (fr_url_parse(text, &url) || strcmp(url.scheme, "https") != 0 ||
      url.port != 443 || url.has_user || url.has_fragment)
    return false;
  len = strlen(url.host);
  return strcmp(url.host, "fal.media") == 0 ||
         (len > 10 && strcmp(url.host + len - 10, ".fal.media") == 0);
}

static void check_link(const char *text)
{
  struct fr_buf url;

  if (fr_link_fault(text))
    return;
  fr_buf_init(&url, 8192);
  CHECK(strlen(text) <= FR_LINK_MOST);
  CHECK(fr_link_url(text, NULL, "u=1", &url) == FR_OK);
  CHECK(is_of_fal(fr_buf_text(&url)));
  fr_buf_clear(&url);
  CHECK(fr_link_url(text, "http://127.0.0.1:8123/cdn", NULL, &url) == FR_OK);
  CHECK(strncmp(fr_buf_text(&url), "http://127.0.0.1:8123/cdn/", 26) == 0);
  fr_buf_done(&url);
}

static void check_origin(const char *text)
{
  struct fr_origin origin;
  struct fr_buf why;
  struct fr_url url;

  fr_buf_init(&why, 2048);
  if (fr_origin_parse(text, &why, &origin) == FR_OK) {
    CHECK(fr_url_parse(origin.base, &url) == FR_OK);
    CHECK(strcmp(url.scheme, "https") == 0 || fr_url_is_loopback(&url));
    CHECK(!url.has_user && !url.has_query && !url.has_fragment);
    CHECK(strncmp(origin.base, origin.name, strlen(origin.name)) == 0);
  } else {
    check_plain(fr_buf_text(&why));
  }
  fr_buf_done(&why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  char *text = text_of(data, size);

  check_link(text);
  check_origin(text);
  free(text);
  return 0;
}
