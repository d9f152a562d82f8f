/* tests/unit/host/test_console.c - what standard error shows, to a pipe and
 * to a terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "host/console.h"

#define TAKEN_AWAY "\r\033[K"

/* Standard error leads into `reader` while a test runs. */
static struct {
  int saved, reader;
  char text[32768];
} screen;

static void lead(int writer)
{
  screen.saved = dup(STDERR_FILENO);
  assert_true(dup2(writer, STDERR_FILENO) >= 0);
  close(writer);
}

static int on_pipe(void **state)
{
  int ends[2];

  (void)state;
  unsetenv("NO_COLOR");
  setenv("TERM", "xterm", 1);
  assert_int_equal(pipe(ends), 0);
  screen.reader = ends[0];
  lead(ends[1]);
  return 0;
}

static int on_terminal(void **state)
{
  struct winsize size = { .ws_col = 40, .ws_row = 10 };
  struct termios raw;
  int writer;

  (void)state;
  unsetenv("NO_COLOR");
  setenv("TERM", "xterm", 1);
  screen.reader = posix_openpt(O_RDWR | O_NOCTTY);
  assert_true(screen.reader >= 0);
  assert_int_equal(grantpt(screen.reader), 0);
  assert_int_equal(unlockpt(screen.reader), 0);
  writer = open(ptsname(screen.reader), O_RDWR | O_NOCTTY);
  assert_true(writer >= 0);
  assert_int_equal(tcgetattr(writer, &raw), 0);
  cfmakeraw(&raw);
  assert_int_equal(tcsetattr(writer, TCSANOW, &raw), 0);
  assert_int_equal(ioctl(writer, TIOCSWINSZ, &size), 0);
  lead(writer);
  return 0;
}

static int leave(void **state)
{
  (void)state;
  dup2(screen.saved, STDERR_FILENO);
  close(screen.saved);
  close(screen.reader);
  return 0;
}

/* What was written since the last call. */
static const char *shown(void)
{
  struct pollfd entry = { .fd = screen.reader, .events = POLLIN };
  size_t len = 0;

  while (len + 1 < sizeof(screen.text) && poll(&entry, 1, 0) == 1) {
    ssize_t n = read(screen.reader, screen.text + len,
                     sizeof(screen.text) - 1 - len);

    if (n <= 0)
      break;
    len += (size_t)n;
  }
  screen.text[len] = 0;
  return screen.text;
}

static void lines_in_a_file(void **state)
{
  struct fr_console console;

  (void)state;
  fr_console_open(&console, FR_LOG_INFO);
  assert_false(console.tty);
  assert_false(console.color);
  fr_log(FR_LOG_ERROR, "one");
  fr_log(FR_LOG_WARN, "two");
  fr_log(FR_LOG_INFO, "three");
  fr_log(FR_LOG_DEBUG, "four");
  assert_string_equal(shown(), "falrun: one\nfalrun: warning: two\n"
                               "falrun: three\n");
  fr_console_progress(&console, "5 done");
  fr_console_progress(&console, "6 done");
  assert_string_equal(shown(), "falrun: 5 done\nfalrun: 6 done\n");
  fr_console_close(&console);
  fr_log(FR_LOG_ERROR, "nobody listens");
  assert_string_equal(shown(), "");
}

static void colours_on_a_terminal(void **state)
{
  struct fr_console console;

  (void)state;
  fr_console_open(&console, FR_LOG_DEBUG);
  assert_true(console.tty && console.color);
  fr_log(FR_LOG_ERROR, "one");
  assert_string_equal(shown(), "\033[31mfalrun: one\033[0m\n");
  fr_log(FR_LOG_WARN, "two");
  assert_string_equal(shown(), "\033[33mfalrun: warning: two\033[0m\n");
  fr_log(FR_LOG_INFO, "three");
  assert_string_equal(shown(), "falrun: three\n");
  fr_log(FR_LOG_DEBUG, "four");
  assert_string_equal(shown(), "\033[2mfalrun: debug: four\033[0m\n");
  fr_console_close(&console);
}

static bool colour_with(const char *no, const char *term)
{
  struct fr_console console;
  bool color;

  no ? setenv("NO_COLOR", no, 1) : unsetenv("NO_COLOR");
  term ? setenv("TERM", term, 1) : unsetenv("TERM");
  fr_console_open(&console, FR_LOG_INFO);
  fr_log(FR_LOG_ERROR, "x");
  color = strchr(shown(), '\033') != NULL;
  assert_true(color == console.color && console.tty);
  fr_console_close(&console);
  return color;
}

static void colour_is_asked_for(void **state)
{
  (void)state;
  assert_true(colour_with(NULL, "xterm"));
  assert_true(colour_with("", "xterm"));        /* no-color.org: not empty */
  assert_false(colour_with("1", "xterm"));
  assert_false(colour_with(NULL, "dumb"));
}

static void nothing_steers_the_terminal(void **state)
{
  static const char evil[] = "a\033[2J\rb\nc\x9b" "d\x7f\xc2\x9b" "e\tf";
  struct fr_console console;
  const char *text;

  (void)state;
  fr_console_open(&console, FR_LOG_INFO);
  console.color = false;
  fr_log(FR_LOG_ERROR, "%s", evil);
  text = shown();
  assert_int_equal(strcspn(text, "\n"), strlen(text) - 1);
  for (; text[1]; text++)
    assert_true((unsigned char)*text >= ' ' && *text != 0x7f);
  fr_console_progress(&console, evil);
  text = shown();
  assert_int_equal(strncmp(text, TAKEN_AWAY, 4), 0);
  for (text += 4; *text; text++)
    assert_true((unsigned char)*text >= ' ' && *text != 0x7f);
  fr_console_close(&console);
}

static void a_line_takes_the_progress_away(void **state)
{
  struct fr_console console;

  (void)state;
  fr_console_open(&console, FR_LOG_INFO);
  console.color = false;
  fr_console_progress(&console, "5 done");
  assert_string_equal(shown(), TAKEN_AWAY "5 done");
  fr_log(FR_LOG_WARN, "wait");
  assert_string_equal(shown(), TAKEN_AWAY "falrun: warning: wait\n");
  fr_log(FR_LOG_WARN, "again");
  assert_string_equal(shown(), "falrun: warning: again\n");
  fr_console_progress(&console, "6 done");
  assert_string_equal(shown(), TAKEN_AWAY "6 done");
  fr_console_close(&console);
  assert_string_equal(shown(), TAKEN_AWAY);
}

static void progress_fits_one_row(void **state)
{
  struct fr_console console;
  char line[200];

  (void)state;
  memset(line, 'x', sizeof(line) - 1);
  line[sizeof(line) - 1] = 0;
  fr_console_open(&console, FR_LOG_INFO);
  assert_int_equal(fr_console_columns(STDERR_FILENO), 40);
  fr_console_progress(&console, line);
  assert_true(strlen(shown()) - strlen(TAKEN_AWAY) < 40);
  fr_console_close(&console);
}

static void a_long_line_is_one_line(void **state)
{
  struct fr_console console;
  char line[3 * 8192];
  const char *text;

  (void)state;
  memset(line, 'x', sizeof(line) - 1);
  line[sizeof(line) - 1] = 0;
  fr_console_open(&console, FR_LOG_INFO);
  fr_console_say(&console, FR_LOG_ERROR, line);
  text = shown();
  assert_true(strlen(text) > 8000 && strlen(text) <= 8192);
  assert_int_equal(strcspn(text, "\n"), strlen(text) - 1);
  fr_console_close(&console);
}

static void the_verdict_is_said_once(void **state)
{
  struct fr_console console;

  (void)state;
  fr_console_open(&console, FR_LOG_INFO);
  console.why = "";
  fr_log(FR_LOG_ERROR, "anything");
  assert_false(console.why_said);
  console.why = "the key was refused";
  fr_log(FR_LOG_WARN, "the key was refused");
  assert_false(console.why_said);       /* a warning is no answer */
  fr_log(FR_LOG_ERROR, "x.lua:1: the key was refused");
  assert_true(console.why_said);
  fr_log(FR_LOG_ERROR, "and more");
  assert_true(console.why_said);
  fr_console_close(&console);
}

#define ON(where, test) cmocka_unit_test_setup_teardown(test, where, leave)

int main(void)
{
  const struct CMUnitTest tests[] = {
    ON(on_pipe, lines_in_a_file),
    ON(on_terminal, colours_on_a_terminal),
    ON(on_terminal, colour_is_asked_for),
    ON(on_terminal, nothing_steers_the_terminal),
    ON(on_terminal, a_line_takes_the_progress_away),
    ON(on_terminal, progress_fits_one_row),
    ON(on_pipe, a_long_line_is_one_line),
    ON(on_pipe, the_verdict_is_said_once),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
