local left = 10
while left > 0 -- here
  left = left - 1
end
