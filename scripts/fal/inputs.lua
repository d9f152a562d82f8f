--- The files of fal's CDN that inputs name: fal keeps them, and after the
--- deletion nobody can say which they were.
---
---   an input is looked at --> note --> (its deletion) --> take --> the record
---
--- What was looked at and named none is known as that: an empty list. Which
--- text is a link of the CDN is decided in C.
local core = require "core"

local inputs = {}

local IDS_MOST <const> = 100000         -- requests whose links are in memory
local VALUES_MOST <const> = 100000      -- looked at in one input
local LINKS_MOST <const> = 1000

local known, count = {}, 0

local function put(links, seen, text)
  if not seen[text] and #links < LINKS_MOST and text:find("^https://") and
    core.is_cdn_link(text) then
    seen[text] = true
    links[#links + 1] = text
  end
end

--- The links in a decoded value, each once. nil: it is too large to look at.
function inputs.links(value)
  local links, seen, open, looked = {}, {}, { value }, 0
  while open[1] ~= nil do
    local at = table.remove(open)
    looked = looked + 1
    if looked > VALUES_MOST then
      return nil
    elseif type(at) == "string" then
      put(links, seen, at)
    elseif type(at) == "table" then
      for _, field in pairs(at) do
        open[#open + 1] = field
      end
    end
  end
  return links
end

--- Keeps what the input of a request names. The latest look counts.
function inputs.note(id, value)
  if core.mode ~= "run" or not core.probes or
    (count >= IDS_MOST and not known[id]) then
    return
  end
  local links = value == nil and {} or inputs.links(value)
  count = count + (links and not known[id] and 1 or 0)
  known[id] = links or known[id]
end

--- Is anything known of any request?
function inputs.any()
  return count > 0
end

--- What is known of it, once; nil when nobody looked.
function inputs.take(id)
  local links = known[id]
  if links then
    known[id], count = nil, count - 1
  end
  return links
end

return inputs
