--- What lists said of the ids they named, for the table of a plan.
---
--- Only words for people: nothing is decided by it. The latest 50,000 to
--- 100,000 ids are known; older ones are forgotten.
local facts = {}

local GENERATION <const> = 50000

local new, old, count = {}, {}, 0

--- Remembers the request under its id.
function facts.note(request)
  if count >= GENERATION then
    old, new, count = new, {}, 0
  end
  if not new[request.request_id] then
    count = count + 1
  end
  new[request.request_id] = { request.endpoint_id, request.ended_at }
end

--- endpoint_id and ended_at, as far as they are known.
function facts.of(id)
  local fact = new[id] or old[id]
  if fact then
    return fact[1], fact[2]
  end
end

return facts
