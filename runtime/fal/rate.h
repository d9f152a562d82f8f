/* fal/rate.h - the rate that a server allows, guessed from its answers.
 *
 *            a little faster than `known`
 *   PROBE ------------- 429 -------------> hit: `known` is measured anew,
 *     ^ |                                 ^  |  a pause fills the bucket
 *     | +-- more came through --> RACE ---+  |
 *     |     than it can hold    429          |
 *     +--------------------------------------+
 *
 * The law. The server is taken for a bucket that holds one second's worth.
 * From one 429 to the next it goes from empty to empty, so what came through
 * in between, pauses included, is what flowed in: the good answers divided by
 * the time are its rate. A pause of a second fills the bucket, and who sends
 * a fifth faster than the rate uses up in five seconds what it saved: so
 * asking for the limit costs few 429s and no throughput. When the model of
 * the bucket is overdrawn and no 429 came, the limit is higher than known,
 * and the speed grows by half a second, faster and faster, until one does.
 *
 * Promise: never faster than the cap. Before the first hit there is no other
 * bound. No clock in here: `now` is in milliseconds and never goes back.
 */
#ifndef FR_FAL_RATE_H
#define FR_FAL_RATE_H

#include <stdbool.h>
#include <stdint.h>

struct fr_rate {                /* read it, but change it only from here */
  double cap;                   /* per second, as the rest; 0: none */
  double known;                 /* what the server allows; 0: no hit yet */
  double speed;                 /* sent at most; 0: no bound */
  double tokens;                /* may be sent now */
  double bucket;                /* left in the server's, by the model */
  double weight, seconds;       /* answers and time behind `known` */
  double holds, spill;          /* the bucket's depth; what a pause wastes;
                                 * both in seconds */
  double good, race_good;       /* answers since the hit; in the race */
  uint64_t filled_at, hit_at, race_at;
  unsigned hits, sure, races;
  bool racing, held;            /* held: somebody waits for a token */
};

void fr_rate_init(struct fr_rate *rate, double cap, uint64_t now);

/* When the next token is there: `now`, or later. */
uint64_t fr_rate_due(struct fr_rate *rate, uint64_t now);
void fr_rate_take(struct fr_rate *rate);        /* one that was due */
void fr_rate_good(struct fr_rate *rate);        /* a good answer came */

/* A 429 because of the rate, the first of its kind; all wait `pause_ms`.
 * `sure`: nothing else can have been the reason. */
void fr_rate_hit(struct fr_rate *rate, uint64_t now, uint64_t pause_ms,
                 bool sure);
/* A 429 for another reason: unless two hits were sure, all is forgotten. */
void fr_rate_doubt(struct fr_rate *rate, uint64_t now);
/* By the model the bucket is about empty, so that a 429 is no wonder. */
bool fr_rate_expects_hit(const struct fr_rate *rate);

#endif
