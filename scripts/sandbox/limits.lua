--- The rate and concurrency limits of the API, told as fal tells them.
local answer = require "sandbox.answer"
local core = require "core"

local limits = {}

--- rate per second (one second's worth may come at once) and requests in
--- flight; nil for none.
function limits.new(rate, concurrency)
  return { rate = rate, concurrency = concurrency, at = core.now(),
           tokens = rate and math.max(rate, 1), flying = 0, refused = 0 }
end

local function refuse(self, wait_s)
  local reply = answer.error(429)
  local names = { [0] = "x-ratelimit-reset", "Retry-After" }
  self.refused = self.refused + 1
  reply.headers[names[self.refused % 2]] =
    tostring(math.max(1, math.ceil(wait_s)))
  return reply
end

--- Nil when the request may go on; else the 429.
local function check(self)
  if self.concurrency and self.flying > self.concurrency then
    return refuse(self, 1)
  elseif not self.rate then
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

--- A place in flight, to be held in a <close> variable so that a client that
--- goes away gives it back; and the 429 of a request that may not go on.
function limits.enter(self)
  self.flying = self.flying + 1
  local place = setmetatable({}, { __close = function()
    self.flying = self.flying - 1
  end })
  return place, check(self)
end

return limits
