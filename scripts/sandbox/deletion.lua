--- DELETE /models/requests/{id}/payloads, its idempotency cache, and the
--- truth: one line for what each call really did, written at that moment.
local answer = require "sandbox.answer"
local core = require "core"

local deletion = {}

local CACHED_MS <const> = 600000
local SWEEP_AT <const> = 10000

function deletion.new(state)
  return { state = state, cache = {}, cached = 0, sweep_at = SWEEP_AT,
           calls = 0 }
end

local function sweep(self, now)
  self.cached = 0
  for key, entry in pairs(self.cache) do
    if now - entry.at > CACHED_MS then
      self.cache[key] = nil
    else
      self.cached = self.cached + 1
    end
  end
  self.sweep_at = math.max(SWEEP_AT, 2 * self.cached)
end

local function remember(self, key, id, reply)
  local cacheable = reply.status < 400 or self.state.switches.cache_errors
  if key and cacheable then
    self.cache[key] = { at = core.at(), id = id, reply = reply }
    self.cached = self.cached + 1
    if self.cached > self.sweep_at then
      sweep(self, core.at())
    end
  end
  return reply
end

local function recall(self, key, id)
  local entry = key and self.cache[key]
  if entry and entry.id == id and core.at() - entry.at <= CACHED_MS then
    return entry.reply
  end
end

local function tell(self, entry)
  if self.state.truth then
    entry.at, entry.n = core.format_time(core.at()), self.calls
    self.state.truth:write(core.json.encode(entry) .. "\n")
  end
end

--- Deletes what is there; the results, and the line of truth.
local function take_effect(self, number, fault)
  local world = self.state.world
  local links = world.left[number] or world:files(number)
  local results, left = {}, {}
  local broken = fault == "cdn-exception"
  for i, link in ipairs(links) do
    local fails = broken and (i == 1 or self.state.faults.coin(i))
    results[i] = { link = link, exception = fails
                   and "CDN answered 503 Service Unavailable"
                   or core.json.null }
    if fails then
      left[#left + 1] = link
    end
  end
  world.gone[number] = true
  world.left[number] = left[1] and left or nil
  return results, { effect = left[1] and "partial" or "deleted",
                    files_deleted = #links - #left, files_left = #left }
end

local function again(self, number)
  local how, results = self.state.switches.second_delete, {}
  if how == "404" then
    return answer.error(404)
  elseif how == "same" then
    for i, link in ipairs(self.state.world:files(number)) do
      results[i] = { link = link, exception = core.json.null }
    end
  end
  return answer.json(200, { cdn_delete_results = core.json.array(results) })
end

local ENDINGS <const> = { ["drop-after"] = "lost", timeout = "stalled",
                          garbage = "garbage", truncate = "lost" }

local function perform(self, id, number, key, fault)
  local world = self.state.world
  local truth = { effect = "repeat", files_deleted = 0, files_left = 0 }
  local reply
  if world.gone[number] and not world.left[number] then
    reply = again(self, number)
  else
    local results
    results, truth = take_effect(self, number, fault)
    reply = answer.json(200, { cdn_delete_results =
                               core.json.array(results) })
  end
  truth.request_id, truth.idempotency_key = id, key
  truth.answer = ENDINGS[fault] or "sent"
  tell(self, truth)
  return remember(self, key, id, reply)
end

--- What goes onto the wire, given what happened and the fault.
local function deliver(reply, fault)
  local out = { status = reply.status, headers = reply.headers,
                body = reply.body }
  if fault == "drop-after" then
    out.fault = "drop"
  elseif fault == "timeout" then
    out.fault = "stall"
  elseif fault == "truncate" then
    out.fault = "truncate"
  elseif fault == "garbage" then
    out.body = "<html>certainly not JSON {"
  end
  return out
end

--- `fault` has been drawn; statuses and drop-before never come here.
function deletion.handle(self, id, request, fault)
  local number = core.parse_id(id) and self.state.world:number(id)
  local key = request.header("Idempotency-Key")
  self.calls = self.calls + 1
  if not core.parse_id(id) then
    return answer.error(400, "request_id must be a UUID")
  end
  local reply = recall(self, key, id)
  if reply then
    return deliver(reply, fault)
  elseif not number or self.state.world:running(number) then
    return remember(self, key, id, answer.error(404))
  elseif fault == "timeout" and self.state.faults.coin(50) then
    return deliver(answer.error(500), fault)    -- nothing happened
  end
  return deliver(perform(self, id, number, key, fault), fault)
end

return deletion
