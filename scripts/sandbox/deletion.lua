--- DELETE /models/requests/{id}/payloads, and the truth: one line for what
--- each call really did, written at that moment.
---
---   id? --> status fault? --> replay? --> there? --> truth --> effect
---
--- The line is written before the effect: what cannot be told does not
--- happen, and answers 500.
local answer = require "sandbox.answer"
local cdn = require "sandbox.cdn"
local core = require "core"
local query = require "sandbox.query"
local replays = require "sandbox.replays"

local deletion = {}

function deletion.new(state)
  return { state = state, replays = replays.new(), calls = 0 }
end

local function results_of(links, fails)
  local results = {}
  for i, link in ipairs(links) do
    results[i] = { link = link, exception = fails and fails(i)
                   and "CDN answered 503 Service Unavailable"
                   or core.json.null }
  end
  return results
end

--- What deleting it now does: the results, and the links that stay.
local function attempt(self, number, fault)
  local state = self.state
  local links = state.world.left[number] or state.world:files(number)
  local left = {}
  local function fails(i)
    local failed = fault == "cdn-exception" and
      (i == 1 or state.faults.coin(i))
    left[#left + 1] = failed and links[i] or nil
    return failed
  end
  return results_of(links, fails), left, #links
end

--- The answer for an id of which nothing is left.
local function again(self, number)
  local how, world = self.state.switches.second_delete, self.state.world
  if how == "404" then
    return nil
  end
  return results_of(how == "same" and world:files(number) or {})
end

local ANSWERS <const> = { ["drop-after"] = "lost", timeout = "stalled",
                          garbage = "garbage", truncate = "lost" }

local function tell(self, call, effect, deleted, left)
  if self.state.truth then
    assert(self.state.truth:write(core.json.encode {
      at = core.format_time(core.at()), n = call.n, request_id = call.id,
      idempotency_key = call.key and answer.shown(call.key, 300),
      effect = effect, files_deleted = deleted, files_left = left,
      answer = ANSWERS[call.fault] or "sent",
    } .. "\n"))
  end
end

local function perform(self, call)
  local world, number = self.state.world, call.number
  local results
  if world:is_gone(number) and not world.left[number] then
    tell(self, call, "repeat", 0, 0)
    results = again(self, number)
  else
    local left, count
    results, left, count = attempt(self, number, call.fault)
    tell(self, call, left[1] and "partial" or "deleted", count - #left,
         #left)
    world:delete(number, left[1] and left)
    cdn.deleted(self.state, number)
  end
  return results and answer.json(200, {
    cdn_delete_results = core.json.array(results),
  }) or answer.error(404)
end

--- The answer, unless a status fault or a replay comes before it.
local function work(self, call)
  if not call.number or self.state.world:running(call.number) then
    return answer.error(404)
  elseif call.fault == "timeout" and self.state.faults.coin(50) then
    return answer.error(500), true      -- nothing happened
  end
  return perform(self, call)
end

local function remember(self, call, reply)
  if reply.status < 400 or self.state.switches.cache_errors then
    replays.keep(self.replays, call.key, call.id, reply.status, reply.body)
  end
  return reply
end

--- A 500 of the operation's own is an answer that may be kept; 429 and 503
--- come from in front of it, and 401 and 403 from the check of the key.
local function fail(self, call)
  local reply = answer.instead(call.fault)
  if reply and answer.fault_status(call.fault) == 500 then
    remember(self, call, reply)
  end
  return reply
end

--- `fault` is the one that was drawn for this call, or nil.
function deletion.handle(self, text, request, fault)
  self.calls = self.calls + 1
  local id = query.id(text)
  local call = { n = self.calls, id = id, fault = fault,
                 key = request.header("Idempotency-Key"),
                 number = id and self.state.world:number(id) }
  local reply = id and fail(self, call) or answer.instead(fault)
  if reply then
    return reply
  elseif not id then
    return answer.error(400, "request_id must be a UUID")
  end
  local status, body = replays.find(self.replays, call.key, id)
  if status then
    return answer.spoil(answer.text(status, body), fault)
  end
  local unkept
  reply, unkept = work(self, call)
  if not unkept then
    remember(self, call, reply)
  end
  return answer.spoil(reply, fault)
end

return deletion
