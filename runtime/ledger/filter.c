/* ledger/filter.c - a Bloom filter in blocks of one cache line.
 *
 * Most ids that are asked for are new, and a table of a million random ids
 * does not fit into the cache: each answer would be a page read from the
 * system. With eight bits and more for each id, six of them set, about one
 * answer in forty is a yes that the table then denies. A filter does not
 * grow; one that is too full costs what no filter would.
 */
#include <stdlib.h>

#include "ledger/index.h"

#define LINE 8                          /* words of a block: 64 bytes */
#define BITS 6
#define BYTES_LEAST (1u << 20)
#define BYTES_MOST (1u << 24)

enum fr_err fr_filter_init(struct fr_filter *filter, int64_t expected)
{
  uint64_t bytes = BYTES_LEAST;

  while (bytes < BYTES_MOST && bytes < (uint64_t)expected * 2)
    bytes *= 2;
  filter->words = calloc(bytes / sizeof(*filter->words),
                         sizeof(*filter->words));
  filter->blocks = bytes / (LINE * sizeof(*filter->words));
  return filter->words ? FR_OK : FR_ENOMEM;
}

static uint64_t *block_of(const struct fr_filter *filter, uint64_t hash)
{
  return filter->words + ((hash >> 32) * filter->blocks >> 32) * LINE;
}

/* Nine bits of the rest for each bit in the block. */
static uint64_t rest_of(uint64_t hash)
{
  return (hash ^ 0x5851f42d4c957f2du) * 0x9e3779b97f4a7c15u;
}

void fr_filter_add(struct fr_filter *filter, uint64_t hash)
{
  uint64_t *block = block_of(filter, hash), rest = rest_of(hash);
  int i;

  for (i = 0; i < BITS; i++, rest >>= 9)
    block[rest >> 6 & (LINE - 1)] |= UINT64_C(1) << (rest & 63);
}

bool fr_filter_has(const struct fr_filter *filter, uint64_t hash)
{
  const uint64_t *block = block_of(filter, hash);
  uint64_t rest = rest_of(hash);
  int i;

  for (i = 0; i < BITS; i++, rest >>= 9)
    if (!(block[rest >> 6 & (LINE - 1)] >> (rest & 63) & 1))
      return false;
  return true;
}

void fr_filter_done(struct fr_filter *filter)
{
  free(filter->words);
  *filter = (struct fr_filter){ 0 };
}
