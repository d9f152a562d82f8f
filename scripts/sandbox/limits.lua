--- The rate and concurrency limits of the API, told as fal tells them.
local answer = require "sandbox.answer"
local core = require "core"

local limits = {}

--- Rates per second (one second's worth may come at once) and requests in
--- flight; nil for none. Both are lists of {value, since}, since in ms after
--- the first request, the first of them 0. To the file `counts` goes a line
--- for each second in which a request came, when the next one begins.
function limits.new(rates, widths, counts)
  local rate = rates and rates[1][1]
  return { rates = rates, widths = widths, at = core.now(),
           tokens = rate and math.max(rate, 1), flying = 0, refused = 0,
           counts = counts, second = 0, passed = 0, limited = 0 }
end

local function count(self, refusal)
  local second = (core.now() - self.began) // 1000
  if second > self.second then
    self.counts:write(core.json.encode {
      second = self.second, passed = self.passed, limited = self.limited,
    } .. "\n")
    self.second, self.passed, self.limited = second, 0, 0
  end
  self.passed = self.passed + (refusal and 0 or 1)
  self.limited = self.limited + (refusal and 1 or 0)
end

--- The value that holds now.
local function current(steps, elapsed)
  local value
  for _, step in ipairs(steps or {}) do
    if elapsed >= step[2] then
      value = step[1]
    end
  end
  return value
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
  local now = core.now()
  self.began = self.began or now
  local width = current(self.widths, now - self.began)
  local rate = current(self.rates, now - self.began)
  if width and self.flying > width then
    return refuse(self, 1)
  elseif not rate then
    return nil
  end
  self.tokens = math.min(math.max(rate, 1),
                         self.tokens + (now - self.at) / 1000 * rate)
  self.at = now
  if self.tokens < 1 then
    return refuse(self, (1 - self.tokens) / rate)
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
  local refusal = check(self)
  if self.counts then
    count(self, refusal)
  end
  return place, refusal
end

return limits
