/* fal/keyref.c - keys that a configuration names, and texts that must not be
 * one.
 *
 * What looks like a key: "id:secret" with at least 16 letters and digits
 * behind the colon and a digit among them, as a word of its own. fal's keys
 * do; paths, URLs and times of day do not. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/digest.h"
#include "fal/keyring.h"

#define SECRET_LEAST 16

static const char FILE_[] = "file:", CREDENTIAL[] = "credential:",
                  COMMAND[] = "command:";

/* What stands behind the prefix, or NULL. */
static const char *behind(const char *text, const char *prefix)
{
  size_t len = strlen(prefix);

  return strncmp(text, prefix, len) ? NULL : text + len;
}

/* ---- texts --------------------------------------------------------------- */

static bool is_key_char(char c)
{
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
         (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
}

static size_t span(const char *text)
{
  size_t len = 0;

  while (is_key_char(text[len]))
    len++;
  return len;
}

/* At the first character of a word. */
static bool key_at(const char *text)
{
  const char *secret;
  size_t len;

  for (int i = 0; i < 3; i++) {
    const char *rest = behind(text, (const char *[]){ FILE_, CREDENTIAL,
                                                      COMMAND }[i]);
    if (rest)
      text = rest;
  }
  len = span(text);
  if (!len || text[len] != ':')
    return false;
  secret = text + len + 1;
  len = span(secret);
  return len >= SECRET_LEAST && strcspn(secret, "0123456789") < len &&
         (!secret[len] || strchr(" \t\r\n\"'=,;)]}<>", secret[len]));
}

bool fr_key_in_text(const char *text)
{
  for (bool begins = true; *text; text++) {
    if (begins && key_at(text))
      return true;
    begins = strchr(" \t\r\n\"'=,;([{<>", *text) != NULL;
  }
  return false;
}

const char *fr_key_ref_fault(const char *text)
{
  const char *file = behind(text, FILE_), *name = behind(text, CREDENTIAL);
  const char *words = behind(text, COMMAND);

  if (words)
    return fr_key_command_fault(words);
  if (file && *file)
    return NULL;
  if (name && *name && *name != '.' && !strchr(name, '/'))
    return NULL;
  if (name)
    return "a credential is a name, like credential:fal_admin_key";
  return "a key is named, never written here: file:PATH, credential:NAME or "
         "command:WORDS";
}

/* ---- what they name ------------------------------------------------------ */

static int open_key(const char *path)
{
  return open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
}

static enum fr_err from_file(struct fr_key_slot *slot, const char *path,
                             mode_t open_to, struct fr_buf *why)
{
  enum fr_err err;
  int fd = open_key(path);

  if (fd < 0) {
    fr_buf_say(why, "the key file %s cannot be opened: %s", path,
               strerror(errno));
    return FR_ECONFIG;
  }
  err = fr_key_from_file(slot, fd, path, open_to, why);
  close(fd);
  return err;
}

static enum fr_err from_credential(struct fr_key_slot *slot, const char *name,
                                   struct fr_buf *why)
{
  const char *folder = getenv("CREDENTIALS_DIRECTORY");
  char path[4096];

  if (!folder || !*folder) {
    fr_buf_say(why, "there are no credentials here: systemd gives them to a "
               "service with LoadCredential=%s:PATH", name);
    return FR_ECONFIG;
  }
  if (snprintf(path, sizeof(path), "%s/%s", folder, name) >=
      (int)sizeof(path)) {
    fr_buf_say(why, "the path of the credential is too long");
    return FR_ECONFIG;
  }
  return from_file(slot, path, 007, why);       /* keyload.c says why 007 */
}

static enum fr_err from_command(struct fr_key_slot *slot, const char *words,
                                struct fr_buf *why)
{
  char text[FR_KEY_MOST + 1];
  size_t len = 0;
  enum fr_err err = fr_key_command(words, text, &len, why);

  if (!err)
    err = fr_key_accept(slot, "what the command prints", text, len, why);
  fr_wipe(text, sizeof(text));
  return err;
}

static enum fr_err from_ref(struct fr_key_slot *slot, const char *text,
                            struct fr_buf *why)
{
  const char *file = behind(text, FILE_), *name = behind(text, CREDENTIAL);
  const char *words = behind(text, COMMAND), *fault = fr_key_ref_fault(text);

  if (fault) {
    fr_buf_say(why, "%s", fault);
    return FR_ECONFIG;
  }
  if (words)
    return from_command(slot, words, why);
  return file ? from_file(slot, file, 077, why)
              : from_credential(slot, name, why);
}

enum fr_err fr_key_from_ref(struct fr_key_slot *slot,
                            const struct fr_key_ref *ref, struct fr_buf *why)
{
  struct fr_buf words;
  enum fr_err err;

  fr_buf_init(&words, 2048);
  err = from_ref(slot, ref->text, &words);
  if (err)
    fr_buf_say(why, "%s: %s", ref->title, fr_buf_text(&words));
  fr_buf_done(&words);
  return err;
}

enum fr_err fr_key_ref_check(const struct fr_key_ref *ref, struct fr_buf *why)
{
  struct fr_keys *keys;
  enum fr_err err;

  if (behind(ref->text, COMMAND) && !fr_key_ref_fault(ref->text))
    return FR_OK;
  err = fr_keyring_new(&keys);
  if (err)
    return err;
  err = from_ref(&keys->api, ref->text, why);
  fr_keys_free(keys);
  return err;
}
