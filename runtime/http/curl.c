/* http/curl.c - calls over libcurl's multi interface.
 *
 * Easy handles are reused: making one costs more than a tenth of a request.
 * A handle on the idle list has the settings that never change and nothing
 * of any call: what a call sets, fr_curl_release takes back. Callbacks only
 * move bytes and count them against the call's limits. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/internal.h"

/* ---- the answer --------------------------------------------------------- */

static void moved(struct fr_call *call)
{
  call->last_byte = fr_loop_now(call->http->loop);
}

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
  struct fr_call *call = arg;
  enum fr_err err = fr_buf_add(&call->body, data, size * count);

  moved(call);
  if (err) {
    call->limit = err;
    return 0;
  }
  return size * count;
}

/* Keeps one header of the answer at hand as "name:value". */
static enum fr_err keep_header(struct fr_call *call, const char *line,
                               size_t len)
{
  const char *colon = memchr(line, ':', len);
  enum fr_err err;

  if (!colon || memchr(line, 0, len))
    return FR_OK;
  while (len && strchr("\r\n \t", line[len - 1]))
    len--;
  err = fr_buf_add(&call->head, line, (size_t)(colon + 1 - line));
  for (colon++; colon < line + len && (*colon == ' ' || *colon == '\t');)
    colon++;
  if (!err)
    err = fr_buf_add(&call->head, colon, (size_t)(line + len - colon));
  return err ? err : fr_buf_add(&call->head, "", 1);
}

static size_t on_header(char *line, size_t size, size_t count, void *arg)
{
  struct fr_call *call = arg;
  size_t len = size * count;
  enum fr_err err = FR_OK;

  moved(call);
  call->head_bytes += len;
  if (call->head_bytes > call->spec.max_headers)
    err = FR_ETOO_BIG;
  else if (len > 5 && !memcmp(line, "HTTP/", 5))
    fr_buf_clear(&call->head);          /* only the last answer's count */
  else
    err = keep_header(call, line, len);
  if (err)
    call->limit = err;
  return err ? 0 : len;
}

/* ---- handles ------------------------------------------------------------ */

static void set_always(CURL *easy, const struct fr_http *http)
{
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
  curl_easy_setopt(easy, CURLOPT_PROXY, http->proxy ? http->proxy : "");
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  if (http->ca_file)
    curl_easy_setopt(easy, CURLOPT_CAINFO, http->ca_file);
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
  curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, FR_HTTP_AGENT);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, fr_curl_closed);
}

static CURL *take_handle(struct fr_http *http)
{
  CURL *easy;

  if (http->nidle)
    return http->idle[--http->nidle];
  easy = curl_easy_init();
  if (easy)
    set_always(easy, http);
  return easy;
}

static bool add_header(struct fr_call *call, const char *name,
                       const char *value)
{
  struct curl_slist *list;
  struct fr_buf line;

  if (!value)
    return true;
  fr_buf_init(&line, 65536);
  if (fr_buf_addf(&line, "%s: %s", name, value)) {
    fr_buf_done(&line);
    return false;
  }
  list = curl_slist_append(call->headers, fr_buf_text(&line));
  if (line.data)
    memset(line.data, 0, line.len);
  fr_buf_done(&line);
  if (list)
    call->headers = list;
  return list != NULL;
}

/* Headers are "Name:" to send none of that name. */
static bool add_headers(struct fr_call *call)
{
  const struct fr_call_spec *spec = &call->spec;

  return add_header(call, "Authorization", spec->authorization) &&
         add_header(call, "Idempotency-Key", spec->idempotency_key) &&
         add_header(call, "Content-Type", spec->content_type) &&
         (!spec->body || add_header(call, "Expect", ""));
}

enum fr_err fr_curl_prepare(struct fr_call *call)
{
  const struct fr_call_spec *spec = &call->spec;
  CURL *easy = call->easy = take_handle(call->http);
  bool good;

  if (!easy || !add_headers(call))
    return FR_ENOMEM;
  good = !curl_easy_setopt(easy, CURLOPT_URL, spec->url) &&
         !curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, spec->method);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, call->headers);
  if (spec->body) {
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                     (curl_off_t)spec->body_len);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, spec->body);
  }
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)spec->connect_ms);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)spec->total_ms);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->detail);
  curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
  return good ? FR_OK : FR_ENOMEM;
}

/* A handle that failed may hold half a state of ours: it is not kept. */
void fr_curl_release(struct fr_call *call)
{
  struct fr_http *http = call->http;
  CURL *easy = call->easy;

  call->easy = NULL;
  if (easy && !call->op.err && call->phase == FR_CALL_OVER &&
      http->nidle < FR_IDLE_HANDLES && !call->spec.body) {
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, NULL);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, NULL);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, NULL);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, NULL);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, NULL);
    http->idle[http->nidle++] = easy;
  } else {
    curl_easy_cleanup(easy);
  }
  for (struct curl_slist *h = call->headers; h; h = h->next)
    memset(h->data, 0, strlen(h->data));
  curl_slist_free_all(call->headers);
  call->headers = NULL;
}

/* ---- running ------------------------------------------------------------ */

static void over(struct fr_call *call, CURLcode code)
{
  long status = 0, bytes = 0;
  enum fr_err err;

  curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(call->easy, CURLINFO_REQUEST_SIZE, &bytes);
  call->status = (int)status;
  call->sent = bytes > 0 || status > 0;
  call->phase = FR_CALL_OVER;
  fr_timer_stop(call->http->loop, &call->timer);
  curl_multi_remove_handle(call->http->multi, call->easy);
  err = fr_curl_result(call, code);
  fr_op_finish(&call->op, err);
}

void fr_curl_reap(struct fr_http *http)
{
  CURLMsg *message;
  int left;

  while ((message = curl_multi_info_read(http->multi, &left))) {
    struct fr_call *call = NULL;
    CURLcode code = message->data.result;

    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE,
                      (char **)&call);
    if (message->msg == CURLMSG_DONE && call)
      over(call, code);
  }
}

/* Looks a few times per stall period, instead of re-arming per byte. */
static void look_for_stall(struct fr_timer *timer)
{
  struct fr_call *call = fr_container_of(timer, struct fr_call, timer);
  struct fr_loop *loop = call->http->loop;
  uint64_t quiet = fr_loop_now(loop) - call->last_byte;

  if (quiet < call->spec.stall_ms) {
    fr_timer_start(loop, timer, call->last_byte + call->spec.stall_ms);
    return;
  }
  call->limit = FR_ETIMEOUT;
  over(call, CURLE_OPERATION_TIMEDOUT);
  snprintf(call->detail, sizeof(call->detail), "not a byte came for %u ms",
           (unsigned)call->spec.stall_ms);
}

void fr_curl_start(struct fr_call *call)
{
  struct fr_loop *loop = call->http->loop;

  moved(call);
  call->timer.on_due = look_for_stall;
  fr_timer_start(loop, &call->timer, call->last_byte + call->spec.stall_ms);
  if (curl_multi_add_handle(call->http->multi, call->easy)) {
    call->phase = FR_CALL_OVER;
    fr_timer_stop(loop, &call->timer);
    fr_op_finish(&call->op, FR_ENOMEM);
  }
}

/* Taking a handle off a running multi is what tells the peer: the stream is
 * reset, or the connection closed. Whether bytes had left is asked first. */
void fr_curl_stop(struct fr_call *call)
{
  long bytes = 0;

  curl_easy_getinfo(call->easy, CURLINFO_REQUEST_SIZE, &bytes);
  call->sent = bytes > 0;
  call->op.err = FR_ECANCELLED;
  curl_multi_remove_handle(call->http->multi, call->easy);
}

/* ---- the client --------------------------------------------------------- */

enum fr_err fr_curl_open(struct fr_http *http, struct fr_buf *why)
{
  static bool ready;

  if (!ready && curl_global_init(CURL_GLOBAL_DEFAULT)) {
    fr_buf_say(why, "libcurl could not be started");
    return FR_ENOMEM;
  }
  ready = true;
  http->multi = curl_multi_init();
  if (!http->multi)
    return FR_ENOMEM;
  curl_multi_setopt(http->multi, CURLMOPT_PIPELINING,
                    (long)CURLPIPE_MULTIPLEX);
  fr_curl_attach(http);
  return FR_OK;
}

void fr_curl_close(struct fr_http *http)
{
  http->closing = true;
  while (http->nidle)
    curl_easy_cleanup(http->idle[--http->nidle]);
  if (http->multi)
    curl_multi_cleanup(http->multi);
  fr_curl_detach(http);
}
