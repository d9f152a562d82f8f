--- Times relative to now, and waiting.
local core = require "core"
local check = require "fal.check"

local time = {}

--- Now minus a duration, as RFC 3339 text in UTC with whole seconds.
function time.ago(duration)
  local ms = check.duration("ago", "duration", duration)
  local at = (core.at() - ms) // 1000 * 1000
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
