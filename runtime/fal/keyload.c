/* fal/keyload.c - where keys come from: the environment and files.
 *
 * Nothing here ever prints a value: a complaint names the variable or the
 * file, and not even the file when its "name" could be a key that somebody
 * put into the wrong variable.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "fal/keyring.h"

/* An empty variable counts as unset, as in every shell script. */
static const char *variable(const char *name)
{
  const char *value = getenv(name);

  return value && *value ? value : NULL;
}

enum fr_err fr_key_accept(struct fr_key_slot *slot, const char *what,
                          const char *text, size_t len, struct fr_buf *why)
{
  const char *fault = fr_key_fault(text, len);

  if (fault) {
    fr_buf_say(why, "the key in %s is not usable: %s", what, fault);
    return FR_ECONFIG;
  }
  fr_key_put(slot, text, len);
  return FR_OK;
}

/* The file's whole text, its blanks at the end dropped. */
static enum fr_err slurp(int fd, const char *path, char text[FR_KEY_MOST + 1],
                         size_t *ret_len, struct fr_buf *why)
{
  size_t len = 0;
  ssize_t got = 1;

  while (len < FR_KEY_MOST + 1 && got) {
    got = read(fd, text + len, FR_KEY_MOST + 1 - len);
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

enum fr_err fr_key_from_file(struct fr_key_slot *slot, int fd,
                             const char *path, mode_t open_to,
                             struct fr_buf *why)
{
  char text[FR_KEY_MOST + 1];
  size_t len = 0;
  enum fr_err err = check_file(fd, path, open_to, why);

  if (!err)
    err = slurp(fd, path, text, &len, why);
  if (!err)
    err = fr_key_accept(slot, path, text, len, why);
  fr_wipe(text, sizeof(text));
  return err;
}

/* `name` is the variable that `path` is of. */
static enum fr_err load_file(struct fr_key_slot *slot, const char *name,
                             const char *path, struct fr_buf *why)
{
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  int cause = errno;
  enum fr_err err;

  if (fd < 0 && !fr_key_fault(path, strlen(path))) {
    fr_buf_say(why, "%s names no file that can be opened; it wants the path "
               "of a file, not a key", name);
    return FR_ECONFIG;
  }
  if (fd < 0) {
    fr_buf_say(why, "the key file %s (%s) cannot be opened: %s", path, name,
               strerror(cause));
    return FR_ECONFIG;
  }
  err = fr_key_from_file(slot, fd, path, 077, why);
  close(fd);
  return err;
}

/* systemd grants a service's user its credentials through an ACL, and the
 * mask of an ACL shows as group bits; so only "others" is checked here. */
static enum fr_err load_credential(struct fr_key_slot *slot, const char *name,
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
  err = fr_key_from_file(slot, fd, path, 007, why);
  close(fd);
  return err;
}

static enum fr_err load_pair(struct fr_key_slot *slot, struct fr_buf *why)
{
  const char *id = variable("FAL_KEY_ID");
  const char *secret = variable("FAL_KEY_SECRET");
  char text[2 * FR_KEY_MOST + 2];
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
  err = fr_key_accept(slot, "FAL_KEY_ID and FAL_KEY_SECRET", text, (size_t)len,
                   why);
  fr_wipe(text, sizeof(text));
  return err;
}

static enum fr_err load_api(struct fr_key_slot *slot, struct fr_buf *why)
{
  const char *key = variable("FAL_KEY"), *path = variable("FAL_KEY_FILE");

  if (key)
    return fr_key_accept(slot, "FAL_KEY", key, strlen(key), why);
  if (variable("FAL_KEY_ID") || variable("FAL_KEY_SECRET"))
    return load_pair(slot, why);
  if (path)
    return load_file(slot, "FAL_KEY_FILE", path, why);
  return load_credential(slot, "fal_key", why);
}

static enum fr_err load_admin(struct fr_key_slot *slot, struct fr_buf *why)
{
  const char *key = variable("FAL_ADMIN_KEY");
  const char *path = variable("FAL_ADMIN_KEY_FILE");

  if (key)
    return fr_key_accept(slot, "FAL_ADMIN_KEY", key, strlen(key), why);
  if (path)
    return load_file(slot, "FAL_ADMIN_KEY_FILE", path, why);
  return load_credential(slot, "fal_admin_key", why);
}

/* In place, so that /proc/PID/environ no longer shows it either. */
void fr_key_forget_variables(void)
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

const char *fr_keys_variable(bool admin)
{
  static const char *const names[2][4] = {
    { "FAL_KEY", "FAL_KEY_ID", "FAL_KEY_SECRET", "FAL_KEY_FILE" },
    { "FAL_ADMIN_KEY", "FAL_ADMIN_KEY_FILE", NULL, NULL }
  };
  size_t i;

  for (i = 0; i < 4 && names[admin][i]; i++)
    if (variable(names[admin][i]))
      return names[admin][i];
  return NULL;
}

const char *fr_keys_credential(bool admin)
{
  const char *name = admin ? "fal_admin_key" : "fal_key";
  const char *folder = variable("CREDENTIALS_DIRECTORY");
  char path[4096];

  if (!folder || snprintf(path, sizeof(path), "%s/%s", folder, name) >=
      (int)sizeof(path) || access(path, F_OK))
    return NULL;
  return name;
}

/* The environment's where it has one and it counts, else the one named. */
static enum fr_err load_one(const struct fr_key_refs *refs, bool admin,
                            struct fr_key_slot *slot, struct fr_buf *why)
{
  const struct fr_key_ref *ref = refs ? (admin ? &refs->admin : &refs->api)
                                      : NULL;
  enum fr_err err = FR_OK;

  if (!refs || !refs->alone)
    err = admin ? load_admin(slot, why) : load_api(slot, why);
  if (err || slot->len || !ref || !ref->text)
    return err;
  return fr_key_from_ref(slot, ref, why);
}

enum fr_err fr_keys_load(const struct fr_key_refs *refs, struct fr_buf *why,
                         struct fr_keys **ret_keys)
{
  struct fr_keys *keys;
  enum fr_err err = fr_keyring_new(&keys);

  if (err)
    return err;
  err = load_one(refs, false, &keys->api, why);
  if (!err)
    err = load_one(refs, true, &keys->admin, why);
  fr_key_forget_variables();
  if (err) {
    fr_keys_free(keys);
    return err;
  }
  *ret_keys = keys;
  return FR_OK;
}
