local left = 1
local function ids()
  left = left - 1
  return left == 0 and "019e6d0a-e5be-4b82-b329-35ae64296900" or nil
end
assert(fal.delete_all(ids).planned == 1)
