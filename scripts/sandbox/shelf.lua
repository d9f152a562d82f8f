--- Records with ids, in the order in which they came; bounded.
---
---   shelf:add{ name = "keep" } --> { id = "t-1", name = "keep", created_at }
local core = require "core"

local shelf = {}
shelf.__index = shelf

local MOST <const> = 1000

--- An empty shelf whose ids begin with `prefix`.
function shelf.new(prefix)
  return setmetatable({ prefix = prefix, last = 0, list = {}, by_id = {} },
                      shelf)
end

--- Puts a record there, with its own id or a new one, and when; nil and why
--- where it is full.
function shelf:add(record)
  if #self.list >= MOST then
    return nil, ("the sandbox keeps %d of a kind at most"):format(MOST)
  end
  self.last = self.last + 1
  record.id = record.id or self.prefix .. self.last
  record.created_at = core.format_time(core.at())
  record.updated_at = record.created_at
  self.list[#self.list + 1], self.by_id[record.id] = record, record
  return record
end

function shelf:get(id)
  return self.by_id[id]
end

--- Takes a record away; false where there is none.
function shelf:remove(id)
  for i, record in ipairs(self.list) do
    if record.id == id then
      table.remove(self.list, i)
      self.by_id[id] = nil
      return true
    end
  end
  return false
end

--- The records from `offset` on, `limit` at most.
function shelf:part(offset, limit)
  return table.move(self.list, offset + 1, offset + limit, 1, {})
end

return shelf
