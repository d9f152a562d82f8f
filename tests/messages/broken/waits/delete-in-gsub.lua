local ids = "019e6d0a-e5be-7b82-b329-35ae64296902"
ids:gsub("%S+", function(id)
  fal.delete_payloads(id) -- here
end)
