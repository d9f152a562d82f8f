/* zone.c - a file of the system's time zones, and how far it puts clocks. */
#include <unistd.h>

#include "base/zone.h"
#include "fuzz.h"

static char folder[] = "/tmp/falrun-fuzz-zone-XXXXXX", path[80];

static void clean_up(void)
{
  (void)unlink(path);
  (void)rmdir(folder);
}

static void prepare(void)
{
  if (path[0])
    return;
  CHECK(mkdtemp(folder));
  snprintf(path, sizeof(path), "%s/Zone", folder);
  setenv("TZDIR", folder, 1);
  atexit(clean_up);
}

static void check_offsets(const struct fr_zone *zone)
{
  int64_t at_ms = -62135596800000;      /* the year 1 */

  for (; at_ms < 253402300800000; at_ms += 7 * 31556952000 + 1234567) {
    int32_t offset = fr_zone_offset(zone, at_ms);

    CHECK(offset > -26 * 3600 && offset < 27 * 3600);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  char *name = text_of(data, size < 40 ? size : 40);
  struct fr_zone *zone = NULL;
  FILE *file;

  prepare();
  file = fopen(path, "wb");
  CHECK(file && fwrite(data, 1, size, file) == size && !fclose(file));
  if (fr_zone_open("Zone", 4, &zone) == FR_OK)
    check_offsets(zone);
  fr_zone_free(zone);
  zone = NULL;
  if (fr_zone_open(name, strlen(name), &zone) == FR_OK)
    check_offsets(zone);
  fr_zone_free(zone);
  free(name);
  return 0;
}
