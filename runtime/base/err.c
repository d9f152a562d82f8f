/* base/err.c - the table of err.h, once as arrays. */
#include "base/err.h"

#include <stddef.h>

struct row {
  const char *name, *message;
  bool again;
};

static const struct row rows[] = {
  { "ok", "success", false },
#define ROW(code, name, text, again) { name, text, again },
  FR_ERR_MAP(ROW)
#undef ROW
};

static const struct row *row_of(enum fr_err err)
{
  static const struct row unknown = { "unknown", "an unknown error", false };

  return (size_t)err < sizeof(rows) / sizeof(rows[0]) ? &rows[err] : &unknown;
}

const char *fr_err_name(enum fr_err err)
{
  return row_of(err)->name;
}

const char *fr_err_message(enum fr_err err)
{
  return row_of(err)->message;
}

bool fr_err_retryable(enum fr_err err)
{
  return row_of(err)->again;
}
