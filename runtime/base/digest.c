/* base/digest.c - the only file that names libcrypto. */
#define OPENSSL_SUPPRESS_DEPRECATED     /* see fr_sha256 */
#include "base/digest.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <sys/random.h>

#define STOCK 1024u                     /* bytes */

/* The plain functions, which OpenSSL 3 calls deprecated: the first digest of
 * its EVP ones loads a provider with all of its algorithms, which takes as
 * long as the rest of opening a ledger. TLS loads it when it is needed. */
enum fr_err fr_sha256(const struct fr_part *parts, size_t count,
                      uint8_t ret_digest[FR_SHA256_SIZE])
{
  uint8_t digest[FR_SHA256_SIZE];
  SHA256_CTX ctx;

  if (SHA256_Init(&ctx) != 1)
    return FR_ENOMEM;
  for (size_t i = 0; i < count; i++)
    if (SHA256_Update(&ctx, parts[i].data, parts[i].len) != 1)
      return FR_ENOMEM;
  if (SHA256_Final(digest, &ctx) != 1)
    return FR_ENOMEM;
  for (size_t i = 0; i < sizeof(digest); i++)
    ret_digest[i] = digest[i];
  return FR_OK;
}

const char *fr_crypto_version(void)
{
  return OpenSSL_version(OPENSSL_VERSION_STRING);
}

void fr_hex(const uint8_t *data, size_t len, char *ret_text)
{
  static const char digits[] = "0123456789abcdef";

  for (size_t i = 0; i < len; i++) {
    *ret_text++ = digits[data[i] >> 4];
    *ret_text++ = digits[data[i] & 15];
  }
  *ret_text = 0;
}

static enum fr_err from_kernel(uint8_t *data, size_t len)
{
  while (len) {
    ssize_t n = getrandom(data, len, 0);

    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return FR_EIO;
    data += n;
    len -= (size_t)n;
  }
  return FR_OK;
}

/* Small requests are served from a stock, so that a key costs no system call;
 * bytes that were given away are blanked. A forked child starts with none, or
 * both processes would give the same away. */
static uint8_t stock[STOCK];
static size_t in_stock;

static void forget_stock(void)
{
  in_stock = 0;
}

static enum fr_err fill_stock(void)
{
  static bool watched;

  if (!watched && pthread_atfork(NULL, NULL, forget_stock))
    return FR_ENOMEM;
  watched = true;
  if (from_kernel(stock, STOCK))
    return FR_EIO;
  in_stock = STOCK;
  return FR_OK;
}

enum fr_err fr_random(void *ret_data, size_t len)
{
  enum fr_err err = FR_OK;

  if (!len || len > STOCK / 4)
    return from_kernel(ret_data, len);
  if (in_stock < len)
    err = fill_stock();
  if (err)
    return err;
  in_stock -= len;
  memcpy(ret_data, stock + in_stock, len);
  fr_wipe(stock + in_stock, len);
  return FR_OK;
}

/* splitmix64, seeded once by the kernel. */
double fr_random_unit(void)
{
  static uint64_t state;
  uint64_t z;

  if (!state && fr_random(&state, sizeof(state)))
    state = 1;
  z = (state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  z ^= z >> 31;
  return (double)(z >> 11) * 0x1.0p-53;
}

void fr_wipe(void *data, size_t len)
{
  OPENSSL_cleanse(data, len);
}
