/* http/handle.c - easy handles.
 *
 * Making one costs more than a tenth of a request, so they are reused, with
 * all that is the same for every call, and with the parsed URL. What differs
 * is set by each call, or taken off when it is over (`undress`). A handle that
 * had a body or none at all (HEAD), or whose answer came in pieces, is not
 * used again. A setting that cannot be made (out of memory) fails the call:
 * without its PROXY "" libcurl would believe the environment.
 */
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "http/internal.h"

#define AUTHORIZATION "Authorization"
#define KEY "Idempotency-Key"
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

/* libcurl 7.88 keeps a connection whose very first send failed, and PIPEWAIT
 * makes all other calls wait for it, in vain. So a connection is closed after
 * a call, until an answer has begun to come (receive.c). */
static CURLcode forbid_reuse(CURL *easy)
{
  return curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
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
  bad |= forbid_reuse(easy);
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

static bool add_header(struct fr_handle *handle, const char *name,
                       const char *value)
{
  struct curl_slist *list = NULL;
  struct fr_buf line;

  if (!value)
    return true;
  fr_buf_init(&line, strlen(name) + strlen(value) + 2);
  if (!put_line(&line, name, value))
    list = curl_slist_append(handle->headers, line.data);
  if (list)
    handle->headers = list;
  if (line.data)
    fr_wipe(line.data, line.len);
  fr_buf_done(&line);
  return list != NULL;
}

static bool has_body(const struct fr_call_spec *spec)
{
  return spec->body || spec->upload || !strcmp(spec->method, "POST") ||
         !strcmp(spec->method, "PUT") || !strcmp(spec->method, "PATCH");
}

static bool add_extra(struct fr_handle *handle, const char *text)
{
  while (text && *text) {
    size_t len = strcspn(text, "\n");
    char *line = strndup(text, len);
    struct curl_slist *list =
      line ? curl_slist_append(handle->headers, line) : NULL;

    if (line)
      fr_wipe(line, len);
    free(line);
    if (!list)
      return false;
    handle->headers = list;
    text += len + 1;
  }
  return true;
}

/* A header without a value tells libcurl to leave out its own of that name:
 * its "Expect: 100-continue" costs a second with servers that ignore it, and
 * saves a file's bytes with those that do not. */
static bool add_headers(struct fr_handle *handle,
                        const struct fr_call_spec *spec)
{
  const char *type = spec->content_type;

  if (spec->upload)
    type = spec->upload->type;
  else if (!type && has_body(spec))
    type = "";
  return add_header(handle, AUTHORIZATION, spec->authorization) &&
         add_header(handle, KEY, spec->idempotency_key) &&
         add_header(handle, "Content-Type", type) &&
         add_header(handle, "Range", spec->range) &&
         add_header(handle, "If-Range", spec->if_range) &&
         add_header(handle, "Last-Event-ID", spec->last_event_id) &&
         add_header(handle, "Accept", spec->accept) &&
         add_header(handle, "Accept-Encoding", spec->ready ? "identity"
                                                           : NULL) &&
         (!has_body(spec) || spec->upload ||
          add_header(handle, "Expect", "")) &&
         add_extra(handle, spec->extra);
}

static void drop_headers(struct fr_handle *handle)
{
  for (struct curl_slist *line = handle->headers; line; line = line->next)
    fr_wipe(line->data, strlen(line->data));
  curl_slist_free_all(handle->headers);
  handle->headers = NULL;
}

/* The value in such a line, or NULL. */
static char *value_of(const struct curl_slist *line, const char *name)
{
  size_t len = strlen(name);

  if (!line || strncmp(line->data, name, len) || line->data[len] != ':')
    return NULL;
  return line->data + len + 2;
}

/* From one deletion to the next nothing but the key changes. True: it was so,
 * and the lines that are there are those of this call. */
static bool change_key(struct fr_handle *handle,
                       const struct fr_call_spec *spec)
{
  const struct curl_slist *line = handle->headers;
  const char *authorization = value_of(line, AUTHORIZATION);
  char *key = authorization ? value_of(line->next, KEY) : NULL;
  const char *other = spec->idempotency_key;

  if (!key || line->next->next || !other || !spec->authorization ||
      spec->content_type || spec->range || spec->if_range ||
      spec->last_event_id || spec->accept || spec->extra || spec->ready ||
      spec->upload ||
      has_body(spec) ||
      strcmp(authorization, spec->authorization) != 0 ||
      strlen(key) != strlen(other))
    return false;
  memcpy(key, other, strlen(other));
  return true;
}

static bool set_headers(struct fr_handle *handle,
                        const struct fr_call_spec *spec)
{
  if (change_key(handle, spec))
    return true;
  drop_headers(handle);
  if (add_headers(handle, spec) &&
      !curl_easy_setopt(handle->easy, CURLOPT_HTTPHEADER, handle->headers))
    return true;
  drop_headers(handle);
  curl_easy_setopt(handle->easy, CURLOPT_HTTPHEADER, NULL);
  return false;
}

/* libcurl copies it, so it is set only when it is another. */
static bool set_method(struct fr_handle *handle, const char *method)
{
  size_t size = strlen(method) + 1;

  if (!strcmp(handle->method, method))
    return true;
  handle->method[0] = 0;
  if (curl_easy_setopt(handle->easy, CURLOPT_CUSTOMREQUEST, method))
    return false;
  if (size <= sizeof(handle->method))
    memcpy(handle->method, method, size);
  return true;
}

static bool set_request(CURL *easy, const struct fr_call_spec *spec)
{
  unsigned bad = 0;

  if (!strcmp(spec->method, "HEAD"))
    bad |= curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
  if (has_body(spec) && !spec->upload) {
    bad |= curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                            (curl_off_t)(spec->body ? spec->body_len : 0));
    bad |= curl_easy_setopt(easy, CURLOPT_POSTFIELDS,
                            spec->body ? spec->body : "");
  }
  if (spec->ready || spec->upload) {    /* it must not hold up others */
    bad |= curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
                            (long)CURL_HTTP_VERSION_1_1);
    bad |= curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    bad |= curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
  }
  bad |= curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                          (long)spec->connect_ms);
  bad |= curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)spec->total_ms);
  return !bad;
}

static bool set_call(struct fr_call *call)
{
  CURL *easy = call->easy;
  unsigned bad = curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);

  bad |= curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
  bad |= curl_easy_setopt(easy, CURLOPT_PREREQDATA, call);
  bad |= curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->detail);
  bad |= curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
  return !bad && set_method(call->handle, call->spec.method) &&
         set_request(easy, &call->spec) &&
         (!call->spec.upload || fr_send_prepare(call));
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

static bool same_base(const struct fr_handle *handle, const char *url,
                      const char *path)
{
  size_t len = strlen(handle->base);

  return path && len && (size_t)(path - url) == len &&
         !memcmp(url, handle->base, len);
}

/* Another path and query for the same base. */
static CURLUcode put_path(CURLU *url, const char *path)
{
  const char *query = strchr(path, '?');
  char *alone = query ? strndup(path, (size_t)(query - path)) : NULL;
  CURLUcode code = query && !alone ? CURLUE_OUT_OF_MEMORY : CURLUE_OK;

  if (!code)
    code = curl_url_set(url, CURLUPART_PATH, alone ? alone : path, 0);
  if (!code)
    code = curl_url_set(url, CURLUPART_QUERY, query ? query + 1 : NULL, 0);
  free(alone);
  return code;
}

/* Into a new object: to an old one libcurl may take a URL as relative. */
static CURLUcode put_whole(struct fr_handle *handle, const char *url,
                           const char *path)
{
  CURLU *fresh = curl_url();
  CURLUcode code = fresh ? curl_url_set(fresh, CURLUPART_URL, url,
                                        CURLU_DISALLOW_USER)
                         : CURLUE_OUT_OF_MEMORY;
  size_t len = path ? (size_t)(path - url) : 0;

  if (!code && curl_easy_setopt(handle->easy, CURLOPT_CURLU, fresh))
    code = CURLUE_OUT_OF_MEMORY;
  if (code) {
    curl_url_cleanup(fresh);
    return code;
  }
  curl_url_cleanup(handle->url);
  handle->url = fresh;
  if (len >= sizeof(handle->base))
    len = 0;
  memcpy(handle->base, url, len);
  handle->base[len] = 0;
  return CURLUE_OK;
}

/* A parsed URL saves libcurl a tenth of a request, and tells now whether it
 * is one. Nearly all have the same host: a handle parses the first whole. */
static enum fr_err set_url(struct fr_handle *handle, const char *url)
{
  const char *path = path_of(url);
  CURLUcode code = same_base(handle, url, path)
                   ? put_path(handle->url, path)
                   : put_whole(handle, url, path);

  if (code == CURLUE_OUT_OF_MEMORY)
    return FR_ENOMEM;
  return code ? FR_EINVALID : FR_OK;
}

/* ---- the handle --------------------------------------------------------- */

static struct fr_handle *new_handle(const struct fr_http *http)
{
  struct fr_handle *handle = calloc(1, sizeof(*handle));

  if (handle)
    handle->easy = curl_easy_init();
  if (handle && handle->easy && set_always(handle->easy, http))
    return handle;
  fr_handle_free(handle);
  return NULL;
}

void fr_handle_free(struct fr_handle *handle)
{
  if (!handle)
    return;
  curl_easy_cleanup(handle->easy);      /* it borrows URL and headers */
  drop_headers(handle);
  curl_url_cleanup(handle->url);
  free(handle);
}

enum fr_err fr_handle_prepare(struct fr_call *call)
{
  struct fr_http *http = call->http;
  enum fr_err err;

  call->handle = http->nidle ? http->idle[--http->nidle] : new_handle(http);
  if (!call->handle)
    return FR_ENOMEM;
  call->easy = call->handle->easy;
  err = set_url(call->handle, call->spec.url);
  if (err)
    return err;
  return set_headers(call->handle, &call->spec) && set_call(call) ? FR_OK
                                                               : FR_ENOMEM;
}

/* True: nothing that belongs to the call is left in the handle, but for its
 * headers: the next one finds out whether they are its own, too. */
static bool undress(CURL *easy, const struct fr_call_spec *spec)
{
  unsigned bad = 0;

  if (has_body(spec) || spec->ready || !strcmp(spec->method, "HEAD"))
    return false;
  bad |= curl_easy_setopt(easy, CURLOPT_HEADERDATA, NULL);
  bad |= curl_easy_setopt(easy, CURLOPT_WRITEDATA, NULL);
  bad |= curl_easy_setopt(easy, CURLOPT_PREREQDATA, NULL);
  bad |= curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, NULL);
  bad |= curl_easy_setopt(easy, CURLOPT_PRIVATE, NULL);
  bad |= forbid_reuse(easy);
  return !bad;
}

void fr_handle_release(struct fr_call *call)
{
  struct fr_http *http = call->http;

  if (call->handle && http->nidle < FR_IDLE_HANDLES &&
      undress(call->easy, &call->spec))
    http->idle[http->nidle++] = call->handle;
  else
    fr_handle_free(call->handle);
  call->handle = NULL;
  call->easy = NULL;
}
