/* base/idfile.h - request ids from a file that people keep by hand.
 *
 *   id a line            or CSV (RFC 4180) with a header
 *   # comments, blanks   request_id,reason       other columns are ignored
 *   019e6d0a-...         019e6d0a-...,"case 7, open"
 *
 * Read whole and strictly: one line that is no request id, and nothing of
 * the file counts. A byte order mark and CRLF are taken. Where request_id is
 * not the first column a line that begins with # is a row, for it may be one.
 */
#ifndef FR_BASE_IDFILE_H
#define FR_BASE_IDFILE_H

#include "base/buf.h"
#include "base/uuid.h"

#define FR_IDFILE_BYTES ((size_t)64 << 20)
#define FR_IDFILE_IDS 1000000u

/* `reason` is NULL where there is none; borrowed for the call. */
typedef enum fr_err (*fr_idfile_fn)(void *arg, const struct fr_uuid *id,
                                    const char *reason);

/* Reads the descriptor to its end; `name` is what `why` calls the file.
 * FR_EINVALID for what is wrong in it (line and words in `why`), FR_EIO,
 * FR_ETOO_BIG, FR_ENOMEM, or what `each` returned. */
enum fr_err fr_idfile_read(int fd, const char *name, fr_idfile_fn each,
                           void *arg, struct fr_buf *why);

#endif
