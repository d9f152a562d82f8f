/* host/heading.c - see heading.h. */
#include "host/heading.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "host/jobs.h"

void fr_heading_init(struct fr_heading *heading,
                     const struct fr_options *options)
{
  heading->options = options->account && getenv(FR_JOBS_VARIABLE) ? options
                                                                  : NULL;
}

static unsigned add_json(struct fr_buf *buf, const struct fr_options *options)
{
  unsigned bad = fr_buf_addf(buf, "{\"account\":");

  bad |= fr_buf_add_json(buf, options->account);
  if (options->policy) {
    bad |= fr_buf_addf(buf, ",\"policy\":");
    bad |= fr_buf_add_json(buf, options->policy);
  }
  return bad | fr_buf_addf(buf, "}\n");
}

static unsigned add_text(struct fr_buf *buf, const struct fr_options *options)
{
  unsigned bad = fr_buf_addf(buf, "== account %s", options->account);

  if (options->policy) {
    bad |= fr_buf_addf(buf, ": ");
    bad |= fr_buf_add_plain(buf, options->policy, strlen(options->policy),
                            4096);
  }
  return bad | fr_buf_addf(buf, " ==\n");
}

/* What cannot be written here cannot be written behind it either, and who
 * writes that says so. */
void fr_heading_write(struct fr_heading *heading)
{
  const struct fr_options *options = heading->options;
  struct fr_buf buf;

  if (!options)
    return;
  heading->options = NULL;
  fr_buf_init(&buf, 16384);
  if (!(fr_option_flag(options, "json") ? add_json(&buf, options)
                                        : add_text(&buf, options))) {
    ssize_t n = write(STDOUT_FILENO, fr_buf_text(&buf), buf.len);

    (void)n;
  }
  fr_buf_done(&buf);
}
