/* The tree over the hashes, against the plain recursion of RFC 6962. */
#include "support.h"

#include "ledger/tree.h"

#define MOST 70

static uint8_t leaves[MOST][FR_SHA256_SIZE];

struct rest {
  int count;
  int64_t first[MOST];
  uint8_t hash[MOST][FR_SHA256_SIZE];
};

static void keep(void *arg, int64_t first, const uint8_t *hash)
{
  struct rest *rest = arg;

  rest->first[rest->count] = first;
  memcpy(rest->hash[rest->count++], hash, FR_SHA256_SIZE);
}

static const uint8_t *find(const struct rest *rest, int first)
{
  for (int i = 0; i < rest->count; i++)
    if (rest->first[i] == first)
      return rest->hash[i];
  fail_msg("the proof says nothing of the part at %d", first);
  return NULL;
}

/* The root of leaves [first, first + size): with `rest`, known are only the
 * marked ones, and the parts without any are taken from there. */
static void plain(int first, int size, uint64_t marked,
                  const struct rest *rest, uint8_t *ret_hash)
{
  uint8_t left[FR_SHA256_SIZE], right[FR_SHA256_SIZE], tag = size > 1;
  struct fr_part parts[] = { { &tag, 1 }, { left, 32 }, { right, 32 } };
  int half = 1;
  bool any = false;

  for (int i = first; i < first + size; i++)
    any = any || (marked >> (i % 64) & 1 && i < 64);
  if (rest && !any) {
    memcpy(ret_hash, find(rest, first), FR_SHA256_SIZE);
    return;
  }
  if (size == 1) {
    memcpy(left, leaves[first], FR_SHA256_SIZE);
    assert_int_equal(fr_sha256(parts, 2, ret_hash), FR_OK);
    return;
  }
  while (half * 2 < size)
    half *= 2;
  plain(first, half, marked, rest, left);
  plain(first + half, size - half, marked, rest, right);
  assert_int_equal(fr_sha256(parts, 3, ret_hash), FR_OK);
}

static void check(int size, uint64_t marked)
{
  struct rest rest = { 0 };
  struct fr_tree tree = { .rest = keep, .arg = &rest };
  uint8_t root[FR_SHA256_SIZE], wanted[FR_SHA256_SIZE];

  for (int i = 0; i < size; i++)
    assert_int_equal(fr_tree_add(&tree, leaves[i],
                                 i < 64 && marked >> i & 1), FR_OK);
  assert_int_equal(fr_tree_root(&tree, root), FR_OK);
  plain(0, size, marked, NULL, wanted);
  assert_memory_equal(root, wanted, sizeof(root));
  if (marked) {
    plain(0, size, marked, &rest, wanted);
    assert_memory_equal(root, wanted, sizeof(root));
  } else {
    assert_int_equal(rest.count, 0);
  }
}

static void test_every_size_and_every_leaf(void **state)
{
  (void)state;
  assert_int_equal(fr_random(leaves, sizeof(leaves)), FR_OK);
  for (int size = 1; size <= MOST; size++) {
    check(size, 0);
    for (int i = 0; i < size && i < 64; i++)
      check(size, UINT64_C(1) << i);
  }
}

static void test_many_leaves_at_once(void **state)
{
  uint64_t marked;

  (void)state;
  for (int round = 0; round < 500; round++) {
    int size = 1 + round % 64;

    assert_int_equal(fr_random(&marked, sizeof(marked)), FR_OK);
    marked &= size < 64 ? (UINT64_C(1) << size) - 1 : UINT64_MAX;
    check(size, marked);
  }
}

static void test_nothing_has_a_root_of_zeros(void **state)
{
  struct fr_tree tree = { .count = 0 };
  uint8_t root[FR_SHA256_SIZE] = { 1 }, zeros[FR_SHA256_SIZE] = { 0 };

  (void)state;
  assert_int_equal(fr_tree_root(&tree, root), FR_OK);
  assert_memory_equal(root, zeros, sizeof(root));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_every_size_and_every_leaf),
    cmocka_unit_test(test_many_leaves_at_once),
    cmocka_unit_test(test_nothing_has_a_root_of_zeros)
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
