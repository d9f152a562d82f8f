/* uuid.c - one request has one spelling, and it is read back as it was. */
#include "base/uuid.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  char *text = text_of(data, size), again[FR_UUID_TEXT];
  struct fr_uuid id;
  int64_t at_ms = -1;

  if (fr_uuid_parse(text, size, &id) == FR_OK) {
    fr_uuid_format(&id, again);
    CHECK(size == FR_UUID_TEXT - 1 && memcmp(again, text, size) == 0);
    if (fr_uuid_time(&id, &at_ms) == FR_OK)
      CHECK(at_ms >= 0 && at_ms < 4102444800000);
  } else if (size >= sizeof(id)) {
    memcpy(&id, data, sizeof(id));
    fr_uuid_format(&id, again);
    CHECK(fr_uuid_parse(again, FR_UUID_TEXT - 1, &id) == FR_OK);
    CHECK(memcmp(&id, data, sizeof(id)) == 0);
  }
  free(text);
  return 0;
}
