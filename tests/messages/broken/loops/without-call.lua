for request in fal.requests do -- here
  print(request)
end
