/* disk.h - what a disk may hold after the power was lost.
 *
 *   log --played up to an op--> durable | pending, of each file and name
 *                                            |
 *             drop, keep, prefix, subset, torn tail --> image, as files
 *
 * What was synced is there. Of what was not, any part may be: whole writes,
 * sectors of 512 bytes of them, in any order; a file may have its new length
 * and not its new content; a name may be missing, or be back. Files are
 * independent of each other, and so are names. This is what POSIX leaves
 * open, and more than most file systems do.
 *
 * Ownership: a disk borrows the log, and owns the rest.
 */
#ifndef POWER_DISK_H
#define POWER_DISK_H

#include "tap.h"

#define SECTOR 512

enum loss {
  LOSS_DROP,                    /* nothing that was not synced */
  LOSS_KEEP,                    /* all of it: as after a kill */
  LOSS_PREFIX,                  /* the first of it, the last of these torn */
  LOSS_SUBSET,                  /* any sectors: torn and reordered */
  LOSS_TAIL,                    /* all, but the end of the last is garbage */
  LOSSES
};

struct damage {                 /* what an image lacks; added up */
  unsigned dropped, torn, reordered, names, garbage;
};

struct disk;
struct disk *disk_new(const struct op *ops);
void disk_free(struct disk *disk);
/* Plays on until `count` ops are done; never back. */
void disk_play(struct disk *disk, size_t count);
/* Writes what is left below `root`, an empty folder. */
void disk_lose(struct disk *disk, enum loss loss, uint64_t *random,
               const char *root, struct damage *damage);

uint64_t dice(uint64_t *random);        /* splitmix64 */

#endif
