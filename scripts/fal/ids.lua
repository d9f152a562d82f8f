--- Request ids that a policy reads from a file.
local core = require "core"
local check = require "fal.check"

local ids = {}

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
