/* fal/download.h - a file of fal's, saved under a name of ours.
 *
 *   start --> GET, from where FILE.part ends --> bytes --> FILE.part --> FILE
 *              ^                                   |  whole, synced, renamed
 *              +--- Range, If-Range <-- pause <----+ broke off
 *
 * What broke off is gone on from with Range and If-Range, in this process or
 * the next; where the file has changed or cannot be gone on from, it begins
 * again. It gives up after five attempts in a row that brought next to
 * nothing. Memory is bounded whatever the size.
 *
 * Promise: FR_OK means that FILE has every byte that fal announced, of one
 * version, and is on the disk. Otherwise there is no FILE.
 *
 * Ownership: belongs to whoever made it and embeds its operation; the texts
 * are copied.
 */
#ifndef FR_FAL_DOWNLOAD_H
#define FR_FAL_DOWNLOAD_H

#include "fal/transfer.h"

struct fr_download;

struct fr_download_spec {
  struct fr_read_spec read;     /* a GET; its timeout is for each head */
  const char *path;
  bool replace;                 /* a file that is there may go */
};

/* Makes it, starts nothing. FR_EREAD_ONLY, FR_EINVALID, FR_ENOMEM. */
enum fr_err fr_download_new(struct fr_fal *fal,
                            const struct fr_download_spec *spec,
                            struct fr_download **ret_download);
void fr_download_start(struct fr_download *download);
void fr_download_free(struct fr_download *download);    /* NULL is fine */

/* FR_EINVALID: a file is there, nothing was sent; FR_ELOCKED: another process
 * saves it; FR_EIO: the disk; else as of a read, or DROPPED, TIMEOUT. */
struct fr_op *fr_download_op(struct fr_download *download);

uint64_t fr_download_size(const struct fr_download *download);
/* How many bytes of it were there from an earlier process. */
uint64_t fr_download_resumed(const struct fr_download *download);
int fr_download_status(const struct fr_download *download);
const char *fr_download_message(const struct fr_download *download);

#endif
