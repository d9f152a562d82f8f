/* fal/keys.c - loading, keeping and blanking keys.
 *
 * Both keys live in one anonymous mapping that stays out of core dumps and
 * is wiped before it goes. Nothing here ever prints a value: a complaint
 * names the variable or the file, and not even the file when its "name"
 * could be a key that somebody put into the wrong variable.
 *
 * The scrubber looks for the bytes as they are and as JSON may spell them
 * ("\/", "\u0041"): a body is blanked before it is parsed, and whoever
 * decodes it later must not get the key back.
 */
#include "fal/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"

#define KEY_MOST 1024           /* fal's keys have about 70 bytes */
#define SECRET_LEAST 4          /* a shorter secret alone is no pattern */
#define SCHEME "Key "
#define SCHEME_LEN (sizeof(SCHEME) - 1)

struct slot {
  char authorization[SCHEME_LEN + KEY_MOST + 1];
  size_t len;                   /* of id:secret; 0: no key */
  size_t secret;                /* where the secret starts in it */
};

struct fr_keys {
  struct slot api, admin;
};

/* ---- one key ------------------------------------------------------------ */

static const char *text_of(const struct slot *slot)
{
  return slot->authorization + SCHEME_LEN;
}

/* What is wrong with a key's form, or NULL. */
static const char *fault_of(const char *text, size_t len)
{
  const char *colon = memchr(text, ':', len);
  size_t i;

  if (!len)
    return "it is empty";
  if (len > KEY_MOST)
    return "it is too long";
  for (i = 0; i < len; i++) {
    if (text[i] <= ' ' || text[i] > '~')
      return "it has a blank, a line end or a character that is not ASCII";
  }
  if (!colon)
    return "it has no colon (a key is \"id:secret\")";
  if (colon == text)
    return "nothing stands before its colon (a key is \"id:secret\")";
  if (colon == text + len - 1)
    return "nothing stands after its colon (a key is \"id:secret\")";
  return NULL;
}

static void put(struct slot *slot, const char *text, size_t len)
{
  const char *colon = memchr(text, ':', len);

  memcpy(slot->authorization, SCHEME, SCHEME_LEN);
  memcpy(slot->authorization + SCHEME_LEN, text, len);
  slot->authorization[SCHEME_LEN + len] = '\0';
  slot->len = len;
  slot->secret = (size_t)(colon - text) + 1;
}

static enum fr_err make(struct fr_keys **ret_keys)
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

static bool put_given(struct slot *slot, const char *text)
{
  size_t len = text ? strlen(text) : 0;

  if (!text)
    return true;
  if (fault_of(text, len))
    return false;
  put(slot, text, len);
  return true;
}

enum fr_err fr_keys_new(const char *api, const char *admin,
                        struct fr_keys **ret_keys)
{
  struct fr_keys *keys;
  enum fr_err err = make(&keys);

  if (err)
    return err;
  if (!put_given(&keys->api, api) || !put_given(&keys->admin, admin)) {
    fr_keys_free(keys);
    return FR_EINVALID;
  }
  *ret_keys = keys;
  return FR_OK;
}

/* ---- where keys come from ----------------------------------------------- */

/* An empty variable counts as unset, as in every shell script. */
static const char *variable(const char *name)
{
  const char *value = getenv(name);

  return value && *value ? value : NULL;
}

static enum fr_err accept_key(struct slot *slot, const char *what,
                              const char *text, size_t len,
                              struct fr_buf *why)
{
  const char *fault = fault_of(text, len);

  if (fault) {
    fr_buf_say(why, "the key in %s is not usable: %s", what, fault);
    return FR_ECONFIG;
  }
  put(slot, text, len);
  return FR_OK;
}

/* The file's whole text, its blanks at the end dropped. */
static enum fr_err slurp(int fd, const char *path, char text[KEY_MOST + 1],
                         size_t *ret_len, struct fr_buf *why)
{
  size_t len = 0;
  ssize_t got = 1;

  while (len < KEY_MOST + 1 && got) {
    got = read(fd, text + len, KEY_MOST + 1 - len);
    if (got < 0 && errno != EINTR) {
      fr_buf_say(why, "the key file %s cannot be read: %s", path,
                 strerror(errno));
      return FR_ECONFIG;
    }
    len += got > 0 ? (size_t)got : 0;
  }
  while (len && memchr(" \t\r\n", text[len - 1], 4))
    len--;
  *ret_len = len;
  return FR_OK;
}

/* `open_to`: the permission bits that it must not have. */
static enum fr_err check_file(int fd, const char *path, mode_t open_to,
                              struct fr_buf *why)
{
  struct stat st;

  if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
    fr_buf_say(why, "the key file %s is not a regular file", path);
    return FR_ECONFIG;
  }
  if (st.st_mode & open_to) {
    fr_buf_say(why, "the key file %s is open to others than its owner; "
               "run: chmod 600 %s", path, path);
    return FR_ECONFIG;
  }
  return FR_OK;
}

static enum fr_err load_open(struct slot *slot, int fd, const char *path,
                             mode_t open_to, struct fr_buf *why)
{
  char text[KEY_MOST + 1];
  size_t len = 0;
  enum fr_err err = check_file(fd, path, open_to, why);

  if (!err)
    err = slurp(fd, path, text, &len, why);
  if (!err)
    err = accept_key(slot, path, text, len, why);
  fr_wipe(text, sizeof(text));
  return err;
}

static enum fr_err load_file(struct slot *slot, const char *name,
                             struct fr_buf *why)
{
  const char *path = variable(name);
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  int cause = errno;
  enum fr_err err;

  if (fd < 0 && !fault_of(path, strlen(path))) {
    fr_buf_say(why, "%s names no file that can be opened; it wants the path "
               "of a file, not a key", name);
    return FR_ECONFIG;
  }
  if (fd < 0) {
    fr_buf_say(why, "the key file %s (%s) cannot be opened: %s", path, name,
               strerror(cause));
    return FR_ECONFIG;
  }
  err = load_open(slot, fd, path, 077, why);
  close(fd);
  return err;
}

/* systemd grants a service's user its credentials through an ACL, and the
 * mask of an ACL shows as group bits; so only "others" is checked here. */
static enum fr_err load_credential(struct slot *slot, const char *name,
                                   struct fr_buf *why)
{
  const char *folder = variable("CREDENTIALS_DIRECTORY");
  char path[4096];
  enum fr_err err;
  int fd, len;

  if (!folder)
    return FR_OK;
  len = snprintf(path, sizeof(path), "%s/%s", folder, name);
  if (len < 0 || (size_t)len >= sizeof(path))
    return FR_OK;
  fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (fd < 0 && errno == ENOENT)
    return FR_OK;
  if (fd < 0) {
    fr_buf_say(why, "the key file %s cannot be opened: %s", path,
               strerror(errno));
    return FR_ECONFIG;
  }
  err = load_open(slot, fd, path, 007, why);
  close(fd);
  return err;
}

static enum fr_err load_pair(struct slot *slot, struct fr_buf *why)
{
  const char *id = variable("FAL_KEY_ID");
  const char *secret = variable("FAL_KEY_SECRET");
  char text[2 * KEY_MOST + 2];
  enum fr_err err;
  int len;

  if (!id || !secret) {
    fr_buf_say(why, "%s is set and %s is not; set both, or FAL_KEY alone",
               id ? "FAL_KEY_ID" : "FAL_KEY_SECRET",
               id ? "FAL_KEY_SECRET" : "FAL_KEY_ID");
    return FR_ECONFIG;
  }
  if (strchr(id, ':')) {
    fr_buf_say(why, "FAL_KEY_ID has a colon; a whole key goes into FAL_KEY");
    return FR_ECONFIG;
  }
  len = snprintf(text, sizeof(text), "%s:%s", id, secret);
  err = accept_key(slot, "FAL_KEY_ID and FAL_KEY_SECRET", text, (size_t)len,
                   why);
  fr_wipe(text, sizeof(text));
  return err;
}

static enum fr_err load_api(struct slot *slot, struct fr_buf *why)
{
  const char *key = variable("FAL_KEY");

  if (key)
    return accept_key(slot, "FAL_KEY", key, strlen(key), why);
  if (variable("FAL_KEY_ID") || variable("FAL_KEY_SECRET"))
    return load_pair(slot, why);
  if (variable("FAL_KEY_FILE"))
    return load_file(slot, "FAL_KEY_FILE", why);
  return load_credential(slot, "fal_key", why);
}

static enum fr_err load_admin(struct slot *slot, struct fr_buf *why)
{
  const char *key = variable("FAL_ADMIN_KEY");

  if (key)
    return accept_key(slot, "FAL_ADMIN_KEY", key, strlen(key), why);
  if (variable("FAL_ADMIN_KEY_FILE"))
    return load_file(slot, "FAL_ADMIN_KEY_FILE", why);
  return load_credential(slot, "fal_admin_key", why);
}

/* In place, so that /proc/PID/environ no longer shows it either. */
static void forget_variables(void)
{
  static const char *const names[] = {
    "FAL_KEY", "FAL_KEY_ID", "FAL_KEY_SECRET", "FAL_ADMIN_KEY",
  };
  size_t i;

  for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
    char *value = getenv(names[i]);

    if (!value)
      continue;
    fr_wipe(value, strlen(value));
    unsetenv(names[i]);
  }
}

enum fr_err fr_keys_load(struct fr_buf *why, struct fr_keys **ret_keys)
{
  struct fr_keys *keys;
  enum fr_err err = make(&keys);

  if (err)
    return err;
  err = load_api(&keys->api, why);
  if (!err)
    err = load_admin(&keys->admin, why);
  forget_variables();
  if (err) {
    fr_keys_free(keys);
    return err;
  }
  *ret_keys = keys;
  return FR_OK;
}

/* ---- where keys go ------------------------------------------------------ */

static const struct slot *slot_of(const struct fr_keys *keys,
                                  enum fr_key which)
{
  const struct slot *first, *second;

  if (!keys || which == FR_KEY_NONE)
    return NULL;
  first = which == FR_KEY_API ? &keys->api : &keys->admin;
  second = which == FR_KEY_API ? &keys->admin : &keys->api;
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
  const struct slot *slot = slot_of(keys, which);

  return slot ? slot->authorization : NULL;
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

static size_t add_patterns(const struct slot *slot, struct pattern *list)
{
  size_t secret_len = slot->len - slot->secret, n = 0;

  if (!slot->len)
    return 0;
  list[n++] = (struct pattern){ text_of(slot), slot->len };
  if (secret_len >= SECRET_LEAST)
    list[n++] = (struct pattern){ text_of(slot) + slot->secret, secret_len };
  return n;
}

void fr_keys_scrub(const struct fr_keys *keys, char *data, size_t len)
{
  struct pattern list[4];
  bool first[256] = { false };
  size_t count, at = 0, i;

  if (!keys)
    return;
  count = add_patterns(&keys->api, list);
  count += add_patterns(&keys->admin, list + count);
  for (i = 0; i < count; i++)
    first[(unsigned char)list[i].text[0]] = true;
  first['\\'] = count > 0;
  while (at < len) {
    size_t span = 0;

    for (i = 0; first[(unsigned char)data[at]] && !span && i < count; i++)
      span = match(data + at, len - at, &list[i]);
    if (span)
      memset(data + at, '*', span);
    at += span ? span : 1;
  }
}
