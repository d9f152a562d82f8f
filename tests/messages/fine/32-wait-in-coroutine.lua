local walk = coroutine.wrap(function()
  for request in fal.requests { endpoint_id = "auto" } do
    fal.sleep "1ms"
    coroutine.yield(request)
  end
end)
assert(walk().request_id)
