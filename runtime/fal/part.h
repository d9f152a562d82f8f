/* fal/part.h - a file that is written aside until it is whole.
 *
 *   open --> begin: from zero --> write ... --> place: synced, renamed
 *      \--> size > 0: goes on from there  \---> close: kept for the next time
 *
 * FILE.part has the bytes, FILE.part.from says of what they are (the URL, the
 * validator of its version) and how many of them are on the disk for sure.
 * Only those count the next time: neither a killed process nor a power cut
 * leaves bytes that nobody wrote.
 *
 * Promise: FILE appears whole or not at all; what is there is not replaced
 * unless asked; a link in the place of FILE.part is not followed; two
 * processes never write one part.
 *
 * Ownership: belongs to whoever opened it; all texts are copied.
 */
#ifndef FR_FAL_PART_H
#define FR_FAL_PART_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define FR_PART_PATH_MOST 4000
#define FR_PART_VALIDATOR_MOST 200

struct fr_part;

/* FR_EINVALID: FILE is there, or the path is none; FR_ELOCKED; FR_EIO. `why`
 * gets one sentence. `source`: the URL. */
enum fr_err fr_part_open(const char *path, const char *source, bool replace,
                         struct fr_buf *why, struct fr_part **ret_part);
/* Keeps what can be gone on from, removes the rest. NULL is fine. */
void fr_part_close(struct fr_part *part);

uint64_t fr_part_size(const struct fr_part *part);
/* Of the version that the bytes are of; "": they cannot be gone on from. */
const char *fr_part_validator(const struct fr_part *part);

/* These say in `why` what failed: FR_EIO. */
enum fr_err fr_part_begin(struct fr_part *part, const char *validator,
                          struct fr_buf *why);
enum fr_err fr_part_write(struct fr_part *part, const void *data, size_t len,
                          struct fr_buf *why);
enum fr_err fr_part_place(struct fr_part *part, struct fr_buf *why);

#endif
