--- What lists said of the ids they named, for the table of a plan.
---
--- Only words for people: nothing is decided by it. The latest 50,000 to
--- 100,000 ids are known; older ones are forgotten.
local facts = {}

local GENERATION <const> = 50000

local endpoints, times = {}, {}
local old_endpoints, old_times, count = {}, {}, 0

--- Remembers the request under its id.
function facts.note(request)
  local id = request.request_id
  if count >= GENERATION then
    old_endpoints, old_times = endpoints, times
    endpoints, times, count = {}, {}, 0
  end
  if not endpoints[id] then
    count = count + 1
  end
  endpoints[id], times[id] = request.endpoint_id, request.ended_at
end

--- endpoint_id and ended_at, as far as they are known.
function facts.of(id)
  if endpoints[id] then
    return endpoints[id], times[id]
  end
  return old_endpoints[id], old_times[id]
end

return facts
