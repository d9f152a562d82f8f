/* tests/unit/server/test_server.c - the server against a raw socket client
 * on the same loop: what it sends, byte by byte, and when it lets go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "server/server.h"

#define HELD_MOST 8

struct client {
  struct fr_loop *loop;
  struct fr_watch watch;
  bool closed;
  size_t len;
  char text[65536];
};

struct world {
  struct fr_clock clock;
  struct fr_loop *loop;
  struct fr_server *server;
  struct client clients[3];
  struct fr_buf why, query;
  struct fr_server_reply reply;
  bool later;                   /* on_request keeps the exchange */
  struct fr_exchange *held[HELD_MOST];
  unsigned nheld, nasked, ngone;
  char method[16], path[256], header[256], body[64];
};

static void put_query(void *arg, const char *name, const char *value)
{
  assert_int_equal(fr_buf_addf(arg, "%s=%s;", name, value ? value : "NULL"),
                   0);
}

static void on_request(void *arg, struct fr_exchange *exchange)
{
  struct world *w = arg;
  const char *header = fr_exchange_header(exchange, "x-header");
  size_t len;

  w->nasked++;
  snprintf(w->method, sizeof(w->method), "%s", fr_exchange_method(exchange));
  snprintf(w->path, sizeof(w->path), "%s", fr_exchange_path(exchange));
  snprintf(w->header, sizeof(w->header), "%s", header ? header : "NULL");
  snprintf(w->body, sizeof(w->body), "%s", fr_exchange_body(exchange, &len));
  fr_buf_clear(&w->query);
  fr_exchange_each_query(exchange, put_query, &w->query);
  fr_exchange_set(exchange, w);
  if (!w->later)
    assert_int_equal(fr_exchange_reply(exchange, &w->reply), 0);
  else
    w->held[w->nheld++ % HELD_MOST] = exchange;
}

static void on_gone(void *arg, struct fr_exchange *exchange)
{
  struct world *w = arg;

  w->ngone++;
  assert_ptr_equal(fr_exchange_get(exchange), w);
  assert_int_equal(fr_exchange_reply(exchange, &w->reply), FR_EINVALID);
}

static struct fr_server_config config_of(struct world *w)
{
  return (struct fr_server_config){ .max_body = 10, .on_request = on_request,
                                    .on_gone = on_gone, .arg = w };
}

static int set_up(void **state)
{
  struct world *w = calloc(1, sizeof(*w));
  struct fr_server_config config = config_of(w);

  fr_clock_real(&w->clock);
  fr_buf_init(&w->why, 512);
  fr_buf_init(&w->query, 4096);
  assert_int_equal(fr_loop_new(&w->clock, &w->loop), 0);
  assert_int_equal(fr_server_new(w->loop, &config, &w->why, &w->server), 0);
  w->reply = (struct fr_server_reply){ .status = 200, .body = "good",
                                       .body_len = 4 };
  *state = w;
  return 0;
}

static void leave(struct client *client)
{
  if (!client->loop)
    return;
  fr_watch_stop(client->loop, &client->watch, false);
  close(client->watch.fd);
  client->loop = NULL;
}

static int tear_down(void **state)
{
  struct world *w = *state;

  for (unsigned i = 0; i < 3; i++)
    leave(&w->clients[i]);
  fr_server_free(w->server);
  fr_loop_free(w->loop);
  fr_buf_done(&w->why);
  fr_buf_done(&w->query);
  free(w);
  return 0;
}

/* ---- the client --------------------------------------------------------- */

static void client_ready(struct fr_watch *watch, unsigned what)
{
  struct client *client = fr_container_of(watch, struct client, watch);
  ssize_t got = recv(watch->fd, client->text + client->len,
                     sizeof(client->text) - 1 - client->len, MSG_DONTWAIT);

  (void)what;
  if (got > 0) {
    client->len += (size_t)got;
  } else if (got == 0 || errno != EAGAIN) {
    client->closed = true;
    fr_watch_want(client->loop, watch, 0);
  }
}

static struct client *come(struct world *w, unsigned n)
{
  struct client *client = &w->clients[n];
  struct sockaddr_in address = {
    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    .sin_port = htons((uint16_t)fr_server_port(w->server))
  };
  int fd = socket(AF_INET, SOCK_STREAM, 0);

  *client = (struct client){ .loop = w->loop,
                             .watch.on_ready = client_ready };
  assert_int_equal(connect(fd, (struct sockaddr *)&address,
                           sizeof(address)), 0);
  assert_int_equal(fr_watch_start(w->loop, &client->watch, fd, FR_READ), 0);
  return client;
}

static void say(struct client *client, const char *text)
{
  assert_int_equal(send(client->watch.fd, text, strlen(text), MSG_NOSIGNAL),
                   (ssize_t)strlen(text));
}

static void get(struct client *client, const char *path)
{
  char text[1024];

  snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);
  say(client, text);
}

static uint64_t real_ms(void)
{
  struct timespec t;

  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* How many turns the loop took: far more than one per 5 ms is spinning. */
static unsigned turn_for(struct world *w, unsigned ms)
{
  unsigned turns = 0;

  for (uint64_t end = real_ms() + ms; real_ms() < end; turns++)
    fr_loop_turn(w->loop, 5);
  return turns;
}

#define TURN_UNTIL(w, condition) do { \
    uint64_t most_ = real_ms() + 10000; \
    while (!(condition) && real_ms() < most_) \
      fr_loop_turn((w)->loop, 50); \
    assert_true(condition); \
  } while (0)

static unsigned answers(const struct client *client)
{
  unsigned count = 0;
  const char *at = client->text;

  while ((at = strstr(at, "HTTP/1.1 "))) {
    count++;
    at++;
  }
  return count;
}

static bool ends_with(const struct client *client, const char *text)
{
  size_t len = strlen(text);

  return client->len >= len &&
         !strcmp(client->text + client->len - len, text);
}

/* ---- requests and replies ----------------------------------------------- */

static void test_request_arrives_and_reply_leaves(void **state)
{
  static const char *const headers[] = { "X-One", "1", "X-Two", "b c",
                                         NULL };
  struct world *w = *state;
  struct client *client = come(w, 0);

  w->reply.headers = headers;
  w->reply.status = 429;
  say(client, "DELETE /v1/%61%2Fb/x?a=1%26+2%2B&b&a=%C3%A9 HTTP/1.1\r\n"
              "Host: x\r\nX-Header: yes\r\nContent-Length: 4\r\n\r\nbody");
  TURN_UNTIL(w, ends_with(client, "good"));
  assert_string_equal(w->method, "DELETE");
  assert_string_equal(w->path, "/v1/%61%2Fb/x");
  assert_string_equal(w->header, "yes");
  assert_string_equal(w->body, "body");
  assert_string_equal(fr_buf_text(&w->query), "a=1& 2+;b=NULL;a=\xc3\xa9;");
  assert_ptr_equal(strstr(client->text, "HTTP/1.1 429 "), client->text);
  assert_non_null(strstr(client->text, "\r\nX-One: 1\r\n"));
  assert_non_null(strstr(client->text, "\r\nX-Two: b c\r\n"));
  assert_non_null(strstr(client->text, "\r\nContent-Length: 4\r\n"));
  assert_int_equal(w->ngone, 0);
}

static void test_connection_is_kept(void **state)
{
  struct world *w = *state;
  struct client *client = come(w, 0);

  for (unsigned i = 1; i <= 5; i++) {
    say(client, i % 2 ? "DELETE /x HTTP/1.1\r\nHost: x\r\n\r\n"
                      : "POST /x HTTP/1.1\r\nHost: x\r\n"
                        "Content-Length: 2\r\n\r\n{}");
    TURN_UNTIL(w, answers(client) == i && ends_with(client, "good"));
  }
  assert_null(strstr(client->text, "Connection: close"));
  assert_false(client->closed);
}

static void test_pipelined_requests_all_get_answers(void **state)
{
  struct world *w = *state;
  struct client *client = come(w, 0);

  w->later = true;
  get(client, "/1");
  TURN_UNTIL(w, w->nheld == 1);
  get(client, "/2");
  /* The second request must not look like leaving, nor keep us busy. */
  assert_in_range(turn_for(w, 100), 0, 40);
  assert_int_equal(w->ngone, 0);
  fr_exchange_reply(w->held[0], &w->reply);
  TURN_UNTIL(w, w->nheld == 2);
  fr_exchange_reply(w->held[1], &w->reply);
  TURN_UNTIL(w, answers(client) == 2);
}

static void test_replies_in_any_order(void **state)
{
  struct world *w = *state;

  w->later = true;
  for (unsigned i = 0; i < 3; i++) {
    get(come(w, i), "/x");
    TURN_UNTIL(w, w->nheld == i + 1);
  }
  turn_for(w, 100);
  for (unsigned i = 3; i-- > 0;) {
    assert_int_equal(w->clients[i].len, 0);
    fr_exchange_reply(w->held[i], &w->reply);
    TURN_UNTIL(w, ends_with(&w->clients[i], "good"));
  }
}

static void test_date_is_the_loops(void **state)
{
  struct world *w = *state;
  struct fr_server_config config = config_of(w);
  struct client *client;

  fr_server_free(w->server);
  fr_loop_free(w->loop);
  fr_clock_virtual(&w->clock, 784111777000);
  assert_int_equal(fr_loop_new(&w->clock, &w->loop), 0);
  assert_int_equal(fr_server_new(w->loop, &config, &w->why, &w->server), 0);
  client = come(w, 0);
  get(client, "/x");
  TURN_UNTIL(w, answers(client) == 1);
  assert_non_null(strstr(client->text,
                         "\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"));
  w->reply.no_date = true;
  client->len = 0;
  memset(client->text, 0, sizeof(client->text));
  get(client, "/x");
  TURN_UNTIL(w, answers(client) == 1);
  assert_null(strstr(client->text, "Date:"));
}

static void test_large_reply(void **state)
{
  struct world *w = *state;
  struct client *client = come(w, 0);
  char *body = malloc(60000);

  memset(body, 'b', 60000);
  w->reply.body = body;
  w->reply.body_len = 60000;
  w->later = true;
  get(client, "/x");
  TURN_UNTIL(w, w->nheld == 1);
  fr_exchange_reply(w->held[0], &w->reply);
  memset(body, 'x', 60000);             /* it was copied */
  free(body);
  TURN_UNTIL(w, client->len > 60000);
  assert_null(strchr(strstr(client->text, "\r\n\r\n"), 'x'));
}

/* ---- open replies ------------------------------------------------------- */

static struct client *opened(struct world *w)
{
  struct client *client = come(w, 0);

  w->later = true;
  w->reply.open = true;
  get(client, "/x");
  TURN_UNTIL(w, w->nheld == 1);
  assert_int_equal(fr_exchange_reply(w->held[0], &w->reply), 0);
  TURN_UNTIL(w, ends_with(client, "\r\n\r\n"));
  return client;
}

static void test_open_reply_goes_on(void **state)
{
  struct world *w = *state;
  struct client *client = opened(w);

  assert_non_null(strstr(client->text, "Transfer-Encoding: chunked"));
  assert_in_range(turn_for(w, 100), 0, 40);     /* it waits, and spins not */
  fr_exchange_send(w->held[0], "one", 3);
  TURN_UNTIL(w, ends_with(client, "3\r\none\r\n"));
  turn_for(w, 50);
  fr_exchange_send(w->held[0], "two", 3);
  TURN_UNTIL(w, ends_with(client, "3\r\ntwo\r\n"));
  fr_exchange_send(w->held[0], "end", 3);
  fr_exchange_end(w->held[0], false);
  TURN_UNTIL(w, ends_with(client, "3\r\nend\r\n0\r\n\r\n"));
  w->reply.open = false;
  get(client, "/y");            /* on the same connection */
  TURN_UNTIL(w, w->nheld == 2);
  fr_exchange_reply(w->held[1], &w->reply);
  TURN_UNTIL(w, ends_with(client, "good"));
  assert_int_equal(w->ngone, 0);
}

static void test_open_reply_is_cut(void **state)
{
  struct world *w = *state;
  struct client *client = opened(w);

  fr_exchange_send(w->held[0], "one", 3);
  fr_exchange_end(w->held[0], true);
  TURN_UNTIL(w, client->closed);
  assert_true(ends_with(client, "3\r\none\r\n"));
}

static void test_client_leaves_an_open_reply(void **state)
{
  struct world *w = *state;

  leave(opened(w));
  TURN_UNTIL(w, w->ngone == 1);
}

static void test_free_with_an_open_reply(void **state)
{
  struct world *w = *state;

  (void)opened(w);
  fr_exchange_send(w->held[0], "one", 3);
}

static void test_too_large_a_body_is_413(void **state)
{
  struct world *w = *state;
  struct client *client = come(w, 0);

  say(client, "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n"
              "01234567890");
  TURN_UNTIL(w, answers(client) == 1);
  assert_non_null(strstr(client->text, "HTTP/1.1 413 "));
  assert_int_equal(w->nasked, 0);
  say(client, "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n"
              "0123456789");
  TURN_UNTIL(w, answers(client) == 2);
  assert_string_equal(w->body, "0123456789");
}

static void test_headers_are_bounded(void **state)
{
  struct world *w = *state;
  struct client *client = come(w, 0);
  char line[1001];

  memset(line, 'x', 1000);
  memcpy(line, "X-Long: ", 8);
  memcpy(line + 998, "\r\n", 3);
  say(client, "GET / HTTP/1.1\r\nHost: x\r\n");
  for (unsigned i = 0; i < 60; i++)
    if (send(client->watch.fd, line, 1000, MSG_NOSIGNAL) < 0)
      break;
  TURN_UNTIL(w, client->closed || answers(client));
  assert_int_equal(w->nasked, 0);
}

/* ---- faults ------------------------------------------------------------- */

static void test_drop(void **state)
{
  struct world *w = *state;
  struct client *client = come(w, 0);

  w->reply.fault = FR_FAULT_DROP;
  get(client, "/x");
  TURN_UNTIL(w, client->closed);
  assert_int_equal(client->len, 0);
  assert_int_equal(w->nasked, 1);
  assert_int_equal(w->ngone, 0);
}

static void test_truncate(void **state)
{
  struct world *w = *state;
  struct client *client = come(w, 0);

  w->reply.fault = FR_FAULT_TRUNCATE;
  w->reply.body = "0123456789";
  w->reply.body_len = 10;
  get(client, "/x");
  TURN_UNTIL(w, client->closed);
  assert_non_null(strstr(client->text, "HTTP/1.1 200 "));
  assert_non_null(strstr(client->text, "Content-Length: 10\r\n"));
  assert_true(ends_with(client, "\r\n\r\n01234"));
}

static void test_stall(void **state)
{
  struct world *w = *state;
  struct client *client = come(w, 0);

  w->reply.fault = FR_FAULT_STALL;
  w->reply.body = "0123456789";
  w->reply.body_len = 10;
  get(client, "/x");
  TURN_UNTIL(w, ends_with(client, "\r\n\r\n01234"));
  turn_for(w, 100);
  assert_true(ends_with(client, "\r\n\r\n01234"));
  assert_false(client->closed);
}

static unsigned open_descriptors(void)
{
  unsigned count = 0;

  for (int fd = 3; fd < 256; fd++)
    count += lseek(fd, 0, SEEK_CUR) >= 0 || errno != EBADF;
  return count;
}

static void test_stalled_client_that_leaves_costs_nothing(void **state)
{
  struct world *w = *state;
  unsigned before = open_descriptors();

  w->reply.fault = FR_FAULT_STALL;
  for (unsigned i = 0; i < 5; i++) {
    struct client *client = come(w, 0);

    get(client, "/x");
    TURN_UNTIL(w, client->len > 0);
    leave(client);
    turn_for(w, 30);
  }
  assert_int_equal(open_descriptors(), before);
  assert_int_equal(w->ngone, 0);        /* they had their reply */
}

/* ---- coming and going --------------------------------------------------- */

static void test_client_that_leaves_is_gone(void **state)
{
  struct world *w = *state;
  struct client *client = come(w, 0);

  w->later = true;
  get(client, "/x");
  TURN_UNTIL(w, w->nheld == 1);
  turn_for(w, 30);
  assert_int_equal(w->ngone, 0);
  leave(client);
  TURN_UNTIL(w, w->ngone == 1);
  turn_for(w, 30);
  assert_int_equal(w->ngone, 1);
}

static void test_client_that_leaves_halfway_never_asked(void **state)
{
  struct world *w = *state;
  struct client *client = come(w, 0);

  say(client, "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1");
  turn_for(w, 30);
  leave(client);
  turn_for(w, 30);
  assert_int_equal(w->nasked + w->ngone, 0);
}

static void test_free_with_everything_open(void **state)
{
  struct world *w = *state;

  w->later = true;
  get(come(w, 0), "/x");
  say(come(w, 1), "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n");
  TURN_UNTIL(w, w->nheld == 1);
  w->later = false;
  w->reply.fault = FR_FAULT_STALL;
  get(come(w, 2), "/x");
  TURN_UNTIL(w, w->clients[2].len > 0);
  fr_server_free(w->server);
  w->server = NULL;
  TURN_UNTIL(w, w->clients[0].closed && w->clients[1].closed &&
                w->clients[2].closed);
  assert_int_equal(w->ngone, 0);
  fr_server_free(NULL);
}

/* A request that nobody has read yet when the server closes. */
static void test_free_with_a_request_in_the_socket(void **state)
{
  struct world *w = *state;
  struct client *client = come(w, 0);

  get(client, "/x");
  TURN_UNTIL(w, answers(client) == 1);
  get(client, "/x");
  fr_server_free(w->server);
  w->server = NULL;
  TURN_UNTIL(w, client->closed);
  assert_int_equal(w->nasked, 1);
}

static void test_a_port_has_one_server(void **state)
{
  struct world *w = *state;
  struct fr_server_config config = config_of(w);
  struct fr_server *second = NULL;

  config.port = fr_server_port(w->server);
  assert_int_not_equal(config.port, 0);
  assert_int_equal(fr_server_new(w->loop, &config, &w->why, &second),
                   FR_EIO);
  assert_null(second);
  assert_non_null(strstr(fr_buf_text(&w->why), "in use"));
  config.port = 65536;
  assert_int_equal(fr_server_new(w->loop, &config, &w->why, &second),
                   FR_EIO);
}

static void test_port_can_be_taken_again(void **state)
{
  struct world *w = *state;
  struct fr_server_config config = config_of(w);
  struct client *client = come(w, 0);

  get(client, "/x");
  TURN_UNTIL(w, answers(client) == 1);
  config.port = fr_server_port(w->server);
  fr_server_free(w->server);
  w->server = NULL;
  assert_int_equal(fr_server_new(w->loop, &config, &w->why, &w->server), 0);
  client = come(w, 1);
  get(client, "/x");
  TURN_UNTIL(w, answers(client) == 1);
}

static void test_waiting_costs_nothing(void **state)
{
  struct world *w = *state;
  unsigned turns = 0;
  clock_t before;

  w->later = true;
  get(come(w, 0), "/x");
  TURN_UNTIL(w, w->nheld == 1);
  w->later = false;
  w->reply.fault = FR_FAULT_STALL;
  get(come(w, 1), "/x");
  TURN_UNTIL(w, w->clients[1].len > 0);
  turn_for(w, 20);
  before = clock();
  for (uint64_t end = real_ms() + 300; real_ms() < end; turns++)
    fr_loop_turn(w->loop, 50);
  assert_in_range(turns, 5, 20);
  assert_in_range(clock() - before, 0, CLOCKS_PER_SEC / 10);
}

#define TEST(name) \
  cmocka_unit_test_setup_teardown(test_##name, set_up, tear_down)

int main(void)
{
  const struct CMUnitTest tests[] = {
    TEST(request_arrives_and_reply_leaves),
    TEST(connection_is_kept),
    TEST(pipelined_requests_all_get_answers),
    TEST(replies_in_any_order),
    TEST(date_is_the_loops),
    TEST(large_reply),
    TEST(open_reply_goes_on),
    TEST(open_reply_is_cut),
    TEST(client_leaves_an_open_reply),
    TEST(free_with_an_open_reply),
    TEST(too_large_a_body_is_413),
    TEST(headers_are_bounded),
    TEST(drop),
    TEST(truncate),
    TEST(stall),
    TEST(stalled_client_that_leaves_costs_nothing),
    TEST(client_that_leaves_is_gone),
    TEST(client_that_leaves_halfway_never_asked),
    TEST(free_with_everything_open),
    TEST(free_with_a_request_in_the_socket),
    TEST(a_port_has_one_server),
    TEST(port_can_be_taken_again),
    TEST(waiting_costs_nothing),
  };

  return cmocka_run_group_tests_name("server/server", tests, NULL, NULL);
}
