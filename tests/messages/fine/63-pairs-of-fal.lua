local names = 0
for name in pairs(fal) do
  names = names + #name
end
assert(names > 10)
