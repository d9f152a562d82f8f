--- The sandbox: fal's Platform API on loopback, over a generated history.
---
---   request --> limits --> key --> fault? --> operation --> latency --> reply
---                                   (faults.lua, answer.lua)
---
--- What each call really did goes to the truth file (deletion.lua); tests
--- hold the ledger against it.
local answer = require "sandbox.answer"
local asked = require "sandbox.asked"
local cdn = require "sandbox.cdn"
local core = require "core"
local deletion = require "sandbox.deletion"
local limits = require "sandbox.limits"
local machines = require "sandbox.machines"
local query = require "sandbox.query"
local replays = require "sandbox.replays"
local routes = require "sandbox.routes"
local world = require "sandbox.world"

local main = {}

local RECORDED_MOST <const> = 65536     -- of a body

--- "api" or "admin", or nil and 401. Any well-formed key is known; its id
--- says what it may do.
local function scope(state, request)
  local id = (request.header("Authorization") or "")
    :match("^Key ([^:%s]+):[^%s]+$")
  if not id or id:match("^revoked") or machines.ended(state, id) then
    return nil
  end
  return id:match("^api") and "api" or "admin"
end

local function refuse_key(state, request, needed)
  local has = scope(state, request)
  if needed == "none" or needed == "optional" then
    return nil
  elseif not has then
    return answer.error(401)
  elseif needed == "admin" and has ~= "admin" then
    return answer.error(403)
  end
end

--- A change that was made, for the truth: one line, before its answer.
local function tell(state, route, values, request)
  local target = values[route.row.target or ""]
  for _, spec in ipairs(route.row.params) do
    target = target or values[spec.name]
  end
  assert(state.truth:write(core.json.encode {
    at = core.format_time(core.at()), operation = route.row.name,
    target = type(target) == "string" and answer.shown(target, 300) or nil,
    idempotency_key = request.header("Idempotency-Key") and
      answer.shown(request.header("Idempotency-Key"), 300),
  } .. "\n"))
end

local function perform(state, route, holes, request)
  local values, why = asked.read(route.row, request, holes)
  if not values then
    return answer.error(400, why)
  end
  local reply = route.run(state, values, request)
  if state.truth and route.row.changes and reply.status < 300 then
    tell(state, route, values, request)
  end
  return reply
end

--- A change with an Idempotency-Key, done once in ten minutes.
local function once(state, route, holes, request)
  local key = request.header("Idempotency-Key")
  if not key or not route.row.idempotent then
    return perform(state, route, holes, request)
  end
  local id = request.method .. request.path .. " "
  local status, body = replays.find(state.replays, key, id)
  if status then
    return status == 204 and answer.empty() or answer.text(status, body)
  end
  local reply = perform(state, route, holes, request)
  if reply.status < 400 or state.switches.cache_errors then
    replays.keep(state.replays, key, id, reply.status, reply.body)
  end
  return reply
end

--- Where faults strike: everything that reads is "list".
local function place_of(row)
  return row.changes and "change" or row.key ~= "none" and "list" or nil
end

local function serve(state, request, route, holes)
  local refused = refuse_key(state, request, route.row.key)
  if refused then
    return refused
  end
  local place = place_of(route.row)
  local fault = place and state.faults.draw(place)
  local reply = answer.instead(fault)
  if reply then
    return reply
  elseif route.loose then
    reply = route.run(state, query.read(request.query))
  else
    reply = once(state, route, holes, request)
  end
  return answer.spoil(reply, fault)
end

local function delete(state, request, id)
  local refused = refuse_key(state, request, "admin")
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
  end
  local found, holes = routes.find(request.method, path)
  return found and serve(state, request, found, holes) or answer.error(404)
end

local function wait(state)
  local low, high = state.latency[1], state.latency[2]
  if high > 0 then
    state.waits = state.waits + 1
    local share = world.unit(state.world.config.seed, state.waits, 8)
    core.sleep(math.floor(low + share * (high - low)))
  end
end

--- What came, for the record: never the key.
local function record(file, request)
  local body = request.body
  assert(file:write(core.json.encode {
    method = request.method, path = request.path,
    query = core.json.array(request.query),
    idempotency_key = request.header("Idempotency-Key"),
    content_type = request.header("Content-Type"),
    body = #body <= RECORDED_MOST and utf8.len(body) and body or nil,
  } .. "\n"))
end

--- The handler of every request. `state` has world, faults, limits,
--- switches, latency, truth, record.
function main.handler(state)
  state.deletion, state.listed, state.waits = deletion.new(state), 0, 0
  state.replays = replays.new()
  return function(request)
    if request.path:sub(1, 5) == "/cdn/" then
      return cdn.handle(state, request)
    end
    if state.record then
      record(state.record, request)
    end
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
