/* base/err.h - the one error vocabulary of falrun.
 *
 * Every function that can fail returns enum fr_err; FR_OK is 0, so
 * `if (err)` reads "if it failed". The names below reach Lua as strings
 * (err.code, err.kind: "timeout"), generated from the one table, so that a
 * code added here is complete everywhere.
 */
#ifndef FR_BASE_ERR_H
#define FR_BASE_ERR_H

#include <stdbool.h>

/* Shown here by rule: code, name in Lua, sentence, may a repeat succeed */
#define FR_ERR_MAP(X) \
  X(NOMEM, "out_of_memory", "out of memory", false) \
  X(INVALID, "invalid", "an argument is not valid", false) \
  X(CANCELLED, "cancelled", "the operation was cancelled", false) \
  X(TIMEOUT, "timeout", "no answer came in time", true) \
  X(CONNECT, "connect", "no connection could be made", true) \
  X(RESOLVE, "resolve", "the host name could not be resolved", true) \
  X(TLS, "tls", "the TLS peer was not accepted", false) \
  X(DROPPED, "dropped", "the connection closed before the answer", true) \
  X(PROTOCOL, "protocol", "the answer is not what the API documents", true) \
  X(TOO_BIG, "too_big", "a size limit was passed", false) \
  X(READ_ONLY, "read_only", "this mode sends nothing that changes", false) \
  X(CONFIG, "config", "the configuration does not allow it", false) \
  X(AUTH, "auth", "the API refused the key", false) \
  X(BAD_REQUEST, "bad_request", "the API refused the request", false) \
  X(NOT_FOUND, "not_found", "the API does not know it", false) \
  X(RATE_LIMITED, "rate_limited", "the API limits the rate", true) \
  X(SERVER, "server_error", "the API failed", true) \
  X(REDIRECT, "redirect", "the API answered with a redirect", false) \
  X(UNAVAILABLE, "unavailable", "the API is unavailable", true) \
  X(PARTIAL, "partial", "some files were not deleted", false) \
  X(HELD, "held", "a hold covers it", false) \
  X(LIMIT, "limit", "a limit of the run was reached", false) \
  X(TOO_YOUNG, "too_young", "it is younger than the age floor", false) \
  X(CLOCK, "clock", "the clock of this machine is wrong", false) \
  X(STOPPED, "stopped", "the run was stopped", false) \
  X(INTERRUPTED, "interrupted", "the run was interrupted", false) \
  X(LOCKED, "locked", "another run holds the lock", true) \
  X(ORIGIN, "origin", "the ledger belongs to another origin", false) \
  X(CORRUPT, "corrupt", "the ledger failed an integrity check", false) \
  X(IO, "io", "a file or a descriptor failed", false)

enum fr_err {
  FR_OK = 0,
#define FR_ERR_CODE(code, name, text, again) FR_E##code,
  FR_ERR_MAP(FR_ERR_CODE)
#undef FR_ERR_CODE
};

const char *fr_err_name(enum fr_err err);     /* "timeout"; never NULL */
const char *fr_err_message(enum fr_err err);  /* a sentence; never NULL */
bool fr_err_retryable(enum fr_err err);

#endif
