/* http/send.c - a form that is read as it is sent.
 *
 * libcurl asks for the next bytes when it has written the last ones, which on
 * a slow line is rare: that something moved is told by the count of what was
 * written. It sends "Expect: 100-continue" before a form of more than 1 MiB
 * and waits up to a second, so that a key that is refused, or a file that is
 * too large, costs no more than the question. */
#include <stdio.h>

#include "http/internal.h"

static size_t read_more(char *data, size_t size, size_t count, void *arg)
{
  struct fr_call *call = arg;
  ssize_t got = fr_upload_read(call->spec.upload, data, size * count);

  if (got >= 0)
    return (size_t)got;
  call->limit = FR_EIO;
  return CURL_READFUNC_ABORT;
}

static int moved(void *arg, curl_off_t of_down, curl_off_t down,
                 curl_off_t of_up, curl_off_t up)
{
  struct fr_call *call = arg;

  (void)of_down, (void)down, (void)of_up;
  if ((uint64_t)up != call->uploaded)
    call->last_byte = fr_loop_now(call->http->loop);
  call->uploaded = (uint64_t)up;
  return 0;
}

bool fr_send_prepare(struct fr_call *call)
{
  CURL *easy = call->easy;
  curl_off_t size = fr_upload_size(call->spec.upload);
  unsigned bad = curl_easy_setopt(easy, CURLOPT_POST, 1L);

  bad |= curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, size);
  bad |= curl_easy_setopt(easy, CURLOPT_READFUNCTION, read_more);
  bad |= curl_easy_setopt(easy, CURLOPT_READDATA, call);
  bad |= curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, moved);
  bad |= curl_easy_setopt(easy, CURLOPT_XFERINFODATA, call);
  bad |= curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
  return !bad;
}

void fr_send_say(struct fr_call *call, bool begun)
{
  snprintf(call->detail, sizeof(call->detail), "the file %.150s has changed "
           "since it was opened, or cannot be read%s",
           fr_buf_text(&call->spec.upload->name),
           begun ? ": broken off before its end" : "");
}
