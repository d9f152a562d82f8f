#include "program.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/time.h>

/* ---- streams ------------------------------------------------------------- */

static int swap_fd(int fd, int with)
{
  int saved = dup(fd);

  assert_true(saved >= 0);
  assert_int_equal(dup2(with, fd), fd);
  return saved;
}

static void restore_fd(int fd, int saved)
{
  assert_int_equal(dup2(saved, fd), fd);
  close(saved);
}

static int temporary(void)
{
  char path[] = "/tmp/fr-host-XXXXXX";
  int fd = mkstemp(path);

  assert_true(fd >= 0);
  unlink(path);
  return fd;
}

/* Runs the text with standard input as given. */
static void run_with_input(struct program *p, const char *data, size_t len,
                           const char *text)
{
  int fd = temporary(), saved;

  assert_int_equal(write(fd, data, len), (ssize_t)len);
  assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
  saved = swap_fd(STDIN_FILENO, fd);
  run_any(p, text);
  restore_fd(STDIN_FILENO, saved);
  close(fd);
}

static void expect_lines(const char *data, size_t len, const char *text)
{
  struct program p;

  prepare(&p);
  run_with_input(&p, data, len, text);
  if (p.log[0])
    fail_msg("%s", p.log);
  done(&p);
}

static void test_lines(void **state)
{
  static const char data[] = "one\r\n\nt\0o\nlast";

  (void)state;
  expect_lines(data, sizeof(data) - 1,
               "local next = host.lines()\n"
               "same(next(), 'one') same(next(), '') same(next(), 't\\0o')\n"
               "same(next(), 'last') same(next(), nil) same(next(), nil)\n");
  expect_lines("", 0, "for line in host.lines() do error(line) end");
  expect_lines("a\n", 2, "local n = 0\n"
               "for line in host.lines() do n = n + 1 same(line, 'a') end\n"
               "same(n, 1)\n");
}

static void test_the_longest_line(void **state)
{
  size_t most = 64 * 1024;
  char *data = malloc(3 * most);
  struct program p;

  (void)state;
  memset(data, 'x', 3 * most);
  data[most] = '\r';
  data[most + 1] = '\n';
  expect_lines(data, most + 2, "local next = host.lines()\n"
               "same(#next(), 65536) same(next(), nil)\n");
  data[most] = '\n';
  data[most + 1] = 'y';
  expect_lines(data, most + 2, "local next = host.lines()\n"
               "same(#next(), 65536) same(next(), 'y')\n");
  data[most] = 'x';
  data[most + 1] = '\n';
  prepare(&p);
  run_with_input(&p, data, most + 2, "for _ in host.lines() do end");
  assert_non_null(strstr(p.log, "longer than 64 KiB"));
  done(&p);
  free(data);
}

static void test_many_lines(void **state)
{
  char *data = malloc(600000);
  size_t len = 0;

  (void)state;
  for (int i = 1; i <= 50000; i++)
    len += (size_t)sprintf(data + len, "line %d\n", i);
  expect_lines(data, len, "local n = 0\n"
               "for line in host.lines() do\n"
               "  n = n + 1 same(line, 'line ' .. n) end\n"
               "same(n, 50000)\n");
  free(data);
}

/* Lines that are an id go to the list; the rest comes as it is, numbered. */
static void test_ids_among_the_lines(void **state)
{
  static const char data[] = ID "\n" ID2 "\n# words\n" ID3 " \n\n"
                             ID3 "\r\n" ID "\n" ID2;
  size_t len = 0, most = 64 * 1024;
  char *many = malloc(400000 + 2 * most);

  (void)state;
  expect_lines(data, sizeof(data) - 1,
               "local next, list = host.lines(), core.id_list()\n"
               "local function line(text, number, count)\n"
               "  local one, n = next(list)\n"
               "  same(one, text) same(n, number) same(#list, count)\n"
               "end\n"
               "line('# words', 3, 2) line('" ID3 " ', 4, 2)\n"
               "line('', 5, 2) line('" ID3 "', 6, 2) line('" ID2 "', 8, 3)\n"
               "line(nil, nil, 3) same(list:at(2), '" ID2 "')\n");
  for (int i = 1; i <= 10000; i++)
    len += (size_t)sprintf(many + len, "%08x%s\n", i, ID + 8);
  expect_lines(many, len, "local list = core.id_list()\n"
               "same(host.lines()(list), nil) same(#list, 10000)\n"
               "same(list:at(10000), '00002710' .. ('" ID "'):sub(9))\n");
  memset(many + len, 'x', most + 1);
  expect_lines(many, len + most + 1,
               "local ok, err = pcall(host.lines(), core.id_list())\n"
               "same(ok, false) same(err.code, 'too_big')\n"
               "same(err.line, 10001)\n");
  free(many);
}

static struct frl *waiting;

static void interrupt(int number)
{
  (void)number;
  frl_interrupt(waiting);
}

static void test_a_signal_ends_the_wait_for_input(void **state)
{
  struct itimerval soon = { .it_value.tv_usec = 50000 };
  struct program p;
  int ends[2], saved;

  (void)state;
  prepare(&p);
  assert_int_equal(pipe(ends), 0);
  saved = swap_fd(STDIN_FILENO, ends[0]);
  begin(&p, "local ok, err = pcall(host.lines())\n"
            "same(ok, false) same(err.code, 'interrupted')\n");
  waiting = p.frl;
  signal(SIGALRM, interrupt);
  setitimer(ITIMER_REAL, &soon, NULL);
  while (turn(&p))
    ;
  restore_fd(STDIN_FILENO, saved);
  assert_string_equal(p.log, "");
  close(ends[0]);
  close(ends[1]);
  done(&p);
}

static void test_write(void **state)
{
  int out = temporary(), saved;
  struct program p;
  char text[64] = "";

  (void)state;
  prepare(&p);
  saved = swap_fd(STDOUT_FILENO, out);
  run_any(&p, "host.write('a\\0b') host.write('\\n') host.write('')");
  restore_fd(STDOUT_FILENO, saved);
  assert_int_equal(pread(out, text, sizeof(text), 0), 4);
  assert_memory_equal(text, "a\0b\n", 4);
  done(&p);
  close(out);
}

static void test_say_is_plain(void **state)
{
  int out = temporary(), saved;
  struct program p;
  char text[64] = "";

  (void)state;
  prepare(&p);
  saved = swap_fd(STDERR_FILENO, out);
  run_any(&p, "host.say('a\\27[31mb\\nc\\r')");
  restore_fd(STDERR_FILENO, saved);
  assert_true(pread(out, text, sizeof(text) - 1, 0) > 0);
  assert_string_equal(text, "a?[31mb\nc?\n");
  done(&p);
  close(out);
}

static void test_nobody_reads_standard_output(void **state)
{
  int ends[2], saved;
  struct program p;

  (void)state;
  prepare(&p);
  assert_int_equal(pipe(ends), 0);
  close(ends[0]);
  saved = swap_fd(STDOUT_FILENO, ends[1]);
  close(ends[1]);
  signal(SIGPIPE, SIG_IGN);
  run_any(&p, "host.write('x')");
  restore_fd(STDOUT_FILENO, saved);
  assert_non_null(strstr(p.log, "standard output cannot be written"));
  assert_int_equal(fr_verdict_exit_code(&p.verdict), 1);
  done(&p);
}

/* ---- files --------------------------------------------------------------- */

static void test_files(void **state)
{
  char dir[] = "/tmp/fr-files-XXXXXX", text[2048], path[64];
  struct stat info;

  (void)state;
  assert_non_null(mkdtemp(dir));
  snprintf(path, sizeof(path), "%s/f", dir);
  snprintf(text, sizeof(text),
           "local path = '%s'\n"
           "local none, err = host.read_file(path, 10)\n"
           "same(none, nil) same(err.code, 'io')\n"
           "assert(err.message:find(path, 1, true), err.message)\n"
           "local file = host.append(path)\n"
           "same(file:write('a\\0b'), true) file:close() file:close()\n"
           "fails('closed', file.write, file, 'x')\n"
           "do local again <close> = host.append(path) again:write('c') end\n"
           "same(host.read_file(path, 4), 'a\\0bc')\n"
           "none, err = host.read_file(path, 3)\n"
           "same(none, nil) same(err.code, 'too_big')\n"
           "none, err = host.read_file('%s', 10)\n"
           "same(none, nil) same(err.code, 'io')\n"
           "none, err = host.append('%s/no/such')\n"
           "same(none, nil) same(err.code, 'io')\n"
           "fails('NUL', host.read_file, path .. '\\0', 10)\n"
           "local big = host.append(path) big:write(('x'):rep(200000))\n"
           "same(#host.read_file(path, 1000000), 200004)\n",
           path, dir, dir);
  expect(text);
  assert_int_equal(stat(path, &info), 0);
  assert_int_equal(info.st_mode & 0777, 0600);
  unlink(path);
  rmdir(dir);
}

static void test_whole_files(void **state)
{
  char dir[] = "/tmp/fr-host-XXXXXX", path[64], text[2048];
  struct stat info;

  (void)state;
  assert_non_null(mkdtemp(dir));
  snprintf(path, sizeof(path), "%s/plan", dir);
  snprintf(text, sizeof(text),
           "local path, dir = '%s', '%s'\n"
           "same(host.write_file(path, 'old'), true)\n"
           "same(host.write_file(path, 'a\\0b'), true)\n"
           "same(host.read_file(path, 9), 'a\\0b')\n"
           "local none, err = host.write_file(dir .. '/no/such', 'x')\n"
           "same(none, nil) same(err.code, 'io')\n"
           "none, err = host.write_file(dir, 'x')\n"
           "same(none, nil) same(err.code, 'io')\n"
           "none, err = host.create(path, 'x')\n"
           "same(none, nil) same(err.code, 'io')\n"
           "same(host.read_file(path, 9), 'a\\0b')\n"
           "fails('NUL', host.write_file, path .. '\\0', 'x')\n"
           "local n = 0\n"
           "for name in pairs(host.list_dir(dir)) do n = n + 1\n"
           "  same(name, 'plan') end\n"
           "same(n, 1)\n", path, dir);
  expect(text);
  assert_int_equal(stat(path, &info), 0);
  assert_int_equal(info.st_mode & 0777, 0600);
  unlink(path);
  assert_int_equal(rmdir(dir), 0);      /* and nothing was left aside */
}

/* ---- the record of the run ----------------------------------------------- */

static void test_notes(void **state)
{
  struct program p;

  (void)state;
  prepare(&p);
  run(&p, "host.note('planned', {n = 1}) host.note('why', 'a \"b\"')\n"
          "host.note('why', nil) host.note('why', 'last')\n"
          "fails('lower-case', host.note, 'Why', 1)\n"
          "fails('lower-case', host.note, '', 1)\n"
          "fails('lower-case', host.note, ('x'):rep(40), 1)\n"
          "fails('', host.note, 'f', print)\n"
          "fails('too long', host.note, 'long', ('x'):rep(10000000))\n");
  assert_non_null(strstr(frl_notes(p.frl), ",\"planned\":{\"n\":1}"));
  assert_non_null(strstr(frl_notes(p.frl), ",\"why\":\"last\""));
  assert_null(strstr(frl_notes(p.frl), "long"));
  done(&p);
}

static void test_no_modules(void **state)
{
  (void)state;
  expect("same(#host.modules(), 0)");
}

/* ---- questions ----------------------------------------------------------- */

static void test_ask(void **state)
{
  static char more[9000];

  (void)state;
  expect_lines("yes\nno\r\nlast", 12,
               "same(host.ask(''), 'yes\\n') same(host.ask(''), 'no\\r\\n')\n"
               "same(host.ask(''), 'last') same(host.ask(''), nil)\n");
  expect_lines("\n", 1, "same(host.ask(''), '\\n')\n"
                        "same(host.ask(''), nil)\n");
  memset(more, 'y', sizeof(more));
  expect_lines(more, sizeof(more), "same(#host.ask(''), 4095)");
}

/* ---- the rest ------------------------------------------------------------ */

static void test_what_the_command_was_given(void **state)
{
  static const struct frl_option options[] = {
    { "max-deletes", "7" }, { "json", "true" }, { NULL, NULL }
  };
  static const char *const words[] = { "one", "--two", NULL };
  struct program p;

  (void)state;
  prepare(&p);
  p.config.options = options;
  p.config.words = words;
  p.config.columns = 80;
  p.config.color = true;
  run(&p, "same(host.command, 'test') same(host.version, '0.1.0')\n"
          "same(host.options['max-deletes'], '7')\n"
          "same(host.options.json, 'true')\n"
          "same(#host.args, 2) same(host.args[2], '--two')\n"
          "same(host.columns, 80) same(host.color, true)\n"
          "same(type(host.stdin_tty), 'boolean')\n"
          "same(type(host.stderr_tty), 'boolean') same(host.policy, nil)\n"
          "same(table.concat(host.commands(), ' '), 'test other')\n"
          "assert(host.text('fal.init'):find('core.delete_payloads'))\n"
          "same(host.text('fal.none'), nil)\n"
          "same(host.sha256('abc'), 'ba7816bf8f01cfea414140de5dae2223'\n"
          "  .. 'b00361a396177a9cb410ff61f20015ad')\n"
          "fails('no policy', host.load_policy)\n");
  done(&p);
}

static void test_usage(void **state)
{
  struct program p;

  (void)state;
  prepare(&p);
  run_any(&p, "host.usage('there is no such thing')");
  assert_int_equal(fr_verdict_exit_code(&p.verdict), 2);
  assert_string_equal(p.verdict.why, "there is no such thing");
  assert_string_equal(p.log, "there is no such thing\n");
  done(&p);
}

static void test_guard(void **state)
{
  struct program p;

  (void)state;
  prepare(&p);
  run_any(&p, "local function results(...)\n"
              "  return select('#', ...), ... end\n"
              "local n, ok, a, b = results(host.guard(function(x)\n"
              "  core.sleep(1) return x, nil end, 5))\n"
              "same(n, 3) same(ok, true) same(a, 5) same(b, nil)\n"
              "n, ok = results(host.guard(function() core.sleep(1)\n"
              "  error(core.error('invalid', 'went wrong')) end))\n"
              "same(n, 1) same(ok, false)\n"
              "host.write('')\n");
  assert_string_equal(p.verdict.why, "went wrong");
  assert_int_equal(fr_verdict_exit_code(&p.verdict), 1);
  done(&p);
}

static void test_settle(void **state)
{
  (void)state;
  expect("same(host.settle(), true) same(host.counts().open, 0)");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_lines),
    cmocka_unit_test(test_the_longest_line),
    cmocka_unit_test(test_many_lines),
    cmocka_unit_test(test_ids_among_the_lines),
    cmocka_unit_test(test_a_signal_ends_the_wait_for_input),
    cmocka_unit_test(test_write),
    cmocka_unit_test(test_say_is_plain),
    cmocka_unit_test(test_nobody_reads_standard_output),
    cmocka_unit_test(test_files),
    cmocka_unit_test(test_whole_files),
    cmocka_unit_test(test_notes),
    cmocka_unit_test(test_no_modules),
    cmocka_unit_test(test_ask),
    cmocka_unit_test(test_what_the_command_was_given),
    cmocka_unit_test(test_usage),
    cmocka_unit_test(test_guard),
    cmocka_unit_test(test_settle),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
