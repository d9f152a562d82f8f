/* http/result.c - CURLcode in falrun's words.
 *
 * The code is looked at before the status: libcurl can report 200 together
 * with CURLE_PARTIAL_FILE. 16, 18, 52, 55, 56 and 92 are what a closing
 * connection or a GOAWAY looks like; the caller decides about a repeat. */
#include <stdio.h>

#include "http/internal.h"

static enum fr_err of_tls(CURLcode code)
{
  switch (code) {
  case CURLE_SSL_CONNECT_ERROR:
  case CURLE_PEER_FAILED_VERIFICATION:
  case CURLE_SSL_CERTPROBLEM:
  case CURLE_SSL_CIPHER:
  case CURLE_SSL_CACERT_BADFILE:
  case CURLE_SSL_CRL_BADFILE:
  case CURLE_SSL_ISSUER_ERROR:
  case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
  case CURLE_SSL_INVALIDCERTSTATUS:
  case CURLE_SSL_ENGINE_NOTFOUND:
  case CURLE_SSL_ENGINE_SETFAILED:
  case CURLE_SSL_ENGINE_INITFAILED:
  case CURLE_SSL_CLIENTCERT:
  case CURLE_USE_SSL_FAILED:
    return FR_ETLS;
  default:
    return FR_EPROTOCOL;
  }
}

static enum fr_err meaning(CURLcode code, bool sent)
{
  switch (code) {
  case CURLE_OK:
    return FR_OK;
  case CURLE_OPERATION_TIMEDOUT:
    return sent ? FR_ETIMEOUT : FR_ECONNECT;
  case CURLE_COULDNT_RESOLVE_HOST:
  case CURLE_COULDNT_RESOLVE_PROXY:
    return FR_ERESOLVE;
  case CURLE_COULDNT_CONNECT:
  case CURLE_PROXY:
  case CURLE_NO_CONNECTION_AVAILABLE:
    return FR_ECONNECT;
  case CURLE_OUT_OF_MEMORY:
    return FR_ENOMEM;
  case CURLE_HTTP2:
  case CURLE_HTTP2_STREAM:
  case CURLE_PARTIAL_FILE:
  case CURLE_GOT_NOTHING:
  case CURLE_SEND_ERROR:
  case CURLE_RECV_ERROR:
  case CURLE_SSL_SHUTDOWN_FAILED:
    return FR_EDROPPED;
  default:
    return of_tls(code);
  }
}

/* libcurl quotes what servers and certificates say. */
static void clean(char *text)
{
  for (; *text; text++)
    if ((unsigned char)*text < 0x20 || (unsigned char)*text >= 0x7f)
      *text = '?';
}

enum fr_err fr_curl_result(struct fr_call *call, CURLcode code)
{
  enum fr_err err = call->limit;
  bool timed_out = code == CURLE_OPERATION_TIMEDOUT;

  if (!err)
    err = meaning(code, call->sent);
  if (err == FR_ETLS && call->sent)
    err = FR_EDROPPED;          /* the handshake was over: a broken pipe */
  if (!err)
    call->detail[0] = 0;        /* of an address that was tried in vain */
  else if (err == FR_EIO)
    fr_send_say(call, true);
  else if (call->limit && !timed_out)
    snprintf(call->detail, sizeof(call->detail), "%s", fr_err_message(err));
  else if (!call->detail[0])
    snprintf(call->detail, sizeof(call->detail), "%s",
             curl_easy_strerror(code));
  clean(call->detail);
  return err;
}
