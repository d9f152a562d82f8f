--- The rate and concurrency limits of the API, told as fal tells them.
local answer = require "sandbox.answer"
local core = require "core"

local limits = {}

--- rate per second (one second's worth may come at once) and requests in
--- flight; nil for none.
function limits.new(rate, concurrency)
  return { rate = rate, concurrency = concurrency, tokens = rate,
           at = core.now(), flying = 0, refused = 0 }
end

local function refuse(self, wait_s)
  local reply = answer.error(429)
  self.refused = self.refused + 1
  if self.refused % 2 == 1 then
    reply.headers["Retry-After"] = tostring(math.max(1, math.ceil(wait_s)))
  else
    reply.headers["x-ratelimit-reset"] = tostring(math.max(1,
      math.ceil(wait_s)))
  end
  return reply
end

--- Nil when the request may go on; else the 429. Call leave() afterwards.
function limits.enter(self)
  self.flying = self.flying + 1
  if self.concurrency and self.flying > self.concurrency then
    return answer.error(429)
  end
  if not self.rate then
    return nil
  end
  local now = core.now()
  self.tokens = math.min(math.max(self.rate, 1),
                         self.tokens + (now - self.at) / 1000 * self.rate)
  self.at = now
  if self.tokens < 1 then
    return refuse(self, (1 - self.tokens) / self.rate)
  end
  self.tokens = self.tokens - 1
end

function limits.leave(self)
  self.flying = self.flying - 1
end

return limits
