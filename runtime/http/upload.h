/* http/upload.h - a local file on its way into a request, as a form.
 *
 *   open: checked, size known --> read, read, ... --> all read | changed
 *                                   ^--- rewind: another attempt
 *
 *   head: boundary, field, name | the bytes of the file | tail: boundary
 *
 * Promise: it is opened once, so what was checked is what is read, and its
 * bytes are never held as a whole. The end of a file that changed since is
 * never given out: no request with it is whole. A change is told by size and
 * time of writing: one of the same size within a tick of the file system's
 * clock is not seen.
 *
 * Ownership: whoever opens it closes it; it holds a descriptor.
 */
#ifndef FR_HTTP_UPLOAD_H
#define FR_HTTP_UPLOAD_H

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/buf.h"

#define FR_UPLOAD_MOST ((off_t)5 << 30)         /* of the file */

struct fr_upload {
  int fd;                       /* -1: closed */
  off_t at;                     /* of the form: given out so far */
  struct stat seen;             /* the file when it was opened */
  struct fr_buf name;           /* of the file, for people */
  struct fr_buf head, tail;
  char type[96];                /* the Content-Type of the form */
};

/* As the part `field` of the form. FR_ECONFIG and why, with the path: it
 * cannot be read, is no regular file, is empty, is over the limit. */
enum fr_err fr_upload_open(const char *path, const char *field,
                           struct fr_buf *why, struct fr_upload *ret_upload);
/* Bytes of the form, from its beginning; false: the file has changed. */
bool fr_upload_rewind(struct fr_upload *upload);
off_t fr_upload_size(const struct fr_upload *upload);
/* Bytes read; 0: all were; -1: unreadable, or another than it was. */
ssize_t fr_upload_read(struct fr_upload *upload, void *data, size_t size);
void fr_upload_close(struct fr_upload *upload);         /* safe twice */

#endif
