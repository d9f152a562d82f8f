local function age_of(request)
  return request.meta.age -- here
end
fal.each({ {} }, function(item)
  return age_of(item)
end)
