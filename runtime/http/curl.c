/* http/curl.c - calls over libcurl's multi interface.
 *
 *   start: handle added --> loop's turns move bytes --> reap --> op finished
 *                                        \-> timer: stalled, or out of time
 *
 * Nothing is sent while a call is started: libcurl asks for a timer of 0 ms
 * then, and the loop's next turn sends. libcurl repeats a request by itself
 * when a reused connection dies before the first byte of an answer; the
 * Idempotency-Key makes that safe, and it counts as one sending here. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/internal.h"

/* By default libcurl keeps four per handle that is added just now: when many
 * calls end in one turn, most of their connections would be closed. */
#define KEPT_CONNECTIONS 1024L

/* ---- the end of a call -------------------------------------------------- */

static void take_off(struct fr_call *call)
{
  call->phase = FR_CALL_OVER;
  fr_timer_stop(call->http->loop, &call->timer);
  fr_timer_stop(call->http->loop, &call->piece);
  curl_multi_remove_handle(call->http->multi, call->easy);
  fr_handle_release(call);
}

static void over(struct fr_call *call, CURLcode code)
{
  enum fr_err err = fr_curl_result(call, code);
  long status = 0;

  curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
  if (!err || status >= 200)            /* a lone 1xx is no answer */
    call->status = (int)status;
  if (call->spec.upload && status == 417) {
    call->detail[0] = '\0';              /* libcurl would send it again */
    err = FR_OK;
  }
  fr_share_learn(call, err);
  take_off(call);
  fr_op_finish(&call->op, err);
}

void fr_curl_reap(struct fr_http *http)
{
  CURLMsg *message;
  int left;

  while ((message = curl_multi_info_read(http->multi, &left))) {
    struct fr_call *call = NULL;

    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE,
                      (char **)&call);
    over(call, message->data.result);
  }
}

/* ---- time --------------------------------------------------------------- */

static bool is_out_of_time(const struct fr_call *call, uint64_t now)
{
  return call->spec.total_ms && now >= call->began + call->spec.total_ms;
}

/* Without a byte for too long, or over the total: libcurl knows the second
 * too, but its clock stands for calls that wait for a connection, and its
 * own stall detection knows only whole seconds. */
static uint64_t end_of_time(const struct fr_call *call)
{
  uint64_t total = call->began + call->spec.total_ms;
  uint64_t stall = call->last_byte + call->spec.stall_ms;

  if (!call->spec.total_ms)
    return stall;
  return call->sent && stall < total ? stall : total;
}

static void look(struct fr_timer *timer)
{
  struct fr_call *call = fr_container_of(timer, struct fr_call, timer);
  uint64_t now = fr_loop_now(call->http->loop), end;

  if (!call->began)
    call->began = call->last_byte = now;
  if (call->paused)             /* it is the owner who takes the time */
    call->last_byte = now;
  end = end_of_time(call);
  if (end > now) {
    fr_timer_start(call->http->loop, timer, end);
    return;
  }
  call->limit = call->sent ? FR_ETIMEOUT : FR_ECONNECT;
  if (is_out_of_time(call, now))
    snprintf(call->detail, sizeof(call->detail),
             "no complete answer came in %u ms",
             (unsigned)call->spec.total_ms);
  else
    snprintf(call->detail, sizeof(call->detail),
             "not a byte %s for %u ms",
             call->spec.upload ? "was taken or came" : "came",
             (unsigned)call->spec.stall_ms);
  over(call, CURLE_OPERATION_TIMEDOUT);
}

/* ---- start and stop ----------------------------------------------------- */

/* The clock starts with the loop's next turn: fr_loop_now is old here, by
 * however long the caller has been busy. */
void fr_curl_start(struct fr_call *call)
{
  struct fr_loop *loop = call->http->loop;

  call->timer.on_due = look;
  fr_timer_start(loop, &call->timer, fr_loop_now(loop));
  if (!curl_multi_add_handle(call->http->multi, call->easy))
    return;
  fr_curl_stop(call);
  fr_op_finish(&call->op, FR_ENOMEM);
}

/* Taking a handle off a running multi is what tells the peer: the stream is
 * reset, or the connection closed. */
void fr_curl_stop(struct fr_call *call)
{
  take_off(call);
}

/* libcurl hands over what it kept, at once, and reads on in a later turn. */
void fr_curl_go_on(struct fr_call *call)
{
  CURLcode code = curl_easy_pause(call->easy, CURLPAUSE_CONT);

  if (code)
    over(call, code);
}

/* ---- the client --------------------------------------------------------- */

/* Where SSLKEYLOGFILE is set, libcurl writes the secrets of each TLS session
 * to that file: who has it and the traffic can read the key. */
static bool start_libcurl(void)
{
  static bool ready;

  if (!ready)
    ready = !unsetenv("SSLKEYLOGFILE") &&
            !curl_global_init(CURL_GLOBAL_DEFAULT);
  return ready;
}

enum fr_err fr_curl_open(struct fr_http *http, struct fr_buf *why)
{
  if (start_libcurl())
    http->multi = curl_multi_init();
  if (!http->multi) {
    fr_buf_say(why, "libcurl could not be started");
    return FR_ENOMEM;
  }
  curl_multi_setopt(http->multi, CURLMOPT_PIPELINING,
                    (long)CURLPIPE_MULTIPLEX);
  curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, KEPT_CONNECTIONS);
  fr_curl_attach(http);
  return FR_OK;
}

void fr_curl_close(struct fr_http *http)
{
  while (http->nidle)
    fr_handle_free(http->idle[--http->nidle]);
  curl_multi_cleanup(http->multi);      /* still calls back about sockets */
  fr_curl_detach(http);
}
