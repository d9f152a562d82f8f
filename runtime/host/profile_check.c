/* host/profile_check.c - what is wrong with the values, all of it.
 *
 * A value goes through the reader that checks it on the command line, alone,
 * as if it stood there. Files and credentials of keys are opened; commands
 * are not run, since they may ask somebody something. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bindings/bindings.h"
#include "fal/keys.h"
#include "host/config.h"
#include "host/profile.h"

static bool has_problem(const struct fr_profile *profile, unsigned line)
{
  for (size_t i = 0; i < profile->nproblems; i++)
    if (profile->problems[i].line == line)
      return true;
  return false;
}

/* The sentence of config.c begins with the name of the option; so does the
 * one that is made of it. */
static const char *without_title(const char *sentence, const char *title)
{
  size_t len = strlen(title);

  return strncmp(sentence, title, len) ? sentence
                                       : sentence + len +
                                         (sentence[len] == ' ');
}

/* As the only option of a command that opens nothing. */
static enum fr_err check_option(struct fr_profile *profile,
                                const struct fr_setting *setting)
{
  struct fr_options options = { .command = "help" };
  char title[FR_TITLE_MAX];
  struct fr_config config;
  struct fr_buf why;
  enum fr_err err;

  fr_buf_init(&why, 2048);
  fr_option_set(&options, setting->name, setting->value, FR_FROM_LINE);
  fr_option_title(&options, setting->name, title);
  err = fr_config_read(&options, &why, &config);
  if (err == FR_ECONFIG)
    err = fr_profile_add(profile, setting->line, setting->name, "%s",
                         without_title(fr_buf_text(&why), title));
  fr_buf_done(&why);
  return err;
}

static enum fr_err check_key(struct fr_profile *profile,
                             const struct fr_setting *setting)
{
  struct fr_key_ref ref = { setting->value, setting->name };
  struct fr_buf why;
  enum fr_err err;

  fr_buf_init(&why, 2048);
  err = fr_key_ref_check(&ref, &why);
  if (err == FR_ECONFIG)
    err = fr_profile_add(profile, setting->line, setting->name, "%s",
                         fr_buf_text(&why));
  fr_buf_done(&why);
  return err;
}

static enum fr_err check_policies(struct fr_profile *profile,
                                  const struct fr_setting *setting)
{
  const char *at = setting->value;
  enum fr_err err = FR_OK;
  char path[4096];

  for (; !err && *at; at += *at == ' ') {
    size_t len = strcspn(at, " ");

    snprintf(path, sizeof(path), "%.*s", (int)len, at);
    at += len;
    if (access(path, R_OK))
      err = fr_profile_add(profile, setting->line, setting->name, "%s cannot "
                           "be read: %s (paths begin at the folder of the "
                           "config file, and have no blanks)", path,
                           strerror(errno));
  }
  return err;
}

static enum fr_err check_setting(struct fr_profile *profile,
                                 const struct fr_setting *setting)
{
  if (has_problem(profile, setting->line))
    return FR_OK;
  if (!strcmp(setting->name, "policies"))
    return check_policies(profile, setting);
  if (fr_option_find(setting->name))
    return check_option(profile, setting);
  return check_key(profile, setting);
}

static enum fr_err check_account(struct fr_profile *profile, int account)
{
  const struct fr_account *about = &profile->accounts[account];

  if (has_problem(profile, about->line) ||
      fr_profile_find(profile, account, "key") ||
      fr_profile_find(profile, account, "admin-key"))
    return FR_OK;
  return fr_profile_add(profile, about->line, about->section, "the account "
                        "names no key; add admin-key = file:PATH");
}

enum fr_err fr_profile_check(struct fr_profile *profile)
{
  enum fr_err err = FR_OK;

  for (size_t i = 0; !err && i < profile->nsettings; i++)
    err = check_setting(profile, &profile->settings[i]);
  for (size_t i = 0; !err && i < profile->naccounts; i++)
    err = check_account(profile, (int)i);
  fr_profile_sort(profile);
  return err;
}
