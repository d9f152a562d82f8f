--- Query parameters: read, checked, and refused with 400 where they break
--- the document. A check takes what was wrong before, and returns its value
--- and the first that is wrong, so that checks stand one below the other.
local core = require "core"

local query = {}

local DIGITS <const> = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                       .. "0123456789+/"
local LIST_MOST <const> = 50
local PAGE_MOST <const> = 1000000000

function query.base64(text)
  local out = {}
  for i = 1, #text, 3 do
    local a, b, c = text:byte(i, i + 2)
    local bits = a << 16 | (b or 0) << 8 | (c or 0)
    for j = 0, 3 do
      local at = (bits >> (18 - 6 * j) & 63) + 1
      local there = j < 2 or j == 2 and b or j == 3 and c
      out[#out + 1] = there and DIGITS:sub(at, at) or "="
    end
  end
  return table.concat(out)
end

function query.unbase64(text)
  local out, bits, count = {}, 0, 0
  if #text > 256 then
    return nil
  end
  for char in text:gsub("=+$", ""):gmatch(".") do
    local at = DIGITS:find(char, 1, true)
    if not at then
      return nil
    end
    bits, count = bits << 6 | at - 1, count + 6
    if count >= 8 then
      count = count - 8
      out[#out + 1] = string.char(bits >> count & 255)
    end
  end
  return table.concat(out)
end

--- The last value of each name, and all values of lists (repeated or joined
--- by commas).
function query.read(pairs_list)
  local one, many = {}, {}
  for _, pair in ipairs(pairs_list) do
    local name, value = pair[1], pair[2] or ""
    one[name] = value
    many[name] = many[name] or {}
    for part in value:gmatch("[^,]+") do
      table.insert(many[name], part)
    end
  end
  return one, many
end

--- 1 to 50 values of a list; nil where it is not given.
function query.list(many, name, why)
  local list = many[name]
  if list and (#list == 0 or #list > LIST_MOST) then
    why = why or ("%s takes 1 to %d values"):format(name, LIST_MOST)
  end
  return list, why
end

--- The set of the words given, each a known one.
function query.words(many, name, known, why)
  local set, allowed = {}, {}
  for _, word in ipairs(known) do
    allowed[word] = true
  end
  for _, word in ipairs(many[name] or {}) do
    set[word] = true
    if not allowed[word] then
      why = why or name .. " knows only " .. table.concat(known, ", ")
    end
  end
  return set, why
end

--- A request's id in its canonical form, or nil.
function query.id(text)
  return core.parse_id(text:lower())
end

function query.integer(one, name, default, least, most, why)
  local text = one[name]
  if not text then
    return default, why
  end
  local number = text:match("^%d+$") and math.tointeger(text)
  if not number or number < least or number > most then
    return default, why or ("%s must be an integer from %d to %d"):format(
      name, least, most)
  end
  return number, why
end

local function time(one, name, default, why)
  local ms = one[name] and core.parse_time(one[name])
  if one[name] and not ms then
    return default, why or
      name .. " must be an RFC 3339 date-time or YYYY-MM-DD"
  end
  return ms or default, why
end

--- The window of a list: start and end in ms, end exclusive. A default start
--- after the end is an empty window and no error, as fal has it.
function query.window(one, back_ms, why)
  local now = core.at()
  local start, stop
  start, why = time(one, "start", now - back_ms, why)
  stop, why = time(one, "end", now, why)
  if one.start and one["end"] and stop <= start then
    why = why or "start must be before end"
  end
  return start, stop, why
end

--- The page number inside a cursor; 1 without one.
function query.page(one, why)
  if not one.cursor then
    return 1, why
  end
  local text = query.unbase64(one.cursor)
  local page = text and text:match("^%d+$") and math.tointeger(text)
  if not page or page < 1 or page > PAGE_MOST then
    return 1, why or "cursor is not valid"
  end
  return page, why
end

--- The positions of a page of `total`, and the text of the next cursor where
--- there is more.
function query.slice(ask, total)
  local first = (ask.page - 1) * ask.limit + 1
  local last = math.min(first + ask.limit - 1, total)
  return first, last, last < total and first <= total
    and tostring(ask.page + 1) or nil
end

--- What every paged reply carries.
function query.paged(body, next_text)
  body.next_cursor = next_text and query.base64(next_text) or core.json.null
  body.has_more = next_text and true or false
  return body
end

return query
