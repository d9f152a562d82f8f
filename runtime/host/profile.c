/* host/profile.c - see profile.h; the file itself is opened in
 * profile_file.c.
 *
 * Settings, accounts and values have at most one entry a line, so one count
 * of the lines bounds these lists. */
#include "host/profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bindings/bindings.h"
#include "fal/keys.h"
#include "host/config.h"
#include "host/ini.h"

#define ACCOUNTS_MAX 256
#define SECTION "account "

/* What only a config file says; the rest are rows of the option table. */
static const char *const own[] = { "key", "admin-key", "policies", NULL };

static bool is_own(const char *name)
{
  for (size_t i = 0; own[i]; i++)
    if (!strcmp(own[i], name))
      return true;
  return false;
}

static bool in_file(const struct frl_option_spec *row)
{
  return !row->line && !row->only;
}

const char *const *fr_profile_names(void)
{
  static const char *names[FR_OPTION_COUNT + 4];
  size_t count = 0;

  for (size_t i = 0; own[i]; i++)
    names[count++] = own[i];
  for (size_t i = 0; i < FR_OPTION_COUNT; i++)
    if (in_file(&fr_option_table[i]))
      names[count++] = fr_option_table[i].name;
  names[count] = NULL;
  return names;
}

/* ---- problems ------------------------------------------------------------ */

enum fr_err fr_profile_add(struct fr_profile *profile, unsigned line,
                           const char *name, const char *format, ...)
{
  size_t count = profile->nproblems;
  struct fr_problem *list = realloc(profile->problems,
                                    (count + 1) * sizeof(*list));
  va_list args;
  int len;

  if (!list)
    return FR_ENOMEM;
  profile->problems = list;
  list[count] = (struct fr_problem){ .line = line, .name = name };
  va_start(args, format);
  len = vasprintf(&list[count].words, format, args);
  va_end(args);
  if (len < 0)
    return FR_ENOMEM;
  profile->nproblems++;
  return FR_OK;
}

void fr_profile_say(const struct fr_profile *profile,
                    const struct fr_problem *problem, struct fr_buf *why)
{
  fr_buf_say(why, "%s:", profile->path);
  if (problem->line)
    fr_buf_addf(why, "%u:", problem->line);
  if (*problem->name)
    fr_buf_addf(why, " %s:", problem->name);
  fr_buf_addf(why, " %s", problem->words);
}

/* ---- values -------------------------------------------------------------- */

/* FR_ENOMEM; else *ret_value is the path from the root. */
static enum fr_err make_whole(struct fr_profile *profile, const char *prefix,
                              const char *path, const char **ret_value)
{
  const char *home = getenv("HOME"), *slash = strrchr(profile->path, '/');
  int folder = slash ? (int)(slash - profile->path) : 0;
  char *made = NULL;
  int len;

  if (!strncmp(path, "~/", 2) && home && *home)
    len = asprintf(&made, "%s%s%s", prefix, home, path + 1);
  else if (*path == '/' || !slash)
    len = asprintf(&made, "%s%s", prefix, path);
  else
    len = asprintf(&made, "%s%.*s/%s", prefix, folder, profile->path, path);
  if (len < 0)
    return FR_ENOMEM;
  profile->kept[profile->nkept++] = made;
  *ret_value = made;
  return FR_OK;
}

/* Each of several paths, with one blank between them. */
static enum fr_err make_each_whole(struct fr_profile *profile,
                                   const char *paths, const char **ret_value)
{
  struct fr_buf list;
  enum fr_err err = FR_OK;
  char *made;

  fr_buf_init(&list, 1u << 20);
  for (paths += strspn(paths, " \t"); !err && *paths;) {
    size_t len = strcspn(paths, " \t");
    char word[FR_INI_LINE_MAX + 1];
    const char *whole = NULL;

    snprintf(word, sizeof(word), "%.*s", (int)len, paths);
    err = make_whole(profile, list.len ? " " : "", word, &whole);
    if (!err)
      err = fr_buf_add_text(&list, whole);
    if (whole)
      free(profile->kept[--profile->nkept]);
    paths += len + strspn(paths + len, " \t");
  }
  made = err ? NULL : strdup(fr_buf_text(&list));
  fr_buf_done(&list);
  if (!made)
    return FR_ENOMEM;
  profile->kept[profile->nkept++] = made;
  *ret_value = made;
  return FR_OK;
}

/* Files are named from the folder of the config file: who runs it, cron or
 * systemd, has another working directory. */
static enum fr_err complete(struct fr_profile *profile,
                            struct fr_setting *setting)
{
  const struct frl_option_spec *row = fr_option_find(setting->name);
  const char *value = setting->value;

  if (row && row->value && (!strcmp(row->value, "FILE") ||
                            !strcmp(row->value, "PATH")))
    return make_whole(profile, "", value, &setting->value);
  if (!strcmp(setting->name, "policies"))
    return make_each_whole(profile, value, &setting->value);
  if (is_own(setting->name) && !strncmp(value, "file:", 5))
    return make_whole(profile, "file:", value + 5, &setting->value);
  return FR_OK;
}

/* A comment behind a value would be part of it. */
static bool has_comment(const struct fr_setting *setting)
{
  const char *value = setting->value;

  return strncmp(value, "command:", 8) != 0 &&
         (strstr(value, " #") || strstr(value, " ;"));
}

/* What is wrong with the form of the value, or NULL. */
static const char *value_fault(const struct fr_setting *setting)
{
  const struct frl_option_spec *row = fr_option_find(setting->name);
  bool on;

  if (!*setting->value)
    return "nothing stands behind the =; leave out the line, or name a value";
  if (has_comment(setting))
    return "a comment stands on a line of its own, not behind a value";
  if (row && !row->value && !fr_option_truth(setting->value, &on))
    return "write yes or no";
  if (!row && strcmp(setting->name, "policies") != 0)
    return fr_key_ref_fault(setting->value);
  return NULL;
}

/* ---- lines --------------------------------------------------------------- */

static enum fr_err unknown(struct fr_profile *profile,
                           const struct fr_ini_item *item)
{
  const struct frl_option_spec *row = fr_option_find(item->name);
  const char *near = frl_nearest(item->name, fr_profile_names());

  if (row)
    return fr_profile_add(profile, item->line, item->name, "this is said on "
                          "the command line only (--%s), so that no file "
                          "decides it unseen", item->name);
  if (near)
    return fr_profile_add(profile, item->line, item->name, "there is no such "
                          "key; did you mean %s?", near);
  return fr_profile_add(profile, item->line, item->name, "there is no such "
                        "key; falrun --help lists the options, and "
                        "docs/config.md the rest");
}

static enum fr_err take_value(struct fr_profile *profile, int account,
                              const struct fr_ini_item *item)
{
  struct fr_setting *setting = &profile->settings[profile->nsettings];
  const struct frl_option_spec *row = fr_option_find(item->name);
  const struct fr_setting *first = fr_profile_find(profile, account,
                                                   item->name);
  const char *fault;

  *setting = (struct fr_setting){ .line = item->line, .account = account,
                                  .name = item->name, .value = item->value };
  if (row ? !in_file(row) : !is_own(item->name))
    return unknown(profile, item);
  if (first)
    return fr_profile_add(profile, item->line, item->name, "line %u says it "
                          "already; leave out one of them", first->line);
  if (account == FR_TOP && !strcmp(item->name, "policies"))
    return fr_profile_add(profile, item->line, item->name, "policies belong "
                          "to an account: put it below an [account NAME]");
  profile->nsettings++;
  fault = value_fault(setting);
  if (fault)
    return fr_profile_add(profile, item->line, item->name, "%s", fault);
  return complete(profile, setting);
}

static bool is_account_name(const char *name)
{
  size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTU"
                            "VWXYZ0123456789._-");

  return len && !name[len] && len <= FR_ACCOUNT_NAME_MAX &&
         *name != '.' && *name != '-' && strcmp(name, "all") != 0;
}

/* What could be a part of a key is not repeated. */
static const char *shown_section(const char *section)
{
  return strchr(section, ':') ||
         strlen(section) > strlen(SECTION) + FR_ACCOUNT_NAME_MAX ? ""
                                                                 : section;
}

/* An account is opened also when something is wrong with its name, so that
 * what follows is not taken for the top. */
static enum fr_err take_section(struct fr_profile *profile,
                                const struct fr_ini_item *item)
{
  const char *name = item->name + strlen(SECTION);
  const char *shown = shown_section(item->name);
  int same;

  if (profile->naccounts > ACCOUNTS_MAX)
    return FR_OK;               /* said already */
  if (strncmp(item->name, SECTION, strlen(SECTION)) != 0) {
    profile->accounts[profile->naccounts++] = (struct fr_account){ "",
      "", item->line };
    return fr_profile_add(profile, item->line, shown, "there is no such "
                          "section; sections are [account NAME]");
  }
  name += strspn(name, " \t");
  same = fr_profile_account(profile, name);
  profile->accounts[profile->naccounts++] = (struct fr_account){
    item->name, name, item->line };
  if (!is_account_name(name))
    return fr_profile_add(profile, item->line, shown, "the name of an account "
                          "has up to %d letters, digits, dots, dashes and "
                          "underscores, and is not \"all\"",
                          FR_ACCOUNT_NAME_MAX);
  if (same != FR_TOP)
    return fr_profile_add(profile, item->line, shown, "line %u has this "
                          "account already; put what it says together",
                          profile->accounts[same].line);
  if (profile->naccounts > ACCOUNTS_MAX)
    return fr_profile_add(profile, item->line, shown, "a config file has at "
                          "most %d accounts", ACCOUNTS_MAX);
  return FR_OK;
}

static enum fr_err take_lines(struct fr_profile *profile)
{
  struct fr_ini ini = { .rest = profile->text.data };
  struct fr_ini_item item;
  enum fr_ini_kind kind;
  enum fr_err err = FR_OK;

  while (!err && (kind = fr_ini_next(&ini, &item)) != FR_INI_END) {
    if (kind == FR_INI_SECTION)
      err = take_section(profile, &item);
    else if (kind == FR_INI_VALUE)
      err = take_value(profile, (int)profile->naccounts - 1, &item);
    else
      err = fr_profile_add(profile, item.line, "", "%s", item.value);
  }
  return err;
}

/* ---- the whole ----------------------------------------------------------- */

/* Comments, too: who may read the file is not asked. Returns the lines. */
static enum fr_err look_for_keys(struct fr_profile *profile)
{
  unsigned line = 0;
  enum fr_err err = FR_OK;
  char *at = profile->text.data, *end;

  for (; !err && at && *at; at = end ? end + 1 : NULL) {
    end = strchr(at, '\n');
    line++;
    if (end)
      *end = 0;
    if (fr_key_in_text(at))
      err = fr_profile_add(profile, line, "", "something here looks like a "
                           "key, and this file never holds one: put it into a "
                           "file of mode 600 and write admin-key = file:PATH; "
                           "if others saw it, make a new one");
    if (end)
      *end = '\n';
  }
  return err;
}

/* Two accounts in one ledger would settle each other's open deletions. */
static enum fr_err compare_ledgers(struct fr_profile *profile)
{
  char one[4096], other[4096];
  enum fr_err err = FR_OK;

  for (size_t i = 1; !err && i < profile->naccounts; i++) {
    const struct fr_setting *named = fr_profile_find(profile, (int)i,
                                                     "ledger");
    unsigned line = named ? named->line : profile->accounts[i].line;

    if (fr_profile_ledger(profile, (int)i, one, sizeof(one)) <= 0)
      continue;
    for (size_t j = 0; !err && j < i; j++)
      if (fr_profile_ledger(profile, (int)j, other, sizeof(other)) > 0 &&
          !strcmp(one, other))
        err = fr_profile_add(profile, line, "ledger", "account %s has the "
                             "same ledger; each needs one of its own",
                             profile->accounts[j].name);
  }
  return err;
}

static int by_line(const void *a, const void *b)
{
  const struct fr_problem *one = a, *other = b;

  return (one->line > other->line) - (one->line < other->line);
}

void fr_profile_sort(struct fr_profile *profile)
{
  if (profile->nproblems)
    qsort(profile->problems, profile->nproblems, sizeof(*profile->problems),
          by_line);
}

static enum fr_err make_room(struct fr_profile *profile)
{
  size_t lines = 2;

  profile->nsettings = profile->naccounts = profile->nkept = 0;
  for (const char *at = fr_buf_text(&profile->text); *at; at++)
    lines += *at == '\n';
  profile->settings = calloc(lines, sizeof(*profile->settings));
  profile->accounts = calloc(lines, sizeof(*profile->accounts));
  profile->kept = calloc(lines, sizeof(*profile->kept));
  return profile->settings && profile->accounts && profile->kept
    ? FR_OK : FR_ENOMEM;
}

enum fr_err fr_profile_read(struct fr_profile *profile, const char *text,
                            size_t len)
{
  enum fr_err err;

  if (!profile->text.max)
    fr_buf_init(&profile->text, len + 1);
  err = fr_buf_add(&profile->text, text, len);
  if (!err)
    err = make_room(profile);
  if (!err && memchr(text, 0, len))
    return fr_profile_add(profile, 0, "", "this is no text: it has a NUL");
  if (!err && len)
    err = look_for_keys(profile);
  if (!err && len)
    err = take_lines(profile);
  if (!err && !profile->nproblems)
    err = compare_ledgers(profile);
  fr_profile_sort(profile);
  return err;
}

void fr_profile_done(struct fr_profile *profile)
{
  for (size_t i = 0; i < profile->nkept; i++)
    free(profile->kept[i]);
  for (size_t i = 0; i < profile->nproblems; i++)
    free(profile->problems[i].words);
  free(profile->settings);
  free(profile->accounts);
  free(profile->problems);
  free(profile->kept);
  fr_buf_done(&profile->text);
  *profile = (struct fr_profile){ .path = "" };
}

int fr_profile_account(const struct fr_profile *profile, const char *name)
{
  for (size_t i = 0; i < profile->naccounts; i++)
    if (*name && !strcmp(profile->accounts[i].name, name))
      return (int)i;
  return FR_TOP;
}

const struct fr_setting *fr_profile_find(const struct fr_profile *profile,
                                         int account, const char *name)
{
  for (size_t i = 0; i < profile->nsettings; i++)
    if (profile->settings[i].account == account &&
        !strcmp(profile->settings[i].name, name))
      return &profile->settings[i];
  return NULL;
}

int fr_profile_ledger(const struct fr_profile *profile, int account,
                      char *path, size_t size)
{
  const struct fr_setting *named = fr_profile_find(profile, account,
                                                   "ledger");

  if (named)
    return snprintf(path, size, "%s", named->value);
  return fr_config_state_path(account == FR_TOP ? NULL :
                              profile->accounts[account].name, path, size);
}
