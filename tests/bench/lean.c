/* bench/lean.c - see lean.h. */
#include "lean.h"

#include <stdio.h>
#include <stdlib.h>

void lean_fail(const char *what, const char *why)
{
  fprintf(stderr, "bench: %s: %s\n", what, why);
  exit(1);
}

void lean_read_ids(const char *path, struct lean_ids *ret_ids)
{
  FILE *file = fopen(path, "rb");
  long size;

  if (!file || fseek(file, 0, SEEK_END) || (size = ftell(file)) < 0)
    lean_fail(path, "cannot be read");
  rewind(file);
  ret_ids->stride = LEAN_ID + 1;
  ret_ids->count = (size_t)size / ret_ids->stride;
  ret_ids->text = malloc((size_t)size + 1);
  if (!ret_ids->text || (size_t)size % ret_ids->stride ||
      fread(ret_ids->text, 1, (size_t)size, file) != (size_t)size)
    lean_fail(path, "is no list of lines of 36 bytes");
  fclose(file);
}
