/* bench/lean_nosync.c - for LD_PRELOAD: no call that syncs does anything.
 * With the ledger on a tmpfs this is a ledger in memory. */
int fsync(int fd);
int fdatasync(int fd);

int fsync(int fd)
{
  (void)fd;
  return 0;
}

int fdatasync(int fd)
{
  (void)fd;
  return 0;
}
