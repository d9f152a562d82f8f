/* host/config.h - options given their types, checked, with their defaults.
 *
 * Ownership: paths live in the configuration; other texts are borrowed from
 * the options.
 */
#ifndef FR_HOST_CONFIG_H
#define FR_HOST_CONFIG_H

#include "fal/origin.h"
#include "gate/gate.h"
#include "host/command.h"
#include "host/options.h"
#include "net/place.h"

struct fr_config {
  struct fr_command command;    /* after --dry-run was applied */
  struct fr_origin origin;
  struct fr_limits limits;
  unsigned concurrency;         /* 0: auto */
  double rate;                  /* 0: no cap */
  uint64_t max_runtime_ms;      /* 0: no limit */
  uint64_t lock_wait_ms;
  const char *ca_file, *proxy;  /* or NULL */
  const char *account;          /* of the config file; or NULL */
  const char *textfile;         /* or NULL */
  const char *cdn;              /* FALRUN_CDN_URL: a base for tests; NULL */
  const char *sendmail;         /* or NULL */
  struct fr_places places;      /* --allow-net */
  bool sandbox, json, quiet, verbose, no_progress;
  char ledger[4096];            /* "" when the sandbox makes its own */
};

/* FR_ECONFIG and a sentence that names the option and the way out. */
enum fr_err fr_config_read(const struct fr_options *options,
                           struct fr_buf *why, struct fr_config *ret_config);

/* Where the ledger of an account (NULL: none is chosen) is when nobody names
 * it; as snprintf, and -1 when no variable names a place. */
int fr_config_state_path(const char *account, char *path, size_t size);

/* The limits and modes as a JSON object, for the ledger's run_begin;
 * `account` is fr_keys_account. */
enum fr_err fr_config_json(const struct fr_config *config,
                           const char *account,
                           struct fr_buf *buf);

#endif
