/* net/place.h - where a request may go: pure functions.
 *
 *   "hooks.slack.com,127.0.0.1:9000" --> an allow list of exact places
 *   "https://hooks.slack.com/x?y"    --> checked --> the URL to ask
 *
 * Promise: a URL made here begins with a place that is on the list. No place
 * of fal's is ever on one, nor is the configured API (`origin`).
 */
#ifndef FR_NET_PLACE_H
#define FR_NET_PLACE_H

#include <stdbool.h>

#include "http/http.h"

#define FR_PLACES_MOST 32
#define FR_NET_URL_MOST 2047

struct fr_site {
  char host[256];               /* lower case; IPv6 without brackets */
  unsigned port;                /* 0: the one of the scheme */
};

struct fr_places {
  struct fr_site list[FR_PLACES_MOST];
  unsigned count;
  char origin[256];             /* the API's host, which is never asked */
  unsigned origin_port;
};

/* Adds "HOST[:PORT],..." to the list; "" adds nothing. FR_ECONFIG and, in
 * `why`, which entry is wrong and what to write instead. */
enum fr_err fr_places_add(struct fr_places *places, const char *text,
                          struct fr_buf *why);
/* Adds the place of a URL that may be asked but for the list. */
enum fr_err fr_places_add_url(struct fr_places *places, const char *url,
                              struct fr_buf *why);
/* The origin of the API, "https://api.fal.ai". */
enum fr_err fr_places_forbid(struct fr_places *places, const char *origin);

/* The URL to be asked: what is behind the place is left as it is. FR_ECONFIG
 * and a sentence in `why`: it may not be asked. NULL: an empty list. */
enum fr_err fr_places_check(const struct fr_places *places, const char *url,
                            struct fr_buf *ret_url, struct fr_buf *why);

/* The place of a URL, for people: its path may be a secret. */
void fr_place_words(const char *url, struct fr_buf *words);

#endif
