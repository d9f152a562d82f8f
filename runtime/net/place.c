/* net/place.c - see place.h. A URL is taken apart by the parser that will
 * send it (fr_url_parse), and what is asked is written anew from the place
 * that was checked. Names are compared as they are written: nothing is
 * resolved here, and TLS holds a host to its name. */
#include "net/place.h"

#include <string.h>

#define NAME "abcdefghijklmnopqrstuvwxyz0123456789-._:"

/* ---- one place ----------------------------------------------------------- */

static bool ends_with(const char *host, const char *domain)
{
  size_t len = strlen(host), tail = strlen(domain);

  return len >= tail && !strcmp(host + len - tail, domain) &&
         (len == tail || host[len - tail - 1] == '.');
}

static bool is_fal(const char *host)
{
  return ends_with(host, "fal.ai") || ends_with(host, "fal.run") ||
         ends_with(host, "fal.media");
}

static bool is_local(const char *host)
{
  struct fr_url url = { .port = 0 };

  strcpy(url.host, host);
  return fr_url_is_loopback(&url);
}

/* All names of this machine are one: 127.0.0.1, ::1, localhost. */
static bool is_origin(const struct fr_places *places, const char *host,
                      unsigned port)
{
  if (!places->origin[0])
    return false;
  if (is_local(places->origin))
    return is_local(host) && port == places->origin_port;
  return !strcmp(host, places->origin);
}

static bool is_name(const char *host)
{
  size_t len = strlen(host);

  return len && strspn(host, NAME) == len && host[0] != '.' &&
         host[len - 1] != '.' && !strstr(host, "..");
}

static unsigned port_of(const struct fr_site *place, const char *scheme)
{
  if (place->port)
    return place->port;
  return !strcmp(scheme, "http") ? 80 : 443;
}

static bool has(const struct fr_places *places, const struct fr_url *url)
{
  for (unsigned i = 0; places && i < places->count; i++)
    if (!strcmp(places->list[i].host, url->host) &&
        port_of(&places->list[i], url->scheme) == url->port)
      return true;
  return false;
}

static enum fr_err push(struct fr_places *places, const char *host,
                        unsigned port, struct fr_buf *why)
{
  struct fr_site *place = &places->list[places->count];

  if (places->count == FR_PLACES_MOST) {
    fr_buf_say(why, "there are more than %d hosts", FR_PLACES_MOST);
    return FR_ECONFIG;
  }
  strcpy(place->host, host);
  place->port = port;
  places->count++;
  return FR_OK;
}

/* ---- the list ------------------------------------------------------------ */

static enum fr_err refuse(const char *entry, size_t len, const char *what,
                          struct fr_buf *why)
{
  fr_buf_clear(why);
  fr_buf_add_text(why, "\"");
  fr_buf_add_plain(why, entry, len, 100);
  fr_buf_addf(why, "\" %s", what);
  return FR_ECONFIG;
}

/* Whether a port is written in "host:1" or "[::1]:1". */
static bool names_port(const char *entry)
{
  const char *bracket = strrchr(entry, ']');

  return strchr(bracket ? bracket : entry, ':') != NULL;
}

static enum fr_err add_one(struct fr_places *places, const char *entry,
                           size_t len, struct fr_buf *why)
{
  char text[300], url[320] = "https://";
  struct fr_url parts;
  enum fr_err err;

  if (len >= sizeof(text))
    return refuse(entry, len, "is too long for a host", why);
  memcpy(text, entry, len);
  text[len] = 0;
  if (strstr(text, "://") || strpbrk(text, "/?#@"))
    return refuse(entry, len, "is a URL: write its host alone, like "
                  "hooks.slack.com or 127.0.0.1:9000", why);
  if (strchr(text, '*'))
    return refuse(entry, len, "has a *: each host is named by itself", why);
  strcat(url, text);
  err = fr_url_parse(url, &parts);
  if (err == FR_ENOMEM)
    return err;
  if (err || !is_name(parts.host) || parts.path[0])
    return refuse(entry, len, "is no host: write one like hooks.slack.com or "
                  "127.0.0.1:9000", why);
  if (is_fal(parts.host))
    return refuse(entry, len, "is fal's own: the gate alone sends there; use "
                  "the operations of the table fal", why);
  if (is_origin(places, parts.host, parts.port))
    return refuse(entry, len, "is the API of this run: the gate alone sends "
                  "there", why);
  return push(places, parts.host, names_port(text) ? parts.port : 0, why);
}

enum fr_err fr_places_add(struct fr_places *places, const char *text,
                          struct fr_buf *why)
{
  enum fr_err err = FR_OK;

  while (!err && *text) {
    size_t len = strcspn(text, ","), blanks = strspn(text, " ");
    size_t used = len;

    while (used > blanks && text[used - 1] == ' ')
      used--;
    if (used > blanks)
      err = add_one(places, text + blanks, used - blanks, why);
    text += len + (text[len] == ',');
  }
  return err;
}

enum fr_err fr_places_forbid(struct fr_places *places, const char *origin)
{
  struct fr_url url;
  enum fr_err err = fr_url_parse(origin, &url);

  if (err)
    return err;
  strcpy(places->origin, url.host);
  places->origin_port = url.port;
  return FR_OK;
}

/* ---- one URL ------------------------------------------------------------- */

static const char *fault_of(const struct fr_places *places,
                            const struct fr_url *url)
{
  bool local = fr_url_is_loopback(url);

  if (strcmp(url->scheme, "https") != 0 &&
      !(local && !strcmp(url->scheme, "http")))
    return "only https is sent, and http to a loopback address";
  if (url->has_user)
    return "its URL has a user in it: put that into a header";
  if (url->has_fragment)
    return "its URL has a fragment, which no server ever sees";
  if (!is_name(url->host))
    return "its host cannot be read";
  if (is_fal(url->host) ||
      (places && is_origin(places, url->host, url->port)))
    return "that is fal's own, where the gate alone sends; use the "
           "operations of the table fal";
  return NULL;
}

static enum fr_err take_apart(const struct fr_places *places,
                              const char *text, struct fr_url *url,
                              struct fr_buf *why)
{
  const char *fault;
  enum fr_err err;

  if (strlen(text) > FR_NET_URL_MOST) {
    fr_buf_say(why, "the URL is longer than %d bytes", FR_NET_URL_MOST);
    return FR_ECONFIG;
  }
  err = fr_url_parse(text, url);
  if (err == FR_ENOMEM)
    return err;
  if (err) {
    fr_buf_say(why, "that is no URL like https://hooks.example.com/x");
    return FR_ECONFIG;
  }
  fault = fault_of(places, url);
  if (!fault)
    return FR_OK;
  fr_buf_say(why, "nothing may be sent to %.100s: %s", url->host, fault);
  return FR_ECONFIG;
}

static enum fr_err add_place(struct fr_buf *buf, const struct fr_url *url)
{
  bool six = strchr(url->host, ':') != NULL;

  return fr_buf_addf(buf, "%s://%s%s%s:%u", url->scheme, six ? "[" : "",
                     url->host, six ? "]" : "", url->port);
}

/* What begins behind the place: "/x?y". */
static const char *rest_of(const char *url)
{
  const char *host = strstr(url, "://");

  return host ? host + 3 + strcspn(host + 3, "/?") : "";
}

enum fr_err fr_places_add_url(struct fr_places *places, const char *url,
                              struct fr_buf *why)
{
  struct fr_url parts;
  enum fr_err err = take_apart(places, url, &parts, why);

  return err ? err : push(places, parts.host, parts.port, why);
}

enum fr_err fr_places_check(const struct fr_places *places, const char *url,
                            struct fr_buf *ret_url, struct fr_buf *why)
{
  struct fr_url parts;
  enum fr_err err = take_apart(places, url, &parts, why);
  bool plain;

  if (err)
    return err;
  if (!has(places, &parts)) {
    plain = parts.port == (strcmp(parts.scheme, "http") ? 443 : 80);
    fr_buf_say(why, "nothing may be sent to %.100s: that is for whoever "
               "starts falrun to allow, by --allow-net %.100s", parts.host,
               parts.host);
    if (!plain)
      fr_buf_addf(why, ":%u", parts.port);
    return FR_ECONFIG;
  }
  fr_buf_clear(ret_url);
  err = add_place(ret_url, &parts);
  if (!err && *rest_of(url) != '/')
    err = fr_buf_add_text(ret_url, "/");
  return err ? err : fr_buf_add_text(ret_url, rest_of(url));
}

void fr_place_words(const char *url, struct fr_buf *words)
{
  struct fr_url parts;

  fr_buf_clear(words);
  if (strlen(url) > FR_NET_URL_MOST || fr_url_parse(url, &parts))
    fr_buf_add_text(words, "a URL that cannot be read");
  else
    fr_buf_addf(words, "%s://%.100s", parts.scheme, parts.host);
}
