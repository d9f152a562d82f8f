/* Checkpoints and proofs, from a ledger on the disk. */
#include "support.h"

#include "ledger/proof.h"

static void fill(struct world *world)
{
  open_run(world);
  begin_run(world);
  begin(world);
  for (unsigned i = 1; i <= 20; i++)
    intend(world, i);
  commit(world);
}

static void test_a_checkpoint_is_the_head(void **state)
{
  struct world *world = *state;
  struct fr_checkpoint point;
  struct fr_chain chain;
  struct fr_buf words;

  fill(world);
  assert_int_equal(fr_history_verify(world->ledger, &chain), FR_OK);
  assert_int_equal(fr_history_checkpoint(world->ledger, &point), FR_OK);
  assert_int_equal(point.seq, chain.events);
  assert_memory_equal(point.hash, chain.head, FR_SHA256_SIZE);
  fr_buf_init(&words, 512);
  assert_int_equal(fr_checkpoint_words(&point, chain.root, &words), FR_OK);
  assert_non_null(strstr(fr_buf_text(&words), "checkpoint seq=22 hash="));
  assert_non_null(strstr(fr_buf_text(&words), point.ledger));
  assert_non_null(strstr(fr_buf_text(&words), " root="));
  fr_buf_done(&words);
}

static void test_a_ledger_that_is_not_there_has_none(void **state)
{
  struct world *world = *state;
  struct fr_checkpoint point;

  world->ledger = open_as(world, FR_LEDGER_READ);
  assert_int_equal(fr_history_checkpoint(world->ledger, &point),
                   FR_ENOT_FOUND);
}

struct found {
  int64_t seqs[8];
  int events, rest;
  uint8_t last[FR_SHA256_SIZE]; /* of the one before */
};

static int take(void *arg, const struct fr_event_row *event,
                const uint8_t *before)
{
  struct found *found = arg;

  found->seqs[found->events++] = event->seq;
  memcpy(found->last, before, FR_SHA256_SIZE);
  return found->events == 8;
}

static void count(void *arg, int64_t first, const uint8_t *hash)
{
  struct found *found = arg;

  (void)first;
  (void)hash;
  found->rest++;
}

static void test_a_proof_leads_to_the_root_of_verify(void **state)
{
  struct world *world = *state;
  const int64_t seqs[] = { 1, 7, 22 };
  struct found found = { .events = 0 };
  struct fr_proof proof = { .seqs = seqs, .count = 3, .size = 22,
                            .event = take, .rest = count, .arg = &found };
  uint8_t root[FR_SHA256_SIZE], older[FR_SHA256_SIZE];
  struct fr_chain chain;

  fill(world);
  assert_int_equal(fr_history_verify(world->ledger, &chain), FR_OK);
  assert_int_equal(fr_history_prove(world->ledger, &proof, root), FR_OK);
  assert_memory_equal(root, chain.root, sizeof(root));
  assert_int_equal(found.events, 3);
  assert_int_equal(found.seqs[1], 7);
  assert_true(found.rest > 3);

  begin(world);
  intend(world, 99);
  commit(world);
  found = (struct found){ .events = 0 };
  assert_int_equal(fr_history_prove(world->ledger, &proof, older), FR_OK);
  assert_memory_equal(root, older, sizeof(root));
  proof.size = 24;
  assert_int_equal(fr_history_prove(world->ledger, &proof, root),
                   FR_ECORRUPT);
}

static void test_a_walk_can_be_too_big_or_broken(void **state)
{
  struct world *world = *state;
  const int64_t seqs[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 }, past[] = { 40 };
  struct found found = { .events = 0 };
  struct fr_proof proof = { .seqs = seqs, .count = 9, .size = 22,
                            .event = take, .rest = count, .arg = &found };
  uint8_t root[FR_SHA256_SIZE];

  fill(world);
  assert_int_equal(fr_history_prove(world->ledger, &proof, root),
                   FR_ETOO_BIG);
  proof.seqs = past;
  proof.count = 1;
  assert_int_equal(fr_history_prove(world->ledger, &proof, root),
                   FR_ECORRUPT);
  proof.count = 0;
  tamper(world->path, "DROP TRIGGER events_never_change;"
         "UPDATE events SET at_ms = 1 WHERE seq = 5");
  assert_int_equal(fr_history_prove(world->ledger, &proof, root),
                   FR_ECORRUPT);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    TEST(test_a_checkpoint_is_the_head),
    TEST(test_a_ledger_that_is_not_there_has_none),
    TEST(test_a_proof_leads_to_the_root_of_verify),
    TEST(test_a_walk_can_be_too_big_or_broken)
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
