local count = 0
for _ in fal.requests { endpoint_id = "auto" } do
  count += 1 -- here
end
