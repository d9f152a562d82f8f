/* http/upload.c - see upload.h.
 *
 * The form is RFC 7578's, with the names escaped as browsers do it. libcurl
 * could write it, but only onto a connection; the transport of the tests
 * needs it, too, and one way is enough. Reading blocks the loop: for a file
 * on a disk that is nothing beside the network. */
#include "http/upload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/uuid.h"

#define NAME_MOST 255u
#define PART_MOST 4096u
#define TYPE "application/octet-stream"

/* ---- the form ----------------------------------------------------------- */

/* A quote or the end of a line would end the name. */
static enum fr_err add_name(struct fr_buf *buf, const char *name)
{
  enum fr_err err = FR_OK;

  for (; !err && *name; name++)
    err = *name == '"' || (unsigned char)*name < ' '
          ? fr_buf_addf(buf, "%%%02X", (unsigned)*name)
          : fr_buf_add(buf, name, 1);
  return err;
}

static enum fr_err put_form(struct fr_upload *upload, const char *field,
                            const char *name)
{
  static const char begin[] = "\r\nContent-Disposition: form-data; name=\"";
  char mark[FR_UUID_TEXT];
  struct fr_uuid id;
  enum fr_err err = fr_uuid_random(&id);

  if (err)
    return err;
  fr_uuid_format(&id, mark);
  (void)snprintf(upload->type, sizeof(upload->type),
                 "multipart/form-data; boundary=falrun-%s", mark);
  err = fr_buf_addf(&upload->head, "--falrun-%s%s", mark, begin);
  if (!err)
    err = add_name(&upload->head, field);
  if (!err)
    err = fr_buf_add_text(&upload->head, "\"; filename=\"");
  if (!err)
    err = add_name(&upload->head, name);
  if (!err)
    err = fr_buf_add_text(&upload->head, "\"\r\nContent-Type: " TYPE
                          "\r\n\r\n");
  if (!err)
    err = fr_buf_addf(&upload->tail, "\r\n--falrun-%s--\r\n", mark);
  return err;
}

static enum fr_err put_texts(struct fr_upload *upload, const char *path,
                             const char *field)
{
  const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
  enum fr_err err = fr_buf_add_plain(&upload->name, name, strlen(name),
                                     NAME_MOST);

  return err ? err : put_form(upload, field, name);
}

/* ---- the file ----------------------------------------------------------- */

/* Without waiting: opening a pipe would, for its other end. */
static bool open_file(const char *path, struct fr_buf *why,
                      struct fr_upload *upload)
{
  upload->fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (upload->fd < 0 || fstat(upload->fd, &upload->seen))
    fr_buf_say(why, "%s: %s", path, strerror(errno));
  else if (!S_ISREG(upload->seen.st_mode))
    fr_buf_say(why, "%s is no regular file", path);
  else if (!upload->seen.st_size)
    fr_buf_say(why, "%s is empty", path);
  else if (upload->seen.st_size > FR_UPLOAD_MOST)
    fr_buf_say(why, "%s is larger than 5 GiB", path);
  else
    return true;
  return false;
}

enum fr_err fr_upload_open(const char *path, const char *field,
                           struct fr_buf *why, struct fr_upload *ret_upload)
{
  struct fr_upload upload = { 0 };
  enum fr_err err = FR_ECONFIG;

  fr_buf_init(&upload.name, NAME_MOST + 4);
  fr_buf_init(&upload.head, PART_MOST);
  fr_buf_init(&upload.tail, PART_MOST);
  if (open_file(path, why, &upload))
    err = put_texts(&upload, path, field);
  if (err)
    fr_upload_close(&upload);
  else
    *ret_upload = upload;
  return err;
}

void fr_upload_close(struct fr_upload *upload)
{
  if (upload->fd >= 0)
    close(upload->fd);
  upload->fd = -1;
  fr_buf_done(&upload->name);
  fr_buf_done(&upload->head);
  fr_buf_done(&upload->tail);
}

static bool is_same(const struct fr_upload *upload)
{
  const struct stat *seen = &upload->seen;
  struct stat now;

  return !fstat(upload->fd, &now) && now.st_size == seen->st_size &&
         now.st_mtim.tv_sec == seen->st_mtim.tv_sec &&
         now.st_mtim.tv_nsec == seen->st_mtim.tv_nsec;
}

/* ---- reading ------------------------------------------------------------ */

bool fr_upload_rewind(struct fr_upload *upload)
{
  upload->at = 0;
  return is_same(upload);
}

off_t fr_upload_size(const struct fr_upload *upload)
{
  return (off_t)upload->head.len + upload->seen.st_size +
         (off_t)upload->tail.len;
}

static ssize_t copy(const struct fr_buf *from, off_t at, void *data,
                    size_t size)
{
  size_t left = from->len - (size_t)at;

  if (size > left)
    size = left;
  memcpy(data, from->data + at, size);
  return (ssize_t)size;
}

static ssize_t read_file(const struct fr_upload *upload, off_t at, void *data,
                         size_t size)
{
  off_t left = upload->seen.st_size - at;
  ssize_t got;

  if ((off_t)size > left)
    size = (size_t)left;
  do
    got = pread(upload->fd, data, size, at);
  while (got < 0 && errno == EINTR);
  return got > 0 ? got : -1;
}

/* Looked at after each read, and once more before the tail. */
ssize_t fr_upload_read(struct fr_upload *upload, void *data, size_t size)
{
  off_t file = (off_t)upload->head.len;
  off_t tail = file + upload->seen.st_size;
  ssize_t got;

  if (upload->fd < 0)
    return -1;
  if (!size || upload->at == fr_upload_size(upload))
    return 0;
  if (upload->at < file)
    got = copy(&upload->head, upload->at, data, size);
  else if (upload->at < tail)
    got = read_file(upload, upload->at - file, data, size);
  else
    got = copy(&upload->tail, upload->at - tail, data, size);
  if (got < 0 || !is_same(upload))
    return -1;
  upload->at += got;
  return got;
}
