/* tests/unit/base/test_log.c - one sink, and a level. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"

static struct {
  int lines;
  enum fr_log_level level;
  char text[8192];
} heard;

static void hear(void *arg, enum fr_log_level level, const char *line)
{
  assert_ptr_equal(arg, &heard);
  heard.lines++;
  heard.level = level;
  snprintf(heard.text, sizeof(heard.text), "%s", line);
}

static int silent(void **state)
{
  (void)state;
  memset(&heard, 0, sizeof(heard));
  fr_log_set(NULL, NULL, FR_LOG_ERROR);
  return 0;
}

static void without_a_sink_lines_are_dropped(void **state)
{
  (void)state;
  fr_log_set(NULL, NULL, FR_LOG_DEBUG);
  fr_log(FR_LOG_ERROR, "%s", "nobody hears");
}

static void up_to_the_level(void **state)
{
  (void)state;
  fr_log_set(hear, &heard, FR_LOG_INFO);
  assert_int_equal(fr_log_most(), FR_LOG_INFO);
  fr_log(FR_LOG_DEBUG, "no");
  assert_int_equal(heard.lines, 0);
  fr_log(FR_LOG_INFO, "%s %d", "yes", 1);
  assert_int_equal(heard.lines, 1);
  assert_int_equal(heard.level, FR_LOG_INFO);
  assert_string_equal(heard.text, "yes 1");
  fr_log(FR_LOG_ERROR, "worse");
  assert_int_equal(heard.lines, 2);
  assert_int_equal(heard.level, FR_LOG_ERROR);
}

static void a_long_line_is_cut(void **state)
{
  (void)state;
  fr_log_set(hear, &heard, FR_LOG_DEBUG);
  fr_log(FR_LOG_DEBUG, "%8000d", 1);
  assert_int_equal(heard.lines, 1);
  assert_in_range(strlen(heard.text), 1000, 7999);
}

static void sinks_change_places(void **state)
{
  struct fr_log_sink mine = { NULL, NULL, FR_LOG_DEBUG };

  (void)state;
  fr_log_set(hear, &heard, FR_LOG_INFO);
  fr_log_swap(&mine);
  fr_log(FR_LOG_ERROR, "lost");
  assert_int_equal(heard.lines, 0);
  assert_int_equal(mine.most, FR_LOG_INFO);
  fr_log_swap(&mine);
  fr_log(FR_LOG_ERROR, "found");
  assert_int_equal(heard.lines, 1);
  assert_null(mine.fn);
}

static void note_request(void *arg, enum fr_log_level level, const char *line)
{
  const char *id = fr_log_request();

  (void)level;
  (void)line;
  strcpy(arg, id ? id : "none");
}

static void a_line_may_be_about_a_request(void **state)
{
  char about[64] = "";

  (void)state;
  fr_log_set(note_request, about, FR_LOG_INFO);
  fr_log_about(FR_LOG_INFO, "019e", "one");
  assert_string_equal(about, "019e");
  fr_log(FR_LOG_INFO, "two");
  assert_string_equal(about, "none");
  fr_log_about(FR_LOG_INFO, NULL, "three");
  assert_string_equal(about, "none");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(without_a_sink_lines_are_dropped, silent),
    cmocka_unit_test_setup(up_to_the_level, silent),
    cmocka_unit_test_setup(a_long_line_is_cut, silent),
    cmocka_unit_test_setup(sinks_change_places, silent),
    cmocka_unit_test_setup(a_line_may_be_about_a_request, silent),
  };

  return cmocka_run_group_tests(tests, NULL, silent);
}
