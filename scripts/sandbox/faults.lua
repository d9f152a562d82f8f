--- Faults by name and share, from their own seed.
---
---   500=0.05,drop-after@delete=0.1,401@delete=#17,late-rows=0.02
---
--- NAME[@PLACE]=SHARE, or =#N for the N-th request of that place alone. A
--- place is "list", "delete" or "change"; without one a fault strikes all.
--- The draw depends on the seed and the request's number of its place alone.
--- Where several strike one request, the first of the list does.
local answer = require "sandbox.answer"
local world = require "sandbox.world"

local faults = {}

local KNOWN <const> = {
  ["timeout"] = true, ["cdn-exception"] = true, ["drop-before"] = true,
  ["drop-after"] = true, ["late-rows"] = true, ["garbage"] = true,
  ["truncate"] = true,
}

--- Each place's part of the draw.
local PLACES <const> = { delete = 0, list = 1, change = 1000 }

--- The one place of the faults that have only one.
local ONLY <const> = { ["late-rows"] = "list", ["cdn-exception"] = "delete" }

local function parse_place(fault, place)
  local only = ONLY[fault.name]
  if place and not PLACES[place] then
    return ("a fault strikes @list, @delete or @change, not @%s"):format(
      answer.shown(place, 40))
  elseif place and only and place ~= only then
    return ("%s strikes @%s alone"):format(fault.name, only)
  end
  fault.place = place or only
end

local function parse_share(fault, text)
  fault.nth = math.tointeger(text:match("^#(%d+)$"))
  fault.share = fault.nth and 0 or
    text:match("^[%d.]+$") and tonumber(text)
  if fault.nth and fault.name == "late-rows" then
    return "late-rows strikes rows, not requests: write its share"
  elseif not fault.share or fault.share > 1 or fault.nth == 0 then
    return ("the share of %s must be 0 to 1, or #N from #1 on"):format(
      fault.name)
  end
end

local function parse_one(text)
  local left, share = text:match("^([^=]+)=?(.*)$")
  local name, place = (left or ""):match("^([^@]+)(.*)$")
  if not name or not (KNOWN[name] or name:match("^[45]%d%d$")) then
    return nil, ("there is no fault \"%s\""):format(answer.shown(text, 40))
  elseif not text:find("=", 1, true) then
    return nil, ("%s needs a share, like %s=0.1 or %s=#3"):format(
      answer.shown(left, 40), name, name)
  end
  local fault = { name = name }
  local why = parse_place(fault, place:match("^@(.*)$")) or
    parse_share(fault, share)
  return not why and fault or nil, why
end

--- The injector, or nil and what is wrong with the text.
function faults.new(text, seed)
  local list, counts = {}, { list = 0, delete = 0, change = 0 }
  for part in (text or ""):gmatch("[^,%s]+") do
    local fault, why = parse_one(part)
    if not fault then
      return nil, why
    end
    list[#list + 1] = fault
  end
  local self = {}

  --- The fault that strikes the next request of this place, or nil.
  function self.draw(place)
    counts[place] = counts[place] + 1
    local count = counts[place]
    for i, fault in ipairs(list) do
      local here = not fault.place or fault.place == place
      local strikes = fault.nth == count or not fault.nth and
        world.unit(seed, count, i * 2 + PLACES[place])
        < fault.share
      if here and strikes and fault.name ~= "late-rows" then
        return fault.name
      end
    end
  end

  --- The share of a fault that is not drawn per request, or nil.
  function self.share(name)
    for _, fault in ipairs(list) do
      if fault.name == name and fault.share > 0 then
        return fault.share
      end
    end
  end

  --- A late row comes into the lists after two to nine of them were read.
  function self.late(number, listed)
    return world.unit(seed, number, 99) < (self.share("late-rows") or 0)
      and listed < 2 + (world.mix(seed, number, 98) >> 1) % 8
  end

  --- An even choice that belongs to this request.
  function self.coin(salt)
    return world.unit(seed, counts.delete, salt) < 0.5
  end
  return self
end

return faults
