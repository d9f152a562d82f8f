--- A long list of request ids in little memory.
---
--- Packed, an id has 16 bytes. A thousand of them are joined to one string,
--- so that a million ids take 16 MB and not 120.
local core = require "core"
local check = require "fal.check"

local ids = {}

local CHUNK <const> = 1000

function ids.new()
  return { chunks = {}, last = {}, count = 0 }
end

--- False when it is no request id.
function ids.add(list, id)
  local packed = core.pack_id(id)
  if not packed then
    return false
  end
  list.last[#list.last + 1] = packed
  list.count = list.count + 1
  if #list.last == CHUNK then
    list.chunks[#list.chunks + 1] = table.concat(list.last)
    list.last = {}
  end
  return true
end

--- All ids, in order; `drain`: each for the last time, so that their memory
--- goes as they are taken.
---@return fun(): string?
function ids.each(list, drain)
  local at = -1
  return function()
    at = at + 1
    local place = at // CHUNK + 1
    local chunk = list.chunks[place]
    if chunk then
      if drain and at % CHUNK == CHUNK - 1 then
        list.chunks[place] = ""
      end
      return core.unpack_id(chunk, at % CHUNK)
    end
    local packed = list.last[at - #list.chunks * CHUNK + 1]
    return packed and core.unpack_id(packed, 0)
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
