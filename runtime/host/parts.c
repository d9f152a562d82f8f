/* host/parts.c - see parts.h. */
#include "host/parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gate/plan.h"

#define POLICY_MAX (4u << 20)

/* Any key with "admin" scope; the sandbox takes every well-formed one. */
#define SANDBOX_API_KEY "api-sandbox:sandbox-secret"
#define SANDBOX_ADMIN_KEY "admin-sandbox:sandbox-admin-secret"

static enum fr_err open_loop(struct fr_parts *parts, struct fr_buf *why)
{
  (void)why;
  return fr_loop_new(&parts->clock, &parts->loop);
}

static enum fr_err read_all(struct fr_parts *parts, int fd)
{
  char chunk[16384];
  enum fr_err err;

  for (;;) {
    ssize_t n = read(fd, chunk, sizeof(chunk));

    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return FR_EIO;
    if (n == 0)
      return FR_OK;
    err = fr_buf_add(&parts->policy_text, chunk, (size_t)n);
    if (err)
      return err;
  }
}

static enum fr_err open_policy(struct fr_parts *parts, struct fr_buf *why)
{
  const char *path = parts->options->policy;
  struct stat st;
  enum fr_err err;
  int fd;

  if (!path)
    return FR_OK;
  fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode)) {
    fr_buf_say(why, "the policy %s cannot be read: %s", path,
               fd < 0 ? strerror(errno) : "it is not a file");
    if (fd >= 0)
      close(fd);
    return FR_ECONFIG;
  }
  err = read_all(parts, fd);
  close(fd);
  if (err == FR_ENOMEM)
    return err;
  if (err) {
    fr_buf_say(why, "the policy %s cannot be read whole: %s", path,
               err == FR_ETOO_BIG ? "it is larger than 4 MiB"
                                  : strerror(errno));
    return FR_ECONFIG;
  }
  parts->policy = (struct frl_policy){
    .path = path, .text = fr_buf_text(&parts->policy_text),
    .len = parts->policy_text.len
  };
  return FR_OK;
}

static enum fr_err open_sandbox(struct fr_parts *parts, struct fr_buf *why)
{
  enum fr_err err;

  if (!parts->config.sandbox ||
      !(parts->config.command.network || parts->config.command.probes))
    return FR_OK;
  err = fr_sandbox_start(&parts->sandbox, parts->options->forward, why);
  if (!err && !parts->config.ledger[0])
    err = fr_sandbox_ledger(&parts->sandbox, why, parts->config.ledger,
                            sizeof(parts->config.ledger));
  if (err)
    return FR_ECONFIG;          /* nothing was opened yet: no ledger failed */
  err = fr_origin_parse(parts->sandbox.url, why, &parts->config.origin);
  /* Its port changes, its history does not: the ledger knows it by name. */
  if (!err)
    strcpy(parts->config.origin.name, "sandbox");
  return err;
}

/* Keys that cannot be used are what this command is to tell of. */
static enum fr_err examine_keys(struct fr_parts *parts)
{
  struct fr_setup_keys named;
  enum fr_err err = fr_setup_keys(parts->options, &parts->keys_fault, &named);

  if (!err)
    err = fr_keys_load(&named.refs, &parts->keys_fault, &parts->keys);
  if (!err || err == FR_ENOMEM)
    return err;
  parts->health.keys_fault = fr_buf_text(&parts->keys_fault);
  return fr_keys_new(NULL, NULL, &parts->keys);
}

static enum fr_err open_keys(struct fr_parts *parts, struct fr_buf *why)
{
  struct fr_setup_keys named;
  enum fr_err err;

  if (!parts->config.command.network)
    return FR_OK;
  if (parts->config.sandbox)
    return fr_keys_new(SANDBOX_API_KEY, SANDBOX_ADMIN_KEY, &parts->keys);
  if (parts->config.command.examines)
    return examine_keys(parts);
  err = fr_setup_keys(parts->options, why, &named);
  return err ? err : fr_keys_load(&named.refs, why, &parts->keys);
}

static enum fr_err open_view(struct fr_parts *parts, struct fr_buf *why)
{
  (void)why;
  if (!parts->options->profile || !(parts->config.command.examines ||
      !strcmp(parts->options->command, "config")))
    return FR_OK;
  parts->view = calloc(1, sizeof(*parts->view));
  return parts->view ? fr_setup_view(parts->options, parts->view)
                     : FR_ENOMEM;
}

static bool only_lists(const struct fr_parts *parts)
{
  return parts->options->nwords && !strcmp(parts->options->words[0], "list");
}

/* The same of a ledger that cannot be opened. */
static enum fr_err examine_ledger(struct fr_parts *parts,
                                  const struct fr_ledger_config *config)
{
  struct frl_health *health = &parts->health;
  enum fr_err err = fr_ledger_open(config, &parts->ledger_fault,
                                   &parts->ledger);

  health->ledger = config->path;
  if (!err || err == FR_ENOMEM)
    return err;
  health->ledger_err = err;
  health->ledger_fault = fr_buf_text(&parts->ledger_fault);
  return FR_OK;
}

static enum fr_err open_ledger(struct fr_parts *parts, struct fr_buf *why)
{
  struct fr_ledger_config config = {
    .path = parts->config.ledger, .clock = &parts->clock,
    .lock_wait_ms = parts->config.lock_wait_ms,
    .access = FR_LEDGER_READ
  };

  if (parts->config.command.ledger == FR_NEED_NONE)
    return FR_OK;
  if (parts->config.command.ledger == FR_NEED_RUN)
    config.access = FR_LEDGER_RUN;
  if (parts->config.command.ledger == FR_NEED_HOLD && !only_lists(parts))
    config.access = FR_LEDGER_HOLD;
  if (parts->config.command.network || parts->config.command.probes)
    config.origin = parts->config.origin.name;
  if (parts->config.command.examines)
    return examine_ledger(parts, &config);
  return fr_ledger_open(&config, why, &parts->ledger);
}

static enum fr_err open_network(struct fr_parts *parts, struct fr_buf *why)
{
  struct fr_http_config http = {
    .read_only = !parts->config.command.deletes,
    .proxy = parts->config.proxy, .ca_file = parts->config.ca_file
  };
  struct fr_fal_config fal = {
    .origin = &parts->config.origin, .keys = parts->keys,
    .verdict = &parts->verdict, .max_concurrency = parts->config.concurrency,
    .max_rate = parts->config.rate,
    .age_floor_ms = parts->config.limits.min_age_ms
  };
  enum fr_err err;

  if (!parts->config.command.network)
    return FR_OK;
  err = fr_http_new(parts->loop, &http, why, &parts->http);
  return err ? err : fr_fal_new(parts->loop, parts->http, &fal, &parts->fal);
}

static enum fr_err open_gate(struct fr_parts *parts, struct fr_buf *why)
{
  struct fr_gate_config config = {
    .loop = parts->loop, .fal = parts->fal, .ledger = parts->ledger,
    .verdict = &parts->verdict, .limits = parts->config.limits,
    .mode = parts->config.command.deletes ? FR_MODE_RUN : FR_MODE_PLAN
  };

  enum fr_err err;

  (void)why;
  if (!parts->fal || !parts->ledger)
    return FR_OK;
  err = fr_gate_new(&config, &parts->gate);
  if (!err && parts->config.limits.max_percent)
    fr_gate_seal(parts->gate, "--max-percent needs a declarative policy "
                 "(return fal.policy { ... }), whose whole is known before "
                 "the first deletion; use --max-deletes N");
  return err;
}

/* The CDN of the sandbox is beside its API: /v1, /cdn. */
static const char *cdn_of(const struct fr_parts *parts, char *base,
                          size_t size)
{
  size_t len = strlen(parts->sandbox.url);

  if (parts->config.cdn || !parts->sandbox.pid || len < 3)
    return parts->config.cdn;
  snprintf(base, size, "%.*s/cdn", (int)len - 3, parts->sandbox.url);
  return base;
}

/* The pace of the command line is the API's, where there is one. */
static enum fr_err open_prober(struct fr_parts *parts, struct fr_buf *why)
{
  const struct fr_config *config = &parts->config;
  bool alone = !config->command.network;
  char base[80];
  struct fr_prober_config prober = {
    .base = cdn_of(parts, base, sizeof(base)),
    .proxy = config->proxy, .ca_file = config->ca_file,
    .concurrency = alone ? config->concurrency : 0,
    .rate = alone ? config->rate : 0
  };

  if (!config->command.probes)
    return FR_OK;
  return fr_prober_new(parts->loop, &prober, why, &parts->prober);
}

bool fr_parts_secret(void *arg, const char *data, size_t len)
{
  return fr_keys_found(arg, data, len);
}

static enum fr_err open_net(struct fr_parts *parts, struct fr_buf *why)
{
  struct fr_config *config = &parts->config;
  struct fr_net_config net = {
    .places = &config->places, .proxy = config->proxy,
    .ca_file = config->ca_file, .secret = fr_parts_secret,
    .secret_arg = parts->keys
  };
  enum fr_err err = FR_OK;

  if (!config->command.network || !config->places.count)
    return FR_OK;
  if (parts->sandbox.pid)
    err = fr_places_forbid(&config->places, parts->sandbox.url);
  return err ? err : fr_net_new(parts->loop, &net, why, &parts->net);
}

typedef enum fr_err (*step_fn)(struct fr_parts *parts, struct fr_buf *why);

enum fr_err fr_parts_open(struct fr_parts *parts,
                          const struct fr_options *options,
                          struct fr_buf *why)
{
  static const step_fn steps[] = {
    open_view, open_loop, open_policy, open_keys, open_sandbox, open_ledger,
    open_network, open_gate, open_prober, open_net
  };
  enum fr_err err;

  *parts = (struct fr_parts){ .options = options };
  fr_buf_init(&parts->policy_text, POLICY_MAX);
  fr_buf_init(&parts->keys_fault, 2048);
  fr_buf_init(&parts->ledger_fault, 2048);
  fr_clock_real(&parts->clock);
  err = fr_config_read(options, why, &parts->config);
  for (size_t i = 0; !err && i < sizeof(steps) / sizeof(steps[0]); i++)
    err = steps[i](parts, why);
  if (!err)
    err = fr_keys_account(parts->keys, parts->account);
  return err;
}

void fr_parts_close(struct fr_parts *parts)
{
  fr_net_free(parts->net);
  fr_prober_free(parts->prober);
  fr_gate_free(parts->gate);
  fr_fal_free(parts->fal);
  fr_http_free(parts->http);
  fr_ledger_close(parts->ledger);
  fr_loop_free(parts->loop);
  fr_keys_free(parts->keys);
  fr_sandbox_stop(&parts->sandbox);
  fr_setup_view_done(parts->view);
  free(parts->view);
  fr_buf_done(&parts->policy_text);
  fr_buf_done(&parts->keys_fault);
  fr_buf_done(&parts->ledger_fault);
}
