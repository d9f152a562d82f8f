/* base/digest.h - SHA-256 and randomness, from libcrypto and the kernel. */
#ifndef FR_BASE_DIGEST_H
#define FR_BASE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define FR_SHA256_SIZE 32
#define FR_SHA256_TEXT 65

struct fr_part {
  const void *data;
  size_t len;
};

/* SHA-256 over the parts, one after the other. */
enum fr_err fr_sha256(const struct fr_part *parts, size_t count,
                      uint8_t ret_digest[FR_SHA256_SIZE]);

/* Lower-case hexadecimal of `len` bytes; ret_text holds 2 * len + 1. */
void fr_hex(const uint8_t *data, size_t len, char *ret_text);

enum fr_err fr_random(void *ret_data, size_t len);
double fr_random_unit(void);          /* [0, 1), for jitter; not for keys */

const char *fr_crypto_version(void);  /* of the library in use: "3.0.19" */

/* Overwrites memory that held a secret; the compiler may not drop it. */
void fr_wipe(void *data, size_t len);

#endif
