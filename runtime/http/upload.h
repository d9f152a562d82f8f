/* http/upload.h - a local file on its way into a request.
 *
 *   open: checked, size known --> read, read, ... --> all read | changed
 *
 * Promise: it is opened once, so what was checked is what is read. The last
 * byte of a file that changed since is never given out: no request with it
 * is whole. A change is told by size and time of writing: one of the same
 * size within a tick of the file system's clock is not seen.
 *
 * No call takes one yet (docs/platform-api.md, "Not yet").
 *
 * Ownership: whoever opens it closes it; it holds a descriptor.
 */
#ifndef FR_HTTP_UPLOAD_H
#define FR_HTTP_UPLOAD_H

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/buf.h"

#define FR_UPLOAD_MOST ((off_t)5 << 30)

struct fr_upload {
  int fd;
  off_t left;                   /* not read yet */
  struct stat seen;             /* when it was opened */
};

/* FR_EINVALID and why: unreadable, no regular file, empty, over the limit. */
enum fr_err fr_upload_open(const char *path, struct fr_buf *why,
                           struct fr_upload *ret_upload);
/* Bytes read; 0: all were; -1: unreadable, or another than it was. */
ssize_t fr_upload_read(struct fr_upload *upload, void *data, size_t size);
void fr_upload_close(struct fr_upload *upload);         /* safe twice */

#endif
