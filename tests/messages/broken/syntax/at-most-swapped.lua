local left = 3
while left =< 3 do -- here
  left = left + 1
end
