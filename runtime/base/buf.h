/* base/buf.h - a byte buffer that cannot grow past what its owner allowed.
 *
 * Promise: `data` is always NUL-terminated text for whoever wants a string
 * (fr_buf_text never returns NULL), and no buffer exists without a maximum.
 * On an error the buffer keeps what it held before the call.
 *
 * Ownership: a buffer is embedded in its owner; fr_buf_done frees its bytes
 * and leaves it as after fr_buf_init.
 */
#ifndef FR_BASE_BUF_H
#define FR_BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>

#include "base/err.h"

struct fr_buf {
  char *data;
  size_t len, cap, max;
};

void fr_buf_init(struct fr_buf *buf, size_t max);
void fr_buf_done(struct fr_buf *buf);
void fr_buf_clear(struct fr_buf *buf);          /* empties, keeps the memory */
const char *fr_buf_text(const struct fr_buf *buf);

/* FR_ETOO_BIG past the maximum, FR_ENOMEM; nothing is added then. */
enum fr_err fr_buf_add(struct fr_buf *buf, const void *data, size_t len);
enum fr_err fr_buf_add_text(struct fr_buf *buf, const char *text);
enum fr_err fr_buf_addf(struct fr_buf *buf, const char *format, ...)
  __attribute__((format(printf, 2, 3)));

/* Adds `text` as a JSON string with its quotes; NULL adds null. Bytes that
 * are not UTF-8 become U+FFFD, control characters are escaped. */
enum fr_err fr_buf_add_json(struct fr_buf *buf, const char *text);

/* Adds text for a person's eyes: control characters become '?', at most
 * `most` bytes are taken (an ellipsis says that more was there). */
enum fr_err fr_buf_add_plain(struct fr_buf *buf, const char *text,
                             size_t len, size_t most);

/* Replaces the content by one formatted sentence; used for `why` buffers,
 * where an error's words go. What does not fit is cut. */
void fr_buf_say(struct fr_buf *buf, const char *format, ...)
  __attribute__((format(printf, 2, 3)));

#endif
