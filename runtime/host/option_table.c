/* host/option_table.c - see option_table.h. A new option: a row here, its
 * type and default in config.c. */
#include "host/option_table.h"

#include "fal/origin.h"

#define RUN .group = "run"
#define ALL .group = "output"
#define LINE .line = true       /* no config file has it */
#define ONE .single = true      /* is of one run, like a file it writes */

const struct frl_option_spec fr_option_table[] = {
  { "dry-run", RUN, LINE, .help = "plan only: nothing is deleted" },
  { "read-only", RUN,
    .help = "refuse to start what deletes or changes something" },
  { "sandbox", RUN, LINE,
    .help = "against a local API with made-up history; no key needed" },
  { "max-deletes", RUN, .value = "N", .preset = "10000",
    .help = "stop before more than this are deleted (10000)" },
  { "max-percent", RUN, .value = "P",
    .help = "the same for a share of what is there (fal.policy)" },
  { "min-age", RUN, .value = "DUR", .preset = "24h",
    .help = "stop before anything younger is deleted (24h)" },
  { "max-runtime", RUN, .value = "DUR",
    .help = "stop after this time; the rest is resumable" },
  { "concurrency", RUN, .value = "N", .preset = "auto",
    .help = "requests at a time at most, or auto: to 256 (auto)" },
  { "rate", RUN, .value = "N/s",
    .help = "at most so many a second; fal's limit is found anyway" },
  { "ledger", RUN, ONE, .value = "PATH",
    .help = "the record (~/.local/state/falrun/ledger.db)" },
  { "lock-wait", RUN, .value = "DUR", .preset = "0s",
    .help = "wait for another run to end (0s)" },
  { "api-url", RUN, .value = "URL", .preset = FR_ORIGIN_DEFAULT,
    .help = "the API (https://api.fal.ai/v1)" },
  { "proxy", RUN, .value = "URL",
    .help = "go through it; proxies of the environment never count" },
  { "ca-file", RUN, .value = "FILE",
    .help = "certificates to trust in place of the system's" },
  { "allow-net", RUN, .value = "HOST",
    .help = "hosts that a policy may send to, with commas between" },
  { "sendmail", RUN, .value = "PATH",
    .help = "the program that a policy may hand mail to" },
  { "ping", RUN, ONE, .value = "URL",
    .help = "tell a monitor of start and end, as healthchecks.io" },
  { "config", RUN, LINE, .value = "FILE",
    .help = "the config file (~/.config/falrun/config)" },
  { "account", RUN, LINE, .value = "NAME",
    .help = "an account of the config file: its keys, ledger, limits" },
  { "accounts", RUN, LINE, .value = "LIST",
    .help = "all, or a,b: the same for each of them, one after another" },
  { "textfile", RUN, ONE, .value = "FILE",
    .help = "write metrics for Prometheus at the end" },

  { "json", ALL, .help = "data as JSON on standard output" },
  { "quiet", ALL, .letter = 'q',
    .help = "only warnings and errors on standard error" },
  { "verbose", ALL, .letter = 'v', .help = "say more: every deletion" },
  { "log-format", ALL, .value = "F", .preset = "text",
    .help = "of standard error: text, or json, an object a line (text)" },
  { "no-progress", ALL, .help = "no progress on standard error" },
  { "yes", ALL, LINE, .letter = 'y',
    .help = "go on without the question before the first deletion" },
  { "no-input", ALL, LINE, .help = "never ask: a run goes on, as with --yes" },
  { "help", ALL, LINE, .letter = 'h',
    .help = "this text, or that of a command" },
  { "version", ALL, LINE, .letter = 'V', .help = "the version" },

  { "output", ONE, .letter = 'o', .value = "FILE", .only = "plan" },
  { "diff", .value = "FILE", .only = "plan" },
  { "expires", .value = "DUR", .only = "plan" },
  { "format", .value = "F", .only = "check" },
  { "from", .value = "T", .only = "simulate" },
  { "to", .value = "T", .only = "simulate" },
  { "every", .value = "DUR", .only = "simulate" },
  { NULL }
};
_Static_assert(sizeof(fr_option_table) / sizeof(fr_option_table[0]) - 1 ==
               FR_OPTION_COUNT, "FR_OPTION_COUNT counts the rows");
