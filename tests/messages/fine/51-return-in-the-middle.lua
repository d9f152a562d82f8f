if #arg == 0 then
  return
end
error "not reached"
