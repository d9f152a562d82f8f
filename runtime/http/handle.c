/* http/handle.c - easy handles.
 *
 * Making one costs more than a tenth of a request, so they are reused, with
 * all that is the same for every call. What differs is set by each call, or
 * taken off when it is over (`undress`). A handle that had a body or none at
 * all (HEAD), or whose answer came in pieces, is not used again. A setting
 * that cannot be made (out of memory) fails the call: without its PROXY ""
 * libcurl would believe the environment.
 */
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "http/internal.h"

#define BUFFER 8192L            /* bytes that each handle keeps to receive */

/* libcurl is about to write the request: from here on bytes may have left.
 * CURLINFO_REQUEST_SIZE says less: in HTTP/2 it stays 0 when the write of a
 * later frame failed. The stall clock starts here too.
 *
 * A second time is libcurl's own repeat, after a kept connection closed
 * without an answer. What changes something is repeated by the gate alone,
 * which must know that an answer was lost. */
static int about_to_send(void *arg, char *ip, char *local_ip, int port,
                         int local_port)
{
  struct fr_call *call = arg;
  struct fr_loop *loop = call->http->loop;

  (void)ip, (void)local_ip, (void)port;
  if (call->sent && call->spec.changes) {
    call->limit = FR_EDROPPED;
    return CURL_PREREQFUNC_ABORT;
  }
  call->sent = true;
  fr_share_begin(call, local_port);
  call->last_byte = fr_loop_now(loop);
  if (call->timer.due > call->last_byte + call->spec.stall_ms)
    fr_timer_start(loop, &call->timer,
                   call->last_byte + call->spec.stall_ms);
  return CURL_PREREQFUNC_OK;
}

static bool set_always(CURL *easy, const struct fr_http *http)
{
  const char *proxy = http->proxy ? http->proxy : "";
  unsigned bad = 0;

  bad |= curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  bad |= curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, BUFFER);
  bad |= curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  bad |= curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  bad |= curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
  bad |= curl_easy_setopt(easy, CURLOPT_PROXY, proxy);
  bad |= curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
  bad |= curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  bad |= curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  bad |= curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  bad |= curl_easy_setopt(easy, CURLOPT_SSLVERSION,
                          (long)CURL_SSLVERSION_TLSv1_2);
  if (http->ca_file)
    bad |= curl_easy_setopt(easy, CURLOPT_CAINFO, http->ca_file);
  bad |= curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
                          (long)CURL_HTTP_VERSION_2TLS);
  bad |= curl_easy_setopt(easy, CURLOPT_HTTP09_ALLOWED, 0L);
  bad |= curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);
  bad |= curl_easy_setopt(easy, CURLOPT_USERAGENT, FR_HTTP_AGENT);
  bad |= curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, fr_receive_head);
  bad |= curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, fr_receive_body);
  bad |= curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, about_to_send);
  bad |= curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, fr_curl_closed);
  bad |= curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, http);
  return !bad;
}

/* ---- one call's --------------------------------------------------------- */

/* Without formatted printing: two headers of each deletion come by here. */
static enum fr_err put_line(struct fr_buf *line, const char *name,
                            const char *value)
{
  enum fr_err err = fr_buf_add_text(line, name);

  if (!err)
    err = fr_buf_add(line, ": ", 2);
  return err ? err : fr_buf_add_text(line, value);
}

static bool add_header(struct fr_call *call, const char *name,
                       const char *value)
{
  struct curl_slist *list = NULL;
  struct fr_buf line;

  if (!value)
    return true;
  fr_buf_init(&line, strlen(name) + strlen(value) + 2);
  if (!put_line(&line, name, value))
    list = curl_slist_append(call->headers, line.data);
  if (list)
    call->headers = list;
  if (line.data)
    fr_wipe(line.data, line.len);
  fr_buf_done(&line);
  return list != NULL;
}

static bool has_body(const struct fr_call_spec *spec)
{
  return spec->body || !strcmp(spec->method, "POST") ||
         !strcmp(spec->method, "PUT") || !strcmp(spec->method, "PATCH");
}

/* A header without a value tells libcurl to leave out its own of that name:
 * its "Expect: 100-continue" costs a second with servers that ignore it. */
static bool add_headers(struct fr_call *call)
{
  const struct fr_call_spec *spec = &call->spec;
  const char *type = spec->content_type;

  if (!type && has_body(spec))
    type = "";
  return add_header(call, "Authorization", spec->authorization) &&
         add_header(call, "Idempotency-Key", spec->idempotency_key) &&
         add_header(call, "Content-Type", type) &&
         add_header(call, "Range", spec->range) &&
         (!has_body(spec) || add_header(call, "Expect", ""));
}

static bool set_request(CURL *easy, const struct fr_call_spec *spec)
{
  unsigned bad = curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, spec->method);

  if (!strcmp(spec->method, "HEAD"))
    bad |= curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
  if (has_body(spec)) {
    bad |= curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                            (curl_off_t)(spec->body ? spec->body_len : 0));
    bad |= curl_easy_setopt(easy, CURLOPT_POSTFIELDS,
                            spec->body ? spec->body : "");
  }
  if (spec->ready) {            /* one that waits must not hold up others */
    bad |= curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
                            (long)CURL_HTTP_VERSION_1_1);
    bad |= curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
  }
  bad |= curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                          (long)spec->connect_ms);
  bad |= curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)spec->total_ms);
  return !bad;
}

static bool set_call(struct fr_call *call)
{
  CURL *easy = call->easy;
  unsigned bad = curl_easy_setopt(easy, CURLOPT_CURLU, call->url);

  bad |= curl_easy_setopt(easy, CURLOPT_HTTPHEADER, call->headers);
  bad |= curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);
  bad |= curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
  bad |= curl_easy_setopt(easy, CURLOPT_PREREQDATA, call);
  bad |= curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->detail);
  bad |= curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
  return !bad && set_request(easy, &call->spec);
}

/* Where the path begins; NULL: there is none to be told apart. */
static const char *path_of(const char *url)
{
  const char *host = strstr(url, "://");
  const char *path = host ? strchr(host + 3, '/') : NULL;

  if (!path || strpbrk(path, "#\\ ") || strstr(path, "/."))
    return NULL;
  return (size_t)(path - url) < strcspn(url, "?#@") ? path : NULL;
}

static bool same_base(const struct fr_http *http, const char *url,
                      const char *path)
{
  size_t len = strlen(http->base_text);

  return http->base && (size_t)(path - url) == len &&
         !memcmp(url, http->base_text, len);
}

/* The parsed base with another path and query. */
static CURLUcode put_path(struct fr_call *call, const char *path)
{
  const char *query = strchr(path, '?');
  char *alone = query ? strndup(path, (size_t)(query - path)) : NULL;
  CURLUcode code = query && !alone ? CURLUE_OUT_OF_MEMORY : CURLUE_OK;

  if (!code)
    code = curl_url_set(call->url, CURLUPART_PATH, alone ? alone : path, 0);
  if (!code && query)
    code = curl_url_set(call->url, CURLUPART_QUERY, query + 1, 0);
  free(alone);
  return code;
}

/* Remembers what this URL begins with, if there is memory for it. */
static void keep_base(struct fr_call *call, const char *path)
{
  struct fr_http *http = call->http;
  size_t len = path ? (size_t)(path - call->spec.url) : 0;

  if (!path || len >= sizeof(http->base_text))
    return;
  curl_url_cleanup(http->base);
  http->base = curl_url_dup(call->url);
  if (http->base && (curl_url_set(http->base, CURLUPART_PATH, NULL, 0) ||
                     curl_url_set(http->base, CURLUPART_QUERY, NULL, 0))) {
    curl_url_cleanup(http->base);
    http->base = NULL;
  }
  memcpy(http->base_text, call->spec.url, len);
  http->base_text[len] = 0;
}

/* A parsed URL saves libcurl a tenth of a request, and tells now whether it
 * is one. Nearly all have the same host: only the first is parsed whole. */
static enum fr_err parse_url(struct fr_call *call)
{
  const char *url = call->spec.url, *path = path_of(url);
  bool known = path && same_base(call->http, url, path);
  CURLUcode code;

  call->url = known ? curl_url_dup(call->http->base) : curl_url();
  if (!call->url)
    return FR_ENOMEM;
  code = known ? put_path(call, path)
               : curl_url_set(call->url, CURLUPART_URL, url,
                              CURLU_DISALLOW_USER);
  if (!known && !code)
    keep_base(call, path);
  if (code == CURLUE_OUT_OF_MEMORY)
    return FR_ENOMEM;
  return code ? FR_EINVALID : FR_OK;
}

enum fr_err fr_handle_prepare(struct fr_call *call)
{
  struct fr_http *http = call->http;
  enum fr_err err = parse_url(call);

  if (err)
    return err;
  if (http->nidle) {
    call->easy = http->idle[--http->nidle];
  } else {
    call->easy = curl_easy_init();
    if (!call->easy)
      return FR_ENOMEM;
    if (!set_always(call->easy, http)) {
      curl_easy_cleanup(call->easy);
      call->easy = NULL;
      return FR_ENOMEM;
    }
  }
  return add_headers(call) && set_call(call) ? FR_OK : FR_ENOMEM;
}

/* True: nothing of the call is left in the handle. */
static bool undress(CURL *easy, const struct fr_call_spec *spec)
{
  unsigned bad = 0;

  if (has_body(spec) || spec->ready || !strcmp(spec->method, "HEAD"))
    return false;
  bad |= curl_easy_setopt(easy, CURLOPT_CURLU, NULL);
  bad |= curl_easy_setopt(easy, CURLOPT_HTTPHEADER, NULL);
  bad |= curl_easy_setopt(easy, CURLOPT_HEADERDATA, NULL);
  bad |= curl_easy_setopt(easy, CURLOPT_WRITEDATA, NULL);
  bad |= curl_easy_setopt(easy, CURLOPT_PREREQDATA, NULL);
  bad |= curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, NULL);
  bad |= curl_easy_setopt(easy, CURLOPT_PRIVATE, NULL);
  return !bad;
}

void fr_handle_release(struct fr_call *call)
{
  struct fr_http *http = call->http;

  if (call->easy && http->nidle < FR_IDLE_HANDLES &&
      undress(call->easy, &call->spec))
    http->idle[http->nidle++] = call->easy;
  else if (call->easy)
    curl_easy_cleanup(call->easy);
  for (struct curl_slist *line = call->headers; line; line = line->next)
    fr_wipe(line->data, strlen(line->data));
  curl_slist_free_all(call->headers);
  curl_url_cleanup(call->url);
  call->easy = NULL;
  call->headers = NULL;
  call->url = NULL;
}
