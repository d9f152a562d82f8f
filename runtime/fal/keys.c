/* fal/keys.c - keeping keys, handing them out, and blanking them.
 *
 * Both keys live in one anonymous mapping that stays out of core dumps and
 * is wiped before it goes.
 *
 * The scrubber looks for the bytes as they are and as JSON may spell them
 * ("\/", "\u0041"): a body is blanked before it is parsed, and whoever
 * decodes it later must not get the key back.
 */
#include <string.h>
#include <sys/mman.h>

#include "base/digest.h"
#include "fal/keyring.h"

#define SECRET_LEAST 4          /* a shorter secret alone is no pattern */

/* ---- one key ------------------------------------------------------------ */

static const char *text_of(const struct fr_key_slot *slot)
{
  return slot->authorization + FR_KEY_SCHEME_LEN;
}

const char *fr_key_fault(const char *text, size_t len)
{
  const char *colon;
  size_t i;

  if (!len)
    return "it is empty";
  if (len > FR_KEY_MOST)
    return "it is too long";    /* `text` may be cut short: not read yet */
  for (i = 0; i < len; i++) {
    if (text[i] <= ' ' || text[i] > '~')
      return "it has a blank, a line end or a character that is not ASCII";
  }
  colon = memchr(text, ':', len);
  if (!colon)
    return "it has no colon (a key is \"id:secret\")";
  if (colon == text)
    return "nothing stands before its colon (a key is \"id:secret\")";
  if (colon == text + len - 1)
    return "nothing stands after its colon (a key is \"id:secret\")";
  return NULL;
}

void fr_key_put(struct fr_key_slot *slot, const char *text, size_t len)
{
  const char *colon = memchr(text, ':', len);

  memcpy(slot->authorization, FR_KEY_SCHEME, FR_KEY_SCHEME_LEN);
  memcpy(slot->authorization + FR_KEY_SCHEME_LEN, text, len);
  slot->authorization[FR_KEY_SCHEME_LEN + len] = '\0';
  slot->len = len;
  slot->secret = (size_t)(colon - text) + 1;
}

enum fr_err fr_keyring_new(struct fr_keys **ret_keys)
{
  struct fr_keys *keys = mmap(NULL, sizeof(*keys), PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  if (keys == MAP_FAILED)
    return FR_ENOMEM;
  (void)madvise(keys, sizeof(*keys), MADV_DONTDUMP);    /* best effort */
  *ret_keys = keys;
  return FR_OK;
}

void fr_keys_free(struct fr_keys *keys)
{
  if (!keys)
    return;
  fr_wipe(keys, sizeof(*keys));
  munmap(keys, sizeof(*keys));
}

static bool put_given(struct fr_key_slot *slot, const char *text)
{
  size_t len = text ? strlen(text) : 0;

  if (!text)
    return true;
  if (fr_key_fault(text, len))
    return false;
  fr_key_put(slot, text, len);
  return true;
}

enum fr_err fr_keys_new(const char *api, const char *admin,
                        struct fr_keys **ret_keys)
{
  struct fr_keys *keys;
  enum fr_err err = fr_keyring_new(&keys);

  if (err)
    return err;
  if (!put_given(&keys->api, api) || !put_given(&keys->admin, admin)) {
    fr_keys_free(keys);
    return FR_EINVALID;
  }
  *ret_keys = keys;
  return FR_OK;
}

/* ---- where keys go ------------------------------------------------------ */

static const struct fr_key_slot *slot_of(const struct fr_keys *keys,
                                  enum fr_key which)
{
  const struct fr_key_slot *first, *second;
  bool api_first = which == FR_KEY_API || which == FR_KEY_OPTIONAL;

  if (!keys || which == FR_KEY_NONE)
    return NULL;
  first = api_first ? &keys->api : &keys->admin;
  second = api_first ? &keys->admin : &keys->api;
  if (first->len)
    return first;
  return second->len ? second : NULL;
}

bool fr_keys_has(const struct fr_keys *keys, enum fr_key which)
{
  return slot_of(keys, which) != NULL;
}

const char *fr_keys_authorization(const struct fr_keys *keys,
                                  enum fr_key which)
{
  const struct fr_key_slot *slot = slot_of(keys, which);

  return slot ? slot->authorization : NULL;
}

bool fr_keys_same(const struct fr_keys *keys, enum fr_key one,
                  enum fr_key other)
{
  const char *a = fr_keys_authorization(keys, one);
  const char *b = fr_keys_authorization(keys, other);

  return a && b && !strcmp(a, b);
}

enum fr_err fr_keys_account(const struct fr_keys *keys,
                            char ret_text[FR_ACCOUNT_TEXT])
{
  static const char label[] = "falrun account";
  const struct fr_key_slot *slot = slot_of(keys, FR_KEY_LIST);
  uint8_t digest[FR_SHA256_SIZE];
  enum fr_err err = FR_OK;

  ret_text[0] = '\0';
  if (slot) {
    struct fr_part parts[] = {
      { label, sizeof(label) },
      { slot->authorization + FR_KEY_SCHEME_LEN, slot->secret }
    };

    err = fr_sha256(parts, 2, digest);
  }
  if (slot && !err)
    fr_hex(digest, (FR_ACCOUNT_TEXT - 1) / 2, ret_text);
  return err;
}

/* ---- the scrubber ------------------------------------------------------- */

struct pattern {
  const char *text;
  size_t len;
};

static unsigned hex_digit(char c)
{
  if (c >= '0' && c <= '9')
    return (unsigned)(c - '0');
  if (c >= 'a' && c <= 'f')
    return (unsigned)(c - 'a' + 10);
  if (c >= 'A' && c <= 'F')
    return (unsigned)(c - 'A' + 10);
  return 0x10000;               /* makes the whole number wrong */
}

/* How many bytes at `at` a JSON string may spend on `c`; 0: it is not c. */
static size_t spelled(const char *at, size_t left, char c)
{
  unsigned code;

  if (!left)
    return 0;
  if (*at != '\\')
    return *at == c;
  if (left >= 2 && at[1] == c && (c == '/' || c == '"' || c == '\\'))
    return 2;
  if (left < 6 || at[1] != 'u')
    return 0;
  code = hex_digit(at[2]) << 12 | hex_digit(at[3]) << 8 |
         hex_digit(at[4]) << 4 | hex_digit(at[5]);
  return code == (unsigned char)c ? 6 : 0;
}

static size_t match(const char *at, size_t left, const struct pattern *want)
{
  size_t used = 0, i;

  if (left >= want->len && !memcmp(at, want->text, want->len))
    return want->len;
  for (i = 0; i < want->len; i++) {
    size_t n = spelled(at + used, left - used, want->text[i]);

    if (!n)
      return 0;
    used += n;
  }
  return used;
}

static size_t add_patterns(const struct fr_key_slot *slot, struct pattern *list)
{
  size_t secret_len = slot->len - slot->secret, n = 0;

  if (!slot->len)
    return 0;
  list[n++] = (struct pattern){ text_of(slot), slot->len };
  if (secret_len >= SECRET_LEAST)
    list[n++] = (struct pattern){ text_of(slot) + slot->secret, secret_len };
  return n;
}

/* False when it is certain, at a glance, that none of them is there: without
 * a backslash each could only stand as it is. */
static bool may_hold(const char *data, size_t len,
                     const struct pattern *list, size_t count)
{
  size_t i;

  if (memchr(data, '\\', len))
    return count > 0;
  for (i = 0; i < count; i++) {
    if (memmem(data, len, list[i].text, list[i].len))
      return true;
  }
  return false;
}

/* The next copy at or after *at, which moves there: its length, or 0. */
static size_t next_copy(const char *data, size_t len,
                        const struct pattern *list, size_t count, size_t *at)
{
  bool first[256] = { false };
  size_t i, span;

  for (i = 0; i < count; i++)
    first[(unsigned char)list[i].text[0]] = true;
  first['\\'] = count > 0;
  for (; *at < len; ++*at)
    for (i = 0; first[(unsigned char)data[*at]] && i < count; i++) {
      span = match(data + *at, len - *at, &list[i]);
      if (span)
        return span;
    }
  return 0;
}

static size_t patterns_of(const struct fr_keys *keys, struct pattern list[4])
{
  size_t count = add_patterns(&keys->api, list);

  return count + add_patterns(&keys->admin, list + count);
}

void fr_keys_scrub(const struct fr_keys *keys, char *data, size_t len)
{
  struct pattern list[4];
  size_t count, span, at = 0;

  if (!keys || !len)
    return;
  count = patterns_of(keys, list);
  if (!may_hold(data, len, list, count))
    return;
  for (; (span = next_copy(data, len, list, count, &at)) != 0; at += span)
    memset(data + at, '*', span);
}

bool fr_keys_found(const struct fr_keys *keys, const char *data, size_t len)
{
  struct pattern list[4];
  size_t count, at = 0;

  if (!keys || !len)
    return false;
  count = patterns_of(keys, list);
  return may_hold(data, len, list, count) &&
         next_copy(data, len, list, count, &at) != 0;
}
