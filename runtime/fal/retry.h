/* fal/retry.h - when a failed attempt may be repeated: pure functions, and
 * the memory of one generation of an Idempotency-Key.
 *
 *   answer --> transient? --> attempts left? --> wait --> key still good?
 *                                                           |       |
 *                                                      same key   `again`
 *
 * Facts: fal caches answers for ten minutes per key, and does not say
 * whether failures are cached too. So a key stays
 * while its effect is unknown, and goes when it brings back the same 5xx.
 */
#ifndef FR_FAL_RETRY_H
#define FR_FAL_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define FR_RETRY_CAP_MS 20000
#define FR_RETRY_BASE_MS 200            /* transient failures */
#define FR_RETRY_LIMITED_MS 1000        /* 429 and 503 */
#define FR_RETRY_WAIT_MOST_MS (10 * 60 * 1000)
#define FR_KEY_AGE_MOST_MS (9 * 60 * 1000)
#define FR_KEY_AHEAD_MOST_MS (60 * 1000)

/* Full jitter: unit in [0, 1) times min(20 s, base * 2^n). */
uint64_t fr_retry_delay(uint64_t base_ms, unsigned n, double unit);

/* Which class a whole answer (transport FR_OK) or a failed transport is. */
enum fr_err fr_retry_class(enum fr_err transport, int status);
bool fr_retry_transient(enum fr_err err);       /* a repeat may succeed */
bool fr_retry_no_answer(enum fr_err err);       /* the transport failed */

/* The wait that the server asks for. Values are headers or NULL; `date` is
 * its Date, against which a date in Retry-After is read, else `at_ms` is.
 * False: it asks for none, or for nothing that makes sense. */
struct fr_retry_told {
  const char *retry_after, *reset, *date;
  int64_t at_ms;
};
bool fr_retry_wait(const struct fr_retry_told *told, uint64_t *ret_ms);

/* The retries that a run may still make. It starts with 500 tokens and never
 * has more; a retry costs 5, after a timeout 10; a first attempt that brings
 * an answer to work with gives back half a token. 256 retries of a 429 are
 * free: so many may be refused at once while a limit is being found. So there
 * are never more retries than a tenth of the first attempts and these 356
 * (docs/decisions/0011). */
struct fr_budget {
  unsigned halves, spare;       /* half tokens; free retries of a 429 */
};
void fr_budget_init(struct fr_budget *budget);
void fr_budget_give(struct fr_budget *budget);
bool fr_budget_take(struct fr_budget *budget, enum fr_err after);

/* One generation of a key. */
struct fr_generation {
  int64_t key_at_ms;            /* wall clock; when it was announced */
  int last_5xx;                 /* the answer before was this 5xx; or 0 */
  bool spent;                   /* the same 5xx came twice in a row */
};
void fr_generation_note(struct fr_generation *generation, int status);
/* May a repeat still carry this key at the wall-clock time `at_ms`? */
bool fr_generation_good(const struct fr_generation *generation,
                        int64_t at_ms);

#endif
