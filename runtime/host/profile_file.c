/* host/profile_file.c - where the config file lies, and whose it is.
 *
 * It can name commands to run and say what is deleted, so it is read as sshd
 * reads what decides over it: the owner is root or who runs this, and nobody
 * else can write it. Others may read it; there is no key in it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/plain.h"
#include "host/profile.h"

#define PROFILE_MOST (256u << 10)

bool fr_profile_usual(char path[FR_CONFIG_PATH_MAX])
{
  const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
  int len = -1;

  if (xdg && *xdg == '/')
    len = snprintf(path, FR_CONFIG_PATH_MAX, "%s/falrun/config", xdg);
  else if (home && *home)
    len = snprintf(path, FR_CONFIG_PATH_MAX, "%s/.config/falrun/config",
                   home);
  return len > 0 && len < FR_CONFIG_PATH_MAX;
}

/* A path from the root, so that what it names does not depend on where a
 * child stands. */
static enum fr_err named_path(const char *given, struct fr_buf *why,
                              char path[FR_CONFIG_PATH_MAX])
{
  char here[FR_CONFIG_PATH_MAX];
  int len;

  if (*given == '/' || !getcwd(here, sizeof(here)))
    len = snprintf(path, FR_CONFIG_PATH_MAX, "%s", given);
  else
    len = snprintf(path, FR_CONFIG_PATH_MAX, "%s/%s", here, given);
  if (*given && len < FR_CONFIG_PATH_MAX)
    return FR_OK;
  if (*given)
    fr_buf_say(why, "the path of the config file is longer than %d bytes",
               FR_CONFIG_PATH_MAX - 1);
  else
    fr_buf_say(why, "the config file has no name: write --config FILE, or "
               "/dev/null for none");
  path[0] = 0;
  return FR_ECONFIG;
}

static enum fr_err refuse(const char *path, struct fr_buf *why,
                          const char *what)
{
  fr_buf_say(why, "the config file %s %s", path, what);
  return FR_ECONFIG;
}

/* Reports and JSON name it. */
static enum fr_err check_path(const char *path, struct fr_buf *why)
{
  char plain[FR_CONFIG_PATH_MAX];

  snprintf(plain, sizeof(plain), "%s", path);
  fr_plain(plain, strlen(plain));
  return strcmp(plain, path) ? refuse(path, why, "has a control character in "
                                      "its path, or a byte that is not UTF-8")
                             : FR_OK;
}

static enum fr_err check_owner(const char *path, const struct stat *st,
                               struct fr_buf *why)
{
  if (!S_ISREG(st->st_mode))
    return refuse(path, why, "is not a regular file");
  if (st->st_uid != 0 && st->st_uid != geteuid()) {
    fr_buf_say(why, "the config file %s belongs to user %u, who could change "
               "what is deleted here: chown it to who runs falrun, or to "
               "root", path, (unsigned)st->st_uid);
    return FR_ECONFIG;
  }
  if (st->st_mode & 022) {
    fr_buf_say(why, "the config file %s can be written by others than its "
               "owner; run: chmod go-w %s", path, path);
    return FR_ECONFIG;
  }
  return FR_OK;
}

static enum fr_err read_all(int fd, const char *path, struct fr_buf *text,
                            struct fr_buf *why)
{
  char chunk[8192];
  enum fr_err err = FR_OK;

  while (!err) {
    ssize_t got = read(fd, chunk, sizeof(chunk));

    if (got == 0)
      return FR_OK;
    if (got < 0 && errno != EINTR)
      return refuse(path, why, strerror(errno));
    err = fr_buf_add(text, chunk, got > 0 ? (size_t)got : 0);
  }
  return err == FR_ETOO_BIG ? refuse(path, why, "is larger than 256 KiB")
                            : err;
}

/* No text: an empty one, and no file where `must` says that it may lack. */
static enum fr_err read_file(char path[FR_CONFIG_PATH_MAX], bool must,
                             struct fr_buf *text, struct fr_buf *why)
{
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  struct stat st;
  enum fr_err err;

  if (fd < 0 && errno == ENOENT && !must) {
    path[0] = 0;
    return FR_OK;
  }
  if (fd < 0) {
    fr_buf_say(why, "the config file %s cannot be opened: %s", path,
               strerror(errno));
    return FR_ECONFIG;
  }
  err = fstat(fd, &st) ? refuse(path, why, strerror(errno))
                       : check_owner(path, &st, why);
  if (!err)
    err = check_path(path, why);
  if (!err)
    err = read_all(fd, path, text, why);
  close(fd);
  return err;
}

enum fr_err fr_profile_open(const struct fr_options *options,
                            struct fr_buf *why, struct fr_profile *profile)
{
  const char *given = fr_option(options, "config");
  struct fr_buf text;
  enum fr_err err = FR_OK;

  *profile = (struct fr_profile){ .path = "" };
  if (given && !strcmp(given, "/dev/null"))
    return FR_OK;
  if (given && named_path(given, why, profile->path))
    return FR_ECONFIG;
  if (!given && !fr_profile_usual(profile->path))
    return FR_OK;
  fr_buf_init(&text, PROFILE_MOST);
  err = read_file(profile->path, given != NULL, &text, why);
  if (!err && profile->path[0])
    err = fr_profile_read(profile, fr_buf_text(&text), text.len);
  fr_buf_done(&text);
  return err;
}
