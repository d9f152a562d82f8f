/* base/pool.c - a list through the blocks themselves. */
#include "base/pool.h"

#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define KEPT 0u
#else
#define KEPT FR_POOL_MOST
#endif

void *fr_pool_new(struct fr_pool *pool)
{
  void *block = pool->first;

  if (!block)
    return calloc(1, pool->size);
  memcpy(&pool->first, block, sizeof(pool->first));
  pool->count--;
  return memset(block, 0, pool->size);
}

void fr_pool_free(struct fr_pool *pool, void *block)
{
  if (!block || pool->count + 1 > KEPT) {
    free(block);
    return;
  }
  memcpy(block, &pool->first, sizeof(pool->first));
  pool->first = block;
  pool->count++;
}
