/* tests/bench/delete_loop.c - the leanest loop of libcurl that deletes.
 *
 *   delete_loop poll|epoll BASE_URL IDS IN_FLIGHT [CA_FILE]
 *
 * What a C programmer would write who wants nothing but speed: no ledger, no
 * retries, no limits, the answer's bytes only counted. Everything that the
 * measurements found to help is here: handles that are used again, URLs
 * through CURLU, two headers, one callback. `poll` is curl_multi_poll with
 * curl_multi_perform, `epoll` is curl_multi_socket_action with descriptors
 * that stay registered. One line of JSON tells what was done.
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define ID 36
#define MOST 1024
#define AUTHORIZATION "Authorization: Key me:secret"

struct slot {
  CURL *easy;
  CURLU *url;
  struct curl_slist auth, key;
  char key_line[128];
  size_t bytes;
};

static struct slot slots[MOST];
static char *ids, *next, *end;
static long done, bad;
static CURLM *multi;
static const char *base, *ca_file;
static int epoll_fd;
static long timeout_ms = -1;

static size_t count(char *data, size_t size, size_t n, void *arg)
{
  struct slot *slot = arg;

  (void)data;
  slot->bytes += size * n;
  return size * n;
}

static void must(int bad_one, const char *what)
{
  if (bad_one) {
    fprintf(stderr, "delete_loop: %s\n", what);
    exit(1);
  }
}

static void read_ids(const char *path)
{
  FILE *file = fopen(path, "r");
  long size;

  must(!file, path);
  fseek(file, 0, SEEK_END);
  size = ftell(file);
  rewind(file);
  ids = malloc((size_t)size + 1);
  must(!ids || fread(ids, 1, (size_t)size, file) != (size_t)size, "ids");
  fclose(file);
  next = ids;
  end = ids + size;
}

/* ---- one request --------------------------------------------------------- */

static int closed(void *arg, curl_socket_t fd)
{
  (void)arg;
  return close(fd);             /* epoll forgets it by itself */
}

static void set_up(struct slot *slot)
{
  CURL *easy = slot->easy = curl_easy_init();

  slot->url = curl_url();
  must(!easy || !slot->url, "no memory");
  must(curl_url_set(slot->url, CURLUPART_URL, base, 0), "the base URL");
  slot->auth.data = AUTHORIZATION;
  slot->auth.next = &slot->key;
  slot->key.data = slot->key_line;
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, "DELETE");
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "loop/1");
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
  curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, &slot->auth);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, count);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, slot);
  curl_easy_setopt(easy, CURLOPT_PRIVATE, slot);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, 60000L);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, closed);
  if (ca_file)
    curl_easy_setopt(easy, CURLOPT_CAINFO, ca_file);
}

static int start(struct slot *slot)
{
  char path[160];

  if (next + ID > end)
    return 0;
  snprintf(path, sizeof(path), "/v1/models/requests/%.*s/payloads", ID, next);
  snprintf(slot->key_line, sizeof(slot->key_line),
           "Idempotency-Key: falrun-%.*s-0123456789abcdef", ID, next);
  next += ID + 1;
  slot->bytes = 0;
  must(curl_url_set(slot->url, CURLUPART_PATH, path, 0), "a path");
  curl_easy_setopt(slot->easy, CURLOPT_CURLU, slot->url);
  must(curl_multi_add_handle(multi, slot->easy), "a handle");
  return 1;
}

static void reap(void)
{
  CURLMsg *message;
  int left;

  while ((message = curl_multi_info_read(multi, &left))) {
    struct slot *slot = NULL;
    long status = 0;

    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE,
                      (char **)&slot);
    curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &status);
    bad += message->data.result || status != 200 || !slot->bytes;
    done++;
    curl_multi_remove_handle(multi, slot->easy);
    start(slot);
  }
}

/* ---- the two loops ------------------------------------------------------- */

static void run_poll(void)
{
  int running = 1;

  while (running) {
    curl_multi_perform(multi, &running);
    reap();
    curl_multi_perform(multi, &running);
    if (running)
      curl_multi_poll(multi, NULL, 0, 1000, NULL);
  }
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg,
                     void *known)
{
  struct epoll_event event = { .data.fd = fd };

  (void)easy, (void)arg;
  if (what == CURL_POLL_REMOVE)
    return 0;
  event.events = (what & CURL_POLL_IN ? EPOLLIN : 0u) |
                 (what & CURL_POLL_OUT ? EPOLLOUT : 0u);
  if (known == (void *)(size_t)event.events)
    return 0;
  if (epoll_ctl(epoll_fd, EPOLL_CTL_MOD, fd, &event))
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
  curl_multi_assign(multi, fd, (void *)(size_t)event.events);
  return 0;
}

static int on_timer(CURLM *unused, long ms, void *arg)
{
  (void)unused, (void)arg;
  timeout_ms = ms;
  return 0;
}

static void run_epoll(long total)
{
  struct epoll_event events[256];
  int running, n, i;

  curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
  while (done < total) {
    n = epoll_wait(epoll_fd, events, 256, (int)timeout_ms);
    if (n == 0)
      curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
    for (i = 0; i < n; i++)
      curl_multi_socket_action(multi, events[i].data.fd,
        (events[i].events & (EPOLLIN | EPOLLHUP) ? CURL_CSELECT_IN : 0) |
        (events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
        (events[i].events & EPOLLERR ? CURL_CSELECT_ERR : 0), &running);
    reap();
    if (timeout_ms == 0)
      curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
  }
}

/* ---- the whole ----------------------------------------------------------- */

static double seconds_of(struct timeval time)
{
  return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static void report(double seconds)
{
  struct rusage used;

  getrusage(RUSAGE_SELF, &used);
  printf("{\"done\":%ld,\"bad\":%ld,\"seconds\":%.4f,\"user\":%.4f,"
         "\"sys\":%.4f,\"rss_kb\":%ld}\n", done, bad, seconds,
         seconds_of(used.ru_utime), seconds_of(used.ru_stime),
         used.ru_maxrss);
}

int main(int argc, char **argv)
{
  struct timespec from, to;
  int in_flight, i, epoll;

  must(argc < 5, "usage: delete_loop poll|epoll BASE_URL IDS IN_FLIGHT "
       "[CA_FILE]");
  epoll = !strcmp(argv[1], "epoll");
  base = argv[2];
  in_flight = atoi(argv[4]);
  ca_file = argc > 5 ? argv[5] : NULL;
  must(in_flight < 1 || in_flight > MOST, "IN_FLIGHT is 1 to 1024");
  read_ids(argv[3]);
  curl_global_init(CURL_GLOBAL_DEFAULT);
  multi = curl_multi_init();
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)MOST);
  curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS,
                    strncmp(base, "https", 5) ? 0L : 2L);
  curl_multi_setopt(multi, CURLMOPT_MAX_CONCURRENT_STREAMS, (long)MOST);
  epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  if (epoll) {
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
  }
  clock_gettime(CLOCK_MONOTONIC, &from);
  for (i = 0; i < in_flight; i++) {
    set_up(&slots[i]);
    start(&slots[i]);
  }
  if (epoll)
    run_epoll((long)((end - ids) / (ID + 1)));
  else
    run_poll();
  clock_gettime(CLOCK_MONOTONIC, &to);
  report((double)(to.tv_sec - from.tv_sec) +
         (double)(to.tv_nsec - from.tv_nsec) / 1e9);
  return bad != 0;
}
