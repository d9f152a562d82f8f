local shown = setmetatable({}, { __tostring = function()
  fal.sleep "1ms" -- here
  return "shown"
end })
print(tostring(shown))
