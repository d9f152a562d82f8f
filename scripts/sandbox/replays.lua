--- The idempotency cache: for ten minutes the same key on the same id gets
--- the same answer.
---
---   queue:  first -> [name] [name] ... [name] <- last      oldest first
---   held:   name = "at status body"                        one string each
---
--- Entries leave from the old end, by age, and by size so that a long run
--- cannot use up the sandbox's memory.
local core = require "core"

local replays = {}

local KEPT_MS <const> = 600000
local MOST_BYTES <const> = 64 << 20
local OVERHEAD <const> = 250            -- of two strings and their places

function replays.new()
  return { held = {}, queue = {}, first = 1, last = 0, bytes = 0 }
end

local function size(name, entry)
  return #name + #entry + OVERHEAD
end

local function drop_oldest(self)
  local name = self.queue[self.first]
  self.queue[self.first] = nil
  self.first = self.first + 1
  self.bytes = self.bytes - size(name, self.held[name])
  self.held[name] = nil
end

local function read(entry)
  local at, status, body = entry:match("^(%d+) (%d+) (.*)$")
  return math.tointeger(at), math.tointeger(status), body
end

local function sweep(self, now)
  while self.first <= self.last do
    local at = read(self.held[self.queue[self.first]])
    if now - at < KEPT_MS and self.bytes <= MOST_BYTES then
      return
    end
    drop_oldest(self)
  end
end

--- Status and body of the answer that `key` got for `id`, or nil.
function replays.find(self, key, id)
  sweep(self, core.at())
  local entry = key and self.held[id .. key]
  if entry then
    local _, status, body = read(entry)
    return status, body
  end
end

--- Keeps an answer; the first one of a key and id stays.
function replays.keep(self, key, id, status, body)
  local name = id .. (key or "")
  if not key or self.held[name] then
    return
  end
  local entry = ("%d %d %s"):format(core.at(), status, body)
  self.last = self.last + 1
  self.queue[self.last] = name
  self.held[name] = entry
  self.bytes = self.bytes + size(name, entry)
  sweep(self, core.at())
end

return replays
