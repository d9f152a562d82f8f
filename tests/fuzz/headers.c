/* headers.c - an answer's headers, as libcurl hands them over line by line,
 * and the wait that they ask for. */
#include "fal/retry.h"
#include "fuzz.h"
#include "http/internal.h"
#include "loop/loop.h"

#define MOST 4096
#define AT_MS 1767225600000

static struct fr_loop *loop;

static void start(void)
{
  static struct fr_clock clock;

  if (loop)
    return;
  fr_clock_virtual(&clock, AT_MS);
  CHECK(fr_loop_new(&clock, &loop) == FR_OK);
}

/* Lines keep their ends, as libcurl has it. */
static void receive(struct fr_call *call, char *text, size_t size)
{
  char *line = text, *end = text + size;

  while (line < end) {
    char *stop = memchr(line, '\n', (size_t)(end - line));
    size_t len = stop ? (size_t)(stop - line) + 1 : (size_t)(end - line);

    if (fr_receive_head(line, 1, len, call) != len) {
      CHECK(call->limit);
      return;
    }
    line += len;
  }
}

static void check_wait(const struct fr_call *call)
{
  struct fr_retry_told told = {
    .retry_after = fr_call_header(call, "Retry-After"),
    .reset = fr_call_header(call, "x-ratelimit-reset"),
    .date = fr_call_header(call, "date"), .at_ms = AT_MS
  };
  uint64_t ms = 0;

  if (fr_retry_wait(&told, &ms)) {
    CHECK(told.retry_after || told.reset);
    CHECK(ms <= 366ull * 24 * 3600 * 1000);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  char *text = text_of(data, size);
  struct fr_http http = { 0 };
  struct fr_call call = { .http = &http, .spec.max_headers = MOST };

  start();
  http.loop = loop;
  call.easy = curl_easy_init();
  fr_buf_init(&call.head, 2 * MOST);
  fr_buf_init(&call.body, MOST);
  receive(&call, text, size);
  CHECK(call.head.len <= 2 * MOST);
  (void)fr_call_header(&call, "content-range");
  check_wait(&call);
  fr_buf_done(&call.head);
  fr_buf_done(&call.body);
  curl_easy_cleanup(call.easy);
  free(text);
  return 0;
}
