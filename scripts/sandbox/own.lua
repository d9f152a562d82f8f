--- The account's own apps, and a small history of the requests that others
--- sent to them: a generated world of its own (world.lua).
---
---   sandbox/upscaler    sandbox/tagger, with a route sandbox/tagger/fast
local core = require "core"
local world = require "sandbox.world"

local own = {}

local MOST <const> = 1000               -- requests
local DAY <const> = 86400000
local APPS <const> = { "sandbox/upscaler", "sandbox/tagger" }
local ENDPOINTS <const> = { APPS[1], APPS[2], "sandbox/tagger/fast" }

own.USER = "sandbox"
own.PRICE = 0.001                       -- of a second
own.APPS = APPS

local Own = setmetatable({}, { __index = world })

--- The row of a listing: also who ran it, and what it cost in seconds.
function Own:row(number, payloads, billing)
  local row = world.row(self, number, payloads)
  local id = self:id(number)
  row.runner_id = self:running(number) and core.json.null or
    ("%s-4%s-8%s"):format(id:sub(1, 13), id:sub(16, 18), id:sub(21))
  row.billable_units = billing and row.duration or nil
  return row
end

--- A state whose world is that of one's own apps.
function own.of(state)
  if not state.own then
    local config = state.world.config
    local made = world.new { seed = config.seed + 1, endpoints = ENDPOINTS,
      requests = math.min(state.world.count, MOST),
      span = config.span or 90 * DAY, anchor = config.anchor or core.at() }
    state.own = { world = setmetatable(made, { __index = Own }), listed = 0,
                  faults = state.faults, switches = state.switches,
                  expands = { "payloads", "billing" } }
  end
  return state.own
end

--- The endpoints of an app: its own, and those of its routes.
function own.routes(name)
  local list = {}
  for _, endpoint in ipairs(ENDPOINTS) do
    local is = endpoint == name or endpoint:sub(1, #name + 1) == name .. "/"
    list[#list + 1] = is and endpoint or nil
  end
  return list
end

--- Whether there is an app of this name.
function own.has(name)
  return name == APPS[1] or name == APPS[2]
end

--- The app that an endpoint belongs to.
function own.app_of(endpoint)
  return endpoint:match("^[^/]+/[^/]+")
end

return own
