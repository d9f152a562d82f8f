/* csv.c - tables of the standard library's CSV: whole rows, or a reason. */
#include "lua.h"

static const char glue[] =
  "local csv = require 'fal.csv'\n"
  "return function(text)\n"
  "  local rows, why = csv.rows(text)\n"
  "  assert(rows and type(rows) == 'table' or why)\n"
  "end\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static lua_State *L;

  if (!L)
    L = state_of(glue);
  call_with(L, data, size);
  return 0;
}
