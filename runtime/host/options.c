/* host/options.c - see options.h. The command line wins over the environment,
 * and that over the config file. Values are checked in config.c, where they
 * get their types. */
#include "host/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/command.h"
#include "host/option_table.h"

/* Options of `falrun sandbox` that `--sandbox` passes on. All take a value. */
static const char *const forwarded[] = {
  "requests", "seed", "endpoints", "rate-limit", "concurrency-limit",
  "latency", "faults", "fault-seed", "truth", "span", "anchor",
  "second-delete", "cache-errors", "deleted-rows", "window-field", "sort",
  "unbilled", "counts", NULL
};
#define NFORWARDED (sizeof(forwarded) / sizeof(forwarded[0]) - 1)

struct scan {
  struct fr_options *out;
  struct fr_buf *why;
  char **argv;
  int argc, at;
  bool literal;                 /* "--" was seen */
};

static const struct frl_option_spec *find(const char *name, size_t len)
{
  const struct frl_option_spec *row = fr_option_table;

  for (; row->name; row++)
    if (strlen(row->name) == len && !memcmp(row->name, name, len))
      return row;
  return NULL;
}

static const struct frl_option_spec *find_letter(const char *word)
{
  const struct frl_option_spec *row = fr_option_table;

  if (word[0] != '-' || !word[1] || word[2])
    return NULL;
  for (; row->name; row++)
    if (row->letter == word[1])
      return row;
  return NULL;
}

/* Whether the option is one of this command's line. */
static bool belongs(const struct frl_option_spec *row, const char *command)
{
  return !row->only || !strcmp(row->only, command);
}

static bool is_forwarded(const char *name, size_t len)
{
  for (size_t i = 0; forwarded[i]; i++)
    if (strlen(forwarded[i]) == len && !memcmp(forwarded[i], name, len))
      return true;
  return false;
}

static const char *nearest(const char *word)
{
  const char *names[FR_OPTION_COUNT + NFORWARDED + 1];

  for (size_t i = 0; i < FR_OPTION_COUNT; i++)
    names[i] = fr_option_table[i].name;
  memcpy(names + FR_OPTION_COUNT, forwarded, sizeof(forwarded));
  return frl_nearest(word, names);
}

static enum fr_err inherit(struct fr_options *out,
                           const struct frl_option_spec *known,
                           struct fr_buf *why)
{
  char name[FR_TITLE_MAX];
  const char *value;
  bool on;

  fr_option_variable(known->name, name);
  value = getenv(name);
  if (!value || !strcmp(known->name, "help") ||
      !strcmp(known->name, "version"))
    return FR_OK;
  if (known->value) {
    fr_option_set(out, known->name, value, FR_FROM_VARIABLE);
  } else if (!fr_option_truth(value, &on)) {
    fr_buf_say(why, "%s is \"%.40s\": write 1 or 0", name, value);
    return FR_ECONFIG;
  } else {
    fr_option_set(out, known->name, on ? "true" : NULL, FR_FROM_VARIABLE);
  }
  return FR_OK;
}

static enum fr_err from_environment(struct fr_options *out,
                                    struct fr_buf *why)
{
  enum fr_err err = FR_OK;

  for (size_t i = 0; !err && i < FR_OPTION_COUNT; i++)
    err = inherit(out, &fr_option_table[i], why);
  return err;
}

static enum fr_err take_flag(struct scan *scan,
                             const struct frl_option_spec *known,
                             const char *equals)
{
  bool on = true;

  if (equals && !fr_option_truth(equals + 1, &on)) {
    fr_buf_say(scan->why, "--%s is \"%.40s\": write --%s alone, or 1 or 0 "
               "behind the =", known->name, equals + 1, known->name);
    return FR_ECONFIG;
  }
  fr_option_set(scan->out, known->name, on ? "true" : NULL,
                FR_FROM_LINE);
  return FR_OK;
}

/* The next word, which must not look like an option: in `--ledger --dry-run
 * x.lua` a forgotten path would turn a dry run into a run. */
static enum fr_err take_value(struct scan *scan, const char **ret_value)
{
  const char *option = scan->argv[scan->at];
  const char *value = scan->at + 1 < scan->argc ? scan->argv[scan->at + 1]
                                                : NULL;

  if (!value) {
    fr_buf_say(scan->why, "%.60s needs a value", option);
    return FR_ECONFIG;
  }
  if (value[0] == '-' && value[1]) {
    fr_buf_say(scan->why, "%.60s needs a value, and %.60s looks like an "
               "option; if it is meant, write %.60s=%.60s", option, value,
               option, value);
    return FR_ECONFIG;
  }
  scan->at++;
  *ret_value = value;
  return FR_OK;
}

static enum fr_err take_known(struct scan *scan,
                              const struct frl_option_spec *known,
                              const char *equals)
{
  const char *value = equals ? equals + 1 : NULL;

  if (!known->value)
    return take_flag(scan, known, equals);
  if (!value && take_value(scan, &value))
    return FR_ECONFIG;
  fr_option_set(scan->out, known->name, value, FR_FROM_LINE);
  return FR_OK;
}

static enum fr_err take_forwarded(struct scan *scan, const char *equals)
{
  struct fr_options *out = scan->out;
  const char *value;

  out->forward[out->nforward++] = scan->argv[scan->at];
  if (equals)
    return FR_OK;
  if (take_value(scan, &value))
    return FR_ECONFIG;
  out->forward[out->nforward++] = value;
  return FR_OK;
}

static enum fr_err unknown(struct scan *scan, const char *word)
{
  const char *near = nearest(word + strspn(word, "-"));

  if (near)
    fr_buf_say(scan->why, "there is no option %.60s; did you mean --%s?",
               word, near);
  else
    fr_buf_say(scan->why, "there is no option %.60s; see falrun --help",
               word);
  if (scan->out->policy)
    fr_buf_addf(scan->why, " (what is meant for the policy stands after "
                "--)");
  return FR_ECONFIG;
}

static enum fr_err take_dashed(struct scan *scan, const char *word)
{
  struct fr_options *out = scan->out;
  const char *name = word + 2, *equals = strchr(word, '=');
  const struct frl_option_spec *known = find_letter(word);
  size_t len = equals ? (size_t)(equals - name) : strlen(name);

  if (!known && word[1] == '-')
    known = find(name, len);
  if (known && out->command && !belongs(known, out->command) &&
      !fr_command_find(out->command)->policy)
    known = NULL;               /* the command may have one of that name */
  if (known)
    return take_known(scan, known, equals);
  if (word[1] == '-' && is_forwarded(name, len) &&
      !(out->command && !strcmp(out->command, "sandbox")))
    return take_forwarded(scan, equals);
  if (!out->command || fr_command_find(out->command)->policy)
    return unknown(scan, word);
  out->words[out->nwords++] = word;
  return FR_OK;
}

static enum fr_err unknown_command(struct scan *scan, const char *word)
{
  const char *near = frl_nearest(word, fr_command_names());

  if (near)
    fr_buf_say(scan->why, "there is no command \"%.60s\"; did you mean %s?",
               word, near);
  else
    fr_buf_say(scan->why, "there is no command \"%.60s\", and a policy is "
               "a file whose name ends in .lua; see falrun --help", word);
  return FR_ECONFIG;
}

static bool is_policy(const char *word)
{
  size_t len = strlen(word);

  return strchr(word, '/') || (len > 4 && !strcmp(word + len - 4, ".lua"));
}

static enum fr_err take_word(struct scan *scan, const char *word)
{
  struct fr_options *out = scan->out;

  if (!out->command && is_policy(word)) {
    out->command = "run";
    out->policy = word;
  } else if (!out->command) {
    if (!frl_has_command(word))
      return unknown_command(scan, word);
    out->command = word;
  } else if (!out->policy && fr_command_find(out->command)->policy) {
    out->policy = word;
  } else {
    out->words[out->nwords++] = word;
  }
  return FR_OK;
}

static enum fr_err take(struct scan *scan)
{
  const char *word = scan->argv[scan->at];

  if (!scan->literal && !strcmp(word, "--")) {
    /* A command's own parser must see it; a policy's words need not. */
    if (scan->out->command && !fr_command_find(scan->out->command)->policy)
      scan->out->words[scan->out->nwords++] = word;
    scan->literal = true;
    return FR_OK;
  }
  if (!scan->literal && word[0] == '-' && word[1])
    return take_dashed(scan, word);
  return take_word(scan, word);
}

/* An option of one command on the line of another is a mistake; a variable
 * that is set for all of them is not. */
static enum fr_err check_place(struct fr_options *out, struct fr_buf *why)
{
  for (size_t i = 0; out->values[i].name; i++) {
    const char *name = out->values[i].name;
    const struct frl_option_spec *known = fr_option_find(name);

    if (out->sources[i].place != FR_FROM_LINE || !known ||
        belongs(known, out->command))
      continue;
    fr_buf_say(why, "falrun %s has no option --%s: it belongs to falrun %s",
               out->command, name, known->only);
    return FR_ECONFIG;
  }
  return FR_OK;
}

static bool on_line(const struct fr_options *options, const char *name)
{
  const struct fr_source *source = fr_option_source(options, name);

  return source && source->place == FR_FROM_LINE;
}

/* An account has policies of its own: `falrun --account prod` runs them. A
 * variable is not enough, so that falrun alone never deletes anything. */
static bool lacks_policy(const struct fr_options *options)
{
  const char *one = fr_option(options, "account");
  const char *many = fr_option(options, "accounts");

  return fr_command_find(options->command)->policy && !options->policy &&
         !(one && *one) && !(many && *many) &&
         !fr_option_flag(options, "help");
}

/* What both kinds of line need: a command, and nowhere forwarded options
 * that no sandbox will see. */
static enum fr_err settle(struct fr_options *out, struct fr_buf *why)
{
  if (!out->command && (on_line(out, "account") || on_line(out, "accounts")))
    out->command = "run";
  if (!out->command)
    return FR_OK;
  if (!strcmp(out->command, "sandbox")) {
    memmove(out->words + out->nforward, out->words,
            out->nwords * sizeof(*out->words));
    memcpy(out->words, out->forward, out->nforward * sizeof(*out->words));
    out->nwords += out->nforward;
    out->nforward = 0;
  }
  if (out->nforward && !fr_option_flag(out, "sandbox")) {
    fr_buf_say(why, "%.60s is an option of the sandbox: add --sandbox",
               out->forward[0]);
    return FR_ECONFIG;
  }
  if (lacks_policy(out)) {
    fr_buf_say(why, "falrun %s needs a policy: a file of Lua, like "
               "older-than.lua", out->command);
    return FR_ECONFIG;
  }
  if (fr_option_flag(out, "dry-run") && !strcmp(out->command, "run"))
    out->command = "plan";
  return check_place(out, why);
}

/* Words that a child for one account has in another form. */
static bool is_of_account(const char *word)
{
  return !strcmp(word, "--account") || !strcmp(word, "--accounts") ||
         !strncmp(word, "--account=", 10) || !strncmp(word, "--accounts=", 11);
}

static enum fr_err take_all(struct scan *scan)
{
  enum fr_err err = FR_OK;

  for (scan->at = 1; !err && scan->at < scan->argc; scan->at++) {
    int from = scan->at;
    bool keep = scan->literal || !is_of_account(scan->argv[from]);

    err = take(scan);
    for (; keep && !err && from <= scan->at; from++)
      scan->out->rest[scan->out->nrest++] = scan->argv[from];
  }
  return err;
}

enum fr_err fr_options_parse(int argc, char **argv, struct fr_buf *why,
                             struct fr_options *ret_options)
{
  size_t room = (size_t)argc + 1;
  struct scan scan = { .out = ret_options, .why = why, .argv = argv,
                       .argc = argc };
  enum fr_err err;

  memset(ret_options, 0, sizeof(*ret_options));
  ret_options->words = calloc(room, sizeof(*ret_options->words));
  ret_options->forward = calloc(room, sizeof(*ret_options->forward));
  ret_options->rest = calloc(room, sizeof(*ret_options->rest));
  if (!ret_options->words || !ret_options->forward || !ret_options->rest)
    return FR_ENOMEM;
  err = from_environment(ret_options, why);
  if (!err)
    err = take_all(&scan);
  return err ? err : settle(ret_options, why);
}

void fr_options_done(struct fr_options *options)
{
  free(options->words);
  free(options->forward);
  free(options->rest);
  options->words = options->forward = options->rest = NULL;
}

bool fr_option_is(const struct fr_options *options, const char *name,
                  const char *value)
{
  const char *given = fr_option(options, name);

  return given && !strcmp(given, value);
}
