--- Modules that most runs do not need: loaded when they are first asked for
--- something. A start is half as long without them.
---
---   local planner = later "fal.planner"     a stand-in: planner.plan(...)
---   keep = later("fal.keep", "any")         one function of it
---
--- The stand-in keeps what it was asked for, so a field that changes later
--- is not for it.
local function stand_in(name)
  return setmetatable({}, { __index = function(fields, key)
    local value = require(name)[key]
    fields[key] = value
    return value
  end })
end

local function function_of(name, key)
  return function(...)
    return require(name)[key](...)
  end
end

return function(name, key)
  if key then
    return function_of(name, key)
  end
  return stand_in(name)
end
