/* probe/link.c - see link.h. The parser that takes a link apart is the one
 * that will send it (fr_url_parse); what is asked is then written anew from
 * the host that was checked. */
#include "probe/link.h"

#include <string.h>

#include "http/http.h"

#define DOMAIN "fal.media"

/* fal.media, or labels of letters, digits and '-' before it. */
static bool is_cdn(const char *host)
{
  size_t len = strlen(host), tail = strlen(DOMAIN);

  if (len < tail || strcmp(host + len - tail, DOMAIN) != 0)
    return false;
  if (len == tail)
    return true;
  return host[len - tail - 1] == '.' && host[0] != '.' &&
         !strstr(host, "..") &&
         strspn(host, "abcdefghijklmnopqrstuvwxyz0123456789-.") == len;
}

/* What begins behind the host: "/files/b/x.png?y". */
static const char *rest_of(const char *link)
{
  const char *host = strstr(link, "://") + 3;

  return host + strcspn(host, "/?");
}

/* "." or ".." as a segment, escaped or not: a base would be left by it. */
static bool has_dots(const char *rest)
{
  const char *end = rest + strcspn(rest, "?"), *at = rest;

  for (; at < end; at++) {
    const char *dot = *at == '/' ? at + 1 : at;
    unsigned dots = 0;

    if (*at != '/')
      continue;
    for (; dots < 3; dots++) {
      if (*dot == '.')
        dot++;
      else if (!strncmp(dot, "%2e", 3) || !strncmp(dot, "%2E", 3))
        dot += 3;
      else
        break;
    }
    if ((dots == 1 || dots == 2) && (dot >= end || *dot == '/'))
      return true;
  }
  return false;
}

static const char *fault_in_parts(const struct fr_url *url)
{
  if (strcmp(url->scheme, "https") != 0)
    return "it is not https";
  if (!is_cdn(url->host))
    return "its host is none of fal's CDN";
  if (url->port != 443)
    return "it names a port";
  if (url->has_user)
    return "it has a user in it";
  return url->has_fragment ? "it has a fragment" : NULL;
}

const char *fr_link_fault(const char *link)
{
  struct fr_url url;
  const char *fault;

  if (!*link)
    return "it has no name: the answer had more files than the record keeps";
  if (strlen(link) > FR_LINK_MOST)
    return "it is too long to be asked for";
  if (strstr(link, "***"))      /* nobody knows where it led */
    return "a key was blanked in it";
  if (fr_url_parse(link, &url))
    return "it is no URL";
  fault = fault_in_parts(&url);
  if (fault)
    return fault;
  if (*rest_of(link) != '/')
    return "it names no file";
  return has_dots(rest_of(link)) ? "its path has dots for a segment" : NULL;
}

enum fr_err fr_link_url(const char *link, const char *base,
                        const char *unique, struct fr_buf *url)
{
  const char *rest = rest_of(link);
  struct fr_url parts;
  enum fr_err err = fr_url_parse(link, &parts);

  fr_buf_clear(url);
  if (!err)
    err = base ? fr_buf_add_text(url, base)
               : fr_buf_addf(url, "https://%s", parts.host);
  if (!err)
    err = fr_buf_add_text(url, rest);
  if (!err && unique)
    err = fr_buf_addf(url, "%cfalrun=%s", strchr(rest, '?') ? '&' : '?',
                      unique);
  return err;
}

enum fr_err fr_link_check_base(const char *base, struct fr_buf *why)
{
  struct fr_url url;
  size_t len = strlen(base);

  if (!fr_url_parse(base, &url) && !url.has_user && !url.has_query &&
      !url.has_fragment && fr_url_is_loopback(&url) &&
      (!strcmp(url.scheme, "http") || !strcmp(url.scheme, "https")) &&
      len && base[len - 1] != '/' && !has_dots(rest_of(base)))
    return FR_OK;
  fr_buf_say(why, "FALRUN_CDN_URL is for tests, in place of fal's CDN: write "
             "a loopback URL without a slash at its end, like "
             "http://127.0.0.1:8123/cdn");
  return FR_ECONFIG;
}
