/* tests/unit/base/test_verdict.c - which exit code wins, which reason. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <signal.h>
#include <stdbool.h>

#include "base/verdict.h"

/* Where several apply, the first of this order. */
static const int codes[] = { 70, 8, 130, 5, 4, 9, 7, 2, 1, 3 };
#define NCODES (sizeof(codes) / sizeof(codes[0]))

static void mark(struct fr_verdict *verdict, size_t which)
{
  bool *const flags[] = { &verdict->bug, &verdict->ledger, NULL,
                          &verdict->auth, &verdict->safety, &verdict->cap,
                          &verdict->unavailable, &verdict->config,
                          &verdict->policy, &verdict->failed };

  if (flags[which])
    *flags[which] = true;
  else
    verdict->signal = SIGINT;
}

static void each_alone(void **state)
{
  (void)state;
  for (size_t i = 0; i < NCODES; i++) {
    struct fr_verdict verdict = { 0 };

    mark(&verdict, i);
    assert_int_equal(fr_verdict_exit_code(&verdict), codes[i]);
  }
}

static void of_any_set_the_first_wins(void **state)
{
  (void)state;
  for (unsigned set = 1; set < 1u << NCODES; set++) {
    struct fr_verdict verdict = { 0 };
    size_t first = NCODES;

    for (size_t i = NCODES; i-- > 0;)
      if (set & 1u << i) {
        mark(&verdict, i);
        first = i;
      }
    assert_int_equal(fr_verdict_exit_code(&verdict), codes[first]);
  }
}

static void nothing_marked_is_success(void **state)
{
  struct fr_verdict verdict = { 0 };

  (void)state;
  assert_int_equal(fr_verdict_exit_code(&verdict), 0);
  fr_verdict_say(&verdict, "words alone change no code");
  assert_int_equal(fr_verdict_exit_code(&verdict), 0);
}

static void signals_have_their_codes(void **state)
{
  struct fr_verdict verdict = { .signal = SIGINT };

  (void)state;
  assert_int_equal(fr_verdict_exit_code(&verdict), 130);
  verdict.signal = SIGTERM;
  assert_int_equal(fr_verdict_exit_code(&verdict), 143);
}

static void the_first_reason_stays(void **state)
{
  struct fr_verdict verdict = { 0 };

  (void)state;
  fr_verdict_say(&verdict, "the key %s was refused", "of CI");
  fr_verdict_say(&verdict, "and then more went wrong");
  assert_string_equal(verdict.why, "the key of CI was refused");
}

static void reasons_are_plain(void **state)
{
  struct fr_verdict verdict = { 0 };

  (void)state;
  fr_verdict_say(&verdict, "a\x1b[2Jb\r\n\xc2\x9b\xff\xc3\xa9");
  assert_string_equal(verdict.why, "a?[2Jb????\xc3\xa9");
}

static void long_reasons_are_cut(void **state)
{
  struct fr_verdict verdict = { .bug = true };
  char text[2000];

  (void)state;
  memset(text, 'x', sizeof(text));
  text[sizeof(text) - 1] = 0;
  fr_verdict_say(&verdict, "%s", text);
  assert_int_equal(strlen(verdict.why), sizeof(verdict.why) - 1);
  assert_true(verdict.bug);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(each_alone),
    cmocka_unit_test(of_any_set_the_first_wins),
    cmocka_unit_test(nothing_marked_is_success),
    cmocka_unit_test(signals_have_their_codes),
    cmocka_unit_test(the_first_reason_stays),
    cmocka_unit_test(reasons_are_plain),
    cmocka_unit_test(long_reasons_are_cut),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
