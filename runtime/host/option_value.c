/* host/option_value.c - the values of a line, and where each comes from. */
#include <stdio.h>
#include <string.h>

#include "host/options.h"

const struct frl_option_spec *fr_option_find(const char *name)
{
  const struct frl_option_spec *row = fr_option_table;

  for (; row->name; row++)
    if (!strcmp(row->name, name))
      return row;
  return NULL;
}

/* Where it stands among the values, or where it would. */
static size_t place_of(const struct fr_options *options, const char *name)
{
  size_t i = 0;

  while (options->values[i].name && strcmp(options->values[i].name, name))
    i++;
  return i;
}

void fr_option_set(struct fr_options *out, const char *name,
                   const char *value, enum fr_place place)
{
  size_t i = place_of(out, name);

  out->values[i] = (struct frl_option){ .name = name, .value = value };
  out->sources[i] = (struct fr_source){ .place = place };
}

void fr_option_default(struct fr_options *options, const char *name,
                       const char *value, const struct fr_source *source)
{
  size_t i = place_of(options, name);

  if (options->values[i].name)
    return;
  options->values[i] = (struct frl_option){ .name = name, .value = value };
  options->sources[i] = *source;
}

bool fr_option_forget(struct fr_options *options, const char *name)
{
  size_t i = place_of(options, name);

  if (!options->values[i].name ||
      options->sources[i].place != FR_FROM_VARIABLE)
    return false;
  for (; options->values[i].name; i++) {
    options->values[i] = options->values[i + 1];
    options->sources[i] = options->sources[i + 1];
  }
  return true;
}

bool fr_option_truth(const char *text, bool *ret_value)
{
  static const char *const yes[] = { "1", "true", "yes", "on", NULL };
  static const char *const no[] = { "0", "false", "no", "off", "", NULL };

  for (size_t i = 0; yes[i]; i++)
    if (!strcmp(text, yes[i]))
      return *ret_value = true;
  for (size_t i = 0; no[i]; i++)
    if (!strcmp(text, no[i])) {
      *ret_value = false;
      return true;
    }
  return false;
}

void fr_option_variable(const char *name, char ret_name[FR_TITLE_MAX])
{
  size_t len = strlen(strcpy(ret_name, "FALRUN_"));

  for (; *name; name++)
    ret_name[len++] = *name == '-' ? '_' : (char)(*name - 'a' + 'A');
  ret_name[len] = 0;
}

const char *fr_option(const struct fr_options *options, const char *name)
{
  return options->values[place_of(options, name)].value;
}

const struct fr_source *fr_option_source(const struct fr_options *options,
                                         const char *name)
{
  size_t i = place_of(options, name);

  return options->values[i].name ? &options->sources[i] : NULL;
}

void fr_option_title(const struct fr_options *options, const char *name,
                     char ret_title[FR_TITLE_MAX])
{
  const struct fr_source *source = fr_option_source(options, name);

  if (source && source->place == FR_FROM_VARIABLE)
    fr_option_variable(name, ret_title);
  else if (source && source->place == FR_FROM_FILE)
    snprintf(ret_title, FR_TITLE_MAX, "%s:%u: %s", source->path,
             source->line, name);
  else
    snprintf(ret_title, FR_TITLE_MAX, "--%s", name);
}

bool fr_option_flag(const struct fr_options *options, const char *name)
{
  return fr_option(options, name) != NULL;
}
