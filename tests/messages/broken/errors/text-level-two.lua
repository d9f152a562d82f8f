local function need(value)
  if not value then error("a customer is needed", 2) end
end
need(nil) -- here
