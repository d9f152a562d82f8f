/* tests/unit/host/test_console.c - what standard error shows, to a pipe and
 * to a terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
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
  unsetenv("JOURNAL_STREAM");
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
  fr_console_open(&console, false, FR_LOG_INFO);
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
  fr_console_open(&console, false, FR_LOG_DEBUG);
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
  fr_console_open(&console, false, FR_LOG_INFO);
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
  fr_console_open(&console, false, FR_LOG_INFO);
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
  fr_console_open(&console, false, FR_LOG_INFO);
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
  fr_console_open(&console, false, FR_LOG_INFO);
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
  fr_console_open(&console, false, FR_LOG_INFO);
  fr_console_say(&console, FR_LOG_ERROR, line);
  text = shown();
  assert_true(strlen(text) > 8000 && strlen(text) <= 8192);
  assert_int_equal(strcspn(text, "\n"), strlen(text) - 1);
  fr_console_close(&console);
}

/* ---- JSON ----------------------------------------------------------------- */

static void objects_in_a_file(void **state)
{
  struct fr_console console;
  const char *text;

  (void)state;
  fr_console_open(&console, true, FR_LOG_INFO);
  fr_log(FR_LOG_DEBUG, "none");
  fr_log(FR_LOG_WARN, "one \"two\" \\ three");
  text = shown();
  assert_int_equal(strncmp(text, "{\"time\":\"2", 10), 0);
  assert_non_null(strstr(text, "Z\",\"level\":\"warn\",\"message\":"
                         "\"one \\\"two\\\" \\\\ three\"}\n"));
  console.run = 17;
  fr_log_about(FR_LOG_ERROR, "019e6d0a-e5be-7b82-b329-35ae64296902", "four");
  assert_non_null(strstr(shown(), "\"level\":\"error\",\"run\":17,"
    "\"request_id\":\"019e6d0a-e5be-7b82-b329-35ae64296902\","
    "\"message\":\"four\"}\n"));
  fr_console_progress(&console, "5 done");
  assert_non_null(strstr(shown(), "\"level\":\"info\",\"run\":17,"
                         "\"message\":\"5 done\"}\n"));
  fr_console_talk(&console, "a\nb\n", 4);
  text = shown();
  assert_non_null(strstr(text, "\"message\":\"a\"}\n"));
  assert_non_null(strstr(text, "\"message\":\"b\"}\n"));
  fr_console_close(&console);
}

/* Quotes are the worst: each takes two bytes. */
static void an_object_is_bounded(void **state)
{
  static const char evil[] = "a\033[2J\rb\nc\x9b" "d\x7f\xc2\x9b" "e\tf";
  struct fr_console console;
  char line[3 * 8192];
  const char *text;

  (void)state;
  memset(line, '"', sizeof(line) - 1);
  line[sizeof(line) - 1] = 0;
  fr_console_open(&console, true, FR_LOG_INFO);
  fr_console_say(&console, FR_LOG_ERROR, line);
  text = shown();
  assert_true(strlen(text) > 8000 && strlen(text) < 9 * 1024);
  assert_int_equal(strcspn(text, "\n"), strlen(text) - 1);
  assert_string_equal(text + strlen(text) - 3, "\"}\n");
  fr_log(FR_LOG_ERROR, "%s", evil);
  assert_non_null(strstr(shown(), "\"a?[2J?b?c?d??e?f\"}\n"));
  fr_console_close(&console);
}

static void no_line_is_drawn_for_json(void **state)
{
  struct fr_console console;

  (void)state;
  fr_console_open(&console, true, FR_LOG_INFO);
  assert_false(console.tty || console.color);
  fr_console_progress(&console, "5 done");
  assert_null(strchr(shown(), '\033'));
  fr_console_close(&console);
}

/* ---- the journal ------------------------------------------------------- */

static void journal_is(long more)
{
  struct stat st;
  char text[80];

  assert_int_equal(fstat(STDERR_FILENO, &st), 0);
  snprintf(text, sizeof(text), "%llu:%llu", (unsigned long long)st.st_dev,
           (unsigned long long)st.st_ino + (unsigned long long)more);
  setenv("JOURNAL_STREAM", text, 1);
}

static void priorities_in_the_journal(void **state)
{
  struct fr_console console;

  (void)state;
  journal_is(0);
  fr_console_open(&console, false, FR_LOG_DEBUG);
  fr_log(FR_LOG_ERROR, "one");
  fr_log(FR_LOG_WARN, "two");
  fr_log(FR_LOG_INFO, "three");
  fr_log(FR_LOG_DEBUG, "four");
  assert_string_equal(shown(), "<3>falrun: one\n<4>falrun: warning: two\n"
                               "<6>falrun: three\n<7>falrun: debug: four\n");
  fr_console_progress(&console, "5 done");
  assert_string_equal(shown(), "<6>falrun: 5 done\n");
  fr_console_close(&console);
  fr_console_open(&console, true, FR_LOG_INFO);
  fr_log(FR_LOG_ERROR, "one");
  assert_int_equal(strncmp(shown(), "<3>{\"time\":", 11), 0);
  fr_console_close(&console);
}

/* A child of a service whose standard error leads elsewhere inherits the
 * variable, too. */
static void another_file_is_no_journal(void **state)
{
  static const char *const odd[] = { "", "1", "1:", ":1", "a:b", "1:2:3",
                                     "99999999999999999999999:1" };
  struct fr_console console;

  (void)state;
  journal_is(1);
  fr_console_open(&console, false, FR_LOG_DEBUG);
  assert_false(console.journal);
  fr_console_close(&console);
  for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
    setenv("JOURNAL_STREAM", odd[i], 1);
    fr_console_open(&console, false, FR_LOG_DEBUG);
    assert_false(console.journal);
    fr_console_close(&console);
  }
  unsetenv("JOURNAL_STREAM");
}

static void the_verdict_is_said_once(void **state)
{
  struct fr_console console;

  (void)state;
  fr_console_open(&console, false, FR_LOG_INFO);
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
    ON(on_pipe, objects_in_a_file),
    ON(on_pipe, an_object_is_bounded),
    ON(on_terminal, no_line_is_drawn_for_json),
    ON(on_pipe, priorities_in_the_journal),
    ON(on_pipe, another_file_is_no_journal),
    ON(on_pipe, the_verdict_is_said_once),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
