/* host/jobs_plan.c - which accounts and policies a line means. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/command.h"
#include "host/jobs.h"
#include "host/setup.h"

static enum fr_err add(struct fr_jobs *jobs, const char *account,
                       const char *policy, size_t len)
{
  struct fr_job *list = realloc(jobs->list, (jobs->count + 1) *
                                sizeof(*list));

  if (!list)
    return FR_ENOMEM;
  jobs->list = list;
  list[jobs->count] = (struct fr_job){ .account = account };
  if (policy) {
    list[jobs->count].policy = strndup(policy, len);
    if (!list[jobs->count].policy)
      return FR_ENOMEM;
  }
  jobs->count++;
  return FR_OK;
}

/* One for each of its policies, where the line has none and needs one. */
static enum fr_err add_account(struct fr_jobs *jobs,
                               const struct fr_profile *profile, int account,
                               const struct fr_options *options)
{
  const char *name = profile->accounts[account].name;
  const struct fr_setting *policies = NULL;
  enum fr_err err = FR_OK;

  if (fr_command_find(options->command)->policy && !options->policy)
    policies = fr_profile_find(profile, account, "policies");
  if (!policies)
    return add(jobs, name, NULL, 0);    /* the child says what it lacks */
  for (const char *at = policies->value; !err && *at; at += *at == ' ') {
    size_t len = strcspn(at, " ");

    err = add(jobs, name, at, len);
    at += len;
  }
  return err;
}

static bool is_planned(const struct fr_jobs *jobs, const char *account)
{
  for (size_t i = 0; i < jobs->count; i++)
    if (!strcmp(jobs->list[i].account, account))
      return true;
  return false;
}

static enum fr_err add_named(struct fr_jobs *jobs,
                             const struct fr_profile *profile,
                             const struct fr_options *options,
                             const char *names, struct fr_buf *why)
{
  enum fr_err err = FR_OK;

  for (const char *at = names; !err && *at; at += *at == ',') {
    size_t len = strcspn(at, ",");
    char name[FR_ACCOUNT_NAME_MAX + 2];
    int account;

    snprintf(name, sizeof(name), "%.*s", (int)len, at);
    account = fr_profile_account(profile, name);
    if (account == FR_TOP)
      return fr_setup_unknown(profile, options, name, why);
    if (!is_planned(jobs, profile->accounts[account].name))
      err = add_account(jobs, profile, account, options);
    at += len;
  }
  return err;
}

/* The policies of one account have one ledger; a variable does not choose
 * that of an account (setup.h); and a file of a section is that account's. */
static bool is_shared(const struct fr_options *options, size_t at)
{
  enum fr_place place = options->sources[at].place;

  if (strcmp(options->values[at].name, "ledger") != 0)
    return place == FR_FROM_FILE;
  return options->account || place != FR_FROM_LINE;
}

/* What is there once cannot be for each of them. */
static enum fr_err check_line(const struct fr_options *options,
                              struct fr_buf *why)
{
  char title[FR_TITLE_MAX];

  for (size_t i = 0; options->values[i].name; i++) {
    const struct frl_option_spec *row =
      fr_option_find(options->values[i].name);

    if (!row || !row->single || is_shared(options, i))
      continue;
    fr_option_title(options, row->name, title);
    fr_buf_say(why, "%s is of one run, and this line means several: choose "
               "one account and one policy%s", title,
               row->only ? "" : ", or write it in each section of the config "
               "file");
    return FR_ECONFIG;
  }
  for (size_t i = 0; i < options->nwords; i++)
    if (!strcmp(options->words[i], "-")) {
      fr_buf_say(why, "standard input can be read once, and several runs "
                 "would read it: choose one account and one policy");
      return FR_ECONFIG;
    }
  return FR_OK;
}

static enum fr_err plan_accounts(const struct fr_profile *profile,
                                 const struct fr_options *options,
                                 const char *names, struct fr_buf *why,
                                 struct fr_jobs *jobs)
{
  enum fr_err err = check_line(options, why);

  if (err || strcmp(names, "all") != 0)
    return err ? err : add_named(jobs, profile, options, names, why);
  for (size_t i = 0; !err && i < profile->naccounts; i++)
    err = add_account(jobs, profile, (int)i, options);
  if (!err && !jobs->count) {
    fr_buf_say(why, "--accounts all: %s%s", profile->path[0] ?
               profile->path : "there is no config file, and so no account",
               profile->path[0] ? " has no account: add [account NAME]" : "");
    err = FR_ECONFIG;
  }
  return err;
}

enum fr_err fr_jobs_plan(const struct fr_profile *profile,
                         const struct fr_options *options, struct fr_buf *why,
                         struct fr_jobs *ret_jobs)
{
  const char *many = fr_option(options, "accounts");
  enum fr_err err = FR_OK;

  *ret_jobs = (struct fr_jobs){ .count = 0 };
  if (fr_command_find(options->command)->hands_on)
    return FR_OK;
  if (many && *many)
    return plan_accounts(profile, options, many, why, ret_jobs);
  if (!options->account || options->policy ||
      !fr_command_find(options->command)->policy)
    return FR_OK;
  err = check_line(options, why);
  return err ? err : add_account(ret_jobs, profile,
                                 fr_profile_account(profile,
                                                    options->account),
                                 options);
}

void fr_jobs_done(struct fr_jobs *jobs)
{
  for (size_t i = 0; i < jobs->count; i++)
    free(jobs->list[i].policy);
  free(jobs->list);
  *jobs = (struct fr_jobs){ .count = 0 };
}
