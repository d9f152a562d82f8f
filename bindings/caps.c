/* bindings/caps.c - see caps.h.
 *
 * Lua answers a refused allocation with a full collection and a second try;
 * only when that is refused too has the script really run out. No
 * allocation succeeds between the two, so "refused twice in a row" is the
 * test. A little more heap is granted then, for the report and the end.
 */
#include "bindings/caps.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "bindings/coverage.h"
#include "bindings/internal.h"

#define DEFAULT_HEAP ((size_t)256 << 20)
#define LAST_HEAP ((size_t)1 << 20)
#define DEFAULT_TURN_MS 10000u
#define SIGNAL_TURN_MS 100u
#define INSTRUCTIONS 10000
#define STUCK_S 20              /* past the cap of a turn, no hook has run */

static uint64_t real_now(void)
{
  struct fr_clock clock;

  fr_clock_real(&clock);
  return fr_clock_now(&clock);
}

void frl_caps_out_of_heap(struct frl_caps *caps)
{
  if (caps->hit)
    return;
  caps->hit = FRL_CAP_HEAP;
  caps->max_heap += LAST_HEAP;
}

static void *refuse(struct frl_caps *caps)
{
  if (caps->denied)
    frl_caps_out_of_heap(caps);
  caps->denied = true;
  return NULL;
}

void *frl_caps_alloc(void *ud, void *block, size_t old_size, size_t size)
{
  struct frl *frl = ud;
  size_t old = block ? old_size : 0;
  void *moved;

  if (size == 0) {
    free(block);
    frl->heap -= old;
    return NULL;
  }
  if (size > old && (size > frl->caps.max_heap ||
                     frl->heap - old > frl->caps.max_heap - size))
    return refuse(&frl->caps);
  moved = realloc(block, size);
  if (!moved && size <= old)
    moved = block;              /* Lua counts on shrinking to succeed */
  if (!moved)
    return refuse(&frl->caps);
  frl->caps.denied = false;
  frl->heap += size - old;
  return moved;
}

void frl_caps_sentence(const struct frl *frl, char *ret_text, size_t size)
{
  if (frl->caps.hit == FRL_CAP_HEAP)
    snprintf(ret_text, size, "the policy needed more than %zu MiB of memory",
             (frl->caps.max_heap - LAST_HEAP) >> 20);
  else
    snprintf(ret_text, size, "the policy ran for more than %" PRIu32
             " ms without waiting for anything", frl->caps.max_turn_ms);
}

static int raise_cap(lua_State *L)
{
  struct frl *frl = frl_of(L);
  char sentence[120];

  if (frl->caps.hit == FRL_CAP_SIGNAL) {
    frl_push_error(L, FR_EINTERRUPTED, NULL);
    return lua_error(L);
  }
  frl_caps_sentence(frl, sentence, sizeof(sentence));
  frl_where(L);
  lua_pushstring(L, sentence);
  lua_concat(L, 2);
  return lua_error(L);
}

static void on_hook(lua_State *L, lua_Debug *ar);

/* After so many instructions; and at each line, while those are noted. */
static void set_hook(lua_State *L, int instructions)
{
  int lines = frl_of(L)->coverage ? LUA_MASKLINE : 0;

  lua_sethook(L, on_hook, LUA_MASKCOUNT | lines, instructions);
}

static void on_count(lua_State *L)
{
  struct frl_caps *caps = &frl_of(L)->caps;
  uint64_t spent = caps->hit ? 0 : real_now() - caps->turn_began_ms;

  if (!caps->hit && spent > caps->max_turn_ms)
    caps->hit = FRL_CAP_TURN;
  else if (!caps->hit && (caps->interrupted || caps->hurry) &&
           spent > SIGNAL_TURN_MS)
    caps->hit = FRL_CAP_SIGNAL;
  if (caps->hit) {
    frl_caps_follow(L);
    raise_cap(L);
  } else if (lua_gethookcount(L) == 1) {
    set_hook(L, INSTRUCTIONS);
  }
}

static void on_hook(lua_State *L, lua_Debug *ar)
{
  if (ar->event == LUA_HOOKLINE)
    frl_coverage_note(L, ar);
  else
    on_count(L);
}

void frl_caps_follow(lua_State *L)
{
  if (frl_of(L)->caps.hit && lua_gethookcount(L) != 1)
    set_hook(L, 1);
}

/* No hook runs inside one C function, so nothing can end a pattern that
 * explodes but the end of the process; the lock must not stay for ever. */
static void on_alarm(int number)
{
  static const char words[] = "falrun: the policy is stuck in one call of a "
    "library function, like string.find with a pattern of many '*': the run "
    "was ended; what was in flight is for the next one\n";
  ssize_t n = write(STDERR_FILENO, words, sizeof(words) - 1);

  (void)number, (void)n;
  _exit(FRL_EXIT_CAP);
}

void frl_caps_rest(void)
{
  (void)alarm(0);
}

void frl_caps_hurry(struct frl *frl, bool on)
{
  frl->caps.hurry = on;
  if (!on && frl->caps.hit == FRL_CAP_SIGNAL)
    frl->caps.hit = FRL_CAP_NONE;
}

void frl_caps_renew(struct frl_caps *caps)
{
  if (caps->hit == FRL_CAP_HEAP)
    caps->max_heap -= LAST_HEAP;
  caps->hit = FRL_CAP_NONE;
  caps->denied = caps->reported = false;
}

void frl_caps_init(struct frl *frl)
{
  struct frl_caps *caps = &frl->caps;

  caps->max_heap = frl->config.max_heap ? frl->config.max_heap : DEFAULT_HEAP;
  caps->max_turn_ms = frl->config.max_turn_ms ? frl->config.max_turn_ms
                                              : DEFAULT_TURN_MS;
  caps->turn_began_ms = real_now();
  (void)signal(SIGALRM, on_alarm);      /* it comes for policies alone */
}

void frl_caps_turn(struct frl *frl, lua_State *co)
{
  if (frl->caps.hit == FRL_CAP_SIGNAL)
    frl->caps.hit = FRL_CAP_NONE;
  frl->caps.turn_began_ms = real_now();
  if (frl->config.policy)       /* commands may wait for their reader */
    (void)alarm(frl->caps.max_turn_ms / 1000 + STUCK_S);
  set_hook(co, frl->caps.hit ? 1 : INSTRUCTIONS);
}
