/* plan.c - plan files, whose digest is always right here: whoever can write
 * the file can make one. */
#include "lua.h"

static const char glue[] =
  "local core = require 'core'\n"
  "local planfile = require 'fal.planfile'\n"
  "return function(text)\n"
  "  local plan, why = planfile.parse(text, function()\n"
  "    return (text:match('\\n\"sha256\":\"(%x+)\"}\\n?$'))\n"
  "  end)\n"
  "  assert(plan or type(why) == 'string')\n"
  "  for _, item in ipairs(plan and plan.items or {}) do\n"
  "    assert(core.parse_id(item.request_id))\n"
  "  end\n"
  "end\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static lua_State *L;

  if (!L)
    L = state_of(glue);
  call_with(L, data, size);
  return 0;
}
