/* bench/lean_delete.c - the least that libcurl's multi interface can do for
 * a list of deletions: the peer that falrun is measured against.
 *
 *   lean_delete URL IDS INFLIGHT poll|socket CONNECTIONS CORK [CA-FILE]
 *
 * One easy handle per slot, set up once; per request only the path and the
 * bytes of the Idempotency-Key change, in place. No ledger, no gate, nothing
 * parsed: the body's bytes are counted, and a status other than 200 is
 * counted as bad. Both loops are here because neither is always the better:
 * poll and perform without latency, epoll with descriptors kept registered
 * where most of the slots wait. CORK 1 holds back the small frames of HTTP/2
 * until the loop is about to wait. */
#include <curl/curl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "lean.h"

#define FDS 4096
#define EVENTS 512
#define AUTH "Authorization: Key 0123456789abcdef0123456789abcdef:" \
             "0123456789abcdef0123456789abcdef"
#define KEY "Idempotency-Key: "
#define HEAD "/v1/models/requests/"
#define TAIL "/payloads"

struct slot {
  CURL *easy;
  CURLU *url;
  char *key;                     /* where the id stands in the header */
  char path[sizeof(HEAD) + LEAN_ID + sizeof(TAIL)];
};

static struct {
  const char *url;
  const char *ca;
  struct lean_ids ids;
  CURLM *multi;
  size_t next, done, bad;
  uint64_t bytes;
  int epoll;
  bool cork;
  unsigned char mask[FDS];       /* as registered in epoll; 0: not */
  int corked[FDS];
  int ncorked;
  int64_t due;                   /* of libcurl's timer, ms; -1: none */
} b;

static size_t count_bytes(char *data, size_t size, size_t n, void *arg)
{
  (void)data, (void)arg;
  b.bytes += size * n;
  return size * n;
}

static int64_t now_ms(void)
{
  struct timespec at;

  clock_gettime(CLOCK_MONOTONIC, &at);
  return at.tv_sec * 1000 + at.tv_nsec / 1000000;
}

/* ---- corks and descriptors ---------------------------------------------- */

static void set_cork(int fd, int on)
{
  setsockopt(fd, IPPROTO_TCP, TCP_CORK, &on, sizeof(on));
}

static int made(void *arg, curl_socket_t fd, curlsocktype purpose)
{
  (void)arg, (void)purpose;
  if (b.cork && b.ncorked < FDS) {
    b.corked[b.ncorked++] = fd;
    set_cork(fd, 1);
  }
  return CURL_SOCKOPT_OK;
}

static int closed(void *arg, curl_socket_t fd)
{
  int i, kept = 0;

  (void)arg;
  if (fd < FDS)
    b.mask[fd] = 0;              /* close() takes it out of epoll */
  for (i = 0; i < b.ncorked; i++) {
    if (b.corked[i] != fd)
      b.corked[kept++] = b.corked[i];
  }
  b.ncorked = kept;
  return close(fd);
}

static void uncork(void)
{
  int i;

  for (i = 0; i < b.ncorked; i++) {
    set_cork(b.corked[i], 0);
    set_cork(b.corked[i], 1);
  }
}

/* An idle connection's descriptor stays registered: to take it out and put
 * it in again would be two system calls for each request. */
static int watch(CURL *easy, curl_socket_t fd, int what, void *arg, void *own)
{
  struct epoll_event event = { .data.fd = fd };
  unsigned char mask = (unsigned char)(what & CURL_POLL_INOUT);

  (void)easy, (void)arg, (void)own;
  if (fd >= FDS)
    lean_fail("epoll", "too many descriptors");
  if (what == CURL_POLL_REMOVE || b.mask[fd] == mask)
    return 0;
  event.events = (mask & CURL_POLL_IN ? EPOLLIN : 0u) |
                 (mask & CURL_POLL_OUT ? EPOLLOUT : 0u);
  if (epoll_ctl(b.epoll, b.mask[fd] ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd,
                &event))
    lean_fail("epoll", "cannot be told of a descriptor");
  b.mask[fd] = mask;
  return 0;
}

static int set_timer(CURLM *multi, long ms, void *arg)
{
  (void)multi, (void)arg;
  b.due = ms < 0 ? -1 : now_ms() + ms;
  return 0;
}

/* ---- requests ----------------------------------------------------------- */

static bool start(struct slot *slot)
{
  const char *id;

  if (b.next == b.ids.count)
    return false;
  id = lean_id(&b.ids, b.next++);
  memcpy(slot->path + sizeof(HEAD) - 1, id, LEAN_ID);
  memcpy(slot->key, id, LEAN_ID);
  if (curl_url_set(slot->url, CURLUPART_PATH, slot->path, 0) ||
      curl_multi_add_handle(b.multi, slot->easy))
    lean_fail("libcurl", "cannot start a request");
  return true;
}

static void set_up(struct slot *slot)
{
  struct curl_slist *headers = curl_slist_append(NULL, AUTH);
  CURL *easy = curl_easy_init();

  headers = curl_slist_append(headers, KEY
                              "........-....-....-....-............");
  slot->easy = easy;
  slot->url = curl_url();
  slot->key = headers->next->data + sizeof(KEY) - 1;
  memcpy(slot->path, HEAD, sizeof(HEAD));
  memcpy(slot->path + sizeof(HEAD) - 1 + LEAN_ID, TAIL, sizeof(TAIL));
  if (!easy || curl_url_set(slot->url, CURLUPART_URL, b.url, 0))
    lean_fail("libcurl", "cannot set up a handle");
  curl_easy_setopt(easy, CURLOPT_CURLU, slot->url);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "bench");
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, "DELETE");
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, count_bytes);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);
  curl_easy_setopt(easy, CURLOPT_PRIVATE, slot);
  curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, made);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, closed);
  if (b.ca)
    curl_easy_setopt(easy, CURLOPT_CAINFO, b.ca);
}

/* Takes what is done, and starts as many: whether there was any. */
static bool finish(void)
{
  size_t before = b.done;
  CURLMsg *message;
  int left;

  while ((message = curl_multi_info_read(b.multi, &left))) {
    CURL *easy = message->easy_handle;
    CURLcode code = message->data.result;
    struct slot *slot = NULL;
    long status = 0;

    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &slot);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    b.done++;
    b.bad += code != CURLE_OK || status != 200;
    curl_multi_remove_handle(b.multi, easy);
    start(slot);
  }
  return b.done > before;
}

/* ---- the two loops ------------------------------------------------------ */

static void run_poll(void)
{
  int running;

  while (b.done < b.ids.count) {
    curl_multi_perform(b.multi, &running);
    if (finish())
      continue;                  /* what was started goes out together */
    uncork();
    if (b.done < b.ids.count)
      curl_multi_poll(b.multi, NULL, 0, 1000, NULL);
  }
}

static int wait_ms(void)
{
  int64_t left = b.due < 0 ? 1000 : b.due - now_ms();

  return left < 0 ? 0 : left > 1000 ? 1000 : (int)left;
}

static void run_socket(void)
{
  struct epoll_event events[EVENTS];
  int i, n, running;

  while (b.done < b.ids.count) {
    n = epoll_wait(b.epoll, events, EVENTS, wait_ms());
    for (i = 0; i < n; i++)
      curl_multi_socket_action(
        b.multi, events[i].data.fd,
        (events[i].events & (EPOLLIN | EPOLLHUP) ? CURL_CSELECT_IN : 0) |
        (events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
        (events[i].events & EPOLLERR ? CURL_CSELECT_ERR : 0), &running);
    finish();
    if (b.due >= 0 && now_ms() >= b.due) {
      b.due = -1;
      curl_multi_socket_action(b.multi, CURL_SOCKET_TIMEOUT, 0, &running);
      finish();
    }
    uncork();
  }
}

int main(int argc, char **argv)
{
  static struct slot *slots;    /* to the end: nothing is cleaned up */
  size_t i, inflight;
  bool epoll;

  if (argc < 7)
    lean_fail(argv[0], "URL IDS INFLIGHT poll|socket CONNECTIONS CORK [CA]");
  b.url = argv[1];
  lean_read_ids(argv[2], &b.ids);
  inflight = strtoul(argv[3], NULL, 10);
  epoll = !strcmp(argv[4], "socket");
  b.cork = !strcmp(argv[6], "1");
  b.ca = argv[7];
  b.due = -1;
  b.epoll = epoll_create1(0);
  curl_global_init(CURL_GLOBAL_ALL);
  b.multi = curl_multi_init();
  curl_multi_setopt(b.multi, CURLMOPT_MAX_HOST_CONNECTIONS, atol(argv[5]));
  curl_multi_setopt(b.multi, CURLMOPT_MAXCONNECTS, 1000L);
  curl_multi_setopt(b.multi, CURLMOPT_MAX_CONCURRENT_STREAMS, 1000L);
  if (epoll) {
    curl_multi_setopt(b.multi, CURLMOPT_SOCKETFUNCTION, watch);
    curl_multi_setopt(b.multi, CURLMOPT_TIMERFUNCTION, set_timer);
  }
  slots = calloc(inflight, sizeof(*slots));
  for (i = 0; i < inflight; i++) {
    set_up(&slots[i]);
    start(&slots[i]);
  }
  (epoll ? run_socket : run_poll)();
  printf("{\"done\":%zu,\"bad\":%zu,\"bytes\":%llu}\n", b.done, b.bad,
         (unsigned long long)b.bytes);
  return b.bad ? 1 : 0;
}
