--- Hours, days, ISO weeks, months and years on the clocks of a zone.
---
--- A period is a whole number that grows with time. All arithmetic is done
--- on local time: ms since 1970 plus the zone's offset. When clocks go back,
--- the hour that comes twice is one hour, as it has one name.
local core = require "core"

local periods = {}

local HOUR <const> = 3600000
local DAY <const> = 86400000
local EPOCH <const> = 719162    -- days from 0001-01-01 to 1970-01-01

-- ---- zones -------------------------------------------------------------

local function fixed(name)
  return name == "UTC" or name == "Z" or name:find("^[+-]%d%d:%d%d$")
end

local function offset_ms(name, at_ms)
  local seconds = core.zone_offset(name, at_ms)
  if not seconds then
    error(core.error("config", ("the time zone %s could be read before and "
      .. "cannot be read now"):format(name)), 0)
  end
  return seconds * 1000
end

--- Offsets change on a few days of a year; of all others one is remembered.
local function changing(name)
  local days = {}
  return function(ms)
    local day = ms // DAY
    local offset = days[day]
    if not offset then
      offset = offset_ms(name, day * DAY)
      if offset_ms(name, day * DAY + DAY - 1) ~= offset then
        return ms + offset_ms(name, ms)
      end
      days[day] = offset
    end
    return ms + offset
  end
end

--- A function from ms since 1970 to local time; nil for an unknown zone.
function periods.zone(name)
  local seconds = core.zone_offset(name, core.at())
  if not seconds then
    return nil
  elseif fixed(name) then
    local offset = seconds * 1000
    return function(ms) return ms + offset end
  end
  return changing(name)
end

-- ---- the calendar ------------------------------------------------------

local function first_day(year)
  local before = year - 1
  return before * 365 + before // 4 - before // 100 + before // 400 - EPOCH
end

local function year_of(day)
  local year = 1970 + day * 400 // 146097
  while first_day(year) > day do
    year = year - 1
  end
  while first_day(year + 1) <= day do
    year = year + 1
  end
  return year
end

local ENDS <const> = { 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 }

local function month_of(day)
  local year = year_of(day)
  local of_year = day - first_day(year)
  local leap = first_day(year + 1) - first_day(year) == 366 and 1 or 0
  local month = 1
  while ENDS[month] and of_year >= ENDS[month] + (month > 1 and leap or 0) do
    month = month + 1
  end
  return year * 12 + month - 1
end

--- The period of a local time, by the name of its rule.
periods.of = {
  hourly = function(at) return at // HOUR end,
  daily = function(at) return at // DAY end,
  weekly = function(at) return (at // DAY + 3) // 7 end,  -- Monday is first
  monthly = function(at) return month_of(at // DAY) end,
  yearly = function(at) return year_of(at // DAY) end,
}

--- The name of the period of a local time: "2026-05-01", "2026-W18".
periods.name = {
  hourly = function(at)
    return (core.format_time(at):sub(1, 13):gsub("T", " ")) .. ":00"
  end,
  daily = function(at) return core.format_time(at):sub(1, 10) end,
  weekly = function(at)
    local thursday = periods.of.weekly(at) * 7    -- its year is the week's
    local year = year_of(thursday)
    return ("%04d-W%02d"):format(year, (thursday - first_day(year)) // 7 + 1)
  end,
  monthly = function(at) return core.format_time(at):sub(1, 7) end,
  yearly = function(at) return core.format_time(at):sub(1, 4) end,
}

return periods
