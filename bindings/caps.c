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
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "bindings/coverage.h"
#include "bindings/internal.h"

#define DEFAULT_HEAP ((size_t)256 << 20)
#define LAST_HEAP ((size_t)1 << 20)
#define DEFAULT_TURN_MS 10000u
#define SIGNAL_TURN_MS 100u
#define INSTRUCTIONS 10000
#define TICK_MS 250u            /* between alarms, past the cap of a turn */
#define QUIET_TICKS 4
#define STUCK_MS 20000u         /* past the cap of a turn, the process ends */

/* What a script may print in a run: a line for each of a million requests
 * fits, and no mail of cron or journal is flooded. Log lines are for people:
 * a quarter of that. Whole lists are what `falrun requests` is for, which
 * has no cap. */
#define DEFAULT_OUTPUT ((size_t)64 << 20)
#define LOG_SHARE 4

uint64_t frl_caps_now(void)
{
  struct fr_clock clock;

  fr_clock_real(&clock);
  return fr_clock_now(&clock);
}

static void on_hook(lua_State *L, lua_Debug *ar);

/* After so many instructions; and at each line, while those are noted. */
static void set_hook(lua_State *L, int instructions)
{
  int lines = frl_of(L)->coverage ? LUA_MASKLINE : 0;

  lua_sethook(L, on_hook, LUA_MASKCOUNT | lines, instructions);
}

void frl_caps_out_of_heap(struct frl_caps *caps)
{
  if (caps->hit)
    return;
  caps->hit = FRL_CAP_HEAP;
  caps->max_heap += LAST_HEAP;
  if (caps->running)
    set_hook(caps->running, 1);
}

static void *refuse(struct frl_caps *caps, size_t size)
{
  if (caps->denied)
    frl_caps_out_of_heap(caps);
  caps->denied = size;
  return NULL;
}

/* Only the buffers of lauxlib do not try a second time, and what they raise
 * may have been caught: then something else is asked for next. */
static void grant(struct frl_caps *caps, size_t size)
{
  if (caps->denied && caps->denied != size)
    frl_caps_out_of_heap(caps);
  caps->denied = 0;
}

static void *change(struct frl *frl, void *block, size_t old, size_t size)
{
  void *moved;

  if (size == 0) {
    free(block);
    frl->heap -= old;
    return NULL;
  }
  if (size > old && (size > frl->caps.max_heap ||
                     frl->heap - old > frl->caps.max_heap - size))
    return refuse(&frl->caps, size);
  moved = realloc(block, size);
  if (!moved && size <= old)
    moved = block;              /* Lua counts on shrinking to succeed */
  if (!moved)
    return refuse(&frl->caps, size);
  if (size > old)
    grant(&frl->caps, size);
  frl->heap += size - old;
  return moved;
}

void *frl_caps_alloc(void *ud, void *block, size_t old_size, size_t size)
{
  struct frl *frl = ud;
  void *moved;

  frl->caps.in_alloc = 1;
  frl->caps.allocs = (frl->caps.allocs + 1) & 0xffff;
  moved = change(frl, block, block ? old_size : 0, size);
  frl->caps.in_alloc = 0;
  return moved;
}

static void output_sentence(const char *did, size_t most, char *ret_text,
                            size_t size)
{
  bool large = most >= (size_t)1 << 20;

  snprintf(ret_text, size, "the policy %s more than %zu %s", did,
           most >> (large ? 20 : 10), large ? "MiB" : "KiB");
}

void frl_caps_sentence(const struct frl *frl, char *ret_text, size_t size)
{
  const struct frl_caps *caps = &frl->caps;

  switch (caps->hit) {
  case FRL_CAP_HEAP:
    snprintf(ret_text, size, "the policy needed more than %zu MiB of memory",
             (caps->max_heap - LAST_HEAP) >> 20);
    break;
  case FRL_CAP_PRINTED:
    output_sentence("printed", caps->max_printed, ret_text, size);
    break;
  case FRL_CAP_LOGGED:
    output_sentence("logged", caps->max_logged, ret_text, size);
    break;
  default:
    snprintf(ret_text, size, "the policy ran for more than %" PRIu32
             " ms without waiting for anything", caps->max_turn_ms);
  }
}

void frl_caps_tell(struct frl *frl, const char *text)
{
  char sentence[120];

  frl->config.verdict->cap = true;
  if (frl->caps.reported)
    return;
  frl->caps.reported = true;
  frl_caps_sentence(frl, sentence, sizeof(sentence));
  if (frl->config.gate)         /* what is in flight is still answered */
    fr_gate_stop(frl->config.gate, FR_ESTOPPED, sentence);
  fr_verdict_say(frl->config.verdict, "%s", sentence);
  fr_log(FR_LOG_ERROR, "%s", strstr(text, sentence) ? text : sentence);
}

bool frl_caps_over(const struct frl_caps *caps)
{
  return caps->hit != FRL_CAP_NONE && caps->hit != FRL_CAP_SIGNAL;
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

static void on_count(lua_State *L)
{
  struct frl_caps *caps = &frl_of(L)->caps;
  uint64_t spent = caps->hit ? 0 : frl_caps_now() - caps->turn_began_ms;

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

lua_State *frl_caps_running(lua_State *L, lua_State *co)
{
  struct frl_caps *caps = &frl_of(L)->caps;
  lua_State *before = caps->running;

  caps->running = co;
  return before;
}

/* ---- output ------------------------------------------------------------- */

static void count_output(lua_State *L, size_t len, size_t most, size_t *sum,
                         enum frl_cap cap)
{
  struct frl_caps *caps = &frl_of(L)->caps;

  if (len <= most - *sum) {
    *sum += len;
    return;
  }
  if (!caps->hit)
    caps->hit = cap;
  frl_caps_follow(L);
  raise_cap(L);
}

void frl_caps_print(lua_State *L, size_t len)
{
  struct frl_caps *caps = &frl_of(L)->caps;

  count_output(L, len, caps->max_printed, &caps->printed, FRL_CAP_PRINTED);
}

void frl_caps_log(lua_State *L, size_t len)
{
  struct frl_caps *caps = &frl_of(L)->caps;

  count_output(L, len, caps->max_logged, &caps->logged, FRL_CAP_LOGGED);
}

/* ---- the alarm ---------------------------------------------------------- */

static struct frl *volatile watched;

static void end_process(void)
{
  static const char words[] = "falrun: the policy is stuck in one call of a "
    "library function: the run was ended; what was in flight is for the next "
    "one\n";
  ssize_t n = write(STDERR_FILENO, words, sizeof(words) - 1);

  (void)n;
  _exit(FRL_EXIT_CAP);
}

/* What was interrupted computes inside Lua or its own library, for a second
 * without asking for memory: it holds no lock of libc, and nothing of the
 * host is half done. So the rest of the run may go on from here, on top of
 * it, as long as Lua is never entered again. */
static void leave_lua(struct frl *frl)
{
  char sentence[120];

  frl->caps.hit = FRL_CAP_TURN;
  frl->caps.running = NULL;
  frl_caps_rest();
  frl_caps_sentence(frl, sentence, sizeof(sentence));
  frl_caps_tell(frl, sentence);
  frl->config.on_stuck(frl->config.stuck_arg);
  _exit(FRL_EXIT_CAP);
}

/* Neither a binding, which may hold anything, nor a finalizer. */
static bool is_pure(const struct frl_caps *caps)
{
  lua_Debug ar;

  if (caps->in_alloc)
    return false;
  if (caps->in_library)
    return true;
  return lua_getstack(caps->running, 0, &ar) &&
         lua_getinfo(caps->running, "S", &ar) && *ar.what != 'C';
}

static void on_alarm(int number)
{
  static sig_atomic_t allocs, quiet;
  struct frl *frl = watched;
  struct frl_caps *caps = &frl->caps;
  uint64_t spent = frl_caps_now() - caps->turn_began_ms;

  (void)number;
  if (!caps->running || caps->paused || spent <= caps->max_turn_ms)
    return;
  set_hook(caps->running, 1);
  quiet = caps->allocs == allocs && is_pure(caps) ? quiet + 1 : 0;
  allocs = caps->allocs;
  if (quiet >= QUIET_TICKS && frl->config.on_stuck)
    leave_lua(frl);
  if (spent > (uint64_t)caps->max_turn_ms + STUCK_MS)
    end_process();
}

static void set_timer(uint64_t first_ms, uint64_t again_ms)
{
  struct itimerval timer = {
    .it_value = { (time_t)(first_ms / 1000),
                  (suseconds_t)(first_ms % 1000 * 1000) },
    .it_interval = { (time_t)(again_ms / 1000),
                     (suseconds_t)(again_ms % 1000 * 1000) },
  };

  (void)setitimer(ITIMER_REAL, &timer, NULL);
}

void frl_caps_rest(void)
{
  set_timer(0, 0);
}

uint64_t frl_caps_pause(struct frl *frl)
{
  frl->caps.paused = 1;
  return frl_caps_now();
}

void frl_caps_unpause(struct frl *frl, uint64_t since)
{
  frl->caps.turn_began_ms += frl_caps_now() - since;
  frl->caps.paused = 0;
}

static void watch(struct frl *frl)
{
  struct sigaction action = { .sa_handler = on_alarm,
                              .sa_flags = SA_RESTART };

  watched = frl;
  sigemptyset(&action.sa_mask);
  (void)sigaction(SIGALRM, &action, NULL);
}

void frl_caps_interrupt(struct frl_caps *caps)
{
  caps->interrupted = 1;
  if (caps->running)
    set_hook(caps->running, INSTRUCTIONS);
}

void frl_caps_hurry(struct frl *frl, bool on)
{
  frl->caps.hurry = on;
  frl->caps.hurried = true;
  if (!on && frl->caps.hit == FRL_CAP_SIGNAL)
    frl->caps.hit = FRL_CAP_NONE;
}

void frl_caps_renew(struct frl_caps *caps)
{
  if (caps->hit == FRL_CAP_HEAP)
    caps->max_heap -= LAST_HEAP;
  caps->hit = FRL_CAP_NONE;
  caps->reported = false;
  caps->denied = caps->printed = caps->logged = 0;
}

void frl_caps_init(struct frl *frl)
{
  struct frl_caps *caps = &frl->caps;

  caps->max_heap = frl->config.max_heap ? frl->config.max_heap : DEFAULT_HEAP;
  caps->max_turn_ms = frl->config.max_turn_ms ? frl->config.max_turn_ms
                                              : DEFAULT_TURN_MS;
  caps->max_printed = frl->config.max_output ? frl->config.max_output
                                             : DEFAULT_OUTPUT;
  caps->max_logged = caps->max_printed / LOG_SHARE;
  caps->turn_began_ms = frl_caps_now();
  watch(frl);                   /* the timer runs for policies alone */
}

/* Any hook makes each instruction of Lua cost twice as much, and the alarm
 * sets one when it is due; so there is one only where no alarm runs, or where
 * the time of a turn may be a moment. */
static bool needs_hook(const struct frl *frl)
{
  const struct frl_caps *caps = &frl->caps;

  return !frl->config.policy || frl->coverage || caps->hit || caps->hurry ||
         caps->interrupted;
}

void frl_caps_turn(struct frl *frl, lua_State *co)
{
  if (frl->caps.hit == FRL_CAP_SIGNAL)
    frl->caps.hit = FRL_CAP_NONE;
  frl->caps.turn_began_ms = frl_caps_now();
  frl->caps.running = co;
  if (frl->config.policy)       /* commands may wait for their reader */
    set_timer(frl->caps.max_turn_ms + 1, TICK_MS);
  if (needs_hook(frl))
    set_hook(co, frl->caps.hit ? 1 : INSTRUCTIONS);
  else
    lua_sethook(co, NULL, 0, 0);
}
