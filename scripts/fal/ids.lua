--- A long list of request ids in little memory.
---
--- Ids have 36 bytes each. A thousand of them are joined to one string, so
--- that a million ids take 36 MB and not 120.
local core = require "core"
local check = require "fal.check"

local ids = {}

local SIZE <const> = 36
local CHUNK <const> = 1000

function ids.new()
  return { chunks = {}, last = {}, count = 0 }
end

function ids.add(list, id)
  list.last[#list.last + 1] = id
  list.count = list.count + 1
  if #list.last == CHUNK then
    list.chunks[#list.chunks + 1] = table.concat(list.last)
    list.last = {}
  end
end

--- All ids, in order.
---@return fun(): string?
function ids.each(list)
  local at = -1
  return function()
    at = at + 1
    local chunk, place = list.chunks[at // CHUNK + 1], at % CHUNK
    if chunk then
      return chunk:sub(place * SIZE + 1, (place + 1) * SIZE)
    end
    return list.last[at - #list.chunks * CHUNK + 1]
  end
end

--- Set where a policy is loaded for its holds: its ids are in the plan, and
--- standard input is read once.
ids.planned = false

--- fal.ids: the ids in a file, CSV with a column request_id or an id a line;
--- "-" is standard input. A relative path is beside the policy.
---@param path string
---@return fal.Id[]
function ids.read(path)
  if path == "-" and ids.planned then
    return {}
  end
  if type(path) ~= "string" or path == "" then
    check.fail("ids", "path", "the path of a file, or \"-\" for standard "
               .. "input, is needed, got %s", check.show(path))
  end
  local list, err = core.read_ids(path)
  if not list then
    error(err, 0)
  end
  return list
end

return ids
