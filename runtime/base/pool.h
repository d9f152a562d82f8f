/* base/pool.h - blocks of one size, kept for whoever needs the next one.
 *
 *   static struct fr_pool effects = FR_POOL(struct fr_effect);
 *   effect = fr_pool_new(&effects);    ...    fr_pool_free(&effects, effect);
 *
 * For what comes and goes with every request, by the hundred at a time: the
 * allocator keeps seven of a size at hand, and looks long for the eighth.
 * Under a sanitizer a pool keeps nothing, so that it sees every use of what
 * is gone.
 *
 * Ownership: a block is its owner's until it is given back. A pool keeps at
 * most FR_POOL_MOST of them, until the process ends. One thread.
 */
#ifndef FR_BASE_POOL_H
#define FR_BASE_POOL_H

#include <stddef.h>

#define FR_POOL_MOST 1024u

struct fr_pool {
  size_t size;                  /* of a block */
  unsigned count;               /* that are kept */
  void *first;                  /* each begins with the next one's address */
};
#define FR_POOL(type) { .size = sizeof(type) }

void *fr_pool_new(struct fr_pool *pool);        /* all zero; NULL: no memory */
void fr_pool_free(struct fr_pool *pool, void *block);      /* NULL is fine */

#endif
