for row in fal.requests { endpoint_id = "auto" } do
  print(row.payload.prompt) -- here
end
