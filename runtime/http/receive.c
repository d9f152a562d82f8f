/* http/receive.c - the answer, byte by byte. libcurl calls these from inside
 * curl_multi_socket_action: they move bytes, count them, and do no more.
 *
 * Every header block counts toward max_headers, so a storm of 1xx answers
 * ends like one long block. Kept are the fields of the last block alone, and
 * no trailers: what comes after the body must not stand for what came
 * before it. */
#include <string.h>
#include <strings.h>

#include "http/internal.h"

static void moved(struct fr_call *call)
{
  call->last_byte = fr_loop_now(call->http->loop);
}

size_t fr_receive_body(char *data, size_t size, size_t count, void *arg)
{
  struct fr_call *call = arg;

  moved(call);
  if (call->spec.ready)
    return fr_piece_keep(call, data, size * count);
  call->limit = fr_buf_add(&call->body, data, size * count);
  return call->limit ? 0 : size * count;
}

/* "Name: value" becomes "Name:value" with a NUL behind it. */
static enum fr_err keep_field(struct fr_buf *head, const char *line,
                              size_t len)
{
  const char *colon = memchr(line, ':', len), *end = line + len;
  size_t before = head->len;
  enum fr_err err;

  if (!colon || memchr(line, 0, len))
    return FR_OK;
  while (end > colon + 1 && strchr("\r\n \t", end[-1]))
    end--;
  err = fr_buf_add(head, line, (size_t)(++colon - line));
  while (colon < end && (*colon == ' ' || *colon == '\t'))
    colon++;
  if (!err)
    err = fr_buf_add(head, colon, (size_t)(end - colon));
  if (!err)
    err = fr_buf_add(head, "", 1);
  if (err)
    head->len = before;
  return err;
}

static bool is_blank(const char *line, size_t len)
{
  return len && (line[0] == '\r' || line[0] == '\n');
}

/* libcurl believes the last of several lengths; who contradicts itself has
 * answered nothing. */
static bool is_of_one_length(const struct fr_call *call)
{
  static const char name[] = "content-length:";
  const char *length = fr_call_header(call, "content-length");
  const char *at = fr_buf_text(&call->head), *end = at + call->head.len;

  for (; length && at < end; at += strlen(at) + 1)
    if (!strncasecmp(at, name, sizeof(name) - 1) &&
        strcmp(at + sizeof(name) - 1, length))
      return false;
  return true;
}

static enum fr_err end_block(struct fr_call *call)
{
  long status = 0;

  curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
  if (!is_of_one_length(call))
    return FR_EPROTOCOL;
  call->head_over = status >= 200;
  if (call->head_over && call->spec.ready) {
    call->status = (int)status;
    fr_piece_tell(call);
  }
  return FR_OK;
}

static enum fr_err take_line(struct fr_call *call, const char *line,
                             size_t len)
{
  if (call->head_bytes > call->spec.max_headers)
    return FR_ETOO_BIG;
  if (call->head_over)
    return FR_OK;
  if (is_blank(line, len))
    return end_block(call);
  if (len > 5 && !memcmp(line, "HTTP/", 5)) {
    fr_buf_clear(&call->head);
    return FR_OK;
  }
  return keep_field(&call->head, line, len);
}

size_t fr_receive_head(char *line, size_t size, size_t count, void *arg)
{
  struct fr_call *call = arg;
  size_t len = size * count;

  moved(call);
  if (!call->head_bytes)        /* from here on the connection is worth it */
    (void)curl_easy_setopt(call->easy, CURLOPT_FORBID_REUSE, 0L);
  call->head_bytes += len;
  call->limit = take_line(call, line, len);
  return call->limit ? 0 : len;
}
