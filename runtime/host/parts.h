/* host/parts.h - what a run is made of, below Lua.
 *
 *   config -> loop -> policy -> keys -> sandbox? -> ledger -> http -> fal
 *                                                                      |
 *   all closed, in reverse <---------- the run <------- prober <----- gate
 *
 * What the command may not touch (host/command.h) stays NULL.
 *
 * Ownership: the parts own each other's memory and borrow the options.
 */
#ifndef FR_HOST_PARTS_H
#define FR_HOST_PARTS_H

#include "host/config.h"
#include "host/sandbox.h"
#include "host/setup.h"
#include "probe/probe.h"

struct fr_parts {
  const struct fr_options *options;
  struct fr_config config;
  struct fr_verdict verdict;
  struct fr_clock clock;
  struct fr_sandbox sandbox;
  struct fr_buf policy_text;
  struct fr_buf keys_fault, ledger_fault;       /* "" or what it is */
  struct fr_setup_view *view;   /* for a command that tells of it */
  struct frl_health health;     /* for a command that examines */
  struct frl_policy policy;     /* no path: this command has none */
  struct fr_loop *loop;
  struct fr_keys *keys;
  char account[FR_ACCOUNT_TEXT];        /* "" without a key */
  struct fr_ledger *ledger;
  struct fr_http *http;
  struct fr_fal *fal;
  struct fr_gate *gate;
  struct fr_prober *prober;
  struct fr_net *net;           /* NULL: no host is allowed */
};

/* Whether a key of the keys `arg` is in these bytes; see net.h. */
bool fr_parts_secret(void *arg, const char *data, size_t len);

/* An error, perhaps with a sentence in `why`. Close must be called either
 * way: it takes away what was reached. */
enum fr_err fr_parts_open(struct fr_parts *parts,
                          const struct fr_options *options,
                          struct fr_buf *why);
void fr_parts_close(struct fr_parts *parts);

#endif
