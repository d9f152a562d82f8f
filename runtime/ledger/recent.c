/* ledger/recent.c - a hash table from ids to places, probed in a line.
 *
 * Single ids are never taken out: an id that is announced again moves to its
 * new place, and old ones leave together when a round of the index is over.
 * The seed is secret, so that nobody can choose ids that meet in one seat.
 */
#include <stdlib.h>
#include <string.h>

#include "ledger/index.h"

#define SEATS_LEAST 64

uint64_t fr_id_hash(uint64_t seed, const struct fr_uuid *id)
{
  uint64_t high, low;

  memcpy(&high, id->bytes, sizeof(high));
  memcpy(&low, id->bytes + sizeof(high), sizeof(low));
  high = (high ^ seed) * 0x9e3779b97f4a7c15u;
  low = (low ^ high ^ (high >> 32)) * 0xbf58476d1ce4e5b9u;
  low = (low ^ (low >> 29)) * 0x94d049bb133111ebu;
  return low ^ (low >> 32);
}

/* The seat of the id, or the free one where it would be. */
static struct fr_seat *seat_of(const struct fr_recent *recent, uint64_t seed,
                               const struct fr_uuid *id)
{
  size_t mask = recent->cap - 1, at = fr_id_hash(seed, id) & mask;

  while (recent->seats[at].place.seq &&
         memcmp(&recent->seats[at].id, id, sizeof(*id)) != 0)
    at = (at + 1) & mask;
  return &recent->seats[at];
}

struct fr_seat *fr_recent_find(const struct fr_recent *recent, uint64_t seed,
                               const struct fr_uuid *id)
{
  struct fr_seat *seat = recent->cap ? seat_of(recent, seed, id) : NULL;

  return seat && seat->place.seq ? seat : NULL;
}

/* Moves what comes after `seq` to a table for `count` of them. */
static enum fr_err move(struct fr_recent *recent, uint64_t seed, size_t count,
                        int64_t seq)
{
  struct fr_recent next = { .cap = SEATS_LEAST };
  size_t i;

  while (next.cap - next.cap / 4 < count)
    next.cap *= 2;
  next.seats = calloc(next.cap, sizeof(*next.seats));
  if (!next.seats)
    return FR_ENOMEM;
  for (i = 0; i < recent->cap; i++) {
    const struct fr_seat *seat = &recent->seats[i];

    if (seat->place.seq > seq) {
      *seat_of(&next, seed, &seat->id) = *seat;
      next.count++;
    }
  }
  free(recent->seats);
  *recent = next;
  return FR_OK;
}

enum fr_err fr_recent_put(struct fr_recent *recent, uint64_t seed,
                          const struct fr_uuid *id, struct fr_place place)
{
  struct fr_seat *seat;
  enum fr_err err = FR_OK;

  if (recent->count >= recent->cap - recent->cap / 4)
    err = move(recent, seed, recent->count + 1, 0);
  if (err)
    return err;
  seat = seat_of(recent, seed, id);
  recent->count += seat->place.seq == 0;
  seat->id = *id;
  seat->place = place;
  return FR_OK;
}

void fr_recent_trim(struct fr_recent *recent, uint64_t seed, int64_t seq)
{
  size_t left = 0, i;

  for (i = 0; i < recent->cap; i++)
    left += recent->seats[i].place.seq > seq;
  (void)move(recent, seed, left, seq);
}

void fr_recent_done(struct fr_recent *recent)
{
  free(recent->seats);
  *recent = (struct fr_recent){ 0 };
}
