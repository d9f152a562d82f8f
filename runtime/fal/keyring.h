/* fal/keyring.h - the inside of fr_keys, for keys.c and keyload.c only. */
#ifndef FR_FAL_KEYRING_H
#define FR_FAL_KEYRING_H

#include "fal/keys.h"

#include <sys/types.h>

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
/* The key into its slot; `what` is where it was found. */
enum fr_err fr_key_accept(struct fr_key_slot *slot, const char *what,
                          const char *text, size_t len, struct fr_buf *why);
/* A file's key; `open_to`: the permission bits that it must not have. */
enum fr_err fr_key_from_file(struct fr_key_slot *slot, int fd,
                             const char *path, mode_t open_to,
                             struct fr_buf *why);
/* The key that `ref` names, with its title before every complaint. */
enum fr_err fr_key_from_ref(struct fr_key_slot *slot,
                            const struct fr_key_ref *ref, struct fr_buf *why);
/* Runs the words without a shell, for at most 10 s; what they print, blanks
 * at its end dropped. `why` never tells what that was. */
enum fr_err fr_key_command(const char *words, char text[FR_KEY_MOST + 1],
                           size_t *ret_len, struct fr_buf *why);
/* NULL: they can be taken apart. */
const char *fr_key_command_fault(const char *words);
/* Takes the variables that hold keys out of the environment. */
void fr_key_forget_variables(void);
enum fr_err fr_keyring_new(struct fr_keys **ret_keys);

#endif
