/* http/upload.c - see upload.h. */
#include "http/upload.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Without waiting: opening a pipe would, for its other end. */
enum fr_err fr_upload_open(const char *path, struct fr_buf *why,
                           struct fr_upload *ret_upload)
{
  struct fr_upload upload = { 0 };

  upload.fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (upload.fd < 0 || fstat(upload.fd, &upload.seen)) {
    fr_buf_say(why, "%s: %s", path, strerror(errno));
  } else if (!S_ISREG(upload.seen.st_mode)) {
    fr_buf_say(why, "%s is no regular file", path);
  } else if (!upload.seen.st_size) {
    fr_buf_say(why, "%s is empty", path);
  } else if (upload.seen.st_size > FR_UPLOAD_MOST) {
    fr_buf_say(why, "%s is larger than 5 GiB", path);
  } else {
    upload.left = upload.seen.st_size;
    *ret_upload = upload;
    return FR_OK;
  }
  fr_upload_close(&upload);
  return FR_EINVALID;
}

static bool is_same(const struct fr_upload *upload)
{
  const struct stat *seen = &upload->seen;
  struct stat now;

  return !fstat(upload->fd, &now) && now.st_size == seen->st_size &&
         now.st_mtim.tv_sec == seen->st_mtim.tv_sec &&
         now.st_mtim.tv_nsec == seen->st_mtim.tv_nsec;
}

ssize_t fr_upload_read(struct fr_upload *upload, void *data, size_t size)
{
  ssize_t got;

  if (!upload->left || !size)
    return 0;
  if ((off_t)size > upload->left)
    size = (size_t)upload->left;
  do
    got = read(upload->fd, data, size);
  while (got < 0 && errno == EINTR);
  if (got <= 0 || !is_same(upload))
    return -1;
  upload->left -= got;
  return got;
}

void fr_upload_close(struct fr_upload *upload)
{
  if (upload->fd >= 0)
    close(upload->fd);
  upload->fd = -1;
}
