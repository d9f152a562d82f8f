--- Query parameters: read, checked, and refused with 400 where they break
--- the document. A check returns its value, or nil and what is wrong.
local core = require "core"

local query = {}

local DIGITS <const> = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                       .. "0123456789+/"

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

function query.integer(one, name, default, least, most)
  local text = one[name]
  if not text then
    return default
  end
  local number = text:match("^%d+$") and math.tointeger(text)
  if not number or number < least or most and number > most then
    return nil, ("%s must be an integer from %d%s"):format(name, least,
      most and " to " .. most or " on")
  end
  return number
end

function query.time(one, name, default)
  local text = one[name]
  if not text then
    return default
  end
  local ms = core.parse_time(text)
  if not ms then
    return nil, name .. " must be an RFC 3339 date-time or YYYY-MM-DD"
  end
  return ms
end

--- The window of a listing: start and end in ms, end exclusive.
function query.window(one, back_ms)
  local now = core.at()
  local start, why = query.time(one, "start", now - back_ms)
  if not start then
    return nil, nil, why
  end
  local stop
  stop, why = query.time(one, "end", now)
  if stop and stop <= start then
    return nil, nil, "start must be before end"
  end
  return start, stop, why
end

--- The page number inside a cursor; 1 without one.
function query.page(one)
  if not one.cursor then
    return 1
  end
  local text = query.unbase64(one.cursor)
  local page = text and text:match("^%d+$") and math.tointeger(text)
  if not page or page < 1 then
    return nil, "cursor is not valid"
  end
  return page
end

--- What every paged reply carries.
function query.paged(body, next_text)
  body.next_cursor = next_text and query.base64(next_text) or core.json.null
  body.has_more = next_text and true or false
  return body
end

return query
