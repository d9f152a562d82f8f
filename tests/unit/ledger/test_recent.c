/* What memory keeps of the newest deletions: the table of places, and the
 * filter before the table `ids`.
 */
#include "support.h"

#define SEED 0x5eed

static struct fr_place place(int64_t seq)
{
  return (struct fr_place){ seq, true };
}

static void test_an_id_is_found_where_it_was_put_last(void **state)
{
  struct fr_recent recent = { 0 };
  unsigned i;

  (void)state;
  for (i = 0; i < 5000; i++) {
    struct fr_uuid id = id_of(i % 2000);

    assert_int_equal(fr_recent_put(&recent, SEED, &id, place(i + 1)), FR_OK);
  }
  assert_int_equal(recent.count, 2000);
  for (i = 0; i < 3000; i++) {
    struct fr_uuid id = id_of(i);
    struct fr_seat *seat = fr_recent_find(&recent, SEED, &id);

    assert_int_equal(seat != NULL, i < 2000);
    if (seat)
      assert_int_equal(seat->place.seq, i + (i < 1000 ? 4001 : 2001));
  }
  fr_recent_done(&recent);
}

static void test_an_empty_table_has_nothing(void **state)
{
  struct fr_recent recent = { 0 };
  struct fr_uuid id = id_of(1);

  (void)state;
  assert_null(fr_recent_find(&recent, SEED, &id));
  fr_recent_trim(&recent, SEED, 10);
  assert_null(fr_recent_find(&recent, SEED, &id));
  fr_recent_done(&recent);
}

static void test_trimming_forgets_what_is_old(void **state)
{
  struct fr_recent recent = { 0 };
  unsigned i;

  (void)state;
  for (i = 1; i <= 1000; i++) {
    struct fr_uuid id = id_of(i);

    assert_int_equal(fr_recent_put(&recent, SEED, &id, place(i)), FR_OK);
  }
  fr_recent_trim(&recent, SEED, 900);
  assert_int_equal(recent.count, 100);
  assert_true(recent.cap < 1000);
  for (i = 1; i <= 1000; i++) {
    struct fr_uuid id = id_of(i);

    assert_int_equal(fr_recent_find(&recent, SEED, &id) != NULL, i > 900);
  }
  fr_recent_done(&recent);
}

static void test_a_filter_never_denies_what_it_has(void **state)
{
  struct fr_filter filter = { 0 };
  unsigned i, wrong = 0;

  (void)state;
  assert_int_equal(fr_filter_init(&filter, 0), FR_OK);
  for (i = 0; i < 1000000; i++) {       /* the least one, eight bits each */
    struct fr_uuid id = id_of(i);

    fr_filter_add(&filter, fr_id_hash(SEED, &id));
  }
  for (i = 0; i < 2000000; i++) {
    struct fr_uuid id = id_of(i);
    bool has = fr_filter_has(&filter, fr_id_hash(SEED, &id));

    assert_true(has || i >= 1000000);
    wrong += has && i >= 1000000;
  }
  assert_in_range(wrong, 1, 60000);
  fr_filter_done(&filter);
  assert_null(filter.words);
}

static void test_a_filter_is_as_large_as_it_needs_to_be(void **state)
{
  struct fr_filter filter = { 0 };

  (void)state;
  assert_int_equal(fr_filter_init(&filter, 3000000), FR_OK);
  assert_int_equal(filter.blocks * 64, 8 << 20);
  fr_filter_done(&filter);
  assert_int_equal(fr_filter_init(&filter, INT64_MAX / 4), FR_OK);
  assert_int_equal(filter.blocks * 64, 16 << 20);
  fr_filter_done(&filter);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_an_id_is_found_where_it_was_put_last),
    cmocka_unit_test(test_an_empty_table_has_nothing),
    cmocka_unit_test(test_trimming_forgets_what_is_old),
    cmocka_unit_test(test_a_filter_never_denies_what_it_has),
    cmocka_unit_test(test_a_filter_is_as_large_as_it_needs_to_be)
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
