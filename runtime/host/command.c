/* host/command.c - see command.h. */
#include "host/command.h"

#include <string.h>

#include "bindings/embedded.h"

static const struct fr_command table[] = {
  { "run", true, true, true, FR_NEED_RUN },
  { "plan", true, true, false, FR_NEED_READ },
  { "apply", false, true, true, FR_NEED_RUN },
  { "check", true, false, false, FR_NEED_NONE },
  { "delete", false, true, true, FR_NEED_RUN },
  { "release", false, true, true, FR_NEED_RUN },
  { "call", false, true, false, FR_NEED_NONE },
  { "hold", false, false, false, FR_NEED_HOLD },
  { "requests", false, true, false, FR_NEED_NONE },
  { "coverage", false, true, false, FR_NEED_READ },
  { "history", false, false, false, FR_NEED_READ },
  { "show", false, false, false, FR_NEED_READ },
  { "explain", false, true, false, FR_NEED_READ },
  { "verify", false, false, false, FR_NEED_READ },
  { "verify-erasure", false, false, false, FR_NEED_RUN },
  { "sandbox", false, false, false, FR_NEED_NONE },
  { "simulate", true, true, false, FR_NEED_NONE },
  { "test", false, false, false, FR_NEED_NONE },
  { "help", false, false, false, FR_NEED_NONE },
  { "new", false, false, false, FR_NEED_NONE },
  { "types", false, false, false, FR_NEED_NONE },
};

static const struct fr_command other = { "", false, true, false,
                                         FR_NEED_READ };

const struct fr_command *fr_command_find(const char *name)
{
  for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
    if (!strcmp(table[i].name, name))
      return &table[i];
  return &other;
}

bool fr_command_probes(const char *name)
{
  static const char *const probing[] = {
    "run", "apply", "delete", "verify-erasure"
  };

  for (size_t i = 0; i < sizeof(probing) / sizeof(probing[0]); i++)
    if (!strcmp(probing[i], name))
      return true;
  return false;
}

const char *const *fr_command_names(void)
{
  static const char *names[128];
  static const char prefix[] = "commands.";
  size_t count = 0;

  for (size_t i = 0; frl_embedded[i].name && count < 127; i++)
    if (!strncmp(frl_embedded[i].name, prefix, sizeof(prefix) - 1))
      names[count++] = frl_embedded[i].name + sizeof(prefix) - 1;
  names[count] = NULL;
  return names;
}
