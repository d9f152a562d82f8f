--- Pieces of JSON as they are written.
---
--- What is decoded and encoded again is not the same text: an empty list
--- became an object, a long number was rounded. So what is only passed on is
--- cut out. The text was read by a strict parser before.
local exact = {}

--- Past the end of the string that begins at `at`.
local function after_string(text, at)
  at = at + 1
  while true do
    at = text:find('["\\]', at)
    if text:byte(at) == 0x22 then
      return at + 1
    end
    at = at + 2
  end
end

local function trimmed(text, from, to)
  return (text:sub(from, to):match "^%s*(.-)%s*$")
end

--- Walks over the marks of a text that lie outside of strings: f(mark, at,
--- depth), depth before an opening and after a closing one.
local function marks(text, f)
  local at, depth = 1, 0
  while true do
    at = text:find('["%[%]{},]', at)
    if not at then
      return
    end
    local mark = text:sub(at, at)
    if mark == '"' then
      f(mark, at, depth)
      at = after_string(text, at)
    else
      depth = depth - ((mark == "]" or mark == "}") and 1 or 0)
      f(mark, at, depth)
      depth = depth + ((mark == "[" or mark == "{") and 1 or 0)
      at = at + 1
    end
  end
end

--- The elements of the list `name` of the object that `text` is, each as its
--- text. Of a name that is there twice the last counts, as for the parser.
---@return string[]
function exact.items(text, name)
  local key = '"' .. name .. '"'
  local items, named, from = {}, false, nil
  local function add(to)
    local item = trimmed(text, from, to)
    items[#items + 1] = item ~= "" and item or nil
  end
  marks(text, function(mark, at, depth)
    if depth == 1 and mark == '"' and not from then
      named = text:sub(at, at + #key - 1) == key and
        text:find("^%s*:", at + #key) ~= nil
    elseif depth == 1 and mark == "[" and named then
      items, from = {}, at + 1
    elseif depth == 1 and mark == "]" and from then
      add(at - 1)
      from, named = nil, false
    elseif depth == 2 and mark == "," and from then
      add(at - 1)
      from = at + 1
    end
  end)
  return items
end

return exact
