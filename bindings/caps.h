/* bindings/caps.h - what a script may use up: heap, and time without a wait.
 *
 * Promise: a script cannot go on past a cap. Errors can be caught, so after
 * a cap was hit every further instruction raises again, in every coroutine,
 * until the task is over. Time inside one C function (a pattern that
 * explodes) is not seen by hooks: there an alarm ends the process.
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

enum frl_cap { FRL_CAP_NONE, FRL_CAP_HEAP, FRL_CAP_TURN, FRL_CAP_SIGNAL };

struct frl_caps {
  size_t max_heap;
  uint32_t max_turn_ms;
  uint64_t turn_began_ms;       /* real time, also under a virtual clock */
  bool denied;                  /* the last allocation was refused */
  bool reported;
  bool hurry;                   /* see frl_caps_hurry */
  enum frl_cap hit;             /* SIGNAL lasts for one turn only */
  volatile sig_atomic_t interrupted;
};

/* The lua_Alloc of the state; `ud` is the frl. */
void *frl_caps_alloc(void *ud, void *block, size_t old_size, size_t size);
void frl_caps_init(struct frl *frl);
/* A turn of `co` begins: its time starts anew. */
void frl_caps_turn(struct frl *frl, lua_State *co);
/* No turn is under way until the next begins. */
void frl_caps_rest(void);
/* While it is on, a turn has a moment instead of its time: tasks are being
 * ended that may not want to. Off forgets what that brought about. */
void frl_caps_hurry(struct frl *frl, bool on);
/* What hit the cap is over, and its garbage is gone: the cap is as new. */
void frl_caps_renew(struct frl_caps *caps);
/* Somebody else saw that the heap is used up. */
void frl_caps_out_of_heap(struct frl_caps *caps);
/* Makes a coroutine feel a cap that was hit in another one. */
void frl_caps_follow(lua_State *L);
/* Writes "the policy ..." for a cap that was hit. */
void frl_caps_sentence(const struct frl *frl, char *ret_text, size_t size);

#endif
