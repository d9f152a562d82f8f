/* host/command.c - see command.h. */
#include "host/command.h"

#include <string.h>

#include "bindings/embedded.h"

static const struct fr_command table[] = {
  { .name = "run", .policy = true, .network = true, .deletes = true,
    .probes = true, .ledger = FR_NEED_RUN },
  { .name = "plan", .policy = true, .network = true, .ledger = FR_NEED_READ },
  { .name = "apply", .network = true, .deletes = true, .probes = true,
    .ledger = FR_NEED_RUN },
  { .name = "check", .policy = true },
  { .name = "delete", .network = true, .deletes = true, .probes = true,
    .ledger = FR_NEED_RUN },
  { .name = "release", .network = true, .deletes = true, .holds = true,
    .ledger = FR_NEED_RUN },
  { .name = "call", .network = true },
  { .name = "hold", .holds = true, .ledger = FR_NEED_HOLD },
  { .name = "requests", .network = true },
  { .name = "coverage", .network = true, .ledger = FR_NEED_READ },
  { .name = "history", .ledger = FR_NEED_READ },
  { .name = "show", .ledger = FR_NEED_READ },
  { .name = "report", .ledger = FR_NEED_READ },
  { .name = "status", .ledger = FR_NEED_READ },
  { .name = "explain", .network = true, .ledger = FR_NEED_READ },
  { .name = "doctor", .network = true, .examines = true,
    .ledger = FR_NEED_READ },
  { .name = "verify", .ledger = FR_NEED_READ },
  { .name = "certificate", .ledger = FR_NEED_READ },
  { .name = "verify-erasure", .probes = true, .ledger = FR_NEED_RUN },
  { .name = "config" },
  { .name = "sandbox", .bare = true },
  { .name = "simulate", .policy = true, .network = true },
  { .name = "test", .bare = true },
  { .name = "help", .bare = true },
  { .name = "new", .bare = true },
  { .name = "install-timer", .hands_on = true },
  { .name = "types", .bare = true },
  { .name = "completion", .bare = true },
  { .name = "manual", .bare = true },
};

static const struct fr_command other = { .name = "", .network = true,
                                         .ledger = FR_NEED_READ };

const struct fr_command *fr_command_find(const char *name)
{
  for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
    if (!strcmp(table[i].name, name))
      return &table[i];
  return &other;
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
