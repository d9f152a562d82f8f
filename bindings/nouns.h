/* bindings/nouns.h - the files behind the tables `core` and `host`.
 *
 *   core.c  <-- deletion.c, flight.c, idset.c, idlist.c, hold.c, read.c
 *               (fal.c), time.c, probe.c, net.c, mail.c, record.c, stream.c,
 *               download.c
 *   host.c  <-- io.c, file.c, ledger.c <-- rows.c, proof.c, note.c, capture.c,
 *               coverage.c, server.c, stage.c <-- calls.c
 *                               |          |
 *                               +-> accept.c <-- exchange.c
 *
 * Each file has one noun; its functions end with a row of NULLs, for
 * luaL_setfuncs. scripts/types/core.lua documents them.
 */
#ifndef FRL_NOUNS_H
#define FRL_NOUNS_H

#include "bindings/idlist.h"
#include "bindings/internal.h"

extern const luaL_Reg frl_deletion_functions[], frl_hold_functions[];
extern const luaL_Reg frl_read_functions[], frl_window_functions[];
extern const luaL_Reg frl_stream_functions[], frl_download_functions[];
extern const luaL_Reg frl_probe_functions[], frl_net_functions[],
                      frl_mail_functions[];
extern const luaL_Reg frl_time_functions[];             /* time.c */
extern const luaL_Reg frl_phase_functions[];            /* phase.c */
extern const luaL_Reg frl_tally_functions[];            /* tally.c */
extern const luaL_Reg frl_change_functions[];           /* change.c */
extern const luaL_Reg frl_fact_functions[], frl_proof_functions[];
int frl_record(lua_State *L);           /* core.record (record.c) */
/* ledger.probes(id) -> rows, oldest first (facts.c)          [-1, +1, e] */
int frl_probes(lua_State *L);
/* A failure of the ledger is a fact about the run: marks the verdict; nil
 * and the error.                                             [-0, +2, m] */
int frl_fail_ledger(lua_State *L, enum fr_err err);       /* ledger.c */
/* The same, raised, when a walk over rows went wrong.        [-0, +0, e] */
struct frl_rows;
void frl_check_walk(lua_State *L, const struct frl_rows *rows,
                    enum fr_err err);
extern const luaL_Reg frl_io_functions[], frl_file_functions[];
int frl_note(lua_State *L), frl_modules(lua_State *L);  /* note.c */
int frl_timers(lua_State *L);           /* host.timers, timers.c */
/* For the next run of this process, on a stage.              [-0, +0, m] */
void frl_forget_notes(lua_State *L);
/* Remembers a module that `require` loaded.                  [-0, +0, e] */
void frl_note_module(lua_State *L, const char *name, const char *path,
                     const char *text, size_t len);
int frl_sha256(lua_State *L);           /* core.sha256, host.sha256 */
/* Pushes the digest in hexadecimal.                          [-0, +1, e] */
void frl_push_sha256(lua_State *L, const char *text, size_t len);
void frl_open_setup(lua_State *L), frl_open_health(lua_State *L); /* +1, m */
void frl_open_files(lua_State *L);                       /* [-0, +0, m] */

/* A userdata that holds a call under way, linked into frl->boxes as long as
 * it does. A stage drops all of its run before it frees the run's client and
 * gate. `drop`, unlinked before, frees what is held; it is called once or
 * more, the last time by the collector (box.c). */
struct frl_box {
  struct fr_list link;
  void (*drop)(struct frl_box *box);
};
/* Pushes a box of `size` bytes, all zero, which begins with a struct frl_box
 * and is not linked yet.                                    [-0, +1, m] */
void *frl_box_push(lua_State *L, size_t size, const char *type,
                   void (*drop)(struct frl_box *box));
void frl_drop_boxes(struct frl *frl);

/* Pushes `result`, or nil and the error, with the id and the reason that are
 * at these places of the stack; tells the observer. Returns how many values
 * that were (deletion.c).                                    [-0, +n, e] */
int frl_push_outcome(lua_State *L, const struct fr_deletion_result *result,
                     int id, int reason);
/* Is there an observer that wants to know of successes too?  [-0, +0, -] */
bool frl_observes_all(lua_State *L);
/* What a deletion that could not be made came to.                        */
struct fr_deletion_result frl_unmade(enum fr_err err, const char *message);
/* Reads reason, policy, timeout, retries and dry_run of the options at
 * `index`, or raises; pushes reason and policy.              [-0, +2, e] */
void frl_check_spec(lua_State *L, int index,
                    struct fr_deletion_spec *ret_spec);
int frl_id_set(lua_State *L);           /* core.id_set (idset.c) */
int frl_flight(lua_State *L);           /* core.flight (flight.c) */

int frl_stage(lua_State *L);            /* host.stage (stage.c) */
int frl_capture(lua_State *L);          /* host.capture (capture.c) */
void frl_capture_add(struct fr_buf *talk, const char *text, size_t len);
int frl_cover(lua_State *L);            /* host.coverage (coverage.c) */
int frl_dump(lua_State *L);             /* host.dump (coverage.c) */
int frl_load_test(lua_State *L);        /* host.load_test (capture.c) */

/* Pushes field `name` of the table at `index`, read raw. True when it is
 * there; raises unless its type is `type`.                  [-0, +1, e] */
bool frl_field(lua_State *L, int index, const char *function,
                const char *name, int type);
/* The same for text of `least` to `most` bytes without a NUL; NULL when it
 * is not there. Lives while the pushed value does.          [-0, +1, e] */
/* Sets a field of the table on top, unless it is NULL or "" [-0, +0, m] */
void frl_set_text(lua_State *L, const char *name, const char *text);
const char *frl_field_text(lua_State *L, int index, const char *function,
                            const char *name, size_t least, size_t most);
/* The same for an integer; *ret_value is untouched when it is not there.
 *                                                           [-0, +0, e] */
bool frl_field_integer(lua_State *L, int index, const char *function,
                        const char *name, lua_Integer *ret_value);
/* Argument `index` as text without a NUL.                   [-0, +0, e] */
const char *frl_check_text(lua_State *L, int index, const char *function,
                           const char *argument);

/* Ends a lua_CFunction by waiting for so long (time.c).    [-0, +n, ey] */
int frl_nap(lua_State *L, uint64_t ms, frl_push_fn push);

/* print(...) of policies (io.c).                             [-n, +0, ey] */
int frl_print(lua_State *L);
void frl_push_counts(lua_State *L);                        /* [-0, +1, m] */

/* nil and the error of a command that was given no network. */
int frl_fail_network(lua_State *L);                       /* [-0, +2, m] */

#endif
