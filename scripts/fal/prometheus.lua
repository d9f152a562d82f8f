--- The text format of Prometheus: metrics, a sample a line.
---
---   # HELP fal_app_runners Number of fal app runners
---   # TYPE fal_app_runners gauge
---   fal_app_runners{application="my/app",state="running"} 21 1700000000000
---
--- A line that is none is an error, and no sample is returned. The format does
--- not say where it ends: a text that was cut between two lines, or in the last
--- value, cannot be told from a whole one.
local core = require "core"

local prometheus = {}

local LABELS_MOST <const> = 200
local SHOWN <const> = 40                -- bytes of a line in a message
local NAME <const> = "^([%a_:][%w_:]*)[ \t]*()"
local LABEL <const> = '^[ \t]*([%a_][%w_]*)[ \t]*=[ \t]*"()'
local TYPES <const> = { counter = true, gauge = true, histogram = true,
                        summary = true, untyped = true }
local SPECIAL <const> = { nan = "NaN", inf = "Inf", infinity = "Inf" }

-- What a family of the type adds to its name.
local SUFFIXES <const> = {
  histogram = { _bucket = true, _sum = true, _count = true },
  summary = { _sum = true, _count = true },
}
local ESCAPES <const> = { n = "\n", ["\\"] = "\\", ['"'] = '"' }

local function fail(format, ...)
  error({ why = format:format(...) }, 0)
end

local function unescaped(s)
  return (s:gsub("\\(.)", function(c)
    return ESCAPES[c] or "\\" .. c
  end))
end

--- The label's text that begins at `at`, and what comes after its quote.
local function label_value(line, at)
  local from = at
  while true do
    local stop = line:find('[\\"]', at)
    if not stop then
      fail("the value of a label never ends")
    elseif line:sub(stop, stop) == '"' then
      return unescaped(line:sub(from, stop - 1)), stop + 1
    end
    at = stop + 2
  end
end

--- The labels of a line whose brace opened just before `at`.
local function labels_of(line, at)
  local labels, count = {}, 0
  while true do
    local close = line:match("^[ \t]*}[ \t]*()", at)
    if close then
      return labels, close
    end
    local name, from = line:match(LABEL, at)
    if not name then
      fail('a label is not written as name="value"')
    elseif labels[name] then
      fail("two labels are named '%s'", name:sub(1, SHOWN))
    end
    labels[name], at = label_value(line, from)
    count = count + 1
    if count > LABELS_MOST then
      fail("more than %d labels", LABELS_MOST)
    end
    local comma = line:match("^[ \t]*,()", at)
    if not comma and not line:find("^[ \t]*}", at) then
      fail("after a label only a comma or a brace may come")
    end
    at = comma or at
  end
end

--- A number; the text "NaN", "+Inf" or "-Inf" for what JSON has no number for.
local function number(s)
  local sign, word = s:match "^([+-]?)(%a+)$"
  local special = word and SPECIAL[word:lower()]
  local value = not word and tonumber(s)
  if special == "NaN" then
    return special
  elseif special then
    return (sign == "-" and "-" or "+") .. special
  elseif not value then
    fail("'%s' is no number", s:sub(1, SHOWN))
  elseif value == math.huge or value == -math.huge then
    return value > 0 and "+Inf" or "-Inf"
  end
  return value
end

--- The family of a sample: of x_bucket it is that of x, if x is a histogram.
local function family_of(families, name)
  local base, suffix = name:match "^(.-)(_%l+)$"
  local one = families[name]
  local whole = suffix and families[base]
  local ends = whole and SUFFIXES[whole.type]
  return one or ends and ends[suffix] and whole or {}
end

local function sample(families, line)
  local name, at = line:match(NAME)
  if not name then
    fail("the name of a metric is missing")
  end
  local labels = {}
  if line:sub(at, at) == "{" then
    labels, at = labels_of(line, at + 1)
  elseif not line:find("^[ \t]", at - 1) then
    fail("after the name of a metric its value is missing")
  end
  local value, time = line:match("^([^ \t]+)[ \t]*(%-?%d*)[ \t]*$", at)
  if not value or time == "-" then
    fail("one value is missing, and perhaps a time in milliseconds")
  end
  local family = family_of(families, name)
  return { name = name, labels = labels, value = number(value),
           help = family.help, type = family.type or "untyped",
           at_ms = math.tointeger(time) }
end

--- HELP and TYPE; any other line with # is a comment.
local function comment(families, line)
  local word, name, rest = line:match "^#[ \t]*(%u+)[ \t]+([%w_:]+)[ \t]*(.*)$"
  if word ~= "HELP" and word ~= "TYPE" then
    return
  end
  families[name] = families[name] or {}
  if word == "HELP" then
    families[name].help = unescaped(rest)
    return
  end
  local kind = rest:match "^(%l+)[ \t]*$"
  if not TYPES[kind] then
    fail("'%s' is no type of a metric", rest:sub(1, SHOWN))
  end
  families[name].type = kind
end

local function read(text, place)
  local families, samples = {}, {}
  if text ~= "" and text:sub(-1) ~= "\n" then
    text = text .. "\n"
  end
  for line in text:gmatch "([^\n]*)\n" do
    place.line = place.line + 1
    line = line:match "^[ \t]*(.-)\r?$"
    if line:sub(1, 1) == "#" then
      comment(families, line)
    elseif line ~= "" then
      samples[#samples + 1] = sample(families, line)
    end
  end
  return core.json.array(samples)
end

--- The samples of the text, in its order: {name, labels, value, help, type,
--- at_ms}. `type` is "untyped" where none was told; `at_ms` is there when the
--- line has a time; `value` is a number, or the text "NaN", "+Inf" or "-Inf".
--- Or nil and a sentence with the line that is wrong.
---@param text string
---@return table[]?, string?
function prometheus.read(text)
  local place = { line = 0 }
  local ok, samples = pcall(read, text, place)
  if ok then
    return samples
  elseif type(samples) == "table" then
    return nil, ("line %d: %s"):format(place.line, samples.why)
  end
  error(samples, 0)
end

return prometheus
