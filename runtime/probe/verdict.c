/* probe/verdict.c - see verdict.h. */
#include "probe/verdict.h"

#include <stdio.h>

const char *fr_seen_name(enum fr_seen_file seen)
{
  static const char *const names[] = { "unknown", "gone", "cached", "there" };

  return (unsigned)seen < FR_FILE_SEENS ? names[seen] : names[0];
}

/* 416 is what an empty file answers to a range. */
static enum fr_seen_file alone(const struct fr_cdn_answer *answer)
{
  if (answer->err)
    return FR_FILE_UNKNOWN;
  switch (answer->status) {
  case 404:
  case 410:
    return FR_FILE_GONE;
  case 200:
  case 206:
  case 416:
    return FR_FILE_THERE;
  default:
    return FR_FILE_UNKNOWN;
  }
}

static void explain(const struct fr_cdn_answer *answer, char *why,
                    size_t size)
{
  int status = answer->status;

  if (answer->err)
    snprintf(why, size, "%s", fr_err_name(answer->err));
  else if (status >= 300 && status < 400)
    snprintf(why, size, "HTTP %d, a redirect, which is not followed", status);
  else if (status == 401 || status == 403)
    snprintf(why, size, "HTTP %d: forbidden is not gone", status);
  else
    snprintf(why, size, "HTTP %d", status);
}

/* A file that either answer serves is served. */
enum fr_seen_file fr_seen_judge(const struct fr_cdn_answer *plain,
                                const struct fr_cdn_answer *busting,
                                char *why, size_t size)
{
  enum fr_seen_file one = alone(plain), two = alone(busting);

  why[0] = 0;
  if (one == FR_FILE_THERE && two == FR_FILE_GONE)
    return FR_FILE_CACHED;
  if (one == FR_FILE_THERE || two == FR_FILE_THERE)
    return FR_FILE_THERE;
  if (one == FR_FILE_GONE && two == FR_FILE_GONE)
    return FR_FILE_GONE;
  explain(one == FR_FILE_UNKNOWN ? plain : busting, why, size);
  return FR_FILE_UNKNOWN;
}

bool fr_seen_transient(const struct fr_cdn_answer *answer)
{
  bool lost = answer->err == FR_EDROPPED || answer->err == FR_ECONNECT ||
              answer->err == FR_ERESOLVE;

  return lost || (!answer->err && (answer->status == 429 ||
                                   answer->status >= 500));
}
