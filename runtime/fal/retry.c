/* fal/retry.c - the retry law, without a clock or a socket.
 *
 * Full jitter (and not "equal" or "decorrelated") because it spreads a
 * thousand clients that failed together best for the least work. What the
 * server names is kept to the moment and never undercut.
 *
 * Malformed headers are ignored, not guessed at: "-5", "soon", "1e9", and
 * anything beyond a year (an x-ratelimit-reset that is a date in seconds
 * since 1970 is one of those).
 */
#include "fal/retry.h"

#include <string.h>

#include "base/date.h"

#define WAIT_ABSURD_MS (366LL * 24 * 3600 * 1000)

uint64_t fr_retry_delay(uint64_t base_ms, unsigned n, double unit)
{
  uint64_t most = FR_RETRY_CAP_MS;

  if (n < 16 && base_ms << n < FR_RETRY_CAP_MS)
    most = base_ms << n;
  return (uint64_t)(unit * (double)most);
}

enum fr_err fr_retry_class(enum fr_err transport, int status)
{
  if (transport)
    return transport;
  if (status >= 200 && status < 300)
    return FR_OK;
  if (status >= 300 && status < 400)
    return FR_EREDIRECT;
  if (status >= 500 && status < 600)
    return FR_ESERVER;
  switch (status) {
  case 401:
  case 403:
    return FR_EAUTH;
  case 404:
  case 410:
    return FR_ENOT_FOUND;
  case 408:
  case 425:
    return FR_ESERVER;
  case 429:
    return FR_ERATE_LIMITED;
  default:
    break;
  }
  return status >= 400 && status < 500 ? FR_EBAD_REQUEST : FR_EPROTOCOL;
}

bool fr_retry_no_answer(enum fr_err err)
{
  return err == FR_ETIMEOUT || err == FR_ECONNECT || err == FR_ERESOLVE ||
         err == FR_EDROPPED || err == FR_ETLS;
}

bool fr_retry_transient(enum fr_err err)
{
  return (fr_retry_no_answer(err) && err != FR_ETLS) ||
         err == FR_EPROTOCOL || err == FR_ESERVER || err == FR_ERATE_LIMITED;
}

/* ---- the budget --------------------------------------------------------- */

#define HALVES_MOST 1000u
#define SPARE 256u
#define RETRY_HALVES 10u
#define TIMEOUT_HALVES 20u

void fr_budget_init(struct fr_budget *budget)
{
  budget->halves = HALVES_MOST;
  budget->spare = SPARE;
}

void fr_budget_give(struct fr_budget *budget)
{
  budget->halves += budget->halves < HALVES_MOST;
}

bool fr_budget_take(struct fr_budget *budget, enum fr_err after)
{
  unsigned cost = after == FR_ETIMEOUT ? TIMEOUT_HALVES : RETRY_HALVES;

  if (after == FR_ERATE_LIMITED && budget->spare) {
    budget->spare--;
    return true;
  }
  if (budget->halves < cost)
    return false;
  budget->halves -= cost;
  return true;
}

/* ---- what the server says ------------------------------------------------ */

/* Whole seconds, and with `fraction` decimals too, rounded up to a ms. */
static bool read_seconds(const char *text, bool fraction, int64_t *ret_ms)
{
  int64_t ms = 0, unit = 1000;
  bool rest = false;
  size_t i = 0;

  while (text[i] >= '0' && text[i] <= '9' && i < 12)
    ms = ms * 10 + (text[i++] - '0') * (int64_t)1000;
  if (!i)
    return false;
  if (fraction && text[i] == '.') {
    for (i++; text[i] >= '0' && text[i] <= '9'; i++) {
      unit /= 10;
      ms += (text[i] - '0') * unit;
      rest = rest || (!unit && text[i] != '0');
    }
  }
  if (text[i])
    return false;
  *ret_ms = ms + rest;
  return true;
}

static bool read_date(const struct fr_retry_told *told, int64_t *ret_ms)
{
  const char *text = told->retry_after;
  int64_t until, from = told->at_ms;

  if (fr_date_parse_http(text, strlen(text), &until))
    return false;
  if (told->date)
    (void)fr_date_parse_http(told->date, strlen(told->date), &from);
  *ret_ms = until - from;
  return true;
}

static bool sensible(int64_t ms)
{
  return ms > 0 && ms <= WAIT_ABSURD_MS;
}

bool fr_retry_wait(const struct fr_retry_told *told, uint64_t *ret_ms)
{
  int64_t ms = 0;

  if (told->retry_after &&
      (read_seconds(told->retry_after, false, &ms) || read_date(told, &ms)) &&
      sensible(ms)) {
    *ret_ms = (uint64_t)ms;
    return true;
  }
  if (told->reset && read_seconds(told->reset, true, &ms) && sensible(ms)) {
    *ret_ms = (uint64_t)ms;
    return true;
  }
  return false;
}

/* ---- generations of a key ------------------------------------------------ */

void fr_generation_note(struct fr_generation *generation, int status)
{
  int now = status >= 500 && status < 600 ? status : 0;

  if (now && now == generation->last_5xx)
    generation->spent = true;
  generation->last_5xx = now;
}

bool fr_generation_good(const struct fr_generation *generation,
                        int64_t at_ms)
{
  int64_t age = at_ms - generation->key_at_ms;

  return !generation->spent && age < FR_KEY_AGE_MOST_MS &&
         age >= -FR_KEY_AHEAD_MOST_MS;
}
