--- Times relative to now, and waiting.
local core = require "core"
local check = require "fal.check"

local time = {}

local pinned                    -- what "now" is for rules, or nil

--- From here on fal.ago counts from this time; nil: from the clock. Rules
--- are functions of a request and of now, however long a plan takes.
function time.pin(ms)
  pinned = ms
end

--- Now minus a duration, as RFC 3339 text in UTC with whole seconds. `now`,
--- RFC 3339 text, stands for another now, like the one that rules are given.
function time.ago(duration, now)
  local ms = check.duration("ago", "duration", duration)
  local from = now ~= nil and check.time("ago", "now", now) or pinned
    or core.at()
  local at = (from - ms) // 1000 * 1000
  if at < 0 then
    check.fail("ago", "duration", "%s reaches back before 1970",
               check.show(duration))
  end
  return core.format_time(at)
end

--- Waits without holding up other tasks.
function time.sleep(duration)
  return core.sleep(check.duration("sleep", "duration", duration))
end

return time
