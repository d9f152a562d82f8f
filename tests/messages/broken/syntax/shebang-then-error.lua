#!/usr/bin/env falrun
local age = "30d"
if age the -- here
  print(age)
end
