function is_old(request)
  return request.ended_at < fal.ago "30d"
end
fal.each(fal.requests { endpoint_id = "auto" }, function(request)
  assert(is_old(request))
end)
