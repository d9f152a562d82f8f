local function count(n)
  return 1 + count(n + 1) -- here
end
print(count(1))
