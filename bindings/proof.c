/* bindings/proof.c - verifying the ledger, and proofs from it. */
#include <stdio.h>

#include "bindings/nouns.h"
#include "bindings/rows.h"
#include "ledger/proof.h"

#define ROWS_MAX ((size_t)256 << 20)
#define SEQS_MAX 2000000

static struct fr_ledger *ledger_of(lua_State *L)
{
  return frl_of(L)->config.ledger;
}

/* table[name] = the digest in hexadecimal                     [-0, +0, m] */
static void set_digest(lua_State *L, const char *name, const uint8_t *digest)
{
  char text[FR_SHA256_TEXT];

  fr_hex(digest, FR_SHA256_SIZE, text);
  lua_pushstring(L, text);
  lua_setfield(L, -2, name);
}

/* The checkpoint as a line and by its parts. The words are copied out of
 * their buffer before anything can raise.                     [-0, +0, m] */
static void set_checkpoint(lua_State *L, const struct fr_checkpoint *point,
                           const uint8_t *root)
{
  char line[512];
  struct fr_buf words;

  fr_buf_init(&words, sizeof(line));
  if (fr_checkpoint_words(point, root, &words))
    line[0] = '\0';
  else
    snprintf(line, sizeof(line), "%s", fr_buf_text(&words));
  fr_buf_done(&words);
  lua_pushstring(L, line);
  lua_setfield(L, -2, "checkpoint");
  lua_pushstring(L, point->ledger);
  lua_setfield(L, -2, "ledger");
  lua_pushinteger(L, point->at_ms);
  lua_setfield(L, -2, "at_ms");
}

/* Both from one moment: another process may write. */
static enum fr_err verify(struct fr_ledger *ledger, struct fr_chain *chain,
                          struct fr_checkpoint *point)
{
  enum fr_err err = fr_ledger_glimpse(ledger);

  if (!err)
    err = fr_history_verify(ledger, chain);
  if (!err)
    err = fr_history_checkpoint(ledger, point);
  if (err == FR_ENOT_FOUND)
    err = FR_OK;                                /* there is no file */
  fr_ledger_glimpse_over(ledger);
  return err;
}

/* ledger.verify() -> {events, head, root, ...} | nil, err     [-0, +n, e] */
static int l_verify(lua_State *L)
{
  struct fr_chain chain = { 0 };
  struct fr_checkpoint point = { 0 };
  enum fr_err err = verify(ledger_of(L), &chain, &point);

  if (err) {
    frl_fail_ledger(L, err);
    if (chain.broken_seq) {
      lua_pushinteger(L, chain.broken_seq);
      lua_setfield(L, -2, "seq");
    }
    return 2;
  }
  lua_createtable(L, 0, 6);
  lua_pushinteger(L, chain.events);
  lua_setfield(L, -2, "events");
  set_digest(L, "head", chain.head);
  set_digest(L, "root", chain.root);
  if (point.seq)
    set_checkpoint(L, &point, chain.root);
  return 1;
}

/* ---- proofs -------------------------------------------------------------- */

struct found {
  struct frl_rows *events, *rest;
};

static void put_digest(struct frl_rows *rows, const char *name,
                       const uint8_t *digest)
{
  char text[FR_SHA256_TEXT];

  fr_hex(digest, FR_SHA256_SIZE, text);
  frl_rows_text(rows, name, text);
}

static int put_event(void *arg, const struct fr_event_row *event,
                     const uint8_t *before)
{
  struct frl_rows *rows = ((struct found *)arg)->events;

  frl_rows_integer(rows, "seq", event->seq);
  frl_rows_integer(rows, "at_ms", event->at_ms);
  frl_rows_integer(rows, "run", event->run);
  frl_rows_text(rows, "kind", event->kind);
  if (event->has_id)
    frl_rows_id(rows, "request_id", &event->id);
  frl_rows_text(rows, "data", event->data);
  put_digest(rows, "before", before);
  put_digest(rows, "hash", event->hash);
  frl_rows_end(rows);
  return rows->err != FR_OK;
}

static void put_rest(void *arg, int64_t first, const uint8_t *hash)
{
  struct frl_rows *rows = ((struct found *)arg)->rest;

  frl_rows_integer(rows, "first", first);
  put_digest(rows, "hash", hash);
  frl_rows_end(rows);
}

/* The rising numbers of the list at index 1, in a userdata on top.
 *                                                             [-0, +1, e] */
static int64_t *check_seqs(lua_State *L, size_t *ret_count)
{
  lua_Unsigned count, i;
  int64_t *seqs;

  luaL_checktype(L, 1, LUA_TTABLE);
  count = lua_rawlen(L, 1);
  if (count > SEQS_MAX)
    frl_bad_argument(L, "ledger.prove", "seqs", "at most %d expected",
                     SEQS_MAX);
  seqs = lua_newuserdatauv(L, (size_t)(count + 1) * sizeof(*seqs), 0);
  for (i = 0; i < count; i++) {
    lua_rawgeti(L, 1, (lua_Integer)i + 1);
    seqs[i] = luaL_checkinteger(L, -1);
    lua_pop(L, 1);
    if (seqs[i] <= (i ? seqs[i - 1] : 0))
      frl_bad_argument(L, "ledger.prove", "seqs", "rising numbers expected");
  }
  *ret_count = (size_t)count;
  return seqs;
}

/* ledger.prove(seqs, size) -> {root, events, rest} | nil, err [-2, +n, e] */
static int l_prove(lua_State *L)
{
  struct fr_proof proof = { .event = put_event, .rest = put_rest };
  uint8_t root[FR_SHA256_SIZE];
  struct found found;
  enum fr_err err;

  proof.size = luaL_checkinteger(L, 2);
  lua_settop(L, 2);
  proof.seqs = check_seqs(L, &proof.count);
  found.events = frl_rows_new(L, ROWS_MAX);             /* at 4 */
  found.rest = frl_rows_new(L, ROWS_MAX);               /* at 5 */
  proof.arg = &found;
  err = fr_history_prove(ledger_of(L), &proof, root);
  frl_check_walk(L, found.events, FR_OK);
  frl_check_walk(L, found.rest, FR_OK);
  if (err)
    return frl_fail_ledger(L, err);
  lua_createtable(L, 0, 3);
  set_digest(L, "root", root);
  frl_rows_push(L, found.events);
  lua_setfield(L, -2, "events");
  frl_rows_push(L, found.rest);
  lua_setfield(L, -2, "rest");
  return 1;
}

const luaL_Reg frl_proof_functions[] = {
  { "verify", l_verify },
  { "prove", l_prove },
  { NULL, NULL }
};
