/* host/config.c - see config.h. Numbers are parsed here by hand and strictly:
 * "10k", "1e3" and " 7" are usage errors, never some other number. */
#include "host/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/date.h"
#include "bindings/bindings.h"
#include "net/mail.h"
#include "probe/link.h"

static enum fr_err wrong(const struct fr_options *options, const char *name,
                         const char *wanted, struct fr_buf *why)
{
  const char *value = fr_option(options, name);
  char title[FR_TITLE_MAX];

  fr_option_title(options, name, title);
  fr_buf_say(why, "%s is \"", title);
  fr_buf_add_plain(why, value, strlen(value), 60);
  fr_buf_addf(why, "\": write %s", wanted);
  return FR_ECONFIG;
}

static bool whole(const char *text, uint64_t most, uint64_t *ret_number)
{
  uint64_t number = 0;

  if (!*text)
    return false;
  for (; *text; text++) {
    if (*text < '0' || *text > '9')
      return false;
    number = number * 10 + (uint64_t)(*text - '0');
    if (number > most)
      return false;
  }
  *ret_number = number;
  return true;
}

/* "N", "N.5", with "/s" behind or not. */
static bool per_second(const char *text, double *ret_rate)
{
  size_t len = strspn(text, "0123456789.");
  char digits[32];
  char *end;
  double rate;

  if (!len || len >= sizeof(digits) || (text[len] && strcmp(text + len, "/s")))
    return false;
  memcpy(digits, text, len);
  digits[len] = 0;
  rate = strtod(digits, &end);
  if (*end || !(rate > 0) || rate > 1e6)
    return false;
  *ret_rate = rate;
  return true;
}

static enum fr_err duration(const struct fr_options *options,
                            const char *name, struct fr_buf *why,
                            uint64_t *ret_ms)
{
  const char *value = fr_option(options, name);

  if (!value || !fr_duration_parse(value, strlen(value), ret_ms))
    return FR_OK;
  return wrong(options, name, "a duration with its unit, like 36h or 30d",
               why);
}

static enum fr_err read_limits(const struct fr_options *options,
                               struct fr_buf *why, struct fr_config *config)
{
  const char *value = fr_option(options, "max-deletes");
  uint64_t age = FR_MIN_AGE_DEFAULT_MS, number;

  config->limits.max_deletes = FR_MAX_DELETES_DEFAULT;
  if (value && !whole(value, 1000000000, &config->limits.max_deletes))
    return wrong(options, "max-deletes", "a whole number, like 50000", why);
  value = fr_option(options, "max-percent");
  if (value && (!whole(value, 100, &number) || number == 0))
    return wrong(options, "max-percent", "a whole number from 1 to 100",
                 why);
  config->limits.max_percent = value ? (unsigned)number : 0;
  if (duration(options, "min-age", why, &age))
    return FR_ECONFIG;
  config->limits.min_age_ms = (int64_t)age;
  return FR_OK;
}

static enum fr_err read_pace(const struct fr_options *options,
                             struct fr_buf *why, struct fr_config *config)
{
  const char *value = fr_option(options, "concurrency");
  uint64_t number;

  if (value && strcmp(value, "auto") != 0) {
    if (!whole(value, 1000, &number) || number == 0)
      return wrong(options, "concurrency", "1 to 1000, or auto", why);
    config->concurrency = (unsigned)number;
  }
  value = fr_option(options, "rate");
  if (value && !per_second(value, &config->rate))
    return wrong(options, "rate", "requests per second, like 20/s", why);
  if (duration(options, "max-runtime", why, &config->max_runtime_ms))
    return FR_ECONFIG;
  if (fr_option(options, "max-runtime") && !config->max_runtime_ms)
    return wrong(options, "max-runtime", "a duration longer than 0s", why);
  return duration(options, "lock-wait", why, &config->lock_wait_ms);
}

/* Of several folders of systemd's STATE_DIRECTORY it is the first. */
int fr_config_state_path(const char *account, char *path, size_t size)
{
  const char *state = getenv("STATE_DIRECTORY");
  const char *xdg = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
  const char *slash = account ? "/" : "";

  if (!account)
    account = "";
  if (state && *state == '/')
    return snprintf(path, size, "%.*s%s%s/ledger.db",
                    (int)strcspn(state, ":"), state, slash, account);
  if (xdg && *xdg == '/')
    return snprintf(path, size, "%s/falrun%s%s/ledger.db", xdg, slash,
                    account);
  if (home && *home)
    return snprintf(path, size, "%s/.local/state/falrun%s%s/ledger.db", home,
                    slash, account);
  return -1;
}

static enum fr_err find_ledger(const struct fr_options *options,
                               struct fr_buf *why, struct fr_config *config)
{
  const char *given = fr_option(options, "ledger");
  size_t size = sizeof(config->ledger);
  int len;

  if (given && (!*given || !strcmp(given, ":memory:")))
    return wrong(options, "ledger", "the path of a file", why);
  if (config->command.ledger == FR_NEED_NONE)
    return FR_OK;
  if (!given && config->sandbox) {
    if (config->command.network)
      return FR_OK;
    fr_buf_say(why, "the ledger of a --sandbox ends with its run: name one "
               "with --ledger PATH, here and there");
    return FR_ECONFIG;
  }
  len = given ? snprintf(config->ledger, size, "%s", given)
              : fr_config_state_path(options->account, config->ledger, size);
  if (len > 0 && (size_t)len < size)
    return FR_OK;
  if (len > 0)
    fr_buf_say(why, "the ledger's path is longer than %zu bytes; name a "
               "shorter one with --ledger PATH", size - 1);
  else
    fr_buf_say(why, "there is no place for the ledger: neither "
               "STATE_DIRECTORY, XDG_STATE_HOME nor HOME is set; "
               "name one with --ledger PATH");
  return FR_ECONFIG;
}

static const char *nonempty(const char *text)
{
  return text && *text ? text : NULL;
}

static enum fr_err check_ca_file(const struct fr_options *options,
                                 const char *path, struct fr_buf *why)
{
  char title[FR_TITLE_MAX];
  const char *fault;

  if (!path || access(path, R_OK) == 0)
    return FR_OK;
  fault = strerror(errno);
  fr_option_title(options, "ca-file", title);
  fr_buf_say(why, "%s is ", title);
  fr_buf_add_plain(why, path, strlen(path), 200);
  fr_buf_addf(why, ", which cannot be read: %s", fault);
  return FR_ECONFIG;
}

/* What a policy may reach beside fal. The API itself is never among it; that
 * of a sandbox is not known yet, and parts.c forbids it. */
static enum fr_err read_reach(const struct fr_options *options,
                              struct fr_buf *why, struct fr_config *config)
{
  const char *hosts = nonempty(fr_option(options, "allow-net"));
  const char *path = nonempty(fr_option(options, "sendmail"));
  const char *name = "allow-net";
  char title[FR_TITLE_MAX];
  enum fr_err err = FR_OK;
  struct fr_buf words;

  fr_buf_init(&words, 512);
  if (!config->sandbox)
    err = fr_places_forbid(&config->places, config->origin.name);
  if (!err && hosts)
    err = fr_places_add(&config->places, hosts, &words);
  if (!err && path) {
    name = "sendmail";
    err = fr_mail_check(path, &words);
  }
  if (err == FR_ECONFIG) {
    fr_option_title(options, name, title);
    fr_buf_say(why, "%s: %s", title, fr_buf_text(&words));
  }
  fr_buf_done(&words);
  config->sendmail = path;
  return err;
}

/* A base in place of fal's CDN could say of everything that it is gone. So it
 * stands beside an API in its place only, whose ledger is one of its own. */
static enum fr_err read_cdn(struct fr_buf *why, struct fr_config *config)
{
  const char *base = nonempty(getenv("FALRUN_CDN_URL"));
  struct fr_url api;

  if (!base || !config->command.probes)
    return FR_OK;
  if (fr_link_check_base(base, why))
    return FR_ECONFIG;
  if (!config->sandbox && (fr_url_parse(config->origin.name, &api) ||
                           !fr_url_is_loopback(&api))) {
    fr_buf_say(why, "FALRUN_CDN_URL is for tests, and the API is %s: unset "
               "it", config->origin.name);
    return FR_ECONFIG;
  }
  config->cdn = base;
  return FR_OK;
}

/* `falrun call` reads, and needs no ledger; an operation that changes
 * something is a run of its own. Only the Lua table knows which one that is.
 * Should it be wrong, what was opened here still changes nothing. */
static void need_of_call(const struct fr_options *options,
                         struct fr_command *command)
{
  if (!frl_call_changes(options->words, getenv("FALRUN_PATH")))
    return;
  command->deletes = true;
  command->ledger = FR_NEED_RUN;
}

/* What is left then only plans and reads: the client below the gate refuses
 * the rest, too. */
static enum fr_err check_read_only(const struct fr_options *options,
                                   const struct fr_command *command,
                                   struct fr_buf *why)
{
  char title[FR_TITLE_MAX];

  if (!command->deletes || !fr_option_flag(options, "read-only"))
    return FR_OK;
  fr_option_title(options, "read-only", title);
  fr_buf_say(why, "%s is set, and falrun %s is there to change something: "
             "nothing was sent; add --dry-run to see what it would do", title,
             options->command);
  return FR_ECONFIG;
}

static void read_flags(const struct fr_options *options,
                       struct fr_config *config)
{
  config->sandbox = fr_option_flag(options, "sandbox");
  config->json = fr_option_flag(options, "json");
  config->quiet = fr_option_flag(options, "quiet");
  config->verbose = fr_option_flag(options, "verbose");
  config->no_progress = fr_option_flag(options, "no-progress");
  config->ca_file = nonempty(fr_option(options, "ca-file"));
  config->proxy = nonempty(fr_option(options, "proxy"));
  config->textfile = nonempty(fr_option(options, "textfile"));
  if (fr_option_flag(options, "dry-run") && config->command.deletes) {
    config->command.deletes = config->command.probes = false;
    config->command.ledger = FR_NEED_READ;
  }
}

enum fr_err fr_config_read(const struct fr_options *options,
                           struct fr_buf *why, struct fr_config *ret_config)
{
  struct fr_config config = {
    .command = *fr_command_find(options->command),
    .account = options->account
  };
  const char *url = fr_option(options, "api-url");
  enum fr_err err;

  /* explain ID reads the ledger alone; a policy must list. */
  if (!strcmp(options->command, "explain") && options->nwords < 2)
    config.command.network = false;
  if (!strcmp(options->command, "call"))
    need_of_call(options, &config.command);
  read_flags(options, &config);
  if (check_read_only(options, &config.command, why))
    return FR_ECONFIG;
  if (config.sandbox && url) {
    fr_buf_say(why, "--sandbox starts an API of its own: leave out --api-url "
               "(or FALRUN_API_URL)");
    return FR_ECONFIG;
  }
  if (fr_option(options, "log-format") &&
      !fr_option_is(options, "log-format", "text") &&
      !fr_option_is(options, "log-format", "json"))
    return wrong(options, "log-format", "text or json", why);
  if (config.textfile && !strcmp(config.textfile, "-") &&
      strcmp(options->command, "status") != 0)
    return wrong(options, "textfile", "the path of a file", why);
  err = fr_origin_parse(url ? url : FR_ORIGIN_DEFAULT, why, &config.origin);
  if (!err)
    err = read_cdn(why, &config);
  if (!err)
    err = read_reach(options, why, &config);
  if (!err)
    err = check_ca_file(options, config.ca_file, why);
  if (!err)
    err = read_limits(options, why, &config);
  if (!err)
    err = read_pace(options, why, &config);
  if (!err)
    err = find_ledger(options, why, &config);
  if (!err)
    *ret_config = config;
  return err;
}

enum fr_err fr_config_json(const struct fr_config *config,
                           const char *account, struct fr_buf *buf)
{
  enum fr_err err = fr_buf_addf(buf, "{\"origin\":");

  if (!err)
    err = fr_buf_add_json(buf, config->origin.name);
  if (!err)
    err = fr_buf_addf(buf, ",\"max_deletes\":%llu,\"min_age_ms\":%lld",
                      (unsigned long long)config->limits.max_deletes,
                      (long long)config->limits.min_age_ms);
  if (!err && account[0])
    err = fr_buf_addf(buf, ",\"account\":\"%s\"", account);
  if (!err && config->account)
    err = fr_buf_addf(buf, ",\"account_name\":\"%s\"", config->account);
  if (!err && config->limits.max_percent)
    err = fr_buf_addf(buf, ",\"max_percent\":%u",
                      config->limits.max_percent);
  if (!err && config->concurrency)
    err = fr_buf_addf(buf, ",\"concurrency\":%u", config->concurrency);
  if (!err && config->rate > 0)
    err = fr_buf_addf(buf, ",\"rate\":%g", config->rate);
  if (!err && config->max_runtime_ms)
    err = fr_buf_addf(buf, ",\"max_runtime_ms\":%llu",
                      (unsigned long long)config->max_runtime_ms);
  return err ? err : fr_buf_add_text(buf, "}");
}
