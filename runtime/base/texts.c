/* base/texts.c - see texts.h. */
#include "base/texts.h"

#include <string.h>

size_t fr_texts_size(const char **const texts[], size_t count)
{
  size_t size = 0;

  for (size_t i = 0; i < count; i++)
    size += *texts[i] ? strlen(*texts[i]) + 1 : 0;
  return size;
}

char *fr_texts_put(const char **const texts[], size_t count, char *block)
{
  for (size_t i = 0; i < count; i++) {
    size_t size = *texts[i] ? strlen(*texts[i]) + 1 : 0;

    if (!size)
      continue;
    *texts[i] = memcpy(block, *texts[i], size);
    block += size;
  }
  return block;
}
