/* Chained buckets, doubled when there are as many entries as buckets. The hash
 * multiplies seeded words to 128 bits and folds them, as wyhash does. */
#include "gate/table.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"

#define FIRST_BUCKETS 256u

static uint64_t fold(uint64_t a, uint64_t b)
{
  __extension__ unsigned __int128 product = a;

  product *= b;
  return (uint64_t)product ^ (uint64_t)(product >> 64);
}

enum fr_err fr_table_init(struct fr_table *table)
{
  enum fr_err err = fr_random(table->seed, sizeof(table->seed));

  if (err)
    return err;
  table->buckets = calloc(FIRST_BUCKETS, sizeof(*table->buckets));
  if (!table->buckets)
    return FR_ENOMEM;
  table->nbuckets = FIRST_BUCKETS;
  table->count = 0;
  return FR_OK;
}

void fr_table_done(struct fr_table *table)
{
  free(table->buckets);
  table->buckets = NULL;
}

uint64_t fr_table_hash(const struct fr_table *table, const void *data,
                       size_t len)
{
  const unsigned char *bytes = data;
  uint64_t hash = table->seed[0] ^ len;

  while (len > 0) {
    uint64_t word = 0;
    size_t take = len < sizeof(word) ? len : sizeof(word);

    memcpy(&word, bytes, take);
    hash = fold(hash ^ word, table->seed[1] | 1);
    bytes += take;
    len -= take;
  }
  return fold(hash ^ table->seed[1], table->seed[0] | 1);
}

static struct fr_entry **bucket_of(const struct fr_table *table,
                                  uint64_t hash)
{
  return &table->buckets[hash & (table->nbuckets - 1)];
}

static void grow(struct fr_table *table)
{
  size_t old = table->nbuckets;
  struct fr_entry **from = table->buckets;
  struct fr_entry **to = calloc(old * 2, sizeof(*to));

  if (!to)
    return;
  table->buckets = to;
  table->nbuckets = old * 2;
  for (size_t i = 0; i < old; i++) {
    while (from[i]) {
      struct fr_entry *entry = from[i];
      struct fr_entry **bucket = bucket_of(table, entry->hash);

      from[i] = entry->next;
      entry->next = *bucket;
      *bucket = entry;
    }
  }
  free(from);
}

void fr_table_add(struct fr_table *table, struct fr_entry *entry,
                  uint64_t hash)
{
  struct fr_entry **bucket;

  if (table->count >= table->nbuckets)
    grow(table);
  bucket = bucket_of(table, hash);
  entry->hash = hash;
  entry->next = *bucket;
  entry->linked = true;
  *bucket = entry;
  table->count++;
}

void fr_table_remove(struct fr_table *table, struct fr_entry *entry)
{
  struct fr_entry **at;

  if (!entry->linked)
    return;
  at = bucket_of(table, entry->hash);
  while (*at != entry)
    at = &(*at)->next;
  *at = entry->next;
  entry->linked = false;
  table->count--;
}

static struct fr_entry *same(struct fr_entry *entry, uint64_t hash)
{
  while (entry && entry->hash != hash)
    entry = entry->next;
  return entry;
}

struct fr_entry *fr_table_first(const struct fr_table *table, uint64_t hash)
{
  return same(*bucket_of(table, hash), hash);
}

struct fr_entry *fr_table_next(const struct fr_entry *entry)
{
  return same(entry->next, entry->hash);
}
