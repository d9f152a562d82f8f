/* ledger/holder.c - who has the lock, asked without touching it.
 *
 * To try the lock would be to hold it for a moment, and a run that starts in
 * that moment would end with exit code 6. The kernel lists all locks with
 * their inodes; it shows 0 for a process of another namespace. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "ledger/ledger.h"

/* "1: FLOCK  ADVISORY  WRITE 1234 08:01:5678 0 EOF"; waiting ones have an
 * arrow after the colon, and do not match. */
static bool holds(const char *line, const struct stat *lock, int64_t *ret_pid)
{
  unsigned major_no, minor_no;
  uint64_t inode;
  int64_t pid;

  if (sscanf(line, "%*u: FLOCK %*s WRITE %" SCNd64 " %x:%x:%" SCNu64, &pid,
             &major_no, &minor_no, &inode) != 4)
    return false;
  if (inode != lock->st_ino || major_no != major(lock->st_dev) ||
      minor_no != minor(lock->st_dev))
    return false;
  *ret_pid = pid;
  return true;
}

enum fr_err fr_ledger_holder(const char *path, int64_t *ret_pid)
{
  char line[256], *name;
  struct stat lock;
  bool found = false;
  FILE *locks;

  if (asprintf(&name, "%s.lock", path) < 0)
    return FR_ENOMEM;
  if (stat(name, &lock)) {
    free(name);
    return errno == ENOENT || errno == ENOTDIR ? FR_ENOT_FOUND : FR_EIO;
  }
  free(name);
  locks = fopen("/proc/locks", "re");
  if (!locks)
    return FR_EIO;
  while (!found && fgets(line, sizeof(line), locks))
    found = holds(line, &lock, ret_pid);
  fclose(locks);
  return found ? FR_OK : FR_ENOT_FOUND;
}
