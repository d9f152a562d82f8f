/* date.c - times: RFC 3339, and the three forms of HTTP. */
#include "base/date.h"
#include "fuzz.h"

#define LAST_MS 253402300799999         /* the end of the year 9999 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  char *text = text_of(data, size), again[FR_DATE_TEXT];
  int64_t at_ms, back;

  if (fr_date_parse(text, size, &at_ms) == FR_OK) {
    CHECK(at_ms >= 0 && at_ms <= LAST_MS);
    fr_date_format(at_ms, again);
    CHECK(fr_date_parse(again, strlen(again), &back) == FR_OK);
    CHECK(back == at_ms);
  }
  if (fr_date_parse_http(text, size, &at_ms) == FR_OK)
    CHECK(at_ms >= -1000 && at_ms <= LAST_MS && at_ms % 1000 == 0);
  if (size >= sizeof(at_ms)) {
    memcpy(&at_ms, data, sizeof(at_ms));
    fr_date_format(at_ms, again);
    CHECK(strlen(again) < FR_DATE_TEXT);
  }
  free(text);
  return 0;
}
