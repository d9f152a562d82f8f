/* fal/keyring.h - the inside of fr_keys, for keys.c and keyload.c only. */
#ifndef FR_FAL_KEYRING_H
#define FR_FAL_KEYRING_H

#include "fal/keys.h"

#define FR_KEY_MOST 1024                /* fal's keys have about 70 bytes */
#define FR_KEY_SCHEME "Key "
#define FR_KEY_SCHEME_LEN (sizeof(FR_KEY_SCHEME) - 1)

struct fr_key_slot {
  char authorization[FR_KEY_SCHEME_LEN + FR_KEY_MOST + 1];
  size_t len;                           /* of id:secret; 0: no key */
  size_t secret;                        /* where the secret starts in it */
};

struct fr_keys {
  struct fr_key_slot api, admin;
};

/* What is wrong with a key's form, or NULL. Never quotes the key. */
const char *fr_key_fault(const char *text, size_t len);
void fr_key_put(struct fr_key_slot *slot, const char *text, size_t len);
enum fr_err fr_keyring_new(struct fr_keys **ret_keys);

#endif
