/* gate/table.h - a hash table of entries that lie inside their owners.
 *
 * Ids and keys come from scripts and servers, so the hash is seeded from the
 * kernel's randomness: nobody can aim at one bucket. The table owns only its
 * buckets; when they cannot grow it gets slower and stays right.
 */
#ifndef FR_GATE_TABLE_H
#define FR_GATE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct fr_entry {
  struct fr_entry *next;
  uint64_t hash;
  bool linked;
};

struct fr_table {
  struct fr_entry **buckets;
  size_t nbuckets, count;
  uint64_t seed[2];
};

enum fr_err fr_table_init(struct fr_table *table);
void fr_table_done(struct fr_table *table);

uint64_t fr_table_hash(const struct fr_table *table, const void *data,
                       size_t len);
void fr_table_add(struct fr_table *table, struct fr_entry *entry,
                  uint64_t hash);
void fr_table_remove(struct fr_table *table, struct fr_entry *entry);

/* Walks the entries of one hash: the first, then the next of it, or NULL. */
struct fr_entry *fr_table_first(const struct fr_table *table, uint64_t hash);
struct fr_entry *fr_table_next(const struct fr_entry *entry);

#endif
