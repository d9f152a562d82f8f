/* tests/unit/gate/test_looked.c - where nothing is left to delete. */
#include "world.h"

#include "base/date.h"
#include "gate/looked.h"

#define T0 1780000000000        /* a whole second */

/* A window with rows {n, sent, ended}, seconds after T0; -1: none. */
struct given {
  unsigned n;
  int sent, ended;
};

static void add_time(struct fr_buf *body, const char *name, int second)
{
  char text[FR_DATE_TEXT];

  fr_date_format(T0 + second * 1000LL, text);
  if (second < 0)
    assert_int_equal(fr_buf_addf(body, ",\"%s\":null", name), 0);
  else
    assert_int_equal(fr_buf_addf(body, ",\"%s\":\"%s\"", name, text), 0);
}

static struct fr_window *window_of(const struct given *rows, size_t count)
{
  struct fr_window *window;
  struct fr_buf body;
  struct fr_page page;

  assert_int_equal(fr_window_new(&window), 0);
  fr_buf_init(&body, 1 << 20);
  fr_page_init(&page);
  assert_int_equal(fr_buf_add_text(&body, "{\"items\":["), 0);
  for (size_t i = 0; i < count; i++) {
    struct fr_uuid id = id_of(rows[i].n);
    char text[FR_UUID_TEXT];

    fr_uuid_format(&id, text);
    assert_int_equal(fr_buf_addf(&body, "%s{\"request_id\":\"%s\","
                                 "\"endpoint_id\":\"a/b\"", i ? "," : "",
                                 text), 0);
    add_time(&body, "sent_at", rows[i].sent);
    add_time(&body, "ended_at", rows[i].ended);
    assert_int_equal(fr_buf_add_text(&body, "}"), 0);
  }
  assert_int_equal(fr_buf_add_text(&body, "],\"has_more\":false}"), 0);
  assert_int_equal(fr_page_read(&page, fr_buf_text(&body), body.len), 0);
  assert_int_equal(fr_window_add(window, &page), 0);
  fr_page_done(&page);
  fr_buf_done(&body);
  return window;
}

static void take(struct fr_looked_list *list, const struct given *rows,
                 size_t count, int from, int to)
{
  struct fr_window *window = window_of(rows, count);

  assert_int_equal(fr_looked_take(list, window, T0 + from * 1000LL,
                                  T0 + to * 1000LL), 0);
  fr_window_free(window);
}

/* "0-10:3 20-30:1", in seconds after T0, and the rows. */
static const char *pieces(struct world *w, struct fr_looked_list *list)
{
  static char text[512];
  const struct fr_looked_piece *found;
  size_t count, len = 0;

  text[0] = '\0';
  assert_int_equal(fr_looked_pieces(list, w->ledger, &found, &count), 0);
  for (size_t i = 0; i < count; i++)
    len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%lld-%lld:%llu",
                            i ? " " : "",
                            (long long)(found[i].from_ms - T0) / 1000,
                            (long long)(found[i].to_ms - T0) / 1000,
                            (unsigned long long)found[i].rows);
  return text;
}

static void what_is_deleted_leaves_no_hole(void **state)
{
  static const struct given rows[] = { { 1, 10, 20 }, { 2, 50, 60 } };
  struct world *w = *state;
  struct fr_looked_list *list;

  world_begin(w);
  assert_int_equal(fr_looked_new(&list), 0);
  take(list, rows, 2, 0, 100);
  assert_string_equal(pieces(w, list), "0-9:0 22-49:0 62-100:0");
  run_one(w, id_of(1), FR_FATE_DELETED, FR_OK);
  assert_string_equal(pieces(w, list), "0-49:1 62-100:0");
  run_one(w, id_of(2), FR_FATE_DELETED, FR_OK);
  assert_string_equal(pieces(w, list), "0-100:2");
  fr_looked_free(list);
}

static void a_partial_deletion_is_left(void **state)
{
  static const struct given rows[] = { { 1, 10, 20 } };
  struct world *w = *state;
  struct fr_looked_list *list;

  world_begin(w);
  w->answers[w->nanswers++] = (struct answer){ .status = 200,
                                               .body = ONE_BAD };
  run_one(w, id_of(1), FR_FATE_PARTIAL, FR_EPARTIAL);
  assert_int_equal(fr_looked_new(&list), 0);
  take(list, rows, 1, 0, 100);
  assert_string_equal(pieces(w, list), "0-9:0 22-100:0");
  fr_looked_free(list);
}

static void all_times_of_a_row_count(void **state)
{
  static const struct given rows[] = { { 1, 10, -1 }, { 2, 30, 170 } };
  struct world *w = *state;
  struct fr_looked_list *list;

  world_begin(w);
  assert_int_equal(fr_looked_new(&list), 0);
  take(list, rows, 1, 0, 100);
  take(list, rows + 1, 1, 100, 200);            /* it reaches back */
  assert_string_equal(pieces(w, list), "0-9:0 12-29:0 172-200:0");
  fr_looked_free(list);
}

static void a_row_without_any_time_costs_its_window(void **state)
{
  static const struct given rows[] = { { 1, -1, -1 }, { 2, 150, 150 } };
  struct world *w = *state;
  struct fr_looked_list *list;

  world_begin(w);
  run_one(w, id_of(2), FR_FATE_DELETED, FR_OK);
  assert_int_equal(fr_looked_new(&list), 0);
  take(list, rows, 1, 0, 100);
  take(list, rows + 1, 1, 100, 200);
  assert_string_equal(pieces(w, list), "100-200:1");
  fr_looked_free(list);
}

static void windows_apart_are_pieces_apart(void **state)
{
  struct world *w = *state;
  struct fr_looked_list *list;

  world_begin(w);
  assert_int_equal(fr_looked_new(&list), 0);
  assert_string_equal(pieces(w, list), "");
  take(list, NULL, 0, 0, 100);
  take(list, NULL, 0, 100, 150);
  take(list, NULL, 0, 160, 200);
  assert_string_equal(pieces(w, list), "0-150:0 160-200:0");
  fr_looked_free(list);
}

static void the_longest_pieces_are_kept(void **state)
{
  struct given rows[30];
  struct world *w = *state;
  struct fr_looked_list *list;
  const struct fr_looked_piece *found;
  size_t count;

  for (unsigned i = 0; i < 30; i++)
    rows[i] = (struct given){ i + 1, (int)(i * (i + 10)),
                              (int)(i * (i + 10)) };
  world_begin(w);
  assert_int_equal(fr_looked_new(&list), 0);
  take(list, rows, 30, 0, 5000);
  assert_int_equal(fr_looked_pieces(list, w->ledger, &found, &count), 0);
  assert_int_equal(count, FR_LOOKED_PIECES_MAX);
  for (size_t i = 1; i < count; i++)
    assert_true(found[i].from_ms > found[i - 1].to_ms);
  assert_int_equal(found[count - 1].to_ms, T0 + 5000000LL);
  assert_true(found[0].from_ms > T0 + 100000LL);
  fr_looked_free(list);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    WORLD_TEST(what_is_deleted_leaves_no_hole),
    WORLD_TEST(a_partial_deletion_is_left),
    WORLD_TEST(all_times_of_a_row_count),
    WORLD_TEST(a_row_without_any_time_costs_its_window),
    WORLD_TEST(windows_apart_are_pieces_apart),
    WORLD_TEST(the_longest_pieces_are_kept),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
