/* tap.h - everything that this process does to the files below one folder,
 * in order, as the kernel is asked for it.
 *
 *   SQLite, runtime/ledger --> pwrite, fdatasync, unlink, ... --> kernel
 *                                       |
 *                                       +--> log of ops --> disk.h
 *
 * The calls are tapped where SQLite's VFS and falrun itself make them (the
 * names are defined here, before libc's), so that the log also has what no
 * VFS sees: the folder, its syncs, the lock. -shm is a mapping and not in
 * the log; what it holds after a loss is anything at all.
 *
 * Ownership: the log belongs to the tap; ops are borrowed and do not move
 * while nothing is tapped.
 */
#ifndef POWER_TAP_H
#define POWER_TAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum op_kind {
  OP_ENTER,                     /* a name for an inode; a folder has none */
  OP_LEAVE,                     /* a name goes */
  OP_WRITE, OP_SIZE,
  OP_SYNC,                      /* of one inode */
  OP_SYNC_FOLDER,               /* of the entries of one folder */
  OP_TOLD                       /* promise `inode` was given just now */
};

#define NO_INODE (-1)

struct op {
  enum op_kind kind;
  int inode;
  const char *name;             /* below the root; "" is the root */
  uint64_t at, size;
  const uint8_t *data;
};

/* A new log of what happens below `root`; what is there is inode 0, 1, ...
 * and durable. */
void tap_begin(const char *root);
void tap_end(void);             /* nothing more is tapped; the log stays */
/* Forgets what came after the first `count` ops, and taps `root` again:
 * the process was killed there, and this is the next one. */
void tap_go_on(const char *root, size_t count);
void tap_told(int promise);
const struct op *tap_log(size_t *ret_count);
void tap_free(void);

/* Syncs cost much and mean nothing to whoever reads an image. */
void tap_spare_syncs(bool spare);
/* As a file system whose folders are never synced: for proofs. */
void tap_ignore_folders(bool ignore);

#endif
