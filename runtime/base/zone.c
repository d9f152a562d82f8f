/* base/zone.c - zones by name, read from zoneinfo files (RFC 9636) by hand.
 *
 * Not through libc: tzset and localtime_r know one zone for the whole
 * process, set through its environment; they read a damaged or missing file
 * as UTC without a word, and then the wrong day's items would be kept. Here
 * a file is read whole or refused, and logs and the ledger stay in UTC.
 *
 * Of a file, the 64-bit block and the rule behind it are used. Files without
 * them (version 1 ends in 2037) and those that count leap seconds ("right/")
 * are refused. */
#include "base/zone.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/zonerule.h"

#define FOLDER "/usr/share/zoneinfo"
#define LONGEST_NAME 64
#define LARGEST_FILE (256 * 1024)
#define HEADER 44
#define TYPES 256
#define FARTHEST 100000         /* seconds; RFC 9636 ends at 26 hours */

struct fr_zone {
  size_t count;                 /* of changes, ascending */
  int64_t *times;               /* in seconds since 1970 */
  int32_t *after;               /* seconds east from then on */
  int32_t before;               /* before the first change */
  bool has_rule;
  struct fr_zonerule rule;      /* from the last change on */
};

/* ---- "UTC" and "+02:00" ------------------------------------------------- */

static bool two_digits(const char *text, int most, int32_t *ret_value)
{
  if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9')
    return false;
  *ret_value = (text[0] - '0') * 10 + text[1] - '0';
  return *ret_value <= most;
}

static bool fixed_offset(const char *name, size_t len, int32_t *ret_seconds)
{
  int32_t hours, minutes;

  if ((len == 3 && memcmp(name, "UTC", 3) == 0) ||
      (len == 1 && *name == 'Z')) {
    *ret_seconds = 0;
    return true;
  }
  if (len != 6 || (name[0] != '+' && name[0] != '-') || name[3] != ':' ||
      !two_digits(name + 1, 23, &hours) ||
      !two_digits(name + 4, 59, &minutes))
    return false;
  *ret_seconds = (hours * 60 + minutes) * (name[0] == '-' ? -60 : 60);
  return true;
}

/* ---- the file ----------------------------------------------------------- */

struct reader {
  const unsigned char *at, *end;
};

struct header {
  size_t utc_flags, standard_flags, leaps, times, types, letters;
};

static int64_t big_endian(const unsigned char *from, int bytes)
{
  uint64_t value = from[0] & 0x80 ? UINT64_MAX : 0;

  for (int i = 0; i < bytes; i++)
    value = value << 8 | from[i];
  return (int64_t)value;
}

static const unsigned char *take(struct reader *r, size_t bytes)
{
  const unsigned char *from = r->at;

  if ((size_t)(r->end - r->at) < bytes)
    return NULL;
  r->at += bytes;
  return from;
}

/* Counts are 32 bits wide; no sum of their products overflows 64. */
static bool read_header(struct reader *r, struct header *ret_header)
{
  const unsigned char *from = take(r, HEADER);
  size_t counts[6];

  if (!from || memcmp(from, "TZif", 4) != 0 || from[4] < '2')
    return false;
  for (size_t i = 0; i < 6; i++)
    counts[i] = (uint32_t)big_endian(from + 20 + 4 * i, 4);
  *ret_header = (struct header){ counts[0], counts[1], counts[2],
                                 counts[3], counts[4], counts[5] };
  return true;
}

static bool skip_first_block(struct reader *r)
{
  struct header h;

  return read_header(r, &h) &&
         take(r, h.times * 5 + h.types * 6 + h.letters + h.leaps * 8 +
                 h.standard_flags + h.utc_flags);
}

static bool read_offsets(const unsigned char *from, size_t count,
                         int32_t ret_offsets[TYPES])
{
  for (size_t i = 0; i < count; i++) {
    int64_t east = big_endian(from + 6 * i, 4);

    if (east < -FARTHEST || east > FARTHEST)
      return false;
    ret_offsets[i] = (int32_t)east;
  }
  return true;
}

static enum fr_err read_changes(struct fr_zone *zone, struct reader *r,
                                const struct header *h)
{
  const unsigned char *times = take(r, h->times * 8);
  const unsigned char *kinds = take(r, h->times);
  const unsigned char *types = take(r, h->types * 6);
  int32_t offsets[TYPES];

  if (!times || !kinds || !types || !h->types || h->types > TYPES ||
      !read_offsets(types, h->types, offsets))
    return FR_EINVALID;
  zone->before = offsets[0];
  zone->count = h->times;
  if (!zone->count)
    return FR_OK;
  zone->times = calloc(zone->count, sizeof(*zone->times));
  zone->after = calloc(zone->count, sizeof(*zone->after));
  if (!zone->times || !zone->after)
    return FR_ENOMEM;
  for (size_t i = 0; i < zone->count; i++) {
    zone->times[i] = big_endian(times + 8 * i, 8);
    if (kinds[i] >= h->types ||
        (i && zone->times[i] <= zone->times[i - 1]))
      return FR_EINVALID;
    zone->after[i] = offsets[kinds[i]];
  }
  return FR_OK;
}

/* "\n", the rule or nothing, "\n". */
static bool read_rule(struct fr_zone *zone, struct reader *r)
{
  const char *from = (const char *)r->at;
  size_t len = (size_t)(r->end - r->at);

  if (len < 2 || from[0] != '\n' || from[len - 1] != '\n')
    return false;
  if (len == 2)
    return true;
  zone->has_rule = true;
  return fr_zonerule_parse(from + 1, len - 2, &zone->rule);
}

static enum fr_err read_zone(struct fr_zone *zone, struct reader *r)
{
  struct header h;
  enum fr_err err;

  if (!skip_first_block(r) || !read_header(r, &h) || h.leaps)
    return FR_EINVALID;
  err = read_changes(zone, r, &h);
  if (err)
    return err;
  if (!take(r, h.letters + h.standard_flags + h.utc_flags) ||
      !read_rule(zone, r))
    return FR_EINVALID;
  return FR_OK;
}

/* The bytes of a plain file, to be freed. */
static enum fr_err read_file(const char *path, unsigned char **ret_bytes,
                             size_t *ret_len)
{
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  enum fr_err err = FR_EINVALID;
  unsigned char *bytes = NULL;
  size_t len = 0;
  ssize_t got = 0;
  struct stat st;

  if (fd < 0)
    return FR_EINVALID;
  if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size <= 0 ||
      st.st_size > LARGEST_FILE)
    goto out;
  bytes = malloc((size_t)st.st_size);
  if (!bytes) {
    err = FR_ENOMEM;
    goto out;
  }
  while (len < (size_t)st.st_size &&
         (got = read(fd, bytes + len, (size_t)st.st_size - len)) > 0)
    len += (size_t)got;
  if (len < (size_t)st.st_size)
    goto out;
  *ret_bytes = bytes;
  *ret_len = len;
  bytes = NULL;
  err = FR_OK;
out:
  free(bytes);
  close(fd);
  return err;
}

/* ---- zones -------------------------------------------------------------- */

/* No dots, so that no name leaves the folder; parts are not empty. */
static bool is_name(const char *name, size_t len)
{
  if (!len || len > LONGEST_NAME || name[0] == '/' || name[len - 1] == '/')
    return false;
  for (size_t i = 0; i < len; i++) {
    char c = name[i];

    if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
        !(c >= '0' && c <= '9') && !strchr("_-+/", c))
      return false;
    if (!c || (c == '/' && name[i + 1] == '/'))
      return false;
  }
  return !(len == 9 && memcmp(name, "localtime", len) == 0) &&
         !(len == 10 && memcmp(name, "posixrules", len) == 0);
}

static enum fr_err load(struct fr_zone *zone, const char *name, size_t len)
{
  const char *folder = getenv("TZDIR");
  unsigned char *bytes;
  char path[PATH_MAX];
  struct reader r;
  enum fr_err err;
  size_t size;
  int wrote;

  if (!is_name(name, len))
    return FR_EINVALID;
  wrote = snprintf(path, sizeof(path), "%s/%.*s",
                   folder && *folder ? folder : FOLDER, (int)len, name);
  if (wrote < 0 || (size_t)wrote >= sizeof(path))
    return FR_EINVALID;
  err = read_file(path, &bytes, &size);
  if (err)
    return err;
  r = (struct reader){ bytes, bytes + size };
  err = read_zone(zone, &r);
  free(bytes);
  return err;
}

enum fr_err fr_zone_open(const char *name, size_t len,
                         struct fr_zone **ret_zone)
{
  struct fr_zone *zone = calloc(1, sizeof(*zone));
  enum fr_err err = FR_OK;

  if (!zone)
    return FR_ENOMEM;
  if (!fixed_offset(name, len, &zone->before))
    err = load(zone, name, len);
  if (err) {
    fr_zone_free(zone);
    return err;
  }
  *ret_zone = zone;
  return FR_OK;
}

void fr_zone_free(struct fr_zone *zone)
{
  if (!zone)
    return;
  free(zone->times);
  free(zone->after);
  free(zone);
}

int32_t fr_zone_offset(const struct fr_zone *zone, int64_t at_ms)
{
  int64_t at = at_ms / 1000 - (at_ms % 1000 < 0);
  size_t low = 0, high = zone->count;   /* changes before low are past */

  while (low < high) {
    size_t middle = low + (high - low) / 2;

    if (zone->times[middle] <= at)
      low = middle + 1;
    else
      high = middle;
  }
  if (low == zone->count && zone->has_rule)
    return fr_zonerule_offset(&zone->rule, at);
  return low ? zone->after[low - 1] : zone->before;
}
