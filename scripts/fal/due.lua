--- When a timer starts its service, in systemd's words.
local core = require "core"
local text = require "fal.text"

local due = {}

local function only_one(host, given, names)
  local found
  for _, name in ipairs(names) do
    if given[name] and found then
      host.usage(("--%s and --%s are two answers: choose one"):format(found,
        name))
    end
    found = given[name] and name or found
  end
  return found
end

local function clock_of(host, given)
  local hour, minute = (given.at or "03:00"):match "^(%d%d?):(%d%d)$"
  if not hour or tonumber(hour) > 23 or tonumber(minute) > 59 then
    host.usage(("--at is \"%s\": write a time like 03:30"):format(
      text.clean(given.at:sub(1, 40))))
  end
  return ("*-*-* %02d:%02d:00"):format(tonumber(hour), tonumber(minute))
end

local function calendar_of(host, given, when)
  if when == "on-calendar" then
    local calendar = given["on-calendar"]
    if not calendar:find "^[\x20-\x7e]+$" or not calendar:find "[%w*]" then
      host.usage(("--on-calendar is \"%s\": write systemd's words, like \"Mon "
        .. "*-*-* 04:00\"; systemd-analyze calendar explains them"):format(
        text.clean(calendar:sub(1, 60))))
    end
    return calendar
  elseif when == "hourly" then
    return "hourly"
  end
  return (when == "weekly" and "Sun " or "") .. clock_of(host, given)
end

--- Fills in `calendar`, `delay` and `retry`. Again in half an hour is only
--- for what would wait for a day otherwise, and a run that has an end by
--- --max-runtime is not begun again behind it.
---@param given table   hourly, weekly, daily, on-calendar, at, random-delay
function due.read(host, given, spec)
  local when = only_one(host, given, { "hourly", "weekly", "daily",
    "on-calendar" })
  local often = when == "hourly" or when == "on-calendar"
  if given.at and often then
    host.usage(("--at and --%s are two answers: choose one"):format(when))
  end
  local delay = given["random-delay"] or (often and "5m" or "30m")
  local ms = core.parse_duration(delay)
  if not ms then
    host.usage(("--random-delay is \"%s\": write a duration with its unit, "
      .. "like 30m"):format(text.clean(delay:sub(1, 40))))
  end
  spec.calendar = calendar_of(host, given, when)
  spec.delay = ms // 1000 .. "s"
  spec.retry = not often and not host.options["max-runtime"]
end

return due
