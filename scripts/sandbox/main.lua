--- The sandbox: fal's Platform API on loopback, over a generated history.
---
---   request --> limits --> key --> fault? --> operation --> latency --> reply
---                                   (faults.lua, answer.lua)
---
--- What each call really did goes to the truth file (deletion.lua); tests
--- hold the ledger against it.
local answer = require "sandbox.answer"
local billing = require "sandbox.billing"
local core = require "core"
local deletion = require "sandbox.deletion"
local limits = require "sandbox.limits"
local listing = require "sandbox.listing"
local query = require "sandbox.query"
local world = require "sandbox.world"

local main = {}

--- "api" or "admin", or nil and 401. Any well-formed key is known; its id
--- says what it may do.
local function scope(request)
  local id = (request.header("Authorization") or "")
    :match("^Key ([^:%s]+):[^%s]+$")
  if not id or id:match("^revoked") then
    return nil
  end
  return id:match("^api") and "api" or "admin"
end

local function meta()
  return answer.json(200, { webhook_ip_ranges =
                            core.json.array { "127.0.0.0/8" } })
end

--- path -> handler, the key it needs, and where faults strike.
local GETS <const> = {
  ["/meta"] = { run = meta, key = "none" },
  ["/models/requests/by-endpoint"] = { run = listing.by_endpoint,
                                       key = "api" },
  ["/models/requests/search"] = { run = listing.search, key = "api" },
  ["/models/usage"] = { run = billing.usage, key = "admin" },
  ["/models/billing-events"] = { run = billing.events, key = "admin" },
}

local function refuse_key(request, needed)
  local has = scope(request)
  if needed == "none" then
    return nil
  elseif not has then
    return answer.error(401)
  elseif needed == "admin" and has ~= "admin" then
    return answer.error(403)
  end
end

local function get(state, request, path)
  local operation = GETS[path]
  if not operation then
    return answer.error(404)
  end
  local refused = refuse_key(request, operation.key)
  if refused then
    return refused
  end
  local fault = operation.key ~= "none" and state.faults.draw("list")
  local reply = answer.instead(fault)
  if reply then
    return reply
  end
  return answer.spoil(operation.run(state, query.read(request.query)), fault)
end

local function delete(state, request, id)
  local refused = refuse_key(request, "admin")
  if refused then
    return refused
  end
  return deletion.handle(state.deletion, id, request,
                         state.faults.draw("delete"))
end

local function route(state, request)
  local path = request.path:match("^/v1(/.*)$")
  local id = path and path:match("^/models/requests/([^/]+)/payloads$")
  if not path then
    return answer.error(404)
  elseif request.method == "DELETE" and id then
    return delete(state, request, id)
  elseif request.method == "GET" then
    return get(state, request, path)
  end
  return answer.error(404)
end

local function wait(state)
  local low, high = state.latency[1], state.latency[2]
  if high > 0 then
    state.waits = state.waits + 1
    local share = world.unit(state.world.config.seed, state.waits, 8)
    core.sleep(math.floor(low + share * (high - low)))
  end
end

--- The handler of every request. `state` has world, faults, limits,
--- switches, latency, truth.
function main.handler(state)
  state.deletion, state.listed, state.waits = deletion.new(state), 0, 0
  return function(request)
    local _ <close>, refused = limits.enter(state.limits)
    if refused then
      return refused
    end
    local reply = route(state, request)
    wait(state)
    return reply
  end
end

return main
