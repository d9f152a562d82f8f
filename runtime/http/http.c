/* http/http.c - making and freeing a client. */
#include "http/http.h"

#include <stdlib.h>
#include <string.h>

#include "http/internal.h"

static enum fr_err copy(const char *text, char **ret_copy)
{
  char *made;

  if (!text)
    return FR_OK;
  made = strdup(text);
  if (!made)
    return FR_ENOMEM;
  *ret_copy = made;
  return FR_OK;
}

static struct fr_http *make(struct fr_loop *loop, bool read_only)
{
  struct fr_http *http = calloc(1, sizeof(*http));

  if (!http)
    return NULL;
  http->loop = loop;
  http->read_only = read_only;
  fr_list_init(&http->started);
  return http;
}

enum fr_err fr_http_new(struct fr_loop *loop,
                        const struct fr_http_config *config,
                        struct fr_buf *why, struct fr_http **ret_http)
{
  struct fr_http *http = make(loop, config->read_only);
  enum fr_err err;

  if (!http)
    return FR_ENOMEM;
  http->anonymous = config->anonymous;
  err = copy(config->proxy, &http->proxy);
  if (!err)
    err = copy(config->ca_file, &http->ca_file);
  if (!err)
    err = fr_curl_open(http, why);
  if (err) {
    fr_http_free(http);
    return err;
  }
  if (config->max_connections)
    curl_multi_setopt(http->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS,
                      config->max_connections);
  *ret_http = http;
  return FR_OK;
}

enum fr_err fr_http_new_local(struct fr_loop *loop, bool read_only,
                              fr_http_serve_fn serve, void *arg,
                              struct fr_http **ret_http)
{
  struct fr_http *http = make(loop, read_only);

  if (!http)
    return FR_ENOMEM;
  http->serve = serve;
  http->serve_arg = arg;
  *ret_http = http;
  return FR_OK;
}

void fr_http_free(struct fr_http *http)
{
  if (!http)
    return;
  if (http->multi)
    fr_curl_close(http);
  fr_timer_stop(http->loop, &http->timer);
  free(http->proxy);
  free(http->ca_file);
  free(http);
}
