/* fal/part.c - see part.h.
 *
 *   FILE.part.from    falrun part 1 \n  20 digits: kept  \n  URL  \n
 *                     validator  \n
 *
 * `kept` is written in place after the bytes were synced; when it is lost, an
 * older, smaller one counts. A new version is announced there, synced and
 * with nothing kept, before the bytes of the old one are cut off. */
#include "fal/part.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define STEP (8u << 20)         /* bytes from one sync to the next */
#define MARK "falrun part 1\n"
#define DIGITS 20
#define NOTE_MOST (80u << 10)

struct fr_part {
  int fd, note;                 /* -1: not open */
  uint64_t size, kept;
  bool replace, placed;
  char path[FR_PART_PATH_MOST + 1];
  char aside[FR_PART_PATH_MOST + 6], said[FR_PART_PATH_MOST + 11];
  char validator[FR_PART_VALIDATOR_MOST + 1];
  char source[];
};

/* `name` for the eyes of a person. */
static enum fr_err fail(struct fr_buf *why, const char *name,
                        const char *what, int error)
{
  fr_buf_clear(why);
  (void)fr_buf_add_plain(why, name, strlen(name), 300);
  (void)fr_buf_addf(why, " cannot be %s: %s", what, strerror(error));
  return error == ENOMEM ? FR_ENOMEM : FR_EIO;
}

static enum fr_err refuse(struct fr_buf *why, enum fr_err err,
                          const char *name, const char *words)
{
  fr_buf_clear(why);
  (void)fr_buf_add_plain(why, name, strlen(name), 300);
  (void)fr_buf_add_text(why, words);
  return err;
}

/* 0, or an errno. */
static int write_at(int fd, const char *data, size_t len, uint64_t at)
{
  while (len > 0) {
    ssize_t n = pwrite(fd, data, len, (off_t)at);

    if (n < 0 && errno != EINTR)
      return errno;
    if (n > 0) {
      data += n;
      len -= (size_t)n;
      at += (uint64_t)n;
    }
  }
  return 0;
}

/* ---- what was kept ------------------------------------------------------ */

/* The line that begins at *at, which moves behind it; NULL: none is whole. */
static char *line_at(char **at)
{
  char *line = *at, *end = strchr(line, '\n');

  if (!end)
    return NULL;
  *end = 0;
  *at = end + 1;
  return line;
}

/* False: it is not of this source, or not readable as a note. */
static bool read_note(struct fr_part *part, char *text)
{
  char *at = text + sizeof(MARK) - 1, *digits, *source, *validator, *rest;

  if (strncmp(text, MARK, sizeof(MARK) - 1))
    return false;
  digits = line_at(&at);
  source = digits ? line_at(&at) : NULL;
  validator = source ? line_at(&at) : NULL;
  if (!validator || *at || strcmp(source, part->source) || !*validator ||
      strlen(validator) > FR_PART_VALIDATOR_MOST ||
      strlen(digits) != DIGITS || strspn(digits, "0123456789") != DIGITS)
    return false;
  errno = 0;
  part->kept = strtoull(digits, &rest, 10);
  strcpy(part->validator, validator);
  return !errno && part->kept <= INT64_MAX;
}

/* What is longer than it was kept is cut off: nobody knows what it is. */
static int resume(struct fr_part *part, uint64_t size)
{
  char *text = calloc(1, NOTE_MOST + 1);
  ssize_t len = text ? pread(part->note, text, NOTE_MOST, 0) : -1;
  bool good = len > 0 && (size_t)len == strlen(text) && read_note(part, text);

  free(text);
  if (!good || part->kept > size) {
    part->kept = 0;
    part->validator[0] = 0;
  }
  part->size = part->kept;
  return ftruncate(part->fd, (off_t)part->size) ? errno : 0;
}

static int put_note(struct fr_part *part)
{
  char head[sizeof(MARK) + DIGITS + 1];
  struct fr_buf text;
  int error = ENOMEM;

  snprintf(head, sizeof(head), MARK "%0*d\n", DIGITS, 0);
  fr_buf_init(&text, NOTE_MOST);
  if (!fr_buf_addf(&text, "%s%s\n%s\n", head, part->source, part->validator))
    error = ftruncate(part->note, 0) ? errno
      : write_at(part->note, text.data, text.len, 0);
  fr_buf_done(&text);
  if (!error && fdatasync(part->note))
    error = errno;
  return error;
}

/* From now on these bytes count. */
static int keep(struct fr_part *part)
{
  char digits[DIGITS + 1];

  if (part->kept == part->size || !part->validator[0])
    return 0;
  if (fdatasync(part->fd))
    return errno;
  part->kept = part->size;
  snprintf(digits, sizeof(digits), "%0*llu", DIGITS,
           (unsigned long long)part->kept);
  return write_at(part->note, digits, DIGITS, sizeof(MARK) - 1);
}

/* ---- opening ------------------------------------------------------------ */

static enum fr_err open_one(const char *name, int *ret_fd, struct fr_buf *why)
{
  struct stat info;
  int fd = open(name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY |
                      O_NONBLOCK, 0600);

  if (fd < 0)
    return errno == ELOOP
      ? refuse(why, FR_EIO, name, " is a link; remove it first")
      : fail(why, name, "written", errno);
  *ret_fd = fd;
  if (fstat(fd, &info))
    return fail(why, name, "written", errno);
  if (!S_ISREG(info.st_mode) || info.st_nlink != 1)
    return refuse(why, FR_EIO, name, " is no plain file of its own; remove "
                  "it first");
  return FR_OK;
}

/* Whoever had the lock before may have put the file in its place. */
static bool is_still_there(const struct fr_part *part, uint64_t *ret_size)
{
  struct stat here, there;

  if (fstat(part->fd, &here) || lstat(part->aside, &there) ||
      here.st_ino != there.st_ino || here.st_dev != there.st_dev)
    return false;
  *ret_size = (uint64_t)here.st_size;
  return true;
}

static enum fr_err open_both(struct fr_part *part, struct fr_buf *why)
{
  enum fr_err err = open_one(part->aside, &part->fd, why);
  uint64_t size = 0;
  int error;

  if (err)
    return err;
  if (flock(part->fd, LOCK_EX | LOCK_NB) || !is_still_there(part, &size)) {
    close(part->fd);            /* it is not ours to remove */
    part->fd = -1;
    return refuse(why, FR_ELOCKED, part->aside, " is being written by "
                  "another process; wait for it");
  }
  err = open_one(part->said, &part->note, why);
  if (err)
    return err;
  error = resume(part, size);
  return error ? fail(why, part->aside, "written", error) : FR_OK;
}

enum fr_err fr_part_open(const char *path, const char *source, bool replace,
                         struct fr_buf *why, struct fr_part **ret_part)
{
  size_t len = strlen(path), size = strlen(source) + 1;
  struct fr_part *part;
  struct stat info;
  enum fr_err err;

  if (!len || len > FR_PART_PATH_MOST || path[len - 1] == '/')
    return refuse(why, FR_EINVALID, path, " is no name for a file");
  if (!lstat(path, &info) && (!replace || !S_ISREG(info.st_mode)))
    return refuse(why, FR_EINVALID, path, replace
                  ? " is there and is no plain file"
                  : " is there already; nothing was sent");
  part = calloc(1, sizeof(*part) + size);
  if (!part)
    return FR_ENOMEM;
  part->fd = part->note = -1;
  part->replace = replace;
  strcpy(part->path, path);
  snprintf(part->aside, sizeof(part->aside), "%s.part", path);
  snprintf(part->said, sizeof(part->said), "%s.part.from", path);
  memcpy(part->source, source, size);
  err = open_both(part, why);
  if (err) {
    fr_part_close(part);
    return err;
  }
  *ret_part = part;
  return FR_OK;
}

void fr_part_close(struct fr_part *part)
{
  if (!part)
    return;
  if (part->fd >= 0 && part->note >= 0) {
    if (!part->placed)
      (void)keep(part);
    if (part->placed || !part->kept)
      (void)unlink(part->said);
    if (!part->placed && !part->kept)
      (void)unlink(part->aside);
  }
  if (part->note >= 0)
    close(part->note);
  if (part->fd >= 0)
    close(part->fd);            /* and with it goes the lock */
  free(part);
}

uint64_t fr_part_size(const struct fr_part *part)
{
  return part->size;
}

const char *fr_part_validator(const struct fr_part *part)
{
  return part->validator;
}

/* ---- writing ------------------------------------------------------------ */

enum fr_err fr_part_begin(struct fr_part *part, const char *validator,
                          struct fr_buf *why)
{
  int error;

  snprintf(part->validator, sizeof(part->validator), "%s", validator);
  part->size = part->kept = 0;
  error = put_note(part);
  if (error)
    return fail(why, part->said, "written", error);
  if (ftruncate(part->fd, 0))
    return fail(why, part->aside, "written", errno);
  return FR_OK;
}

enum fr_err fr_part_write(struct fr_part *part, const void *data, size_t len,
                          struct fr_buf *why)
{
  int error = write_at(part->fd, data, len, part->size);

  if (!error) {
    part->size += len;
    if (part->size - part->kept >= STEP)
      error = keep(part);
  }
  return error ? fail(why, part->aside, "written", error) : FR_OK;
}

/* ---- the end ------------------------------------------------------------ */

/* Not all file systems have the first, and not all the second. */
static int put_new(const char *aside, const char *path)
{
  if (!renameat2(AT_FDCWD, aside, AT_FDCWD, path, RENAME_NOREPLACE))
    return 0;
  if (errno != EINVAL)
    return errno;
  if (link(aside, path))
    return errno;
  return unlink(aside) ? errno : 0;
}

static int sync_folder(const char *path)
{
  const char *slash = strrchr(path, '/');
  char *folder = slash ? strndup(path, (size_t)(slash - path) + 1)
                       : strdup(".");
  int fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
  int error = fd < 0 || fsync(fd) ? errno : 0;

  free(folder);
  if (fd >= 0)
    close(fd);
  return error == EINVAL ? 0 : error;   /* a file system that cannot */
}

enum fr_err fr_part_place(struct fr_part *part, struct fr_buf *why)
{
  int error = fsync(part->fd) ? errno : 0;

  if (!error && part->replace)
    error = rename(part->aside, part->path) ? errno : 0;
  else if (!error)
    error = put_new(part->aside, part->path);
  if (error == EEXIST)
    return refuse(why, FR_EINVALID, part->path, " came to be meanwhile, and "
                  "is left as it is");
  if (error)
    return fail(why, part->path, "written", error);
  part->placed = true;
  error = sync_folder(part->path);
  return error ? fail(why, part->path, "synced", error) : FR_OK;
}
