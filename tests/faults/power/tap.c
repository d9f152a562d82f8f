/* tap.c - see tap.h. Only calls that SQLite's unix VFS and runtime/ledger
 * make are here; a rename, which neither makes, would end the program. */
#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tap.h"

#define FILES 1024

static struct {
  bool on, spare, ignore;
  char root[256];
  struct op *ops;
  size_t count, cap;
  int inodes;
  int inode_of[FILES];          /* by descriptor: inode + 1, 0 is none */
  char *folder_of[FILES];       /* by descriptor; NULL is none */
} tap;

/* ---- the log ------------------------------------------------------------- */

static void log_op(struct op op)
{
  if (tap.count == tap.cap) {
    tap.cap = tap.cap ? tap.cap * 2 : 1024;
    tap.ops = realloc(tap.ops, tap.cap * sizeof(*tap.ops));
    if (!tap.ops)
      abort();
  }
  tap.ops[tap.count++] = op;
}

static void *copy_of(const void *data, size_t size)
{
  void *copy = malloc(size + 1);

  if (!copy)
    abort();
  memcpy(copy, data, size);
  ((char *)copy)[size] = '\0';
  return copy;
}

static void log_name(enum op_kind kind, int inode, const char *name)
{
  log_op((struct op) { .kind = kind, .inode = inode,
                       .name = copy_of(name, strlen(name)) });
}

static void log_data(int inode, uint64_t at, const void *data, size_t size)
{
  log_op((struct op) { .kind = OP_WRITE, .inode = inode, .at = at,
                       .size = size, .data = copy_of(data, size) });
}

/* The path below the root, or NULL: it is not ours. */
static const char *below(const char *path)
{
  size_t len = strlen(tap.root);

  if (!tap.on || strncmp(path, tap.root, len) != 0)
    return NULL;
  if (path[len] == '\0')
    return path + len;
  return path[len] == '/' ? path + len + 1 : NULL;
}

/* The inode that the name has now, by the log. */
static int inode_of(const char *name)
{
  size_t i = tap.count;

  while (i-- > 0)
    if ((tap.ops[i].kind == OP_ENTER || tap.ops[i].kind == OP_LEAVE) &&
        strcmp(tap.ops[i].name, name) == 0)
      return tap.ops[i].kind == OP_ENTER ? tap.ops[i].inode : NO_INODE;
  return NO_INODE;
}

/* ---- the calls ----------------------------------------------------------- */

static void opened(int fd, const char *path, int flags, bool was_there)
{
  const char *name = below(path);
  int inode;

  if (!name || fd < 0 || fd >= FILES)
    return;
  if (flags & O_DIRECTORY || name[0] == '\0' || inode_of(name) == NO_INODE) {
    struct stat info;

    if (fstat(fd, &info) == 0 && S_ISDIR(info.st_mode)) {
      tap.folder_of[fd] = copy_of(name, strlen(name));
      return;
    }
  }
  if (!was_there)
    log_name(OP_ENTER, tap.inodes++, name);
  inode = inode_of(name);
  tap.inode_of[fd] = inode + 1;
  if (was_there && flags & O_TRUNC)
    log_op((struct op) { .kind = OP_SIZE, .inode = inode });
}

static int tapped_open(const char *path, int flags, mode_t mode)
{
  bool there = faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
  int fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);

  opened(fd, path, flags, there);
  return fd;
}

static mode_t mode_in(int flags, va_list args)
{
  return flags & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0;
}

#undef open
int open(const char *path, int flags, ...)
{
  va_list args;
  mode_t mode;

  va_start(args, flags);
  mode = mode_in(flags, args);
  va_end(args);
  return tapped_open(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
  va_list args;
  mode_t mode;

  va_start(args, flags);
  mode = mode_in(flags, args);
  va_end(args);
  return tapped_open(path, flags, mode);
}

int close(int fd)
{
  if (fd >= 0 && fd < FILES) {
    tap.inode_of[fd] = 0;
    free(tap.folder_of[fd]);
    tap.folder_of[fd] = NULL;
  }
  return (int)syscall(SYS_close, fd);
}

static bool is_tapped(int fd)
{
  return tap.on && fd >= 0 && fd < FILES && tap.inode_of[fd] > 0;
}

static ssize_t wrote(int fd, const void *data, ssize_t len, off_t at)
{
  if (len > 0 && is_tapped(fd))
    log_data(tap.inode_of[fd] - 1, (uint64_t)at, data, (size_t)len);
  return len;
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t at)
{
  return wrote(fd, data, syscall(SYS_pwrite64, fd, data, len, at), at);
}

ssize_t pwrite64(int fd, const void *data, size_t len, off64_t at)
{
  return wrote(fd, data, syscall(SYS_pwrite64, fd, data, len, at), at);
}

ssize_t write(int fd, const void *data, size_t len)
{
  off_t at = is_tapped(fd) ? lseek(fd, 0, SEEK_CUR) : 0;

  return wrote(fd, data, syscall(SYS_write, fd, data, len), at);
}

static int resized(int fd, off_t size)
{
  int result = (int)syscall(SYS_ftruncate, fd, size);

  if (result == 0 && is_tapped(fd))
    log_op((struct op) { .kind = OP_SIZE, .inode = tap.inode_of[fd] - 1,
                         .size = (uint64_t)size });
  return result;
}

int ftruncate(int fd, off_t size)
{
  return resized(fd, size);
}

int ftruncate64(int fd, off64_t size)
{
  return resized(fd, size);
}

static int synced(int fd, long call)
{
  int result = tap.on || tap.spare ? 0 : (int)syscall(call, fd);

  if (is_tapped(fd))
    log_op((struct op) { .kind = OP_SYNC, .inode = tap.inode_of[fd] - 1 });
  else if (tap.on && !tap.ignore && fd >= 0 && fd < FILES &&
           tap.folder_of[fd])
    log_name(OP_SYNC_FOLDER, NO_INODE, tap.folder_of[fd]);
  return result;
}

int fsync(int fd)
{
  return synced(fd, SYS_fsync);
}

int fdatasync(int fd)
{
  return synced(fd, SYS_fdatasync);
}

int unlink(const char *path)
{
  int result = (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
  const char *name = below(path);

  if (result == 0 && name)
    log_name(OP_LEAVE, NO_INODE, name);
  return result;
}

int mkdir(const char *path, mode_t mode)
{
  int result = (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
  const char *name = below(path);

  if (result == 0 && name)
    log_name(OP_ENTER, NO_INODE, name);
  return result;
}

int rename(const char *from, const char *to)
{
  if (below(from) || below(to))
    abort();
  return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

/* ---- from outside -------------------------------------------------------- */

/* What lies in the folder and is no folder is durable. */
static void take_in(const char *root)
{
  DIR *folder = opendir(root);
  struct dirent *entry;

  while (folder && (entry = readdir(folder)) != NULL) {
    char path[600], *data;
    FILE *file;
    size_t len;

    if (entry->d_type != DT_REG)
      continue;
    snprintf(path, sizeof(path), "%s/%s", root, entry->d_name);
    file = fopen(path, "rb");
    data = malloc(8 << 20);
    if (!file || !data)
      abort();
    len = fread(data, 1, 8 << 20, file);
    fclose(file);
    log_name(OP_ENTER, tap.inodes, entry->d_name);
    log_data(tap.inodes, 0, data, len);
    log_op((struct op) { .kind = OP_SYNC, .inode = tap.inodes++ });
    free(data);
  }
  if (folder)
    closedir(folder);
  log_name(OP_SYNC_FOLDER, NO_INODE, "");
}

void tap_begin(const char *root)
{
  tap_free();
  take_in(root);
  tap_go_on(root, tap.count);
}

static void forget_from(size_t count)
{
  while (tap.count > count) {
    tap.count--;
    free((void *)(uintptr_t)tap.ops[tap.count].name);
    free((void *)(uintptr_t)tap.ops[tap.count].data);
  }
}

void tap_go_on(const char *root, size_t count)
{
  forget_from(count);
  snprintf(tap.root, sizeof(tap.root), "%s", root);
  tap.on = true;
}

void tap_end(void)
{
  tap.on = false;
}

void tap_told(int promise)
{
  log_op((struct op) { .kind = OP_TOLD, .inode = promise });
}

const struct op *tap_log(size_t *ret_count)
{
  *ret_count = tap.count;
  return tap.ops;
}

void tap_free(void)
{
  forget_from(0);
  free(tap.ops);
  tap.ops = NULL;
  tap.cap = 0;
  tap.inodes = 0;
}

void tap_spare_syncs(bool spare)
{
  tap.spare = spare;
}

void tap_ignore_folders(bool ignore)
{
  tap.ignore = ignore;
}
