/* Windows that were looked at, quarantine, probes, input files; and verify,
 * which holds their tables against the events. */
#include "support.h"

#include "ledger/acts.h"
#include "ledger/facts.h"

static const char *const two[] = { "https://f/a", "https://f/b" };

static void look(struct world *world, const char *endpoint, int64_t from,
                 int64_t to)
{
  struct fr_looked looked = { endpoint, from, to, 7 };

  assert_int_equal(fr_ledger_looked(world->ledger, &looked), FR_OK);
}

static void quarantine(struct world *world, unsigned number)
{
  struct fr_quarantine what = {
    .id = id_of(number), .files = two, .nfiles = 2, .delete_after_ms = 99,
    .reason = "case 7"
  };

  assert_int_equal(fr_ledger_quarantine(world->ledger, &what), FR_OK);
}

static void probe(struct world *world, unsigned number, const char *link,
                  const char *seen)
{
  struct fr_probe_note what = { .id = id_of(number), .link = link,
                                .seen = seen, .http_status = 404,
                                .age_s = -1 };

  assert_int_equal(fr_ledger_probe(world->ledger, &what), FR_OK);
}

static int tell(void *arg, const struct fr_fact_row *fact)
{
  char *text = arg;

  snprintf(text + strlen(text), 12000 - strlen(text), "%d %s %d %d %s\n",
           fact->has_id ? fact->id.bytes[15] : -1,
           fact->name ? fact->name : "-", (int)fact->from_ms,
           (int)fact->to_ms, fact->data ? fact->data : "-");
  return 0;
}

#define OPTIONS "{\"max_deletes\":5}\n"

static void end_run(struct world *world, int code)
{
  assert_int_equal(fr_ledger_run_end(world->ledger, code, "{}"), FR_OK);
}

static const char *all(struct world *world, enum fr_facts which,
                       const struct fr_fact_filter *filter)
{
  static const struct fr_fact_filter none;
  static char text[12000];

  text[0] = '\0';
  assert_int_equal(fr_facts_each(world->ledger, which,
                                 filter ? filter : &none, tell, text), FR_OK);
  return text;
}

static void test_windows_replace_what_lies_within(void **state)
{
  struct world *world = *state;
  struct fr_fact_filter one = { .endpoint = "b" };

  open_run(world);
  begin_run(world);
  look(world, "a", 10, 20);
  look(world, "a", 15, 30);
  look(world, "b", 10, 20);
  assert_string_equal(all(world, FR_FACTS_LOOKED, NULL), "");
  end_run(world, 0);                            /* only now it counts */
  assert_string_equal(all(world, FR_FACTS_LOOKED, NULL),
                      "-1 a 10 20 " OPTIONS "-1 a 15 30 " OPTIONS
                      "-1 b 10 20 " OPTIONS);
  assert_string_equal(all(world, FR_FACTS_LOOKED, &one),
                      "-1 b 10 20 " OPTIONS);
  begin_run(world);
  look(world, "a", 5, 30);
  end_run(world, 0);
  begin_run(world);
  look(world, "c", 5, 30);
  end_run(world, 3);                            /* that never counts */
  assert_string_equal(all(world, FR_FACTS_LOOKED, NULL),
                      "-1 a 5 30 " OPTIONS "-1 b 10 20 " OPTIONS);
}

static void test_quarantine_and_release(void **state)
{
  struct world *world = *state;
  struct fr_uuid id = id_of(2);
  struct fr_fact_filter one = { .id = &id };

  open_run(world);
  begin_run(world);
  quarantine(world, 1);
  quarantine(world, 2);
  quarantine(world, 2);
  assert_string_equal(all(world, FR_FACTS_QUARANTINED, &one),
    "2 - 0 99 {\"files\":[\"https://f/a\",\"https://f/b\"],"
    "\"delete_after_ms\":99,\"reason\":\"case 7\"}\n");
  assert_int_equal(fr_ledger_release(world->ledger, &id, "over"), FR_OK);
  assert_string_equal(all(world, FR_FACTS_QUARANTINED, &one), "");
  assert_int_equal(number_of(world->ledger,
                             "SELECT count(*) FROM quarantined"), 1);
}

/* With the memory of this process, and with that of the next one. */
static void test_a_deletion_ends_it(void **state)
{
  struct world *world = *state;
  unsigned i;

  open_run(world);
  begin_run(world);
  for (i = 1; i <= 4; i++)
    quarantine(world, i);
  begin(world);
  for (i = 1; i <= 4; i++)
    intend(world, i);
  settle(world, 1, FR_STATE_DELETED, NULL, NULL);
  settle(world, 2, FR_STATE_FAILED, NULL, NULL);
  commit(world);
  reopen(world);
  begin(world);
  settle(world, 3, FR_STATE_GONE, NULL, NULL);
  settle(world, 4, FR_STATE_DELETED, "https://f/a", "busy");
  commit(world);
  assert_int_equal(number_of(world->ledger, "SELECT group_concat(substr(hex("
                             "request_id), -1), '') FROM quarantined"), 24);
}

static void test_a_link_seen_as_gone_is_no_residue(void **state)
{
  struct world *world = *state;
  struct fr_uuid id = id_of(1);
  struct fr_fact_filter one = { .id = &id };
  static char link[5000];

  memset(link, 'a', sizeof(link) - 1);
  open_run(world);
  begin_run(world);
  begin(world);
  intend(world, 1);
  intend(world, 2);
  settle(world, 1, FR_STATE_PARTIAL, link, "busy");
  settle(world, 2, FR_STATE_PARTIAL, "https://f/a", "busy");
  commit(world);
  assert_int_equal(fr_ledger_inputs(world->ledger, &id, two, 2), FR_OK);
  probe(world, 1, link, "cached");
  probe(world, 1, "https://f/a", "gone");
  probe(world, 2, "https://f/\"seen\":\"gone\"", "cached");
  assert_int_equal(number_of(world->ledger, "SELECT count(*) FROM residue"),
                   2);
  probe(world, 1, link, "gone");
  assert_int_equal(number_of(world->ledger, "SELECT count(*) FROM residue"),
                   1);
  assert_string_equal(all(world, FR_FACTS_INPUTS, NULL),
                      "1 https://f/b 0 0 -\n");
  assert_non_null(strstr(all(world, FR_FACTS_PROBES, &one),
                         "\"seen\":\"cached\""));
}

static void test_a_group_takes_them(void **state)
{
  struct world *world = *state;

  open_run(world);
  begin_run(world);
  begin(world);
  look(world, "a", 1, 2);
  fr_ledger_rollback(world->ledger);
  assert_string_equal(all(world, FR_FACTS_LOOKED, NULL), "");
  begin(world);
  look(world, "a", 1, 2);
  quarantine(world, 1);
  commit(world);
  assert_int_equal(number_of(world->ledger, "SELECT count(*) FROM looked"),
                   1);
}

/* ---- verify -------------------------------------------------------------- */

static void tell_all(struct world *world)
{
  struct fr_act_note note = { .operation = "x", .method = "POST",
                              .path = "/x" };
  struct fr_act_end end = { .state = FR_ACT_DONE };
  struct fr_uuid id = id_of(1);

  open_run(world);
  begin_run(world);
  begin(world);
  assert_int_equal(fr_ledger_act(world->ledger, &note, &end.seq), FR_OK);
  assert_int_equal(fr_ledger_act_end(world->ledger, &end), FR_OK);
  note.id = &id;
  assert_int_equal(fr_ledger_act(world->ledger, &note, &end.seq), FR_OK);
  commit(world);
  look(world, "a", 1, 2);
  quarantine(world, 1);
  quarantine(world, 2);
  probe(world, 1, "https://f/a", "gone");
  assert_int_equal(fr_ledger_inputs(world->ledger, &id, two, 2), FR_OK);
  fr_ledger_close(world->ledger);
  world->ledger = NULL;
}

static const char *const forged[] = {
  "UPDATE changes SET state = 'done'", "DELETE FROM changes",
  "UPDATE changes SET outcome_seq = 1 WHERE state = 'done'",
  "UPDATE changes SET run = 2", "INSERT INTO changes VALUES(99, 1, 'open', 1)",
  "DELETE FROM looked", "UPDATE looked SET to_ms = 3",
  "UPDATE looked SET run = 2", "INSERT INTO looked VALUES('b', 1, 2, 1)",
  "DELETE FROM quarantined", "UPDATE quarantined SET delete_after_ms = 1",
  "UPDATE quarantined SET at_ms = 1", "UPDATE quarantined SET seq = 1",
  "INSERT INTO quarantined VALUES(zeroblob(16), 1, 1, 1)",
  "DELETE FROM input_files", "UPDATE input_files SET seq = 1",
  "UPDATE input_files SET link = link || 'x'",
  "INSERT INTO input_files VALUES(zeroblob(16), 'x', 1)"
};

static void test_every_change_of_a_table_is_found(void **state)
{
  struct world *world = *state;
  static char data[1 << 20];
  struct fr_chain chain;
  char copy[256];
  size_t i;

  tell_all(world);
  snprintf(copy, sizeof(copy), "%s/copy.db", world->folder);
  world->ledger = open_as(world, FR_LEDGER_READ);
  assert_int_equal(fr_history_verify(world->ledger, &chain), FR_OK);
  for (i = 0; i < sizeof(forged) / sizeof(forged[0]); i++) {
    struct fr_ledger *ledger = NULL;

    write_all(copy, data, read_all(world->path, data, sizeof(data)));
    tamper(copy, forged[i]);
    assert_int_equal(try_open(world, copy, FR_LEDGER_READ, NULL, &ledger),
                     FR_OK);
    if (fr_history_verify(ledger, &chain) != FR_ECORRUPT)
      fail_msg("not found: %s", forged[i]);
    assert_non_null(strstr(fr_ledger_detail(ledger), "add up"));
    fr_ledger_close(ledger);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    TEST(test_windows_replace_what_lies_within),
    TEST(test_quarantine_and_release), TEST(test_a_deletion_ends_it),
    TEST(test_a_link_seen_as_gone_is_no_residue),
    TEST(test_a_group_takes_them),
    TEST(test_every_change_of_a_table_is_found)
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
