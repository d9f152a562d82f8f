do
  local _ <close> = setmetatable({}, { __close = function()
    error "closing failed" -- here
  end })
end
