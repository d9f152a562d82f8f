/* json.c - the global `json`: what is decoded is encoded and decoded again
 * to the same; nothing raises. */
#include "lua.h"

static const char glue[] =
  "local json = require 'core'.json\n"
  "local function same(a, b)\n"
  "  if type(a) ~= 'table' then\n"
  "    return a == b and math.type(a) == math.type(b)\n"
  "  end\n"
  "  for k, v in pairs(a) do\n"
  "    if not same(v, b[k]) then return false end\n"
  "  end\n"
  "  for k in pairs(b) do\n"
  "    if a[k] == nil then return false end\n"
  "  end\n"
  "  return true\n"
  "end\n"
  "return function(text)\n"
  "  local value, err = json.decode(text)\n"
  "  if value == nil then\n"
  "    assert(err and tostring(err) ~= '')\n"
  "    return\n"
  "  end\n"
  "  local again = assert(json.encode(value))\n"
  "  local back, why = json.decode(again)\n"
  "  assert(back ~= nil, tostring(why) .. again)\n"
  "  assert(same(value, back), again)\n"
  "end\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static lua_State *L;

  if (!L)
    L = state_of(glue);
  call_with(L, data, size);
  return 0;
}
