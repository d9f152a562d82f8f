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

static int is_dash(size_t at)
{
  return at == 8 || at == 13 || at == 18 || at == 23;
}

enum fr_err fr_uuid_parse(const char *text, size_t len,
                          struct fr_uuid *ret_id)
{
  const uint8_t *at = (const uint8_t *)text;
  struct fr_uuid id;
  size_t byte;

  if (len != FR_UUID_TEXT - 1 || text[8] != '-' || text[13] != '-' ||
      text[18] != '-' || text[23] != '-')
    return FR_EINVALID;
  for (byte = 0; byte < sizeof(id.bytes); byte++, at += 2) {
    at += *at == '-' && is_dash((size_t)((const char *)at - text));
    if (!digit[at[0]] || !digit[at[1]])
      return FR_EINVALID;
    id.bytes[byte] = (uint8_t)((digit[at[0]] - 1) << 4 | (digit[at[1]] - 1));
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
