/* ledger/place.c - where the ledger lies: path, folder, lock, first byte.
 *
 * The path is made absolute and free of links first. Two names of one file
 * would otherwise take two locks, and two runs could delete side by side.
 *
 * The lock is flock() on PATH.lock: it dies with the process, however the
 * process dies. Its file is never removed, because removing a file that
 * somebody waits for would let two hold "the" lock.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "ledger/internal.h"

#define LOCK_POLL_MS 50

static enum fr_err fail_at(struct fr_ledger *ledger, const char *what,
                           const char *path)
{
  if (errno == ENOMEM)
    return fr_ledger_fail(ledger, FR_ENOMEM, "out of memory in the ledger");
  return fr_ledger_fail(ledger, FR_EIO, "cannot %s %s for the ledger: %s",
                        what, path, strerror(errno));
}

/* A new name is durable when the folder that holds it is. */
static void sync_folder(const char *path)
{
  int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  if (fd < 0)
    return;
  (void)fsync(fd);
  (void)close(fd);
}

/* The folder of a path, in new memory; "." where it names none. */
static char *folder_of(const char *path)
{
  const char *slash = strrchr(path, '/');

  if (!slash)
    return strdup(".");
  return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

static enum fr_err make_one(struct fr_ledger *ledger, const char *path)
{
  struct stat info;
  char *parent;

  if (stat(path, &info) == 0)
    return FR_OK;
  if (mkdir(path, 0700) != 0)
    return errno == EEXIST ? FR_OK : fail_at(ledger, "create", path);
  if (chmod(path, 0700) != 0)
    return fail_at(ledger, "create", path);
  parent = folder_of(path);
  if (!parent)
    return fail_at(ledger, "create", path);
  sync_folder(parent);
  free(parent);
  return FR_OK;
}

static enum fr_err make_folders(struct fr_ledger *ledger, char *folder)
{
  enum fr_err err = FR_OK;
  char *at = folder;

  while (!err && (at = strchr(at + 1, '/')) != NULL) {
    *at = '\0';
    err = make_one(ledger, folder);
    *at = '/';
  }
  return err ? err : make_one(ledger, folder);
}

static char *join(const char *folder, const char *path)
{
  const char *slash = strrchr(path, '/');
  char *full = NULL;

  if (asprintf(&full, "%s/%s", strcmp(folder, "/") ? folder : "",
               slash ? slash + 1 : path) < 0)
    return NULL;
  return full;
}

/* The place of a file that is not there yet; `file` stays NULL when nothing
 * may be created and the folder is missing too. */
static enum fr_err resolve_new(struct fr_ledger *ledger)
{
  char *folder = folder_of(ledger->path), *real = NULL;
  enum fr_err err = FR_OK;

  if (!folder)
    return fail_at(ledger, "find", ledger->path);
  if (ledger->access != FR_LEDGER_READ)
    err = make_folders(ledger, folder);
  if (!err) {
    real = realpath(folder, NULL);
    if (real)
      ledger->file = join(real, ledger->path);
    if (!ledger->file && (errno != ENOENT ||
                          ledger->access != FR_LEDGER_READ))
      err = fail_at(ledger, "find", folder);
  }
  free(real);
  free(folder);
  return err;
}

static enum fr_err resolve(struct fr_ledger *ledger)
{
  ledger->file = realpath(ledger->path, NULL);
  if (ledger->file)
    return FR_OK;
  if (errno != ENOENT)
    return fail_at(ledger, "find", ledger->path);
  return resolve_new(ledger);
}

/* What root creates in a folder of somebody else's is theirs: the service
 * whose ledger it is must be able to open it after a hold that root added.
 * SQLite does the same for its WAL. A file with two names or with content may
 * be one that was put there for root to give away: it stays as it is. */
static void give_away(int fd, const char *path)
{
  char *folder = geteuid() == 0 ? folder_of(path) : NULL;
  struct stat info, file;
  int failed = 0;

  if (folder && stat(folder, &info) == 0 && info.st_uid != 0 &&
      fstat(fd, &file) == 0 && file.st_uid == 0 && file.st_nlink == 1 &&
      file.st_size == 0)
    failed = fchown(fd, info.st_uid, info.st_gid);
  (void)failed;
  free(folder);
}

/* ---- the lock ------------------------------------------------------------ */

static enum fr_err locked(struct fr_ledger *ledger, const char *path)
{
  char text[32];
  ssize_t len = pread(ledger->lock_fd, text, sizeof(text) - 1, 0);

  text[len > 0 ? len : 0] = '\0';
  text[strcspn(text, "\n")] = '\0';
  return fr_ledger_fail(ledger, FR_ELOCKED, "%s is locked: another run, "
                        "process %s, is using this ledger; wait for it to "
                        "end, or use --lock-wait", path,
                        text[0] ? text : "unknown");
}

static enum fr_err take_lock(struct fr_ledger *ledger, const char *path,
                             uint64_t wait_ms)
{
  const struct timespec pause = { 0, LOCK_POLL_MS * 1000000L };
  uint64_t waited = 0;

  ledger->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
                         0600);
  if (ledger->lock_fd < 0)
    return fail_at(ledger, "open", path);
  give_away(ledger->lock_fd, path);
  while (flock(ledger->lock_fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR)
      return fail_at(ledger, "lock", path);
    if (waited >= wait_ms)
      return locked(ledger, path);
    (void)nanosleep(&pause, NULL);
    waited += LOCK_POLL_MS;
  }
  (void)fchmod(ledger->lock_fd, 0600);
  /* For the message of others only: a full disk must not stop a reader. */
  if (ftruncate(ledger->lock_fd, 0) == 0)
    (void)dprintf(ledger->lock_fd, "%ld\n", (long)getpid());
  return FR_OK;
}

static enum fr_err lock(struct fr_ledger *ledger, uint64_t wait_ms)
{
  enum fr_err err;
  char *path = NULL;

  if (ledger->access != FR_LEDGER_RUN)
    return FR_OK;
  if (asprintf(&path, "%s.lock", ledger->file) < 0)
    return fr_ledger_fail(ledger, FR_ENOMEM, "out of memory in the ledger");
  err = take_lock(ledger, path, wait_ms);
  free(path);
  return err;
}

/* ---- the first byte ------------------------------------------------------ */

/* SQLite would create the file as the umask says. */
static enum fr_err create(struct fr_ledger *ledger)
{
  int fd = open(ledger->file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  enum fr_err err = FR_OK;
  char *folder;

  if (fd < 0)
    return errno == EEXIST ? FR_OK : fail_at(ledger, "create",
                                             ledger->file);
  if (fchmod(fd, 0600) != 0)
    err = fail_at(ledger, "create", ledger->file);
  give_away(fd, ledger->file);
  (void)close(fd);
  folder = folder_of(ledger->file);
  if (folder)
    sync_folder(folder);
  free(folder);
  return err;
}

static enum fr_err look(struct fr_ledger *ledger)
{
  struct stat info;

  if (!ledger->file) {          /* a reader found not even the folder */
    ledger->blank = true;
    return FR_OK;
  }
  if (stat(ledger->file, &info) != 0) {
    if (errno != ENOENT)
      return fail_at(ledger, "read", ledger->file);
    ledger->blank = ledger->access == FR_LEDGER_READ;
    return ledger->blank ? FR_OK : create(ledger);
  }
  if (!S_ISREG(info.st_mode))
    return fr_ledger_fail(ledger, FR_EIO, "the ledger %s is not a regular "
                          "file", ledger->path);
  ledger->blank = info.st_size == 0 && ledger->access == FR_LEDGER_READ;
  return FR_OK;
}

/* Leaves ledger->file NULL where the ledger lives in memory. */
enum fr_err fr_place_find(struct fr_ledger *ledger, uint64_t lock_wait_ms)
{
  enum fr_err err;

  if (strcmp(ledger->path, ":memory:") == 0) {
    ledger->blank = ledger->access == FR_LEDGER_READ;
    return FR_OK;
  }
  if (!ledger->path[0])
    return fr_ledger_fail(ledger, FR_EIO, "the path of the ledger is empty");
  err = resolve(ledger);
  if (!err)
    err = lock(ledger, lock_wait_ms);
  if (!err)
    err = look(ledger);
  if (!err && ledger->blank) {
    free(ledger->file);
    ledger->file = NULL;
  }
  return err;
}
