--- Checking what a policy hands to the library.
---
--- Everything here raises at the policy's own line, names the argument and
--- says what to write instead; core.bad_argument finds that line.
local core = require "core"

local check = {}

local SHOWN <const> = 60

--- A value in quotes, printable and bounded, for a message.
function check.show(value)
  if type(value) ~= "string" and math.type(value) == nil then
    return type(value)
  end
  local text = tostring(value)
  local shown = text:sub(1, SHOWN):gsub("[^\x20-\x7e]", "?")
  return ('"%s"%s'):format(shown, #text > SHOWN and "..." or "")
end

--- Raises "bad argument 'name' to 'func' (why)".
function check.fail(func, name, format, ...)
  local why = select("#", ...) > 0 and format:format(...) or format
  core.bad_argument(2, "fal." .. func, name, why)
end

local function unknown(func, name, known)
  local near = type(name) == "string" and core.nearest(name, known)
  if near then
    check.fail(func, "options", "there is no option %s; did you mean '%s'?",
               check.show(name), near)
  elseif type(name) ~= "string" then
    check.fail(func, "options", "an option is written name = value; there "
               .. "is a value without a name")
  end
  check.fail(func, "options", "there is no option %s; the options are: %s",
             check.show(name), table.concat(known, ", "))
end

--- A table whose keys are all in the list `known`; nil becomes {}.
function check.options(func, options, known)
  if options == nil then
    return {}
  elseif type(options) ~= "table" then
    check.fail(func, "options", "a table is needed, got %s", type(options))
  end
  local names = {}
  for _, name in ipairs(known) do
    names[name] = true
  end
  for name in pairs(options) do
    if not names[name] then
      unknown(func, name, known)
    end
  end
  return options
end

--- A duration with its unit, in ms.
function check.duration(func, name, value)
  if type(value) == "number" then
    check.fail(func, name, 'a duration needs a unit: "%sd" for days or '
               .. '"%ss" for seconds, not the bare number %s', value, value,
               value)
  elseif type(value) ~= "string" then
    check.fail(func, name, 'a duration like "30d" or "12h" is needed, got %s',
               type(value))
  end
  return core.parse_duration(value) or
    check.fail(func, name, "not a duration: %s; whole numbers with a unit "
               .. 'are, like "30d" or "1h30m" (units: ms, s, m, h, d, w)',
               check.show(value))
end

--- An RFC 3339 time, in ms since 1970.
function check.time(func, name, value)
  if type(value) ~= "string" then
    check.fail(func, name, 'a time like "2026-01-02T03:04:05Z" or '
               .. 'fal.ago "30d" is needed, got %s', type(value))
  end
  return core.parse_time(value) or
    check.fail(func, name, "not a time: %s; RFC 3339 is, like "
               .. '"2026-01-02T03:04:05Z" or "2026-01-02"', check.show(value))
end

--- A whole number from `least` to `most`.
function check.integer(func, name, value, least, most)
  local number = math.type(value) and math.tointeger(value)
  if not number or number < least or number > most then
    check.fail(func, name, "a whole number from %d to %d is needed, got %s",
               least, most, check.show(value))
  end
  return number
end

--- One of a few words.
function check.choice(func, name, value, choices)
  for _, choice in ipairs(choices) do
    if value == choice then
      return value
    end
  end
  local list = '"' .. table.concat(choices, '", "') .. '"'
  local near = type(value) == "string" and core.nearest(value, choices)
  check.fail(func, name, "%s is none of %s%s", check.show(value), list,
             near and (" (did you mean '%s'?)"):format(near) or "")
end

--- A function, or raises.
function check.callable(func, name, value)
  if type(value) ~= "function" then
    check.fail(func, name, "a function is needed, got %s", type(value))
  end
  return value
end

return check
