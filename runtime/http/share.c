/* http/share.c - how many calls share an HTTP/2 connection.
 *
 *   about to send --> the n-th on its connection --> answered: it lives for n
 *                                                \-> lost: for n - 1 only
 *
 * A server that ends its connections after N requests (nginx: 1,000 by
 * default) takes with each of them the calls above N, and each of those is a
 * repeat. Where only a tenth of N are on their way at a time, no more than a
 * tenth can be lost, and the retry budget pays for that. More connections
 * make up for it.
 */
#include "http/internal.h"

#define STREAMS_MOST 100L       /* libcurl's own CURLMOPT default */
#define IN_FLIGHT_MOST 256L

void fr_share_begin(struct fr_call *call, int local_port)
{
  struct fr_sharing *sharing = &call->http->sharing;
  size_t place = (unsigned)local_port % FR_CONNECTIONS;

  if (sharing->connections[place].port != local_port) {
    sharing->connections[place].port = local_port;
    sharing->connections[place].calls = 0;
  }
  call->nth = ++sharing->connections[place].calls;
}

static void set_limits(struct fr_http *http, long streams, long connects)
{
  struct fr_sharing *sharing = &http->sharing;

  if (streams != sharing->streams)
    curl_multi_setopt(http->multi, CURLMOPT_MAX_CONCURRENT_STREAMS, streams);
  if (connects != sharing->connects)
    curl_multi_setopt(http->multi, CURLMOPT_MAX_HOST_CONNECTIONS, connects);
  sharing->streams = streams;
  sharing->connects = connects;
}

/* A call that is lost before the first answer of its connection says that
 * there is no server, not how long connections live. */
static void learn_life(struct fr_sharing *sharing, unsigned nth,
                       enum fr_err err)
{
  if (!err && sharing->life && nth > sharing->life)
    sharing->life = nth;
  if (err == FR_EDROPPED && nth > 1 &&
      (!sharing->life || nth <= sharing->life))
    sharing->life = nth - 1;
}

static long streams_for(unsigned life)
{
  if (!life || life / 10 > STREAMS_MOST)
    return STREAMS_MOST;
  return life < 20 ? 1 : (long)(life / 10);
}

/* libcurl 7.88's PIPEWAIT waits for a first connection only: after a GOAWAY
 * every waiting call would open one of its own. So no more than are needed
 * may be open; HTTP/1.1 needs one for each call in flight. */
void fr_share_learn(const struct fr_call *call, enum fr_err err)
{
  struct fr_http *http = call->http;
  long version = 0, streams;

  curl_easy_getinfo(call->easy, CURLINFO_HTTP_VERSION, &version);
  learn_life(&http->sharing, call->nth, err);
  if (!version)                 /* there was no answer */
    return;
  streams = streams_for(http->sharing.life);
  if (version == CURL_HTTP_VERSION_2_0)
    set_limits(http, streams, (IN_FLIGHT_MOST + streams - 1) / streams);
  else
    set_limits(http, STREAMS_MOST, 0);
}
