--- Replies in the Platform API's own shapes: JSON, and one error envelope.
local core = require "core"

local answer = {}

local TYPES <const> = {
  [400] = "validation_error", [401] = "authorization_error",
  [403] = "authorization_error", [404] = "not_found",
  [409] = "validation_error", [422] = "validation_error",
  [429] = "rate_limited",
}

local MESSAGES <const> = {
  [400] = "Invalid request parameters", [401] = "Authentication required",
  [403] = "Access denied", [404] = "Resource not found",
  [429] = "Rate limit exceeded", [500] = "An unexpected error occurred",
}

local served = 0

local function headers()
  served = served + 1
  return { ["Content-Type"] = "application/json",
           ["x-fal-request-id"] = ("sandbox-%d"):format(served) }
end

function answer.json(status, body)
  return { status = status, headers = headers(),
           body = core.json.encode(body) }
end

function answer.error(status, message)
  local reply = { status = status, headers = headers() }
  reply.body = core.json.encode { error = {
    type = TYPES[status] or "server_error",
    message = message or MESSAGES[status] or "Upstream failed",
    request_id = reply.headers["x-fal-request-id"],
  } }
  return reply
end

return answer
