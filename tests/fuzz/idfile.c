/* idfile.c - files of ids, plain or CSV: read whole, or not at all. */
#include <sys/mman.h>
#include <unistd.h>

#include "base/idfile.h"
#include "fuzz.h"

static enum fr_err count_one(void *arg, const struct fr_uuid *id,
                             const char *reason)
{
  char text[FR_UUID_TEXT];

  fr_uuid_format(id, text);
  CHECK(!reason || strlen(reason) < FR_IDFILE_BYTES);
  ++*(unsigned *)arg;
  return FR_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  int fd = memfd_create("ids", MFD_CLOEXEC);
  unsigned count = 0;
  struct fr_buf why;
  enum fr_err err;

  CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size);
  CHECK(lseek(fd, 0, SEEK_SET) == 0);
  fr_buf_init(&why, 2048);
  err = fr_idfile_read(fd, "ids.csv", count_one, &count, &why);
  CHECK(err == FR_OK || err == FR_EINVALID || err == FR_ETOO_BIG);
  CHECK(err == FR_OK || why.len > 0);
  check_plain(fr_buf_text(&why));
  if (!err)
    CHECK(count <= size / (FR_UUID_TEXT - 1));
  fr_buf_done(&why);
  close(fd);
  return 0;
}
