/* base/uuid.c - see uuid.h. */
#include "base/uuid.h"

#include <string.h>

#include "base/digest.h"

#define YEAR_2100_MS 4102444800000

/* One more than the digit's value; 0: it is none. */
static const uint8_t digit[256] = {
  ['0'] = 1, ['1'] = 2, ['2'] = 3, ['3'] = 4, ['4'] = 5, ['5'] = 6,
  ['6'] = 7, ['7'] = 8, ['8'] = 9, ['9'] = 10, ['a'] = 11, ['b'] = 12,
  ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16
};

/* Where the digits of each byte begin. */
static const uint8_t place[16] = {
  0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34
};

enum fr_err fr_uuid_parse(const char *text, size_t len,
                          struct fr_uuid *ret_id)
{
  const uint8_t *at = (const uint8_t *)text;
  struct fr_uuid id;
  size_t byte;

  if (len != FR_UUID_TEXT - 1 || text[8] != '-' || text[13] != '-' ||
      text[18] != '-' || text[23] != '-')
    return FR_EINVALID;
  for (byte = 0; byte < sizeof(id.bytes); byte++) {
    unsigned high = digit[at[place[byte]]], low = digit[at[place[byte] + 1]];

    if (!high || !low)
      return FR_EINVALID;
    id.bytes[byte] = (uint8_t)((high - 1) << 4 | (low - 1));
  }
  *ret_id = id;
  return FR_OK;
}

void fr_uuid_format(const struct fr_uuid *id, char ret_text[FR_UUID_TEXT])
{
  static const char digits[] = "0123456789abcdef";

  for (size_t byte = 0; byte < sizeof(id->bytes); byte++) {
    ret_text[place[byte]] = digits[id->bytes[byte] >> 4];
    ret_text[place[byte] + 1] = digits[id->bytes[byte] & 15];
  }
  ret_text[8] = ret_text[13] = ret_text[18] = ret_text[23] = '-';
  ret_text[FR_UUID_TEXT - 1] = 0;
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
