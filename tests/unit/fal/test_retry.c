/* tests/unit/fal/test_retry.c - the retry law as pure functions. */
#include "tests/unit/fal/support.h"

#include "fal/retry.h"

static void delays_double_to_the_cap(void **state)
{
  (void)state;
  assert_int_equal(fr_retry_delay(200, 0, 0.5), 100);
  assert_int_equal(fr_retry_delay(200, 1, 0.5), 200);
  assert_int_equal(fr_retry_delay(200, 3, 0.5), 800);
  assert_int_equal(fr_retry_delay(1000, 4, 0.5), 8000);
  assert_int_equal(fr_retry_delay(1000, 5, 0.5), 10000);
  assert_int_equal(fr_retry_delay(200, 4000000000u, 0.5), 10000);
  assert_int_equal(fr_retry_delay(200, 3, 0), 0);
  assert_true(fr_retry_delay(200, 30, 0.999999) < FR_RETRY_CAP_MS);
}

static void every_status_has_its_class(void **state)
{
  static const struct { int status; enum fr_err err; } table[] = {
    { 200, FR_OK }, { 201, FR_OK }, { 204, FR_OK }, { 299, FR_OK },
    { 300, FR_EREDIRECT }, { 301, FR_EREDIRECT }, { 304, FR_EREDIRECT },
    { 308, FR_EREDIRECT }, { 400, FR_EBAD_REQUEST }, { 401, FR_EAUTH },
    { 402, FR_EBAD_REQUEST }, { 403, FR_EAUTH }, { 404, FR_ENOT_FOUND },
    { 405, FR_EBAD_REQUEST }, { 408, FR_ESERVER }, { 409, FR_EBAD_REQUEST },
    { 410, FR_ENOT_FOUND }, { 422, FR_EBAD_REQUEST }, { 425, FR_ESERVER },
    { 429, FR_ERATE_LIMITED }, { 451, FR_EBAD_REQUEST },
    { 500, FR_ESERVER }, { 501, FR_ESERVER }, { 502, FR_ESERVER },
    { 503, FR_ESERVER }, { 504, FR_ESERVER }, { 599, FR_ESERVER },
    { 0, FR_EPROTOCOL }, { 100, FR_EPROTOCOL }, { 199, FR_EPROTOCOL },
    { 600, FR_EPROTOCOL }, { 999, FR_EPROTOCOL }, { -1, FR_EPROTOCOL },
  };
  size_t i;

  (void)state;
  for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
    assert_int_equal(fr_retry_class(FR_OK, table[i].status), table[i].err);
    assert_int_equal(fr_retry_class(FR_EDROPPED, table[i].status),
                     FR_EDROPPED);
  }
}

static void only_some_classes_are_transient(void **state)
{
  (void)state;
  assert_true(fr_retry_transient(FR_ETIMEOUT));
  assert_true(fr_retry_transient(FR_ECONNECT));
  assert_true(fr_retry_transient(FR_ERESOLVE));
  assert_true(fr_retry_transient(FR_EDROPPED));
  assert_true(fr_retry_transient(FR_EPROTOCOL));
  assert_true(fr_retry_transient(FR_ESERVER));
  assert_true(fr_retry_transient(FR_ERATE_LIMITED));
  assert_false(fr_retry_transient(FR_OK));
  assert_false(fr_retry_transient(FR_ETLS));
  assert_false(fr_retry_transient(FR_ETOO_BIG));
  assert_false(fr_retry_transient(FR_EREAD_ONLY));
  assert_false(fr_retry_transient(FR_EAUTH));
  assert_false(fr_retry_transient(FR_EBAD_REQUEST));
  assert_false(fr_retry_transient(FR_ENOT_FOUND));
  assert_false(fr_retry_transient(FR_EREDIRECT));
  assert_false(fr_retry_transient(FR_EPARTIAL));
  assert_false(fr_retry_transient(FR_ENOMEM));
  assert_false(fr_retry_transient(FR_ECANCELLED));
  assert_true(fr_retry_no_answer(FR_ETLS));
  assert_false(fr_retry_no_answer(FR_ESERVER));
}

static void waits_are_read_and_nonsense_is_not(void **state)
{
  static const struct {
    const char *after, *reset, *date;
    int64_t ms;                         /* -1: none */
  } table[] = {
    { "1", NULL, NULL, 1000 },
    { "600", NULL, NULL, 600000 },
    { "86400", NULL, NULL, 86400000 },
    { "007", NULL, NULL, 7000 },
    { "0", NULL, NULL, -1 },
    { "-5", NULL, NULL, -1 },
    { "+5", NULL, NULL, -1 },
    { "1.5", NULL, NULL, -1 },
    { "1e3", NULL, NULL, -1 },
    { "soon", NULL, NULL, -1 },
    { "", NULL, NULL, -1 },
    { "5 ", NULL, NULL, -1 },
    { "5, 6", NULL, NULL, -1 },
    { "0x10", NULL, NULL, -1 },
    { "99999999999", NULL, NULL, -1 },
    { "99999999999999999999999999", NULL, NULL, -1 },
    { "Tue, 14 Nov 2023 22:13:50 GMT", NULL, NULL, 30000 },
    { "Tuesday, 14-Nov-23 22:13:50 GMT", NULL, NULL, 30000 },
    { "Tue, 14 Nov 2023 22:13:20 GMT", NULL, NULL, -1 },
    { "Tue, 14 Nov 2023 22:13:00 GMT", NULL, NULL, -1 },
    { "Tue, 14 Nov 2043 22:13:00 GMT", NULL, NULL, -1 },
    /* the server's own clock counts where it is known */
    { "Tue, 14 Nov 2023 22:13:50 GMT", NULL,
      "Tue, 14 Nov 2023 22:13:40 GMT", 10000 },
    { "Tue, 14 Nov 2023 22:13:50 GMT", NULL, "yesterday", 30000 },
    { NULL, "42", NULL, 42000 },
    { NULL, "1.5", NULL, 1500 },
    { NULL, "0.0001", NULL, 1 },
    { NULL, "2.", NULL, 2000 },
    { NULL, ".5", NULL, -1 },
    { NULL, "-1", NULL, -1 },
    { NULL, "1700000060", NULL, -1 },
    { NULL, "1.2.3", NULL, -1 },
    { "3", "42", NULL, 3000 },
    { "soon", "42", NULL, 42000 },
    { NULL, NULL, NULL, -1 },
  };
  size_t i;

  (void)state;
  for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
    struct fr_retry_told told = {
      table[i].after, table[i].reset, table[i].date, AT0,
    };
    uint64_t ms = 77;
    bool found = fr_retry_wait(&told, &ms);

    if (found != (table[i].ms >= 0) ||
        ms != (found ? (uint64_t)table[i].ms : 77))
      fail_msg("row %zu: %d, %llu ms", i, found, (unsigned long long)ms);
  }
}

static void a_key_is_spent_by_the_same_failure_twice(void **state)
{
  struct fr_generation generation = { .key_at_ms = AT0 };

  (void)state;
  fr_generation_note(&generation, 500);
  assert_true(fr_generation_good(&generation, AT0));
  fr_generation_note(&generation, 502);
  assert_true(fr_generation_good(&generation, AT0));
  fr_generation_note(&generation, 429);
  fr_generation_note(&generation, 502);
  assert_true(fr_generation_good(&generation, AT0));
  fr_generation_note(&generation, 502);
  assert_false(fr_generation_good(&generation, AT0));
  generation = (struct fr_generation){ .key_at_ms = AT0 };
  fr_generation_note(&generation, 429);
  fr_generation_note(&generation, 429);
  fr_generation_note(&generation, 408);
  fr_generation_note(&generation, 408);
  assert_true(fr_generation_good(&generation, AT0));
}

static void a_key_is_good_for_nine_minutes(void **state)
{
  struct fr_generation generation = { .key_at_ms = AT0 };

  (void)state;
  assert_true(fr_generation_good(&generation, AT0 + 9 * 60000 - 1));
  assert_false(fr_generation_good(&generation, AT0 + 9 * 60000));
  assert_true(fr_generation_good(&generation, AT0 - 60000));
  assert_false(fr_generation_good(&generation, AT0 - 60001));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(delays_double_to_the_cap),
    cmocka_unit_test(every_status_has_its_class),
    cmocka_unit_test(only_some_classes_are_transient),
    cmocka_unit_test(waits_are_read_and_nonsense_is_not),
    cmocka_unit_test(a_key_is_spent_by_the_same_failure_twice),
    cmocka_unit_test(a_key_is_good_for_nine_minutes),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
