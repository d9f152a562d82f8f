/* fal/keys.h - the API keys: where they come from and where they may go.
 *
 * FAL_KEY, else FAL_KEY_ID and FAL_KEY_SECRET, else the file FAL_KEY_FILE,
 * else $CREDENTIALS_DIRECTORY/fal_key. For what deletes: FAL_ADMIN_KEY, else
 * FAL_ADMIN_KEY_FILE, else $CREDENTIALS_DIRECTORY/fal_admin_key, else the
 * key above. A key is "id:secret"; a file's blanks at the end are dropped.
 *
 * A configuration names keys by reference and never holds one:
 *
 *   file:PATH          a file that nobody else can read
 *   credential:NAME    $CREDENTIALS_DIRECTORY/NAME, from systemd
 *   command:WORDS      what a program prints; no shell reads the words
 *
 * Promise: a key leaves this object only as the value of an Authorization
 * header for runtime/http, and every text that a server sent goes through
 * fr_keys_scrub before anyone else sees it.
 *
 * Ownership: fr_keys_free wipes what it held.
 */
#ifndef FR_FAL_KEYS_H
#define FR_FAL_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct fr_keys;

enum fr_key {
  FR_KEY_NONE,            /* send no key */
  FR_KEY_API,             /* FAL_KEY; the admin key where only that is set */
  FR_KEY_ADMIN,           /* the key that deletes */
  FR_KEY_LIST,            /* the admin key where set, else FAL_KEY */
  FR_KEY_OPTIONAL         /* as FR_KEY_API; none where none is set */
};

/* "file:/etc/key" and who says so, "/etc/falrun/config:12: key"; NULL, NULL:
 * nobody does. */
struct fr_key_ref {
  const char *text, *title;
};

struct fr_key_refs {
  struct fr_key_ref api, admin;
  bool alone;             /* keys of the environment do not count */
};

/* Reads the environment and files, then what `refs` (or NULL) name where the
 * environment has none; no key at all is no error. FR_ECONFIG and a sentence
 * in `why` for a malformed key, an unreadable file, or one that group or
 * others can read. Then takes the variables that held a key out of the
 * environment. */
enum fr_err fr_keys_load(const struct fr_key_refs *refs, struct fr_buf *why,
                         struct fr_keys **ret_keys);

/* What is wrong with a reference, or NULL; nothing is opened. */
const char *fr_key_ref_fault(const char *text);
/* The same of the file or credential behind it; a command is not run. */
enum fr_err fr_key_ref_check(const struct fr_key_ref *ref,
                             struct fr_buf *why);
/* Whether some word of the text looks like a key. */
bool fr_key_in_text(const char *text);
/* The variable that the key would come from; NULL: none has one. */
const char *fr_keys_variable(bool admin);
/* The same of the credential of systemd that is read by itself. */
const char *fr_keys_credential(bool admin);

/* For the sandbox and tests. */
enum fr_err fr_keys_new(const char *api, const char *admin,
                        struct fr_keys **ret_keys);
void fr_keys_free(struct fr_keys *keys);

bool fr_keys_has(const struct fr_keys *keys, enum fr_key which);
/* "Key id:secret", borrowed; NULL when there is none. */
const char *fr_keys_authorization(const struct fr_keys *keys,
                                  enum fr_key which);

/* Whether two of them are one key, for those who must not see either; a key
 * that is not there is none. */
bool fr_keys_same(const struct fr_keys *keys, enum fr_key one,
                  enum fr_key other);

/* Tells accounts apart: hexadecimal of a digest of the id of the key that
 * lists, which is its public half; "" without a key. */
#define FR_ACCOUNT_TEXT 17
enum fr_err fr_keys_account(const struct fr_keys *keys,
                            char ret_text[FR_ACCOUNT_TEXT]);

/* Blanks every copy of a key or a secret in `data` with '*', in place. */
void fr_keys_scrub(const struct fr_keys *keys, char *data, size_t len);
/* Whether there is one. */
bool fr_keys_found(const struct fr_keys *keys, const char *data, size_t len);

#endif
