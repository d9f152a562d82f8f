/* fuzz.h - what the targets have in common.
 *
 *   libFuzzer, or replay.c over corpus/NAME --> LLVMFuzzerTestOneInput
 *
 * One target a file. Each holds what the module promises with CHECK, beyond
 * the sanitizers: a wrong "fine" is a finding as a crash is.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(fine) \
  do { \
    if (!(fine)) { \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #fine); \
      abort(); \
    } \
  } while (0)

/* The bytes as text, in memory of exactly that size, so that a read past
 * the NUL is seen. The caller frees it. */
static inline char *text_of(const uint8_t *data, size_t size)
{
  char *text = malloc(size + 1);

  CHECK(text);
  if (size)
    memcpy(text, data, size);
  text[size] = '\0';
  return text;
}

/* Cuts off and returns the text up to the next end of line; NULL: no more. */
static inline char *next_line(char **rest)
{
  char *line = *rest, *end = line ? strchr(line, '\n') : NULL;

  if (end)
    *end++ = '\0';
  *rest = end;
  return line;
}

/* One sentence for a terminal. */
static inline void check_plain(const char *text)
{
  for (; *text; text++)
    CHECK((unsigned char)*text >= ' ' && *text != 0x7f);
}

#endif
