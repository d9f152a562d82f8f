/* bench/lean.h - what the leanest loops share: a file of ids, and the end.
 *
 * Ownership: the ids belong to whoever read them, for the whole program. */
#ifndef BENCH_LEAN_H
#define BENCH_LEAN_H

#include <stddef.h>

#define LEAN_ID 36

struct lean_ids {
  char *text;
  size_t count;
  size_t stride;                 /* bytes of a line, its end included */
};

/* Ends the program with one sentence. */
_Noreturn void lean_fail(const char *what, const char *why);
/* Reads lines of 36 bytes; all must be as long. */
void lean_read_ids(const char *path, struct lean_ids *ret_ids);
static inline const char *lean_id(const struct lean_ids *ids, size_t at)
{
  return ids->text + at * ids->stride;
}

#endif
