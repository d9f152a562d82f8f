/* http/url.c - URLs, taken apart by the parser that will send them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/internal.h"

static bool printable(const char *text)
{
  for (; *text; text++)
    if ((unsigned char)*text <= 0x20 || (unsigned char)*text >= 0x7f ||
        *text == '\\')
      return false;
  return true;
}

/* Copies one part; an absent one is empty. */
static bool part(CURLU *url, CURLUPart which, unsigned flags, char *ret_text,
                 size_t size)
{
  char *text = NULL;
  bool fits = true;

  ret_text[0] = 0;
  if (!curl_url_get(url, which, &text, flags)) {
    fits = strlen(text) < size;
    if (fits)
      strcpy(ret_text, text);
  }
  curl_free(text);
  return fits;
}

static bool present(CURLU *url, CURLUPart which)
{
  char *text = NULL;
  bool there = !curl_url_get(url, which, &text, 0);

  curl_free(text);
  return there;
}

static void lower(char *text)
{
  for (; *text; text++)
    if (*text >= 'A' && *text <= 'Z')
      *text = (char)(*text - 'A' + 'a');
}

static void strip_brackets(char *host)
{
  size_t len = strlen(host);

  if (len > 2 && host[0] == '[' && host[len - 1] == ']') {
    memmove(host, host + 1, len - 2);
    host[len - 2] = 0;
  }
}

static enum fr_err take_apart(CURLU *url, struct fr_url *ret)
{
  char port[8];
  size_t len;

  if (!part(url, CURLUPART_SCHEME, 0, ret->scheme, sizeof(ret->scheme)) ||
      !part(url, CURLUPART_HOST, 0, ret->host, sizeof(ret->host)) ||
      !part(url, CURLUPART_PATH, 0, ret->path, sizeof(ret->path)) ||
      !part(url, CURLUPART_PORT, CURLU_DEFAULT_PORT, port, sizeof(port)) ||
      !ret->host[0])
    return FR_EINVALID;
  ret->port = (unsigned)strtoul(port, NULL, 10);
  ret->has_user = present(url, CURLUPART_USER) ||
                  present(url, CURLUPART_PASSWORD);
  ret->has_query = present(url, CURLUPART_QUERY);
  ret->has_fragment = present(url, CURLUPART_FRAGMENT);
  lower(ret->scheme);
  lower(ret->host);
  strip_brackets(ret->host);
  for (len = strlen(ret->path); len && ret->path[len - 1] == '/'; len--)
    ret->path[len - 1] = 0;
  return FR_OK;
}

enum fr_err fr_url_parse(const char *text, struct fr_url *ret_url)
{
  struct fr_url parsed = { .port = 0 };
  enum fr_err err = FR_EINVALID;
  CURLU *url;

  if (!printable(text) || !strstr(text, "://"))
    return FR_EINVALID;
  url = curl_url();
  if (!url)
    return FR_ENOMEM;
  if (!curl_url_set(url, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME))
    err = take_apart(url, &parsed);
  curl_url_cleanup(url);
  if (!err)
    *ret_url = parsed;
  return err;
}

static bool unreserved(unsigned char c)
{
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
         (c >= 'a' && c <= 'z') || (c && strchr("-._~", c));
}

enum fr_err fr_url_add_escaped(struct fr_buf *buf, const char *text,
                               size_t len)
{
  enum fr_err err = FR_OK;

  for (size_t i = 0; !err && i < len; i++) {
    unsigned char c = (unsigned char)text[i];

    err = unreserved(c) ? fr_buf_add(buf, &c, 1)
                        : fr_buf_addf(buf, "%%%02X", c);
  }
  return err;
}

const char *fr_http_version(void)
{
  static char text[128];
  const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);

  snprintf(text, sizeof(text), "%s %s nghttp2/%s", info->version,
           info->ssl_version ? info->ssl_version : "",
           info->nghttp2_version ? info->nghttp2_version : "none");
  return text;
}
