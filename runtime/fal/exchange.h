/* fal/exchange.h - one request with its repeats; reads and changes are both
 * made of it. For runtime/fal only.
 *
 *   start --> QUEUED --slot--> SENT --answer--> judged --> OVER
 *               ^                                  |
 *               +--- due --- PAUSED <--retry law---+
 *
 * Promise: the op finishes once. While it is SENT and a byte may have left, a
 * stop or a withdrawal leaves it alone; at any other time they end it.
 *
 * Ownership: lives inside its owner's struct, zeroed at first. The strings
 * of the spec are borrowed and outlive it. The last call (and so its body)
 * lives until fr_exchange_done.
 */
#ifndef FR_FAL_EXCHANGE_H
#define FR_FAL_EXCHANGE_H

#include "fal/internal.h"
#include "fal/retry.h"

struct fr_exchange;

struct fr_exchange_spec {
  const char *method, *url, *content_type, *idempotency_key;
  const void *body;
  size_t body_len, max_body;
  struct fr_upload *upload;     /* a form in place of the body; or NULL */
  enum fr_key key;
  bool changes;
  unsigned attempts;
  uint32_t timeout_ms;          /* 0: 60 s; of an upload: without a byte */
  int64_t key_at_ms;            /* with an idempotency_key */
  unsigned backoff;             /* repeats that went before */
  /* Reads the body of a 2xx (keys are blanked in it): FR_OK, FR_EPROTOCOL
   * (repeated), or any end; `why` gets the words behind the failure. */
  enum fr_err (*judge)(struct fr_exchange *exchange, int status,
                       const char *body, size_t len, struct fr_buf *why);
  bool trial;                   /* a key that is refused stops nobody */
  bool once;                    /* no repeat of a request that may have left */
  const char *range, *if_range, *last_event_id, *accept;        /* headers */
  /* Not NULL: the answer comes in pieces. The op finishes at the head of a
   * 2xx that the judge takes (its body as it is then), and timeout_ms is for
   * that alone. The call goes on; this is told of its bytes and its end. */
  void (*piece)(struct fr_exchange *exchange);
  uint32_t stall_ms;            /* with it: without a byte; 0: 30 s */
};

enum fr_exchange_state {
  FR_EXCHANGE_NEW, FR_EXCHANGE_QUEUED, FR_EXCHANGE_SENT,
  FR_EXCHANGE_PAUSED, FR_EXCHANGE_OVER
};

struct fr_exchange {
  struct fr_op op;
  struct fr_fal *fal;
  struct fr_exchange_spec spec;
  struct fr_generation generation;
  struct fr_slot slot;
  struct fr_timer timer;
  struct fr_list link;          /* fr_fal.exchanges */
  struct fr_call *call;         /* in flight, or the last one; or NULL */
  struct fr_buf message;
  enum fr_exchange_state state;
  enum fr_err err;              /* of the last attempt; at last, the end's */
  int status;                   /* of the last attempt; 0: no answer */
  unsigned tries, attempts;     /* made; of them, may have left */
  uint64_t sent;                /* which of the run's requests the last was */
  bool again, unanswered, replayed;
  bool doubtful;                /* a 5xx that may stand for anything came */
  bool call_over;               /* in pieces: the last byte came, ... */
  enum fr_err call_err;         /* ... or what ended them */
  uint64_t started, ended;      /* on fr_loop_now's scale */
};

void fr_exchange_init(struct fr_exchange *exchange, struct fr_fal *fal,
                      const struct fr_exchange_spec *spec);
void fr_exchange_start(struct fr_exchange *exchange);
/* Ends it with `err` unless a byte of its attempt may have left; true: it is
 * over (or never began). */
bool fr_exchange_withdraw(struct fr_exchange *exchange, enum fr_err err);
void fr_exchange_done(struct fr_exchange *exchange);    /* abandons */
/* "" when it succeeded; never NULL. */
const char *fr_exchange_message(const struct fr_exchange *exchange);

#endif
