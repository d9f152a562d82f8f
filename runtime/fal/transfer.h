/* fal/transfer.h - one long answer, in pieces: a file, or a stream of events.
 *
 *   start --> head, with the retries of a read --> ready, ready --> op
 *                        |                            \-- bytes, drop
 *                        +--> op, with what went wrong
 *
 * The throttle's slot is for the head alone: a stream that lives for hours
 * does not count as in flight. There is no total time, only one without a
 * byte; who takes no bytes makes fal wait, and the buffer stays bounded.
 *
 * Promise: the op is FR_OK only if the body came whole, whatever its status
 * said; it is not repeated once its head is there.
 *
 * Ownership: a transfer belongs to whoever made it and embeds its operation;
 * the spec's texts are copied. `ready` may free the transfer.
 */
#ifndef FR_FAL_TRANSFER_H
#define FR_FAL_TRANSFER_H

#include "fal/read.h"

struct fr_transfer;

struct fr_transfer_spec {
  struct fr_read_spec read;     /* its timeout is for the head */
  const char *accept;           /* media type, or NULL */
  const char *last_event_id;    /* or NULL */
  uint64_t from;                /* the first byte wanted; a Range unless 0 */
  const char *if_range;         /* with it: the validator, or NULL */
  unsigned attempts;            /* at a head; 0: three */
  uint32_t stall_ms;            /* 0: 30 s */
  /* The head of a 2xx is there: FR_OK takes it, FR_EPROTOCOL repeats, others
   * end it; `why` gets the words behind. NULL: it is taken. */
  enum fr_err (*judge)(void *arg, int status, struct fr_buf *why);
  void (*ready)(void *arg);     /* in a turn: the head was taken; bytes */
  void *arg;
};

/* Makes it, starts nothing. FR_EREAD_ONLY, FR_EINVALID, FR_ENOMEM. */
enum fr_err fr_transfer_new(struct fr_fal *fal,
                            const struct fr_transfer_spec *spec,
                            struct fr_transfer **ret_transfer);
void fr_transfer_start(struct fr_transfer *transfer);
void fr_transfer_free(struct fr_transfer *transfer);    /* NULL is fine */

/* Over: the last byte came, or the failure as of a read, or what broke off.
 * Bytes that were not dropped yet are still there then. */
struct fr_op *fr_transfer_op(struct fr_transfer *transfer);
bool fr_transfer_begun(const struct fr_transfer *transfer);

int fr_transfer_status(const struct fr_transfer *transfer);
/* Of the head, while the judge looks at it and after; or NULL. */
const char *fr_transfer_header(const struct fr_transfer *transfer,
                               const char *name);
/* What came and was not dropped, untouched: for files. */
const char *fr_transfer_bytes(const struct fr_transfer *transfer,
                              size_t *ret_len);
/* Of it what may be shown as text: whole lines, or parts of a long one, with
 * the keys blanked, cut where no key can be cut. */
const char *fr_transfer_text(struct fr_transfer *transfer, size_t *ret_len);
void fr_transfer_drop(struct fr_transfer *transfer, size_t len);
/* One clear sentence about the failure; "" without one. */
const char *fr_transfer_message(const struct fr_transfer *transfer);

#endif
