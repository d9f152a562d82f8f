#include "program.h"

#include "server/server.h"

/* A server of this test's own, so that clients leave when the test says so:
 * its functions take the place of those of runtime/server. */

struct fr_server {
  struct fr_server_config config;
};

struct fr_exchange {
  void *data;
  int status;                   /* of the reply; 0: none came */
  char body[100];
};

static struct fr_server *opened;

enum fr_err fr_server_new(struct fr_loop *loop,
                          const struct fr_server_config *config,
                          struct fr_buf *why, struct fr_server **ret_server)
{
  (void)loop;
  (void)why;
  opened = calloc(1, sizeof(*opened));
  opened->config = *config;
  *ret_server = opened;
  return FR_OK;
}

unsigned fr_server_port(const struct fr_server *server)
{
  (void)server;
  return 1234;
}

void fr_server_free(struct fr_server *server)
{
  if (server)
    opened = NULL;
  free(server);
}

void fr_exchange_set(struct fr_exchange *exchange, void *data)
{
  exchange->data = data;
}

void *fr_exchange_get(const struct fr_exchange *exchange)
{
  return exchange->data;
}

const char *fr_exchange_method(const struct fr_exchange *exchange)
{
  (void)exchange;
  return "GET";
}

const char *fr_exchange_path(const struct fr_exchange *exchange)
{
  (void)exchange;
  return "/x";
}

const char *fr_exchange_header(const struct fr_exchange *exchange,
                               const char *name)
{
  (void)exchange;
  return strcmp(name, "host") == 0 ? "here" : NULL;
}

void fr_exchange_each_query(const struct fr_exchange *exchange,
                            void (*each)(void *arg, const char *name,
                                         const char *value), void *arg)
{
  (void)exchange;
  each(arg, "flag", NULL);
}

const char *fr_exchange_body(const struct fr_exchange *exchange,
                             size_t *ret_len)
{
  (void)exchange;
  *ret_len = 0;
  return "";
}

enum fr_err fr_exchange_reply(struct fr_exchange *exchange,
                              const struct fr_server_reply *reply)
{
  assert_int_equal(exchange->status, 0);
  exchange->status = reply->status;
  snprintf(exchange->body, sizeof(exchange->body), "%.*s",
           (int)reply->body_len, (const char *)reply->body);
  return FR_OK;
}

enum fr_err fr_exchange_send(struct fr_exchange *exchange, const void *data,
                             size_t len)
{
  (void)exchange, (void)data, (void)len;
  return FR_EINVALID;
}

void fr_exchange_end(struct fr_exchange *exchange, bool cut)
{
  (void)exchange, (void)cut;
}

/* ---- the tests ----------------------------------------------------------- */

static const char program[] =
  "local server = host.serve{port = 0, handler = function(request)\n"
  "  core.log.warn('asked')\n"
  "  local ok, err = pcall(core.sleep, 50)\n"
  "  core.log.warn('over ' .. (ok and 'slept' or err.code))\n"
  "  same(request.query[1][2], '')\n"
  "  return {status = 200, body = tostring(request.header('host'))} end}\n"
  "same(server.port, 1234)\n"
  "core.sleep(host.args[1] and 20 or 200) server.close()\n"
  "core.sleep(200)\n";

static void step(struct program *p)
{
  (void)frl_step(p->frl);
}

/* The clock moves only between steps, so `words` are found in time. */
static void until(struct program *p, const char *words)
{
  for (int i = 0; i < 1000; i++) {
    step(p);
    if (strstr(p->log, words))
      return;
    if (!frl_ready(p->frl))
      fr_loop_turn(p->loop, -1);
  }
  fail_msg("\"%s\" is not in:\n%s", words, p->log);
}

static void ask(struct fr_exchange *exchange)
{
  opened->config.on_request(opened->config.arg, exchange);
}

static void leave(struct fr_exchange *exchange)
{
  opened->config.on_gone(opened->config.arg, exchange);
}

static void test_a_reply(void **state)
{
  struct fr_exchange exchange = { 0 };
  struct program p;

  (void)state;
  prepare(&p);
  begin(&p, program);
  step(&p);
  ask(&exchange);
  until(&p, "over slept");
  assert_int_equal(exchange.status, 200);
  assert_string_equal(exchange.body, "here");
  done(&p);
}

static void test_who_leaves_cancels_the_handler(void **state)
{
  struct fr_exchange first = { 0 }, second = { 0 };
  struct program p;

  (void)state;
  prepare(&p);
  begin(&p, program);
  step(&p);
  ask(&first);
  ask(&second);
  until(&p, "asked\nasked");
  leave(&first);
  until(&p, "over cancelled");
  until(&p, "over slept");
  assert_int_equal(first.status, 0);
  assert_int_equal(second.status, 200);
  done(&p);
}

static void test_who_leaves_before_anyone_looked(void **state)
{
  struct fr_exchange exchange = { 0 };
  struct program p;

  (void)state;
  prepare(&p);
  begin(&p, program);
  step(&p);
  ask(&exchange);
  leave(&exchange);
  while (frl_step(p.frl))
    if (!frl_ready(p.frl))
      fr_loop_turn(p.loop, -1);
  assert_string_equal(p.log, "");
  assert_int_equal(exchange.status, 0);
  done(&p);
}

static void test_closing_cancels_handlers(void **state)
{
  static const char *const soon[] = { "soon", NULL };
  struct fr_exchange exchange = { 0 };
  struct program p;

  (void)state;
  prepare(&p);
  p.config.words = soon;
  begin(&p, program);
  step(&p);
  ask(&exchange);
  until(&p, "over cancelled");
  assert_null(opened);
  assert_int_equal(exchange.status, 0);
  assert_int_equal(fr_verdict_exit_code(&p.verdict), 0);
  done(&p);
}

static void test_the_end_drops_who_waits(void **state)
{
  struct fr_exchange begun = { 0 }, waiting = { 0 };
  struct program p;

  (void)state;
  prepare(&p);
  begin(&p, program);
  step(&p);
  ask(&begun);
  until(&p, "asked");
  ask(&waiting);
  done(&p);
  assert_null(opened);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_a_reply),
    cmocka_unit_test(test_who_leaves_cancels_the_handler),
    cmocka_unit_test(test_who_leaves_before_anyone_looked),
    cmocka_unit_test(test_closing_cancels_handlers),
    cmocka_unit_test(test_the_end_drops_who_waits),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
