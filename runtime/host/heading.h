/* host/heading.h - whose output follows, where several runs share a stream.
 *
 * Written before the first byte of standard output, so that a run without
 * any has no heading either: "== account prod: nightly.lua ==", and with
 * --json the document {"account":"prod","policy":"nightly.lua"}.
 */
#ifndef FR_HOST_HEADING_H
#define FR_HOST_HEADING_H

#include "host/options.h"

struct fr_heading {
  const struct fr_options *options;     /* NULL: none is to be written */
};

/* None, unless this is a child of jobs.h. */
void fr_heading_init(struct fr_heading *heading,
                     const struct fr_options *options);
void fr_heading_write(struct fr_heading *heading);

#endif
