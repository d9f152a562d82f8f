/* tests/unit/fal/test_seen.c - the bounded table of what lists said. */
#include "tests/unit/fal/support.h"

#include "fal/seen.h"

#define HOUR (3600 * 1000LL)
#define FLOOR (24 * HOUR)

static struct fr_uuid id_of(uint32_t number)
{
  struct fr_uuid id = { { 0 } };

  memcpy(id.bytes, &number, sizeof(number));
  return id;
}

static enum fr_err note(struct fr_seen *seen, uint32_t number, int64_t ended,
                        bool key, int64_t at)
{
  struct fr_uuid id = id_of(number);
  struct fr_sighting sighting = { .ended_at_ms = ended,
                                  .by_deleting_key = key };

  return fr_seen_note(seen, &id, &sighting, at);
}

static bool has(const struct fr_seen *seen, uint32_t number, int64_t *ended,
                bool *key)
{
  struct fr_uuid id = id_of(number);
  struct fr_sighting sighting = { .ended_at_ms = 4711 };
  enum fr_err err = fr_seen_find(seen, &id, &sighting);

  if (err) {
    assert_int_equal(err, FR_ENOT_FOUND);
    assert_int_equal(sighting.ended_at_ms, 4711);
    return false;
  }
  if (ended)
    *ended = sighting.ended_at_ms;
  if (key)
    *key = sighting.by_deleting_key;
  return true;
}

static struct fr_seen *table_of(uint32_t most)
{
  struct fr_seen *seen = NULL;

  assert_int_equal(fr_seen_new(most, FLOOR, &seen), FR_OK);
  return seen;
}

static void it_grows_and_keeps_everything(void **state)
{
  struct fr_seen *seen = table_of(100000);
  uint32_t i;

  (void)state;
  for (i = 0; i < 100000; i++)
    assert_int_equal(note(seen, i, AT0 - i, i % 3 == 0, AT0), FR_OK);
  for (i = 0; i < 100000; i++) {
    int64_t ended;
    bool key;

    assert_true(has(seen, i, &ended, &key));
    assert_int_equal(ended, AT0 - i);
    assert_int_equal(key, i % 3 == 0);
  }
  assert_false(has(seen, 100000, NULL, NULL));
  fr_seen_free(seen);
}

static void the_younger_time_wins(void **state)
{
  struct fr_seen *seen = table_of(10);
  int64_t ended;
  bool key;

  (void)state;
  note(seen, 1, -1, false, AT0);
  assert_true(has(seen, 1, &ended, &key));
  assert_int_equal(ended, -1);
  assert_false(key);
  note(seen, 1, 5000, false, AT0);
  note(seen, 1, 4000, true, AT0);
  note(seen, 1, -1, false, AT0);
  assert_true(has(seen, 1, &ended, &key));
  assert_int_equal(ended, 5000);
  assert_true(key);
  note(seen, 1, 6000, false, AT0);
  assert_true(has(seen, 1, &ended, &key));
  assert_int_equal(ended, 6000);
  assert_true(key);
  fr_seen_free(seen);
}

static void the_old_are_forgotten_first(void **state)
{
  struct fr_seen *seen = table_of(4);

  (void)state;
  note(seen, 1, AT0 - FLOOR - 1, false, AT0);
  note(seen, 2, AT0 - FLOOR, false, AT0);       /* exactly: stays */
  note(seen, 3, -1, false, AT0);                /* unknown: stays */
  note(seen, 4, AT0, false, AT0);
  assert_true(has(seen, 1, NULL, NULL));
  assert_int_equal(note(seen, 5, AT0, false, AT0), FR_OK);
  assert_false(has(seen, 1, NULL, NULL));
  assert_true(has(seen, 2, NULL, NULL));
  assert_true(has(seen, 3, NULL, NULL));
  assert_true(has(seen, 4, NULL, NULL));
  assert_true(has(seen, 5, NULL, NULL));
  fr_seen_free(seen);
}

static void a_full_table_of_the_young_refuses(void **state)
{
  struct fr_seen *seen = table_of(3);
  uint32_t i;

  (void)state;
  for (i = 0; i < 3; i++)
    assert_int_equal(note(seen, i, AT0, false, AT0), FR_OK);
  assert_int_equal(note(seen, 9, AT0, false, AT0), FR_ETOO_BIG);
  assert_int_equal(note(seen, 9, -1, false, AT0), FR_ETOO_BIG);
  /* what is known already can still be made younger */
  assert_int_equal(note(seen, 1, AT0 + 5, true, AT0), FR_OK);
  /* one that is old itself is forgotten at once */
  assert_int_equal(note(seen, 9, AT0 - 2 * FLOOR, false, AT0), FR_OK);
  assert_false(has(seen, 9, NULL, NULL));
  /* and when time has passed there is room again */
  assert_int_equal(note(seen, 9, AT0, false, AT0 + 2 * FLOOR), FR_OK);
  assert_true(has(seen, 9, NULL, NULL));
  assert_false(has(seen, 1, NULL, NULL));
  fr_seen_free(seen);
}

static void note_at(struct fr_seen *seen, uint32_t number, const char *name)
{
  struct fr_uuid id = id_of(number);
  struct fr_sighting sighting = { .ended_at_ms = -1, .endpoint = name,
                                  .endpoint_len = name ? strlen(name) : 0 };

  assert_int_equal(fr_seen_note(seen, &id, &sighting, AT0), FR_OK);
}

static const char *endpoint_of(const struct fr_seen *seen, uint32_t number)
{
  struct fr_uuid id = id_of(number);
  struct fr_sighting sighting;

  assert_int_equal(fr_seen_find(seen, &id, &sighting), FR_OK);
  assert_int_equal(sighting.ended_at_ms, -1);
  return sighting.endpoint ? sighting.endpoint : "none";
}

static void an_endpoint_is_kept(void **state)
{
  struct fr_seen *seen = table_of(10000);
  char name[32];

  (void)state;
  note_at(seen, 1, "a/one");
  note_at(seen, 2, "a/two");
  note_at(seen, 3, NULL);
  note_at(seen, 1, "a/other");          /* the first stays */
  note_at(seen, 3, "a/one");
  for (uint32_t i = 10; i < 2000; i++) {
    snprintf(name, sizeof(name), "b/%u", i);
    note_at(seen, i, name);             /* most of them have no room */
  }
  assert_string_equal(endpoint_of(seen, 1), "a/one");
  assert_string_equal(endpoint_of(seen, 2), "a/two");
  assert_string_equal(endpoint_of(seen, 3), "a/one");
  assert_string_equal(endpoint_of(seen, 900), "b/900");
  assert_string_equal(endpoint_of(seen, 1999), "none");
  fr_seen_free(seen);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(it_grows_and_keeps_everything),
    cmocka_unit_test(the_younger_time_wins),
    cmocka_unit_test(the_old_are_forgotten_first),
    cmocka_unit_test(a_full_table_of_the_young_refuses),
    cmocka_unit_test(an_endpoint_is_kept),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
