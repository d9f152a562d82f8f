/* host/setup_view.c - where each value comes from, for people to see. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/config.h"
#include "host/setup.h"

struct making {
  const struct fr_options *options;
  struct fr_setup_view *view;
  size_t count;
};

static void add(struct making *making, const char *name, const char *value,
                const char *origin, const char *place)
{
  struct fr_setup_view *view = making->view;
  size_t at = making->count++;

  snprintf(view->places[at], sizeof(view->places[at]), "%s", place);
  view->rows[at] = (struct frl_setup_row){ name, value, origin,
                                           view->places[at] };
}

static void add_setting(struct making *making, const char *name,
                        const char *value, unsigned line)
{
  char place[FR_TITLE_MAX];

  snprintf(place, sizeof(place), "%s:%u", making->options->profile->path,
           line);
  add(making, name, value, "file", place);
}

/* "yes" and "no" as the file has them. */
static const char *shown(const struct frl_option_spec *row, const char *value)
{
  return row->value ? value : value ? "yes" : "no";
}

static void add_option(struct making *making,
                       const struct frl_option_spec *row)
{
  const struct fr_source *source = fr_option_source(making->options,
                                                    row->name);
  const char *value = fr_option(making->options, row->name);
  char title[FR_TITLE_MAX];

  if (!source) {
    value = row->preset;
    if (!strcmp(row->name, "ledger") && making->view->ledger[0])
      value = making->view->ledger;
    add(making, row->name, shown(row, value), "default", "");
  } else if (source->place == FR_FROM_FILE) {
    add_setting(making, row->name, shown(row, value), source->line);
  } else {
    fr_option_title(making->options, row->name, title);
    add(making, row->name, shown(row, value),
        source->place == FR_FROM_LINE ? "line" : "variable", title);
  }
}

static const struct fr_setting *setting(const struct making *making,
                                        const char *name)
{
  const struct fr_options *options = making->options;

  return fr_profile_find(options->profile, options->account ?
    fr_profile_account(options->profile, options->account) : FR_TOP, name);
}

/* The reference, or the variable that has it; never the key. */
static void add_key(struct making *making, const char *name, bool admin)
{
  const struct fr_setting *named = setting(making, name);
  bool alone = making->options->account != NULL;
  const char *variable = alone ? NULL : fr_keys_variable(admin);
  const char *credential = alone ? NULL : fr_keys_credential(admin);

  if (variable)
    add(making, name, variable, "variable", variable);
  else if (credential)
    add(making, name, credential, "variable", "CREDENTIALS_DIRECTORY");
  else if (named)
    add_setting(making, name, named->value, named->line);
  else
    add(making, name, NULL, "default", "");
}

static void add_rows(struct making *making)
{
  const struct fr_setting *policies = setting(making, "policies");

  for (size_t i = 0; i < FR_OPTION_COUNT; i++)
    if (!fr_option_table[i].line && !fr_option_table[i].only)
      add_option(making, &fr_option_table[i]);
  add_key(making, "key", false);
  add_key(making, "admin-key", true);
  if (policies)
    add_setting(making, "policies", policies->value, policies->line);
}

static enum fr_err add_lists(const struct fr_profile *profile,
                             struct fr_setup_view *view)
{
  view->accounts = calloc(profile->naccounts + 1, sizeof(*view->accounts));
  view->problems = calloc(profile->nproblems + 1, sizeof(*view->problems));
  if (!view->accounts || !view->problems)
    return FR_ENOMEM;
  for (size_t i = 0; i < profile->naccounts; i++)
    view->accounts[i] = profile->accounts[i].name;
  for (size_t i = 0; i < profile->nproblems; i++)
    view->problems[i] = (struct frl_setup_problem){
      profile->problems[i].line, profile->problems[i].name,
      profile->problems[i].words
    };
  view->setup.accounts = view->accounts;
  view->setup.problems = view->problems;
  return FR_OK;
}

enum fr_err fr_setup_view(const struct fr_options *options,
                          struct fr_setup_view *view)
{
  const struct fr_profile *profile = options->profile;
  struct making making = { .options = options, .view = view };
  int len = fr_config_state_path(options->account, view->ledger,
                                 sizeof(view->ledger));

  if (len <= 0 || (size_t)len >= sizeof(view->ledger))
    view->ledger[0] = 0;
  if (!fr_profile_usual(view->usual))
    view->usual[0] = 0;
  add_rows(&making);
  view->setup = (struct frl_setup){
    .path = profile->path[0] ? profile->path : NULL,
    .usual = view->usual[0] ? view->usual : NULL,
    .account = options->account, .rows = view->rows,
    .note = options->note[0] ? options->note : NULL
  };
  return add_lists(profile, view);
}

void fr_setup_view_done(struct fr_setup_view *view)
{
  if (!view)
    return;
  free(view->accounts);
  free(view->problems);
}
