/* base/texts.h - the texts of a spec, copied into one block.
 *
 *   { &spec.url, &spec.key, ... } --size--> block --put--> each points to
 *                                                          its copy in it
 *
 * Ownership: the block is the caller's, and the copies live as long as it
 * does. A text that is NULL stays NULL.
 */
#ifndef FR_BASE_TEXTS_H
#define FR_BASE_TEXTS_H

#include <stddef.h>

size_t fr_texts_size(const char **const texts[], size_t count);
/* Into a block of at least that size; returns the place behind the last. */
char *fr_texts_put(const char **const texts[], size_t count, char *block);

#endif
