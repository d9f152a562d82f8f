/* bindings/bindings.h - the one entry from the host into Lua.
 *
 *   host turn:  frl_step --> fr_gate_barrier --> fr_loop_turn --+
 *                 ^                                             |
 *                 +---------------------------------------------+
 *
 * One lua_State. The command that was asked for (scripts/commands/NAME.lua)
 * runs as its first task; policies run inside it, in a restricted
 * environment. Lua runs in frl_step and frl_free only.
 *
 * Ownership: everything in the configuration is borrowed and outlives frl.
 */
#ifndef FRL_BINDINGS_H
#define FRL_BINDINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bindings/option.h"
#include "gate/gate.h"
#include "net/net.h"
#include "probe/probe.h"

struct frl;
struct frl_setup;

struct frl_policy {
  const char *path;             /* as given on the command line */
  const char *text;
  size_t len;
};

/* What the command was started in spite of; see host/command.h. */
struct frl_health {
  const char *ledger;           /* where it is, or would be */
  const char *keys_fault, *ledger_fault;        /* sentences, or NULL */
  enum fr_err ledger_err;
};

struct frl_config {
  struct fr_loop *loop;
  struct fr_clock *clock;       /* the loop's; a stage makes it virtual */
  struct fr_verdict *verdict;
  struct fr_fal *fal;           /* NULL: this command has no network, */
  struct fr_gate *gate;         /* and no gate */
  struct fr_prober *prober;     /* NULL: this command asks no CDN */
  struct fr_net *net;           /* NULL: no host was allowed, */
  const char *sendmail;         /* nor a program for mail */
  struct fr_ledger *ledger;     /* NULL: this command has no ledger */
  enum fr_mode mode;
  bool may_hold;                /* the command may write holds */
  bool may_record;              /* facts, also where nothing is deleted */
  const char *command;          /* "run", "plan", ... */
  const struct frl_policy *policy;      /* or NULL */
  const char *const *words;     /* after the command or policy; NULL-ended */
  const struct frl_option *options;     /* ended by a NULL name */
  const struct frl_option_spec *option_specs;   /* likewise; or NULL */
  const char *module_path;      /* FALRUN_PATH: folders, ':' between */
  const char *version;
  const struct frl_health *health;      /* NULL: not for this command */
  const struct fr_keys *keys;           /* NULL likewise */
  const struct frl_setup *setup;        /* NULL likewise; bindings/setup.h */
  const char *account;          /* fr_keys_account; "" or NULL: none */
  const char *origin;           /* of the API, as the ledger names it */
  bool color;                   /* for standard output */
  int columns;                  /* of the terminal; 0: not a terminal */
  void (*before_write)(void *arg, int fd);      /* a progress line gives way */
  /* Lines for standard error that are no log lines; NULL: written there. */
  void (*talk)(void *arg, const char *text, size_t len);
  void *write_arg;              /* of both */
  size_t max_heap;              /* bytes Lua may use; 0: 256 MiB */
  uint32_t max_turn_ms;         /* Lua without a wait; 0: 10 s */
  size_t max_output;            /* bytes a policy may print; 0: 64 MiB */
  void (*on_stuck)(void *arg);  /* from a signal handler: a policy computes
                                 * without an end inside Lua's own library.
                                 * Lua must not be entered again. */
  void *stuck_arg;
};

/* FR_ENOMEM, or FR_EINVALID when there is no such command. */
enum fr_err frl_new(const struct frl_config *config, struct frl **ret_frl);

/* Resumes every runnable task once. True while a task is left. */
bool frl_step(struct frl *frl);
/* True when some task can run now, without waiting for the loop. */
bool frl_ready(const struct frl *frl);

/* The gate of the run that is on: the configured one, or a stage's. It may
 * change with each step. NULL: there is none. */
struct fr_gate *frl_gate(const struct frl *frl);

/* Every task gets a "cancelled" error at its wait. Safe to repeat. */
void frl_cancel(struct frl *frl);
/* May be called from a signal handler: running Lua raises soon. */
void frl_interrupt(struct frl *frl);

/* What commands noted for the run's summary: members of a JSON object, each
 * with a comma before it; "" when there are none. */
const char *frl_notes(const struct frl *frl);

/* Ends what is left of the tasks, hard, and closes Lua. NULL is fine. */
void frl_free(struct frl *frl);

bool frl_has_command(const char *name);
/* Whether one of `words` (NULL-ended) names an operation that changes
 * something, by the Lua table of operations. No: also when that cannot be
 * read, which the command itself will say. */
bool frl_call_changes(const char *const *words, const char *module_path);
/* The nearest of `words` (NULL-ended), or NULL: a third of it differs. */
const char *frl_nearest(const char *word, const char *const *words);
/* "lua 5.4.4, lua-cjson 2.1.0", for --version. */
const char *frl_version(void);

#endif
