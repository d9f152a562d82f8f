/* base/uuid.c - see uuid.h. */
#include "base/uuid.h"

#include <string.h>

#include "base/digest.h"

#define YEAR_2100_MS 4102444800000

static int nibble(char c)
{
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  return -1;
}

static int is_dash(size_t at)
{
  return at == 8 || at == 13 || at == 18 || at == 23;
}

enum fr_err fr_uuid_parse(const char *text, size_t len,
                          struct fr_uuid *ret_id)
{
  struct fr_uuid id;
  size_t byte = 0, at = 0;

  if (len != FR_UUID_TEXT - 1)
    return FR_EINVALID;
  while (at < len) {
    int high, low;

    if (is_dash(at)) {
      if (text[at++] != '-')
        return FR_EINVALID;
      continue;
    }
    high = nibble(text[at]);
    low = nibble(text[at + 1]);
    if (high < 0 || low < 0)
      return FR_EINVALID;
    id.bytes[byte++] = (uint8_t)(high << 4 | low);
    at += 2;
  }
  *ret_id = id;
  return FR_OK;
}

void fr_uuid_format(const struct fr_uuid *id, char ret_text[FR_UUID_TEXT])
{
  static const char digits[] = "0123456789abcdef";
  size_t at = 0;

  for (size_t byte = 0; byte < sizeof(id->bytes); byte++) {
    if (is_dash(at))
      ret_text[at++] = '-';
    ret_text[at++] = digits[id->bytes[byte] >> 4];
    ret_text[at++] = digits[id->bytes[byte] & 15];
  }
  ret_text[at] = 0;
}

enum fr_err fr_uuid_random(struct fr_uuid *ret_id)
{
  struct fr_uuid id;
  enum fr_err err = fr_random(id.bytes, sizeof(id.bytes));

  if (err)
    return err;
  id.bytes[6] = (uint8_t)((id.bytes[6] & 0x0f) | 0x40);
  id.bytes[8] = (uint8_t)((id.bytes[8] & 0x3f) | 0x80);
  *ret_id = id;
  return FR_OK;
}

enum fr_err fr_uuid_time(const struct fr_uuid *id, int64_t *ret_at_ms)
{
  int64_t at = 0;

  if (id->bytes[6] >> 4 != 7 || id->bytes[8] >> 6 != 2)
    return FR_ENOT_FOUND;
  for (size_t i = 0; i < 6; i++)
    at = at << 8 | id->bytes[i];
  if (at >= YEAR_2100_MS)
    return FR_ENOT_FOUND;
  *ret_at_ms = at;
  return FR_OK;
}

int fr_uuid_compare(const struct fr_uuid *a, const struct fr_uuid *b)
{
  return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}
