#include "program.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

/* On real sockets, and so on the real clock. The program talks to itself:
 * core.read --> runtime/http --> runtime/server --> its own handler. */

#define UNAVAILABLE 7           /* a read that failed marks the run */

static struct sockaddr_in address_of(unsigned port)
{
  return (struct sockaddr_in){ .sin_family = AF_INET,
                               .sin_port = htons((uint16_t)port),
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static int taken_port(unsigned *ret_port)
{
  struct sockaddr_in address = address_of(0);
  socklen_t len = sizeof(address);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

  assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
  assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
  *ret_port = ntohs(address.sin_port);
  return fd;
}

static unsigned free_port(void)
{
  unsigned port;

  close(taken_port(&port));
  return port;
}

static void connect_to_itself(struct program *p, unsigned port)
{
  struct fr_http_config http = { .read_only = true };
  struct fr_fal_config fal = { .origin = &p->origin, .keys = p->keys,
                               .verdict = &p->verdict };
  struct fr_buf why;
  char url[64];

  fr_buf_init(&why, 512);
  snprintf(url, sizeof(url), "http://127.0.0.1:%u/v1", port);
  assert_int_equal(fr_origin_parse(url, &why, &p->origin), FR_OK);
  assert_int_equal(fr_http_new(p->loop, &http, &why, &p->http), FR_OK);
  assert_int_equal(fr_fal_new(p->loop, p->http, &fal, &p->fal), FR_OK);
  fr_buf_done(&why);
}

static void serve(const char *text, const char *words_in_log, int code)
{
  unsigned port = free_port();
  struct program p;
  char whole[8000];

  prepare_real(&p, true);
  connect_to_itself(&p, port);
  snprintf(whole, sizeof(whole), "local port = %u %s", port, text);
  run_any(&p, whole);
  if (!words_in_log && p.log[0])
    fail_msg("%s", p.log);
  if (words_in_log && !strstr(p.log, words_in_log))
    fail_msg("\"%s\" is not in:\n%s", words_in_log, p.log);
  assert_int_equal(fr_verdict_exit_code(&p.verdict), code);
  done(&p);
}

static void test_a_round_trip(void **state)
{
  (void)state;
  serve("local server = host.serve{port = port, handler = function(request)\n"
        "  core.sleep(5)\n"
        "  same(request.header('X-None'), nil)\n"
        "  same(request.header('authorization') ~= nil, true)\n"
        "  return {status = 200, headers = {['X-Y'] = 'z'},\n"
        "    body = core.json.encode{method = request.method,\n"
        "      path = request.path, query = request.query,\n"
        "      body = request.body}} end}\n"
        "same(server.port, port)\n"
        "local r = assert(core.read{path = '/models/a%2Fb',\n"
        "  query = {{'x', 'a b'}, {'x', ''}, {'y', '&'}}})\n"
        "same(r.method, 'GET') same(r.path, '/v1/models/a%2Fb')\n"
        "same(#r.query, 3) same(r.query[1][1], 'x')\n"
        "same(r.query[1][2], 'a b') same(r.query[2][2], '')\n"
        "same(r.query[3][2], '&') same(r.body, '')\n"
        "r = assert(core.read{method = 'POST', body = {n = 1},\n"
        "  path = '/models/pricing/estimate'})\n"
        "same(r.method, 'POST') same(r.body, '{\"n\":1}')\n"
        "server.close() server.close()\n", NULL, 0);
}

static void test_many_at_once(void **state)
{
  (void)state;
  serve("local most, now = 0, 0\n"
        "local server <close> = host.serve{port = port, handler = function()\n"
        "  now = now + 1 most = math.max(most, now) core.sleep(20)\n"
        "  now = now - 1 return {status = 200, body = '{}'} end}\n"
        "local tasks = {}\n"
        "for i = 1, 30 do tasks[i] = core.spawn(core.read, {path = '/a'}) end\n"
        "for _, task in ipairs(tasks) do\n"
        "  local ok, value = task:wait() same(ok and type(value), 'table')\n"
        "end\n"
        "assert(most >= 2, most) same(now, 0)\n", NULL, 0);
}

static void test_a_handler_that_raises(void **state)
{
  (void)state;
  serve("local calls = 0\n"
        "local server <close> = host.serve{port = port, handler = function()\n"
        "  calls = calls + 1\n"
        "  if calls == 1 then core.sleep(1) error('no luck') end\n"
        "  if calls == 2 then return 7 end\n"
        "  return {status = 200, body = '{}'} end}\n"
        "same(type(core.read{path = '/a'}), 'table') same(calls, 3)\n",
        "no luck", 0);
}

static void test_replies_are_checked(void **state)
{
  (void)state;
  serve("local replies = {{}, {status = 99}, {status = 200, body = 7},\n"
        "  {status = 200, headers = {a = 1}}, {status = 200, fault = 'x'}}\n"
        "local server <close> = host.serve{port = port, handler = function()\n"
        "  return table.remove(replies) or {status = 404} end}\n"
        "for i = 1, 3 do local r, err = core.read{path = '/a'}\n"
        "  if not r and err.code == 'not_found' then same(#replies, 0) end\n"
        "end\n"
        "same(#replies, 0)\n", "there is no fault", UNAVAILABLE);
}

static void test_faults(void **state)
{
  (void)state;
  serve("local fault = 'drop'\n"
        "local server <close> = host.serve{port = port, handler = function()\n"
        "  return {status = 200, body = ('[' .. (' '):rep(5000) .. ']'),\n"
        "    fault = fault, no_date = true} end}\n"
        "local r, err = core.read{path = '/a'}\n"
        "same(r, nil) same(err.code, 'dropped') same(err.retryable, true)\n"
        "fault = 'truncate' r, err = core.read{path = '/a'}\n"
        "same(r, nil) same(err.code, 'dropped')\n"
        "fault = nil same(type(core.read{path = '/a'}), 'table')\n", NULL,
        UNAVAILABLE);
}

static void test_misuse(void **state)
{
  (void)state;
  serve("local function f() end\n"
        "fails('handler', host.serve, {port = port})\n"
        "fails('port', host.serve, {port = 70000, handler = f})\n"
        "fails('port', host.serve, {prot = 1, handler = f})\n"
        "local server = host.serve{port = port, handler = f}\n"
        "server.close()\n", NULL, 0);
}

static void test_a_port_that_is_taken(void **state)
{
  unsigned port;
  int fd = taken_port(&port);
  char text[300];

  (void)state;
  assert_int_equal(listen(fd, 1), 0);
  snprintf(text, sizeof(text),
           "local server, err = host.serve{port = %u, handler = print}\n"
           "same(server, nil) assert(#err.message > 10, err.message)\n",
           port);
  serve(text, NULL, 0);
  close(fd);
}

/* Connects and asks, and does not wait for the answer. */
static int ask(unsigned port)
{
  static const char request[] = "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n";
  struct sockaddr_in address = address_of(port);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

  assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)),
                   0);
  assert_int_equal(write(fd, request, sizeof(request) - 1),
                   (ssize_t)sizeof(request) - 1);
  return fd;
}

static void turn_until(struct program *p, const char *words)
{
  for (int i = 0; i < 500 && !strstr(p->log, words); i++) {
    frl_step(p->frl);
    fr_loop_turn(p->loop, 10);
  }
  if (!strstr(p->log, words))
    fail_msg("\"%s\" is not in:\n%s", words, p->log);
}

static const char slow[] =
  "host.serve{port = port, handler = function()\n"
  "  core.log.warn('asked')\n"
  "  local ok, err = pcall(core.sleep, 3000)\n"
  "  core.log.warn('over ' .. (ok and 'slept' or err.code))\n"
  "  return {status = 200} end}\n"
  "core.log.warn('ready') core.sleep(20000)\n";

static void begin_slow(struct program *p, unsigned port)
{
  char whole[1000];

  prepare_real(p, true);
  snprintf(whole, sizeof(whole), "local port = %u %s", port, slow);
  begin(p, whole);
  turn_until(p, "ready");
}

static void test_the_end_with_a_request_open(void **state)
{
  unsigned port = free_port();
  struct program p;
  int fd;

  (void)state;
  begin_slow(&p, port);
  fd = ask(port);
  turn_until(&p, "asked");
  frl_cancel(p.frl);
  for (int i = 0; i < 50 && frl_step(p.frl); i++)
    fr_loop_turn(p.loop, 10);
  done(&p);
  close(fd);
}

static void test_the_end_at_once(void **state)
{
  unsigned port = free_port();
  struct program p;
  int fd;

  (void)state;
  begin_slow(&p, port);
  fd = ask(port);
  turn_until(&p, "asked");
  done(&p);
  close(fd);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_a_round_trip),
    cmocka_unit_test(test_many_at_once),
    cmocka_unit_test(test_a_handler_that_raises),
    cmocka_unit_test(test_replies_are_checked),
    cmocka_unit_test(test_faults),
    cmocka_unit_test(test_misuse),
    cmocka_unit_test(test_a_port_that_is_taken),
    cmocka_unit_test(test_the_end_with_a_request_open),
    cmocka_unit_test(test_the_end_at_once),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
