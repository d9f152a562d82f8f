local count = 0
for _ in fal.requests { endpoint_id = "auto" } do
  count++ -- here
end
