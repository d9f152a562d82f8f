--- Holds by functions, for what earlier runs announced and left open.
---
---   open intents --> each listed by itself --> functions asked --> settled
---
--- Settling sends a deletion again before anything is planned, and the gate
--- knows the holds of files and of the ledger only.
local core = require "core"
local endpoints = require "fal.endpoints"
local hold = require "fal.hold"
local hooks = require "fal.hooks"
local later = require "fal.later"
local payload = require "fal.payload"
local requests = require "fal.requests"
local tasks = require "fal.tasks"
local veto = later "fal.veto"

local unsettled = {}

local BEGINNING <const> = "2021-01-01T00:00:00Z"
local TOGETHER <const> = 16

--- As the API lists it now; what it does not list is known by its id alone.
local function find(names, id)
  return names[1] and requests.list { endpoint_id = names,
                                      request_id = id }() or payload.item(id)
end

--- Holds for this run what the functions among the sources hold, and what a
--- before_delete vetoes. Waits;
--- raises when they cannot be asked, and then nothing must be settled.
function unsettled.hold(host, sources)
  if core.mode ~= "run" or
    not (hold.asks(sources) or hooks.vetoes()) then
    return
  end
  local open, at = host.ledger.open(), 0
  local now = core.at() // 1000 * 1000
  local names = open[1] and endpoints.find {
    from = core.parse_time(BEGINNING), to = now }
  tasks.run(function()
    at = at + 1
    return open[at] and open[at].request_id
  end, function(id)
    local request = find(names, id)
    local reason = hold.ask(sources, request, core.format_time(now), id)
    if not reason and hooks.vetoes() then
      reason = veto.ask(request, id, { open = true })
    end
    if reason then
      core.hold_id(id, reason)
    end
  end, math.min(#open, TOGETHER))
end

return unsettled
