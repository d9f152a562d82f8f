/* http/url.c - URLs, taken apart by the parser that will send them. */
#include <arpa/inet.h>
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
static enum fr_err part(CURLU *url, CURLUPart which, unsigned flags,
                        char *ret_text, size_t size)
{
  char *text = NULL;
  CURLUcode code = curl_url_get(url, which, &text, flags);
  enum fr_err err = FR_OK;

  if (code == CURLUE_OUT_OF_MEMORY)
    return FR_ENOMEM;
  ret_text[0] = 0;
  if (!code && strlen(text) < size)
    strcpy(ret_text, text);
  else if (!code)
    err = FR_EINVALID;
  curl_free(text);
  return err;
}

static enum fr_err present(CURLU *url, CURLUPart which, bool *is_there)
{
  char *text = NULL;
  CURLUcode code = curl_url_get(url, which, &text, 0);

  curl_free(text);
  *is_there = *is_there || !code;
  return code == CURLUE_OUT_OF_MEMORY ? FR_ENOMEM : FR_OK;
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

static enum fr_err copy_parts(CURLU *url, struct fr_url *ret)
{
  char port[8] = "";
  enum fr_err err = part(url, CURLUPART_SCHEME, 0, ret->scheme,
                         sizeof(ret->scheme));

  if (!err)
    err = part(url, CURLUPART_HOST, 0, ret->host, sizeof(ret->host));
  if (!err)
    err = part(url, CURLUPART_PATH, 0, ret->path, sizeof(ret->path));
  if (!err)
    err = part(url, CURLUPART_PORT, CURLU_DEFAULT_PORT, port, sizeof(port));
  ret->port = (unsigned)strtoul(port, NULL, 10);
  return err;
}

static enum fr_err note_extras(CURLU *url, struct fr_url *ret)
{
  enum fr_err err = present(url, CURLUPART_USER, &ret->has_user);

  if (!err)
    err = present(url, CURLUPART_PASSWORD, &ret->has_user);
  if (!err)
    err = present(url, CURLUPART_QUERY, &ret->has_query);
  if (!err)
    err = present(url, CURLUPART_FRAGMENT, &ret->has_fragment);
  return err;
}

static enum fr_err take_apart(CURLU *url, struct fr_url *ret)
{
  enum fr_err err = copy_parts(url, ret);
  size_t len;

  if (!err)
    err = note_extras(url, ret);
  if (err)
    return err;
  lower(ret->scheme);
  lower(ret->host);
  strip_brackets(ret->host);
  for (len = strlen(ret->path); len && ret->path[len - 1] == '/'; len--)
    ret->path[len - 1] = 0;
  return ret->host[0] ? FR_OK : FR_EINVALID;
}

enum fr_err fr_url_parse(const char *text, struct fr_url *ret_url)
{
  struct fr_url parsed = { .port = 0 };
  enum fr_err err = FR_EINVALID;
  const char *scheme_end = strstr(text, "://");
  CURLUcode code;
  CURLU *url;

  /* libcurl takes "host/" for a URL, and "https:///host" for two slashes. */
  if (!printable(text) || !scheme_end || scheme_end[3] == '/')
    return FR_EINVALID;
  url = curl_url();
  if (!url)
    return FR_ENOMEM;
  code = curl_url_set(url, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME);
  if (!code)
    err = take_apart(url, &parsed);
  else if (code == CURLUE_OUT_OF_MEMORY)
    err = FR_ENOMEM;
  curl_url_cleanup(url);
  if (err)
    return err;
  parsed.has_fragment |= strchr(text, '#') != NULL;     /* an empty one too */
  *ret_url = parsed;
  return FR_OK;
}

bool fr_url_is_loopback(const struct fr_url *url)
{
  struct in_addr four;
  struct in6_addr six;

  if (!strcmp(url->host, "localhost"))
    return true;
  if (inet_pton(AF_INET, url->host, &four) == 1)
    return ntohl(four.s_addr) >> 24 == 127;
  return inet_pton(AF_INET6, url->host, &six) == 1 &&
         IN6_IS_ADDR_LOOPBACK(&six);
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
