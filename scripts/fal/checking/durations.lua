--- Durations and times that are written out, and what was meant by others.
local core = require "core"
local check = require "fal.check"
local context = require "fal.checking.context"
local values = require "fal.checking.values"

local durations = {}

local UNITS <const> = {
  millisecond = "ms", milliseconds = "ms", msec = "ms", msecs = "ms",
  sec = "s", secs = "s", second = "s", seconds = "s",
  min = "m", mins = "m", minute = "m", minutes = "m",
  hr = "h", hrs = "h", hour = "h", hours = "h", day = "d", days = "d",
  week = "w", weeks = "w",
}
local DAY <const> = 24 * 3600           -- in seconds
local MONTHS <const> = { mo = 30, mon = 30, month = 30, months = 30, y = 365,
                         yr = 365, year = 365, years = 365 }

--- What to write for a text that is no duration, or nil.
local function meant(text)
  local number, blank, unit = text:match("^%s*(%d+)(%s*)(%a*)%s*$")
  if not number or #number > 6 then
    return text:find("^%d+%.%d+%a+$") and "whole numbers only: write \"36h\" "
      .. "for one day and a half" or nil
  elseif unit == "" then
    return ('write "%sd" for days'):format(number)
  end
  local days = MONTHS[unit:lower()]
  if days then
    return ('months and years differ in length: write "%dd"'):format(
      math.tointeger(tonumber(number)) * days)
  end
  local short = UNITS[unit:lower()] or core.parse_duration("1"
    .. unit:lower()) and unit:lower()
  if short and (blank ~= "" or short ~= unit) then
    return ('write "%s%s"'):format(number, short)
  end
end

local function report_text(ctx, where, node, text)
  local hint = meant(text)
  if not hint and core.parse_time(text) then
    hint = "that is a time; a duration like \"30d\" counts back from now"
  end
  context.report(ctx, "bad-duration", node.token, ("%s: %s is not a duration")
    :format(where, check.show(text)), hint or "whole numbers with a unit are, "
    .. "like \"30d\" or \"1h30m\" (units: ms, s, m, h, d, w)")
end

--- Whoever writes 2592000 has counted the seconds of thirty days.
local function unit_for(value)
  local days = value % DAY == 0 and math.tointeger(value // DAY)
  if days and days > 0 then
    return ('write "%dd" if that is seconds'):format(days)
  end
  return ('write "%sd" for days or "%ss" for seconds'):format(value, value)
end

--- A value that must be a duration. Its ms where that is certain.
function durations.duration(ctx, where, node)
  local kind, value = values.literal(node)
  if kind == "number" then
    context.report(ctx, "bare-number", node.token, ("%s: a duration needs a "
      .. "unit, not the bare number %s"):format(where, value), unit_for(value))
  elseif kind == "string" then
    local ms = core.parse_duration(value)
    if not ms then
      report_text(ctx, where, node, value)
    end
    return ms
  elseif kind and kind ~= "nil" then
    context.report(ctx, "wrong-type", node.token, ("%s: a duration like "
      .. '"30d" is needed, not a %s'):format(where, kind))
  elseif values.called(node) == "fal.ago" then
    context.report(ctx, "wrong-type", node.token, where .. ": fal.ago gives "
      .. "a time, and a duration is needed", "write the duration alone")
  end
end

--- The time of fal.ago "30d", in ms.
local function ago(ctx, node)
  local path, call = values.called(node)
  if path ~= "fal.ago" or #call.args ~= 1 then
    return nil
  end
  local kind, text = values.literal(call.args[1])
  local ms = kind == "string" and core.parse_duration(text)
  return ms and (ctx.now - ms) // 1000 * 1000
end

--- A value that must be a time. Its ms since 1970 where that is certain.
function durations.time(ctx, where, node)
  local kind, value = values.literal(node)
  if kind == "string" then
    local ms = core.parse_time(value)
    if not ms then
      context.report(ctx, "bad-time", node.token, ("%s: %s is not a time")
        :format(where, check.show(value)), core.parse_duration(value) and
        ('write fal.ago "%s"'):format(value) or "RFC 3339 is, like "
        .. "\"2026-01-02T03:04:05Z\" or \"2026-01-02\"")
    end
    return ms
  elseif kind and kind ~= "nil" then
    context.report(ctx, "wrong-type", node.token, ("%s: a time like "
      .. '"2026-01-02" or fal.ago "30d" is needed, not a %s'):format(where,
      kind))
  elseif values.called(node) == "os.time" then
    context.report(ctx, "wrong-type", node.token, where .. ": os.time gives "
      .. "a number, and a time is text", "write fal.ago \"30d\", or "
      .. "os.date(\"!%Y-%m-%dT%H:%M:%SZ\", seconds)")
  end
  return ago(ctx, node)
end

return durations
