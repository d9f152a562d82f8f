/* duration.c - durations; what is printed is never more than was meant. */
#include "base/date.h"
#include "fuzz.h"

#define CENTURY_MS (uint64_t)(100ull * 36525 * 864000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  char *text = text_of(data, size), again[FR_DATE_TEXT];
  uint64_t ms, back;

  if (fr_duration_parse(text, size, &ms) == FR_OK) {
    CHECK(ms <= CENTURY_MS);
    CHECK(size > 0 && !memchr(text, '\0', size));
    CHECK(strspn(text, "0123456789") < size);   /* a unit */
    fr_duration_format(ms, again);
    CHECK(fr_duration_parse(again, strlen(again), &back) == FR_OK);
    CHECK(back <= ms);
  }
  free(text);
  return 0;
}
