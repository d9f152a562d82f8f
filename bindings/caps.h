/* bindings/caps.h - what a script may use up: heap, and time without a wait.
 *
 * Promise: a script cannot go on past a cap. Errors can be caught, so after
 * a cap was hit every further instruction raises again, in every coroutine,
 * until the task is over.
 *
 *   the cap of a turn --> an alarm asks for a hook at the next instruction
 *   no instruction ends, inside one call of Lua's own library
 *                     --> Lua is left where it is; the host ends the run
 *   nor can that be   --> the process ends; the next run settles
 */
#ifndef FRL_CAPS_H
#define FRL_CAPS_H

#include <lua.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRL_EXIT_CAP 9          /* exit codes: README.md */

struct frl;

enum frl_cap {
  FRL_CAP_NONE, FRL_CAP_HEAP, FRL_CAP_TURN, FRL_CAP_PRINTED, FRL_CAP_LOGGED,
  FRL_CAP_SIGNAL                /* lasts for one turn only */
};

struct frl_caps {
  size_t max_heap;
  uint32_t max_turn_ms;
  uint64_t turn_began_ms;       /* real time, also under a virtual clock */
  size_t denied;                /* the last request, if it was refused */
  bool reported;
  bool hurry, hurried;          /* it is, it was on: frl_caps_hurry */
  enum frl_cap hit;
  size_t max_printed, printed;
  size_t max_logged, logged;
  volatile sig_atomic_t interrupted;
  /* What the alarm's handler reads: */
  lua_State *volatile running;  /* the innermost coroutine, or NULL */
  volatile sig_atomic_t paused;         /* the clock of the turn stands */
  volatile sig_atomic_t in_library;     /* a call that may be left there */
  volatile sig_atomic_t in_alloc;
  volatile sig_atomic_t allocs;         /* counts, to see that some happen */
};

/* The lua_Alloc of the state; `ud` is the frl. */
void *frl_caps_alloc(void *ud, void *block, size_t old_size, size_t size);
void frl_caps_init(struct frl *frl);
/* A turn of `co` begins: its time starts anew. */
void frl_caps_turn(struct frl *frl, lua_State *co);
/* No turn is under way until the next begins. */
void frl_caps_rest(void);
/* From a signal handler, too: from now on a turn has a moment. */
void frl_caps_interrupt(struct frl_caps *caps);
/* While it is on, a turn has a moment instead of its time: tasks are being
 * ended that may not want to. Off forgets what that brought about. */
void frl_caps_hurry(struct frl *frl, bool on);
/* What hit the cap is over, and its garbage is gone: the cap is as new. */
void frl_caps_renew(struct frl_caps *caps);
/* Somebody else saw that the heap is used up. */
void frl_caps_out_of_heap(struct frl_caps *caps);
/* Real time in ms, also under a virtual clock. */
uint64_t frl_caps_now(void);
/* A cap was hit that ends the run. */
bool frl_caps_over(const struct frl_caps *caps);
/* Makes a coroutine feel a cap that was hit in another one. */
void frl_caps_follow(lua_State *L);
/* `co` runs now; returns which one did, to be set again afterwards. */
lua_State *frl_caps_running(lua_State *L, lua_State *co);
/* Around what waits for a reader: that time is not the script's. Returns
 * what the second needs. */
uint64_t frl_caps_pause(struct frl *frl);
void frl_caps_unpause(struct frl *frl, uint64_t since);
/* `len` bytes more are about to be printed, or logged; raises past the cap.
 *                                                            [-0, +0, e] */
void frl_caps_print(lua_State *L, size_t len);
void frl_caps_log(lua_State *L, size_t len);
/* Writes "the policy ..." for a cap that was hit. */
void frl_caps_sentence(const struct frl *frl, char *ret_text, size_t size);
/* Marks the verdict and logs `text`, or the sentence; once. */
void frl_caps_tell(struct frl *frl, const char *text);

#endif
