/* host/setup.c - see setup.h. */
#include "host/setup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bindings/bindings.h"
#include "host/command.h"

enum fr_err fr_setup_sound(const struct fr_profile *profile,
                           struct fr_buf *why)
{
  size_t count = profile->nproblems;

  if (!count)
    return FR_OK;
  fr_profile_say(profile, &profile->problems[0], why);
  if (count > 1)
    fr_buf_addf(why, " (%zu more: falrun config check)", count - 1);
  return FR_ECONFIG;
}

/* ---- which account ------------------------------------------------------- */

enum fr_err fr_setup_unknown(const struct fr_profile *profile,
                             const struct fr_options *options,
                             const char *name, struct fr_buf *why)
{
  const char **names = calloc(profile->naccounts + 1, sizeof(*names));
  const char *near = NULL;
  char title[FR_TITLE_MAX];

  for (size_t i = 0; names && i < profile->naccounts; i++)
    names[i] = profile->accounts[i].name;
  if (names)
    near = frl_nearest(name, names);
  fr_option_title(options, fr_option(options, "accounts") ? "accounts"
                                                          : "account", title);
  fr_buf_say(why, "%s: ", title);
  if (profile->path[0])
    fr_buf_addf(why, "%s has no account \"", profile->path);
  else
    fr_buf_addf(why, "there is no config file, and so no account \"");
  fr_buf_add_plain(why, name, strlen(name), 60);
  fr_buf_addf(why, "\"");
  if (near)
    fr_buf_addf(why, "; did you mean %s?", near);
  free(names);
  return FR_ECONFIG;
}

/* Variables that could put another account in the place of the chosen one. */
static void forget_variables(struct fr_options *options)
{
  static const char words[] = " of the environment: not heeded, the account "
                              "has its own";
  const char *admin = fr_keys_variable(true), *api = fr_keys_variable(false);
  bool ledger = fr_option_forget(options, "ledger");

  if (!admin && !api && !ledger)
    return;
  snprintf(options->note, sizeof(options->note), "%s%s%s%s%s%s",
           api ? api : "", api && admin ? ", " : "", admin ? admin : "",
           (api || admin) && ledger ? ", " : "",
           ledger ? "FALRUN_LEDGER" : "", words);
}

/* An empty variable counts as unset; on the line a shell has lost a name. */
static bool is_empty_on_line(struct fr_options *options, const char *name)
{
  const char *value = fr_option(options, name);

  return value && !*value && !fr_option_forget(options, name);
}

/* Of --account and --accounts the nearer one counts. */
static enum fr_err choose_one(struct fr_options *options, struct fr_buf *why)
{
  const struct fr_source *one, *many;

  if (is_empty_on_line(options, "account") ||
      is_empty_on_line(options, "accounts")) {
    fr_buf_say(why, "--account and --accounts need a name: with none, the "
               "keys of another account could be used");
    return FR_ECONFIG;
  }
  one = fr_option_source(options, "account");
  many = fr_option_source(options, "accounts");
  if (!one || !many)
    return FR_OK;
  if (one->place == many->place) {
    fr_buf_say(why, "--account chooses one account and --accounts several: "
               "leave out one of them");
    return FR_ECONFIG;
  }
  fr_option_forget(options, one->place == FR_FROM_LINE ? "accounts"
                                                       : "account");
  return FR_OK;
}

enum fr_err fr_setup_bare(const struct fr_options *options,
                          struct fr_buf *why)
{
  static const char *const names[] = { "config", "account", "accounts" };

  for (size_t i = 0; i < 3; i++) {
    const struct fr_source *source = fr_option_source(options, names[i]);

    if (!source || source->place != FR_FROM_LINE ||
        !strcmp(options->command, "help"))
      continue;
    fr_buf_say(why, "falrun %s has nothing to do with an account: leave out "
               "--%s", options->command, names[i]);
    return FR_ECONFIG;
  }
  return FR_OK;
}

static enum fr_err choose(const struct fr_profile *profile,
                          struct fr_options *options, struct fr_buf *why)
{
  const char *name = fr_option(options, "account");

  if (!name || !*name)
    return FR_OK;
  if (fr_profile_account(profile, name) == FR_TOP)
    return fr_setup_unknown(profile, options, name, why);
  options->account = name;
  if (fr_command_find(options->command)->hands_on)
    return FR_OK;
  if (!fr_option_flag(options, "sandbox"))
    forget_variables(options);
  else
    fr_option_forget(options, "ledger");
  return FR_OK;
}

/* ---- what it says -------------------------------------------------------- */

/* What a run against the sandbox must not take from an account: its ledger
 * would then belong to the sandbox. */
static bool fits(const struct fr_options *options,
                 const struct fr_setting *setting)
{
  return !fr_option_flag(options, "sandbox") ||
         (strcmp(setting->name, "ledger") && strcmp(setting->name, "api-url"));
}

static void take(const struct fr_profile *profile,
                 const struct fr_setting *setting, struct fr_options *options)
{
  const struct frl_option_spec *row = fr_option_find(setting->name);
  const char *value = setting->value;
  struct fr_source source = { .place = FR_FROM_FILE, .path = profile->path,
                              .line = setting->line };
  bool on;

  if (!row || !fits(options, setting))
    return;
  if (!row->value && fr_option_truth(value, &on))
    value = on ? "true" : NULL;
  fr_option_default(options, row->name, value, &source);
}

/* What is of one run is not for every account: its ledger, its monitor. */
static bool is_inherited(const struct fr_setting *setting)
{
  const struct frl_option_spec *row = fr_option_find(setting->name);

  return row && !row->single;
}

static void take_all(const struct fr_profile *profile, int account,
                     struct fr_options *options)
{
  bool all = account != FR_TOP || !options->account;

  for (size_t i = 0; i < profile->nsettings; i++)
    if (profile->settings[i].account == account &&
        (all || is_inherited(&profile->settings[i])))
      take(profile, &profile->settings[i], options);
}

/* An account with one policy runs that; jobs.c runs several. */
static enum fr_err take_policy(const struct fr_profile *profile, int account,
                               struct fr_options *options, struct fr_buf *why)
{
  const struct fr_setting *policies;

  if (!fr_command_find(options->command)->policy || options->policy)
    return FR_OK;
  policies = fr_profile_find(profile, account, "policies");
  if (!policies) {
    fr_buf_say(why, "falrun %s needs a policy, and account %s (%s:%u) names "
               "none: write one on the line, or policies = FILE there",
               options->command, options->account, profile->path,
               profile->accounts[account].line);
    return FR_ECONFIG;
  }
  if (!strchr(policies->value, ' '))
    options->policy = policies->value;
  return FR_OK;
}

enum fr_err fr_setup_apply(const struct fr_profile *profile,
                           struct fr_options *options, struct fr_buf *why)
{
  int account;
  enum fr_err err = choose_one(options, why);

  if (!err)
    err = choose(profile, options, why);
  if (err)
    return err;
  options->profile = profile;
  if (fr_command_find(options->command)->hands_on)
    return FR_OK;
  if (options->account) {
    account = fr_profile_account(profile, options->account);
    take_all(profile, account, options);
    err = take_policy(profile, account, options, why);
  }
  take_all(profile, FR_TOP, options);
  return err;
}

/* ---- keys ---------------------------------------------------------------- */

static struct fr_key_ref refer(const struct fr_options *options, int account,
                               const char *name, char *title, size_t size)
{
  const struct fr_setting *setting = fr_profile_find(options->profile,
                                                     account, name);

  if (!setting)
    return (struct fr_key_ref){ NULL, NULL };
  snprintf(title, size, "%s:%u: %s%s%s", options->profile->path,
           setting->line, name, options->account ? " of account " : "",
           options->account ? options->account : "");
  return (struct fr_key_ref){ setting->value, title };
}

enum fr_err fr_setup_keys(const struct fr_options *options,
                          struct fr_buf *why, struct fr_setup_keys *ret_keys)
{
  size_t size = sizeof(ret_keys->titles[0]);
  int account = FR_TOP;

  ret_keys->refs = (struct fr_key_refs){ .alone = options->account != NULL };
  if (!options->profile)
    return FR_OK;
  if (options->account)
    account = fr_profile_account(options->profile, options->account);
  ret_keys->refs.api = refer(options, account, "key", ret_keys->titles[0],
                             size);
  ret_keys->refs.admin = refer(options, account, "admin-key",
                               ret_keys->titles[1], size);
  if (!options->account || ret_keys->refs.api.text ||
      ret_keys->refs.admin.text)
    return FR_OK;
  fr_buf_say(why, "account %s (%s:%u) names no key, and those of the "
             "environment could be of another account: add admin-key = "
             "file:PATH to it", options->account, options->profile->path,
             options->profile->accounts[account].line);
  return FR_ECONFIG;
}
