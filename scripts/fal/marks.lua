--- Holds that are marks in fal's dashboard, kept up to date during a run.
---
---   reading --> its ids are the gate's --30 s--> reading --> ...
---                  |
---                  +-- older than 60 s: nothing more goes to the gate
---
--- Nobody tells falrun when a mark is set, so it asks again and again. An id
--- that was held once stays held for the length of the run: the gate only
--- adds. A reading that fails is a safety stop.
local core = require "core"
local text = require "fal.text"

local marks = {}

local AGAIN <const> = 30000     -- ms from the end of a reading to the next
local OLDEST <const> = 60000    -- ms that a reading counts
local POLL <const> = 20

local readings = {}             -- title -> {ended, busy, failure, held}

local function words_of(found)
  local held = 0
  for _ in pairs(found.ids) do
    held = held + 1
  end
  return held, ("%s, %s held%s"):format(
    text.count(found.assets, "asset", "assets"),
    text.count(held, "request", "requests"),
    found.bare > 0 and (", %s without a request id, which %s nothing")
      :format(text.count(found.bare, "asset", "assets"),
              found.bare == 1 and "holds" or "hold") or "")
end

--- Says what a mark holds, the first time and when it has changed.
local function tell(mark, reading, found)
  local held, words = words_of(found)
  if words == reading.words then
    return
  end
  reading.words = words
  core.log[held == 0 and "warn" or "info"](("%s: %s"):format(mark.title,
    words))
end

local function hold_all(mark, found)
  for id in pairs(found.ids) do
    local ok, err = core.hold_id(id, mark.title)
    if not ok then
      error(err, 0)
    end
  end
end

--- Most runs have no marks, so what reads them is loaded here.
local function read(mark, reading)
  local found = require("fal.dashboard").read(mark.mark, mark.name)
  hold_all(mark, found)
  tell(mark, reading, found)
end

--- A reading that was cancelled says nothing; any other failure is the stop.
--- It is logged too: the run may end with a sentence of the API's own.
local function fail(mark, reading, err)
  if type(err) == "table" and err.code == "cancelled" then
    error(err, 0)
  end
  local sentence = ("%s cannot be read: %s; nothing is deleted without it")
    :format(mark.title, tostring(err))
  core.log.error(mark.title .. " cannot be read")
  core.stop(sentence)
  reading.failure = core.error("stopped", sentence)
end

local function renew(mark, oldest)
  local reading = readings[mark.title] or {}
  readings[mark.title] = reading
  while reading.busy do
    core.sleep(POLL)
  end
  if reading.failure or
    reading.ended and core.now() - reading.ended < oldest then
    return reading.failure
  end
  reading.busy = true
  local ok, err = pcall(read, mark, reading)
  reading.busy, reading.ended = false, ok and core.now() or nil
  if not ok then
    fail(mark, reading, err)
  end
  return reading.failure
end

local function renew_all(list, oldest)
  for _, mark in ipairs(list) do
    local err = renew(mark, oldest)
    if err then
      return nil, err
    end
  end
  return true
end

--- True when each mark was read not longer than a minute ago, now at the
--- latest: nothing goes to the gate by an older reading. Waits.
---@param list {mark:string, name:string?, title:string}[]
---@return boolean?, fal.Error?
function marks.renew(list)
  return renew_all(list, OLDEST)
end

--- The same, and raises the error.
function marks.check(list)
  local ok, err = renew_all(list, OLDEST)
  if not ok then
    error(err, 0)
  end
end

--- Reads them again and again until it is closed: a <close> variable.
function marks.watch(list)
  if not list[1] then
    return nil
  end
  local task = core.spawn(pcall, function()
    repeat
      core.sleep(AGAIN)
    until not renew_all(list, AGAIN)
  end)
  return setmetatable({}, { __close = function()
    task:cancel()
  end })
end

--- Forgets what an earlier run of this process has read.
function marks.reset()
  readings = {}
end

return marks
