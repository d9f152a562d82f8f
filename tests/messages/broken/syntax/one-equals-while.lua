local left = 3
while left = 3 do -- here
  left = 2
end
