/* host/ping.h - tells a monitor that a run began, and how it ended.
 *
 *   URL/start?rid=UUID        before the first turn
 *   URL/EXIT_CODE?rid=UUID    at the end, with a summary as plain text
 *
 * In the manner of healthchecks.io, for what changes something and is meant
 * to come every night: run, apply, delete and the like; not for a dry run.
 *
 * Promise: a ping changes no exit code, takes 10 s at most, and goes by a
 * client of its own that knows no key (net.h), on a loop of its own.
 *
 * Ownership: embedded; the URL is borrowed from the options.
 */
#ifndef FR_HOST_PING_H
#define FR_HOST_PING_H

#include "host/parts.h"

struct fr_ping {
  const char *url;              /* NULL: nobody is told */
  const char *proxy, *ca_file;  /* or NULL */
  const char *title;            /* of what is run: its policy or command */
  struct fr_uuid id;            /* of this run, for the monitor */
  int64_t run;                  /* its number in the ledger; 0: none */
};

/* FR_ECONFIG and a sentence: --ping is no URL that can be asked. */
enum fr_err fr_ping_open(struct fr_ping *ping,
                         const struct fr_options *options,
                         struct fr_buf *why);

/* The URL of a ping: `what` is behind the path, the query stays. */
enum fr_err fr_ping_url(const char *url, const char *what,
                        const struct fr_uuid *id, struct fr_buf *ret_url);

/* Both wait, and log a warning when nobody was reached. */
void fr_ping_start(const struct fr_ping *ping, struct fr_parts *parts);
void fr_ping_end(const struct fr_ping *ping, struct fr_parts *parts,
                 int code);

#endif
