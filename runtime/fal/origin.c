/* fal/origin.c - what may be an origin.
 *
 * libcurl's own parser takes the URL apart, so that what is checked here is
 * what is spoken to later; the base is then written anew from the parts. A
 * URL with a user in it is not quoted in the complaint: it has a password.
 */
#include "fal/origin.h"

#include <stdio.h>
#include <string.h>

#include "http/http.h"

#define HOST "abcdefghijklmnopqrstuvwxyz0123456789-._:"
#define WAY_OUT "use a URL like " FR_ORIGIN_DEFAULT

static enum fr_err refuse(struct fr_buf *why, const char *fault)
{
  fr_buf_say(why, "the API URL is not usable: %s; %s", fault, WAY_OUT);
  return FR_ECONFIG;
}

/* What the text alone shows, before any parser guesses at it. */
static const char *fault_in_text(const char *url)
{
  const char *at;

  if (!url || !*url)
    return "it is empty";
  for (at = url; *at; at++) {
    if (*at <= ' ' || *at > '~' || strchr("\\\"<>^`{|}", *at))
      return "it has a blank or a character that no URL may have";
  }
  at = strstr(url, "://");
  if (!at)
    return "it does not start with https://";
  if (at[3] == '/')
    return "it has no host";            /* libcurl would take the path's */
  if (strchr(url, '?'))
    return "it has a query (a \"?\")";
  if (strchr(url, '#'))
    return "it has a fragment (a \"#\")";
  return NULL;
}

static const char *fault_in_parts(const struct fr_url *parts)
{
  bool plain = !strcmp(parts->scheme, "http");

  if (parts->has_user)
    return "it has a user or a password in it, and keys come from FAL_KEY";
  if (parts->has_query || parts->has_fragment)
    return "it has a query or a fragment";
  if (!plain && strcmp(parts->scheme, "https"))
    return "its scheme is not https";
  if (!parts->host[0] || parts->host[strspn(parts->host, HOST)])
    return "it has no usable host";     /* libcurl has decoded %xx in it */
  if (plain && !fr_url_is_loopback(parts))
    return "http would send keys in the clear, so it is for loopback "
           "addresses only (127.0.0.1, [::1], localhost)";
  return NULL;
}

static bool put(char *text, size_t size, const char *name, const char *path)
{
  int len = snprintf(text, size, "%s%s", name, path);

  return len >= 0 && (size_t)len < size;
}

static bool put_name(const struct fr_url *parts, char *text, size_t size)
{
  bool six = strchr(parts->host, ':') != NULL;
  unsigned usual = !strcmp(parts->scheme, "http") ? 80 : 443;
  char port[16] = "";
  int len;

  if (parts->port != usual)
    snprintf(port, sizeof(port), ":%u", parts->port);
  len = snprintf(text, size, "%s://%s%s%s%s", parts->scheme, six ? "[" : "",
                 parts->host, six ? "]" : "", port);
  return len >= 0 && (size_t)len < size;
}

enum fr_err fr_origin_parse(const char *url, struct fr_buf *why,
                            struct fr_origin *ret_origin)
{
  struct fr_origin origin;
  struct fr_url parts;
  const char *fault = fault_in_text(url);
  size_t len;

  if (fault)
    return refuse(why, fault);
  if (fr_url_parse(url, &parts))
    return refuse(why, "it cannot be read as a URL");
  fault = fault_in_parts(&parts);
  if (fault)
    return refuse(why, fault);
  len = strlen(parts.path);
  while (len && parts.path[len - 1] == '/')
    parts.path[--len] = '\0';
  if (!put_name(&parts, origin.name, sizeof(origin.name)) ||
      !put(origin.base, sizeof(origin.base), origin.name, parts.path))
    return refuse(why, "it is too long");
  *ret_origin = origin;
  return FR_OK;
}
