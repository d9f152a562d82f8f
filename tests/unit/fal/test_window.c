/* tests/unit/fal/test_window.c - rows go in by pages, and come out once, in
 * the order of time. */
#include "tests/unit/fal/support.h"

#include "fal/window.h"

#define ROWS_MOST 64

struct rig_page {
  struct fr_page page;
  char text[ROWS_MOST * 200];
};

/* A page of rows; each is its number and the second in which it ended (-1: it
 * has no end). `extra` goes into the last row. */
static void make(struct rig_page *rig, const int (*rows)[2], size_t count,
                 const char *extra)
{
  int len = sprintf(rig->text, "{\"items\":[");

  for (size_t i = 0; i < count; i++) {
    len += sprintf(rig->text + len, "%s{\"request_id\":\"00000000-0000-4000-"
                   "8000-%012d\",\"endpoint_id\":\"a/b\"%s", i ? "," : "",
                   rows[i][0], i + 1 == count ? extra : "");
    if (rows[i][1] >= 0)
      len += sprintf(rig->text + len, ",\"ended_at\":\"1970-01-01T00:%02d:"
                     "%02dZ\"", rows[i][1] / 60, rows[i][1] % 60);
    len += sprintf(rig->text + len, "}");
  }
  len += sprintf(rig->text + len, "],\"has_more\":true}");
  fr_page_init(&rig->page);
  assert_int_equal(fr_page_read(&rig->page, rig->text, (size_t)len), FR_OK);
}

/* Adds it, and spoils the page: the window has copied what it needs. */
static enum fr_err add(struct fr_window *window, const int (*rows)[2],
                       size_t count, const char *extra)
{
  struct rig_page *rig = malloc(sizeof(*rig));
  enum fr_err err;

  assert_non_null(rig);
  make(rig, rows, count, extra);
  err = fr_window_add(window, &rig->page);
  fr_page_done(&rig->page);
  memset(rig, 'x', sizeof(*rig));
  free(rig);
  return err;
}

static int number_of(const struct fr_window_row *row)
{
  const struct fr_span *id = &row->row.facts[FR_FACT_REQUEST_ID];
  char text[FR_UUID_TEXT];

  fr_uuid_format(&row->id, text);
  assert_int_equal(id->len, 36);
  assert_memory_equal(id->at, text, 36);
  return atoi(text + 24);
}

static void comes_out(struct fr_window *window, const int *numbers,
                      size_t count)
{
  const struct fr_window_row *row;

  fr_window_sort(window);
  for (size_t i = 0; i < count; i++) {
    row = fr_window_next(window);
    assert_non_null(row);
    assert_int_equal(number_of(row), numbers[i]);
  }
  assert_null(fr_window_next(window));
}

static void each_once_oldest_first(void **state)
{
  static const int one[][2] = { { 9, 50 }, { 8, 40 }, { 3, 40 }, { 5, 30 } };
  static const int two[][2] = { { 5, 30 }, { 2, 20 }, { 7, -1 }, { 1, 10 } };
  static const int wanted[] = { 7, 1, 2, 5, 3, 8, 9 };
  struct fr_window *window = NULL;
  struct fr_uuid id;

  (void)state;
  assert_int_equal(fr_window_new(&window), FR_OK);
  assert_int_equal(fr_window_reach(window)->count, 0);
  assert_int_equal(add(window, one, 4, ""), FR_OK);
  assert_int_equal(add(window, two, 4, ""), FR_OK);
  assert_int_equal(fr_window_reach(window)->first, 50000);
  assert_int_equal(fr_window_reach(window)->last, 10000);
  assert_int_equal(fr_window_reach(window)->oldest, 10000);
  assert_int_equal(fr_window_reach(window)->newest, 50000);
  assert_false(fr_uuid_parse("00000000-0000-4000-8000-000000000007", 36,
                             &id));
  assert_true(fr_window_has(window, &id));
  id.bytes[0] = 1;
  assert_false(fr_window_has(window, &id));
  comes_out(window, wanted, 7);
  fr_window_free(window);
}

static void any_order_is_sorted(void **state)
{
  struct fr_window *window = NULL;
  int rows[ROWS_MOST][2], wanted[ROWS_MOST];

  (void)state;
  for (int step = 1; step < ROWS_MOST; step += 2) {
    assert_int_equal(fr_window_new(&window), FR_OK);
    for (int i = 0; i < ROWS_MOST; i++) {
      rows[i][0] = rows[i][1] = i * step % ROWS_MOST;
      wanted[i] = i;
    }
    assert_int_equal(add(window, rows, ROWS_MOST, ""), FR_OK);
    comes_out(window, wanted, ROWS_MOST);
    fr_window_free(window);
  }
}

static void a_page_twice_is_seen(void **state)
{
  static const int one[][2] = { { 1, 10 }, { 2, 20 } };
  static const int two[][2] = { { 2, 20 }, { 1, 10 } };
  struct fr_window *window = NULL;

  (void)state;
  assert_int_equal(fr_window_new(&window), FR_OK);
  assert_int_equal(add(window, one, 2, ""), FR_OK);
  assert_int_equal(add(window, two, 2, ""), FR_OK);     /* another order */
  assert_int_equal(add(window, one, 2, ""), FR_EINVALID);
  assert_int_equal(add(window, one, 0, ""), FR_OK);     /* pages without rows */
  assert_int_equal(add(window, one, 0, ""), FR_OK);     /* are no doubles */
  fr_window_free(window);
}

static void rows_that_are_not_as_documented(void **state)
{
  static const int one[][2] = { { 1, 10 }, { 2, -1 } };
  static const int wanted[] = { 2, 1 };
  static const char *const odd[] = {
    ",\"ended_at\":\"yesterday\"", ",\"ended_at\":7", ",\"ended_at\":\"\"",
    ",\"ended_at\":\"1970-01-01T00:00:01+00:00\"",
    ",\"ended_at\":\"1970-01-01\"", ",\"status_code\":200.0",
    ",\"status_code\":-1", ",\"status_code\":\"200\"", ",\"duration\":true",
    ",\"status_code\":12345678901", ",\"sent_at\":5", ",\"started_at\":[]",
  };
  struct fr_window *window = NULL;

  (void)state;
  assert_int_equal(fr_window_new(&window), FR_OK);
  for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
    if (add(window, one, 2, odd[i]) != FR_EPROTOCOL)
      fail_msg("row %zu", i);
  assert_int_equal(fr_window_reach(window)->count, 0);
  assert_int_equal(add(window, one, 2, ",\"status_code\":200,\"duration\":"
                       "-8.5,\"sent_at\":null"), FR_OK);
  comes_out(window, wanted, 2);
  fr_window_free(window);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(each_once_oldest_first),
    cmocka_unit_test(any_order_is_sorted),
    cmocka_unit_test(a_page_twice_is_seen),
    cmocka_unit_test(rows_that_are_not_as_documented),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
