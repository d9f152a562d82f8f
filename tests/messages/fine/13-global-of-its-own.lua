total = 0
for _ in fal.requests { endpoint_id = "auto", older_than = "30d" } do
  total = total + 1
end
assert(total == 3)
