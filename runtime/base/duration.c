/* base/duration.c - "30d", "1h30m": whole numbers, each with its unit. */
#include <stdio.h>
#include <string.h>

#include "base/date.h"

#define MOST_MS (UINT64_C(36525) * 86400000)    /* a hundred years */

struct unit {
  const char *name;
  uint64_t ms;
};

/* Longest first where one is the beginning of another. */
static const struct unit units[] = {
  { "ms", 1 },        { "w", 604800000 }, { "d", 86400000 },
  { "h", 3600000 },   { "m", 60000 },     { "s", 1000 },
};
#define NUNITS (sizeof(units) / sizeof(units[0]))

static const struct unit *unit_at(const char *at, const char *end)
{
  for (size_t i = 0; i < NUNITS; i++) {
    size_t len = strlen(units[i].name);

    if ((size_t)(end - at) >= len && !memcmp(at, units[i].name, len))
      return &units[i];
  }
  return NULL;
}

enum fr_err fr_duration_parse(const char *text, size_t len,
                              uint64_t *ret_ms)
{
  const char *at = text, *end = text + len;
  uint64_t total = 0;

  if (!len)
    return FR_EINVALID;
  while (at < end) {
    const struct unit *unit;
    const char *first = at;
    uint64_t value = 0;

    for (; at < end && *at >= '0' && *at <= '9'; at++) {
      value = value * 10 + (uint64_t)(*at - '0');
      if (value > MOST_MS)
        return FR_EINVALID;
    }
    unit = unit_at(at, end);
    if (at == first || !unit || value > MOST_MS / unit->ms)
      return FR_EINVALID;
    total += value * unit->ms;
    if (total > MOST_MS)
      return FR_EINVALID;
    at += strlen(unit->name);
  }
  *ret_ms = total;
  return FR_OK;
}

void fr_duration_format(uint64_t ms, char ret_text[FR_DATE_TEXT])
{
  static const struct unit steps[] = {
    { "d", 86400000 }, { "h", 3600000 }, { "m", 60000 }, { "s", 1000 },
    { "ms", 1 },
  };
  int len = 0, parts = 0;

  for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
    unsigned long long value = ms / steps[i].ms;

    if (!value || parts == 2)
      continue;
    len += snprintf(ret_text + len, FR_DATE_TEXT - (size_t)len, "%llu%s",
                    value, steps[i].name);
    ms %= steps[i].ms;
    parts++;
  }
  if (!parts)
    memcpy(ret_text, "0s", 3);
}
