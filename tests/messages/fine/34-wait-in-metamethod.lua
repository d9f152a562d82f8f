local lazy = setmetatable({}, { __index = function(_, name)
  fal.sleep "1ms"
  return name
end })
assert(lazy.age == "age")
