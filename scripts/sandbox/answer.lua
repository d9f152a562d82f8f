--- Replies in the Platform API's own shapes, JSON and one error envelope, and
--- what the faults make of them.
local core = require "core"

local answer = {}

local TYPES <const> = {
  [401] = "authorization_error", [403] = "authorization_error",
  [404] = "not_found", [429] = "rate_limited", [501] = "not_implemented",
}

local MESSAGES <const> = {
  [400] = "Invalid request parameters", [401] = "Authentication required",
  [403] = "Access denied", [404] = "Resource not found",
  [429] = "Rate limit exceeded", [500] = "An unexpected error occurred",
}

local served = 0

local function number_it()
  served = served + 1
  return ("sandbox-%d"):format(served)
end

--- A reply whose body is JSON text already.
function answer.text(status, body, number)
  return { status = status, body = body, headers = {
    ["Content-Type"] = "application/json",
    ["x-fal-request-id"] = number or number_it(),
  } }
end

function answer.json(status, body)
  return answer.text(status, core.json.encode(body))
end

--- What was done has nothing to show: 204.
function answer.empty()
  return { status = 204, body = "", headers = {
    ["x-fal-request-id"] = number_it(),
  } }
end

function answer.error(status, message)
  local number = number_it()
  local kind = TYPES[status] or
    (status < 500 and "validation_error" or "server_error")
  return answer.text(status, core.json.encode { error = {
    type = kind, request_id = number,
    message = message or MESSAGES[status] or
      (status < 500 and "Request refused" or "Upstream failed"),
  } }, number)
end

--- Text of a client's, fit to be repeated.
function answer.shown(text, most)
  return (text:sub(1, most or 80):gsub("[^\x20-\x7e]", "?"))
end

--- The status that a fault answers in the operation's place, or nil.
function answer.fault_status(fault)
  return fault and math.tointeger(fault)
end

--- What a fault answers instead of the operation, or nil when the operation
--- still happens.
function answer.instead(fault)
  if fault == "drop-before" then
    return { status = 500, fault = "drop" }
  end
  local status = answer.fault_status(fault)
  if not status then
    return nil
  end
  local reply = answer.error(status)
  if status == 429 or status == 503 then
    reply.headers["Retry-After"] = "1"
  end
  return reply
end

local HOUR <const> = 3600000

local WIRE <const> = { ["drop-after"] = "drop", timeout = "stall",
                       truncate = "truncate" }

--- Of a body that comes in texts, the first ones alone.
local function some_texts(body, fault)
  local left = 4
  return function()
    left = left - 1
    while left < 0 and fault == "timeout" do
      core.sleep(HOUR)
    end
    return left >= 0 and body() or nil
  end
end

--- The reply as the fault lets it onto the wire.
function answer.spoil(reply, fault)
  if type(reply.body) == "function" and (fault == "truncate" or
                                         fault == "timeout") then
    reply.body = some_texts(reply.body, fault)
  end
  reply.fault = WIRE[fault]
  if fault == "garbage" then
    reply.body = "<html>certainly not JSON {"
  end
  return reply
end

return answer
