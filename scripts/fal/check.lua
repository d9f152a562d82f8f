--- Checking what a policy hands to the library.
---
--- Everything here raises at the policy's own line, names the argument and
--- says what to write instead; core.bad_argument finds that line.
local core = require "core"

local check = {}

local SHOWN <const> = 60
local DAY <const> = 24 * 3600           -- in seconds
local MOST_DAYS <const> = 36500
local YEARS <const> = { mo = 30, mon = 30, month = 30, months = 30,
                        y = 365, yr = 365, year = 365, years = 365 }

--- Text in quotes, printable and bounded, or a number, for a message; of
--- anything else the type.
function check.show(value)
  if type(value) == "number" then
    return tostring(value)
  elseif type(value) ~= "string" then
    return type(value)
  end
  local shown = value:sub(1, SHOWN):gsub("[^\x20-\x7e]", "?")
  return ('"%s"%s'):format(shown, #value > SHOWN and "..." or "")
end

--- Whether the gate takes it as the reason of a deletion.
function check.reason(value)
  return type(value) == "string" and #value >= 1 and #value <= 1000 and
    not value:find("\0", 1, true) and utf8.len(value) ~= nil
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
  for name, value in pairs(options) do
    if name == func:match "[^.]+$" and type(value) == "function" then
      check.fail(func, "options", "it was called with a colon: write fal.%s, "
                 .. "with a dot", func)
    end
  end
  for name in pairs(options) do
    if not names[name] then
      unknown(func, name, known)
    end
  end
  return options
end

--- Whoever writes 2592000 has counted the seconds of thirty days.
local function bare_number(func, name, value)
  if value >= DAY and value % DAY == 0 then
    check.fail(func, name, 'a duration needs a unit: "%dd" if that is '
               .. "seconds, not the bare number %s", value // DAY, value)
  end
  check.fail(func, name, 'a duration needs a unit: "%sd" for days or "%ss" '
             .. "for seconds, not the bare number %s", value, value, value)
end

--- What a text that is no duration was meant to be, as far as it shows.
local function meant(value)
  local number = value:match "^%d+$"
  if number then
    return ('it has no unit: write "%sd" for days or "%ss" for seconds')
      :format(number, number)
  elseif core.parse_time(value) then
    return "that is a time, and a duration like \"30d\" is needed"
  elseif value:find "^%-" then
    return "it is negative: write it without the sign"
  elseif value:find "^%d+%.%d" then
    return 'whole numbers only: write "36h" for "1.5d"'
  end
  local amount, unit = value:lower():match "^p?t?(%d+)%s*(%a+)$"
  local count = unit and YEARS[unit]
  if count then
    return ('months and years have no fixed length: write "%dd"')
      :format(math.min(amount * count, MOST_DAYS) // 1)
  end
  local near = unit and amount .. unit:sub(1, 1)
  if near and core.parse_duration(near) then
    return ("did you mean \"%s\"?"):format(near)
  end
end

--- A duration with its unit, in ms.
function check.duration(func, name, value)
  if type(value) == "number" then
    bare_number(func, name, value)
  elseif type(value) ~= "string" then
    check.fail(func, name, 'a duration like "30d" or "12h" is needed, got %s',
               type(value))
  end
  local ms = core.parse_duration(value)
  if ms then
    return ms
  end
  check.fail(func, name, "not a duration: %s; %s", check.show(value),
             meant(value) or 'whole numbers with a unit are, like "30d" or '
             .. '"1h30m" (units: ms, s, m, h, d, w; at most 36500d)')
end

--- An RFC 3339 time, in ms since 1970.
function check.time(func, name, value)
  if type(value) ~= "string" then
    check.fail(func, name, 'a time like "2026-01-02T03:04:05Z" or '
               .. 'fal.ago "30d" is needed, got %s', type(value))
  elseif core.parse_duration(value) then
    check.fail(func, name, "not a time: %s is a duration; write fal.ago %s",
               check.show(value), check.show(value))
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

--- What is wrong with something that is no request id.
function check.no_id(value)
  if type(value) == "table" then
    return type(value.request_id) == "string" and
      "a request is no id: write request.request_id" or
      "a table is no id; a UUID in lower case is"
  elseif type(value) == "string" and core.parse_id(value:lower()) then
    return ("%s is in upper case; write it in lower case, id:lower()")
      :format(check.show(value))
  end
  return ("%s is no id; a UUID in lower case is"):format(check.show(value))
end

--- A function, or raises.
function check.callable(func, name, value)
  if type(value) ~= "function" then
    check.fail(func, name, "a function is needed, got %s", type(value))
  end
  return value
end

return check
