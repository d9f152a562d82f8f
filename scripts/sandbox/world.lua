--- The generated history: requests computed from a seed and their number.
---
---   number 1 (oldest) ................................... number N (newest)
---   |<- anchor - span                                         anchor ->|
---
--- Request i ended inside the i-th of N equal slots of the span, so numbers
--- are in time order and nothing is stored: a million requests cost no
--- memory. An id is a version 7 UUID of the submit time; its last 32 bits are
--- the scrambled number, and the rest is checked by computing it again.
local core = require "core"

local world = {}
world.__index = world

local MASK32 <const> = 0xffffffff
local ODD <const>, INVERSE <const> = 0x9e3779b1, 0x0e8b2f51

world.LONGEST = 40000           -- ms that a request takes

local QUEUED <const> = 200      -- ms between sent_at and started_at

local NAMES <const> = {
  "fal-ai/flux/dev", "fal-ai/flux/schnell", "fal-ai/kling-video/v2/master",
  "fal-ai/whisper", "fal-ai/recraft/v3", "fal-ai/imagen4/preview",
  "fal-ai/minimax/video-01", "fal-ai/veo3", "fal-ai/clarity-upscaler",
  "fal-ai/birefnet",
}

--- splitmix64 of the seed, a number and a salt: 64 well-mixed bits.
local function mix(seed, number, salt)
  local z = seed * 0x2545f4914f6cdd1d + number * -7046029254386353131 + salt
  z = (z ~ (z >> 30)) * -4658895280553007687
  z = (z ~ (z >> 27)) * -7723592293110705685
  return z ~ (z >> 31)
end
world.mix = mix

--- [0, 1) from 53 of the bits.
function world.unit(seed, number, salt)
  return (mix(seed, number, salt) >> 11) * 2.0 ^ -53
end

--- Names for `count` endpoints, beyond the list by a number.
function world.endpoint_names(count)
  local names = {}
  for i = 1, count do
    names[i] = NAMES[i] or ("sandbox/app-%d"):format(i)
  end
  return names
end

---@param config {seed:integer, requests:integer, span:integer,
---  anchor:integer, endpoints:string[]}  span and anchor in ms
function world.new(config)
  local self = setmetatable({ config = config, gone = {}, left = {},
                              deletions = 0 }, world)
  self.count = config.requests
  self.step = config.span / math.max(config.requests, 1)
  self.index = {}
  for i, name in ipairs(config.endpoints) do
    self.index[name] = i
  end
  return self
end

--- The place of its endpoint among the configured ones.
function world:place(number)
  return (number - 1) % #self.config.endpoints + 1
end

function world:endpoint(number)
  return self.config.endpoints[self:place(number)]
end

--- Whether a list may ask for this endpoint.
function world:knows(name)
  return self.index[name] ~= nil
end

--- Whether it was deleted: one bit each, so that a million stay small.
function world:is_gone(number)
  return (self.gone[number >> 6] or 0) >> (number & 63) & 1 == 1
end

--- Deletes its payloads; `left` are links of files that could not be.
function world:delete(number, left)
  local word = number >> 6
  self.gone[word] = (self.gone[word] or 0) | 1 << (number & 63)
  self.left[number] = left or nil
  self.deletions = self.deletions + 1
end

--- A window that holds everything.
function world:bounds()
  return self.config.anchor - self.config.span - 1, self.config.anchor + 1
end

function world:bits(number, salt)
  return mix(self.config.seed, number, salt)
end

--- When it ended, in ms; inside its slot, so it grows with the number.
function world:ended(number)
  local first = self.config.anchor - self.config.span
  local jitter = (self:bits(number, 1) >> 11) * 2.0 ^ -53
  return math.floor(first + (number - 1 + jitter) * self.step)
end

--- The first number whose slot begins at or after `ms`.
function world:number_at(ms)
  local first = self.config.anchor - self.config.span
  local number = math.ceil((ms - first) / self.step) + 1
  return math.max(1, math.min(self.count + 1, number))
end

--- Milliseconds that it took: 0.4 to 40 seconds, and nothing yet while it is
--- running, so that its place in the order is when it was sent.
function world:took(number)
  if self:running(number) then
    return 0
  end
  return 400 + (self:bits(number, 2) >> 1) % (world.LONGEST - 400)
end

function world:sent(number)
  return self:ended(number) - self:took(number)
end

--- Milliseconds between sent_at and started_at.
function world.queued()
  return QUEUED
end

--- About one in two hundred is still running.
function world:running(number)
  return (self:bits(number, 3) >> 1) % 200 == 0
end

--- 200, or 422 (the caller's error) and 500 (the model's) now and then.
function world:status(number)
  local draw = (self:bits(number, 4) >> 1) % 100
  return draw < 92 and 200 or draw < 97 and 422 or 500
end

function world:id(number)
  local seed = self.config.seed
  local time = self:sent(number)
  local random = mix(seed, number, 5)
  local low = ((number * ODD) ~ mix(seed, 0, 6)) & MASK32
  return ("%08x-%04x-7%03x-%04x-%04x%08x"):format(time >> 16,
    time & 0xffff, random >> 52 & 0xfff, 0x8000 | random >> 38 & 0x3fff,
    random >> 20 & 0xffff, low)
end

--- The number of an id of this world, or nil.
function world:number(id)
  local low = tonumber(id:sub(-8), 16)
  if not low then
    return nil
  end
  local number = ((low ~ mix(self.config.seed, 0, 6)) * INVERSE) & MASK32
  if number >= 1 and number <= self.count and self:id(number) == id then
    return number
  end
end

--- The links of its output files: none for failures and one in ten others.
function world:files(number)
  local draw = (self:bits(number, 7) >> 1) % 10
  local links = {}
  if self:status(number) ~= 200 or draw == 0 then
    return links
  end
  for i = 1, draw < 8 and 1 or draw - 5 do
    links[i] = ("https://v3.fal.media/files/sandbox/%s-%d.png"):format(
      self:id(number), i)
  end
  return links
end

local function time_text(ms)
  return core.format_time(ms)
end

--- The row of a listing; `payloads` adds input and output.
function world:row(number, payloads)
  local running = self:running(number)
  local ended, sent = self:ended(number), self:sent(number)
  local row = {
    request_id = self:id(number), endpoint_id = self:endpoint(number),
    sent_at = time_text(sent), started_at = time_text(sent + QUEUED),
  }
  if running then
    row.ended_at, row.status_code = core.json.null, core.json.null
    row.duration = core.json.null
  else
    row.ended_at, row.status_code = time_text(ended), self:status(number)
    row.duration = (ended - sent) / 1000
  end
  if payloads and not self:is_gone(number) then
    row.json_input = { prompt = "a picture of number " .. number,
                       seed = number }
    row.json_output = not running and
      { files = core.json.array(self:files(number)) } or nil
  end
  return row
end

return world
