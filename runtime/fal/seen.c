/* fal/seen.c - a hash table from request id to what lists said of it.
 *
 * Endpoints are few, so a slot has a number of its own for one.
 * Open addressing with linear probing, 24 bytes a slot, doubled until `most`
 * fit at a load of 7/8. Ids come from a server that may be hostile, so the
 * hash is SipHash-2-4 under a random key (Aumasson, Bernstein 2012).
 *
 * A full table is swept: everything known to be older than the floor goes at
 * once, by rebuilding it. A sweep that frees little would be repeated for
 * almost every row, so the next one then has to wait for the clock.
 */
#include "fal/seen.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"

#define SLOTS_LEAST 64u
#define SWEEP_WAIT_MS 60000
#define UNUSED INT64_MIN        /* of slot.word */
#define LATEST_MS (INT64_C(1) << 44)    /* an end after it is none */

struct slot {
  struct fr_uuid id;
  int64_t word;                 /* ended_at, endpoint, by_deleting_key */
};

struct name {
  size_t len;
  char text[];
};

struct fr_seen {
  struct slot *slots;
  size_t nslots, count, most;   /* nslots is a power of two */
  int64_t floor_ms;
  int64_t sweep_at_ms;          /* no sweep before this; INT64_MIN: any */
  uint64_t seed[2];
  struct name *names[FR_SEEN_ENDPOINTS];
  size_t nnames, last;          /* last: the one of the row before */
};

/* ---- SipHash-2-4 of sixteen bytes --------------------------------------- */

static uint64_t rotate(uint64_t x, int bits)
{
  return x << bits | x >> (64 - bits);
}

static void rounds(uint64_t v[4], int count)
{
  while (count--) {
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
  }
}

static uint64_t hash(const struct fr_seen *seen, const struct fr_uuid *id)
{
  uint64_t word[3], v[4];
  int i;

  memcpy(word, id->bytes, 16);
  word[2] = (uint64_t)16 << 56;
  v[0] = seen->seed[0] ^ 0x736f6d6570736575u;
  v[1] = seen->seed[1] ^ 0x646f72616e646f6du;
  v[2] = seen->seed[0] ^ 0x6c7967656e657261u;
  v[3] = seen->seed[1] ^ 0x7465646279746573u;
  for (i = 0; i < 3; i++) {
    v[3] ^= word[i];
    rounds(v, 2);
    v[0] ^= word[i];
  }
  v[2] ^= 0xff;
  rounds(v, 4);
  return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* ---- the table ---------------------------------------------------------- */

static struct slot *slots_new(size_t count)
{
  struct slot *slots = calloc(count, sizeof(*slots));
  size_t i;

  for (i = 0; slots && i < count; i++)
    slots[i].word = UNUSED;
  return slots;
}

enum fr_err fr_seen_new(uint32_t most, int64_t floor_ms,
                        struct fr_seen **ret_seen)
{
  struct fr_seen *seen = calloc(1, sizeof(*seen));
  enum fr_err err = FR_ENOMEM;

  if (!seen)
    return FR_ENOMEM;
  seen->most = most;
  seen->floor_ms = floor_ms;
  seen->sweep_at_ms = INT64_MIN;
  seen->nslots = SLOTS_LEAST;
  seen->slots = slots_new(SLOTS_LEAST);
  if (seen->slots)
    err = fr_random(seen->seed, sizeof(seen->seed));
  if (err) {
    fr_seen_free(seen);
    return err;
  }
  *ret_seen = seen;
  return FR_OK;
}

void fr_seen_free(struct fr_seen *seen)
{
  if (!seen)
    return;
  for (size_t i = 0; i < seen->nnames; i++)
    free(seen->names[i]);
  free(seen->slots);
  free(seen);
}

/* ---- endpoints ---------------------------------------------------------- */

static bool is_name(const struct name *name, const char *text, size_t len)
{
  return name->len == len && !memcmp(name->text, text, len);
}

/* Its number, from 1; 0: none, or there is no room, which costs only words
 * of a report. */
static uint16_t number_of(struct fr_seen *seen, const char *text, size_t len)
{
  struct name *name;

  if (!text || !len)
    return 0;
  if (seen->last && is_name(seen->names[seen->last - 1], text, len))
    return (uint16_t)seen->last;
  for (size_t i = 0; i < seen->nnames; i++)
    if (is_name(seen->names[i], text, len)) {
      seen->last = i + 1;
      return (uint16_t)seen->last;
    }
  name = seen->nnames < FR_SEEN_ENDPOINTS ? malloc(sizeof(*name) + len + 1)
                                          : NULL;
  if (!name)
    return 0;
  name->len = len;
  memcpy(name->text, text, len);
  name->text[len] = '\0';
  seen->names[seen->nnames++] = name;
  seen->last = seen->nnames;
  return (uint16_t)seen->last;
}

/* The slot of `id`, or the unused one where it would go. */
static struct slot *locate(const struct fr_seen *seen,
                           const struct fr_uuid *id)
{
  size_t at = (size_t)hash(seen, id) & (seen->nslots - 1);

  while (seen->slots[at].word != UNUSED &&
         memcmp(&seen->slots[at].id, id, sizeof(*id)))
    at = (at + 1) & (seen->nslots - 1);
  return &seen->slots[at];
}

static int64_t ended_of(const struct slot *slot)
{
  return slot->word >> 17;      /* arithmetic: -1 stays -1 */
}

static uint16_t endpoint_of(const struct slot *slot)
{
  return (uint16_t)(slot->word >> 1 & 0xffff);
}

static bool forgettable(const struct fr_seen *seen, int64_t ended_at_ms,
                        int64_t at_ms)
{
  return ended_at_ms >= 0 && ended_at_ms < at_ms - seen->floor_ms;
}

/* Moves the entries into `nslots` fresh slots; with `sweep`, not those that
 * may be forgotten at `at_ms`. */
static enum fr_err rebuild(struct fr_seen *seen, size_t nslots, bool sweep,
                           int64_t at_ms)
{
  struct slot *old = seen->slots, *slots = slots_new(nslots);
  size_t nold = seen->nslots, i;

  if (!slots)
    return FR_ENOMEM;
  seen->slots = slots;
  seen->nslots = nslots;
  seen->count = 0;
  for (i = 0; i < nold; i++) {
    if (old[i].word == UNUSED ||
        (sweep && forgettable(seen, ended_of(&old[i]), at_ms)))
      continue;
    *locate(seen, &old[i].id) = old[i];
    seen->count++;
  }
  free(old);
  return FR_OK;
}

/* Makes room for one more. FR_ETOO_BIG: there is none. */
static enum fr_err make_room(struct fr_seen *seen, int64_t at_ms)
{
  size_t before = seen->count;
  enum fr_err err;

  if (seen->count < seen->most) {
    if ((seen->count + 1) * 8 <= seen->nslots * 7)
      return FR_OK;
    return rebuild(seen, seen->nslots * 2, false, at_ms);
  }
  if (at_ms < seen->sweep_at_ms)
    return FR_ETOO_BIG;
  err = rebuild(seen, seen->nslots, true, at_ms);
  if (err)
    return err;
  seen->sweep_at_ms = before - seen->count <= seen->most / 16 ?
                      at_ms + SWEEP_WAIT_MS : INT64_MIN;
  return seen->count < seen->most ? FR_OK : FR_ETOO_BIG;
}

static int64_t word_of(int64_t ended_at_ms, bool by_deleting_key,
                       uint16_t endpoint)
{
  if (ended_at_ms < -1 || ended_at_ms > LATEST_MS)
    ended_at_ms = -1;
  return ended_at_ms * (1 << 17) + endpoint * 2 + by_deleting_key;
}

enum fr_err fr_seen_note(struct fr_seen *seen, const struct fr_uuid *id,
                         const struct fr_sighting *sighting, int64_t at_ms)
{
  struct slot *slot = locate(seen, id);
  int64_t ended = sighting->ended_at_ms;
  uint16_t endpoint = number_of(seen, sighting->endpoint,
                                sighting->endpoint_len);
  enum fr_err err;

  if (slot->word != UNUSED) {
    slot->word = word_of(ended > ended_of(slot) ? ended : ended_of(slot),
                         (slot->word & 1) || sighting->by_deleting_key,
                         endpoint_of(slot) ? endpoint_of(slot) : endpoint);
    return FR_OK;
  }
  err = make_room(seen, at_ms);
  if (err == FR_ETOO_BIG && forgettable(seen, ended, at_ms))
    return FR_OK;               /* the newcomer is what gets forgotten */
  if (err)
    return err;
  slot = locate(seen, id);
  slot->id = *id;
  slot->word = word_of(ended, sighting->by_deleting_key, endpoint);
  seen->count++;
  return FR_OK;
}

enum fr_err fr_seen_find(const struct fr_seen *seen,
                         const struct fr_uuid *id,
                         struct fr_sighting *ret_sighting)
{
  const struct slot *slot = locate(seen, id);

  if (slot->word == UNUSED)
    return FR_ENOT_FOUND;
  *ret_sighting = (struct fr_sighting){
    .ended_at_ms = ended_of(slot), .by_deleting_key = slot->word & 1
  };
  if (endpoint_of(slot)) {
    const struct name *name = seen->names[endpoint_of(slot) - 1];

    ret_sighting->endpoint = name->text;
    ret_sighting->endpoint_len = name->len;
  }
  return FR_OK;
}
